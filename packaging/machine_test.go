package packaging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that is waited for.
const patience = time.Minute

// A machine is a throw-away Debian system over the shared base. Nothing of it is
// left when the test ends, however it ends: all of it lies in a mount namespace.
type machine struct {
	t      *testing.T
	enter  []string // what runs a command in it
	init   int      // the process that holds the namespaces
	root   string   // its file system, seen from here
	inside string   // its file system, seen from the mount namespace of init
}

// newMachine makes a system; booted, systemd runs in it, else nothing does.
func newMachine(t *testing.T, booted bool) *machine {
	t.Helper()
	base, packages := baseSystem(t), filepath.Join(built(t).dir, "dist")
	// Not t.TempDir: what a killed test leaves here, the next one removes.
	work, err := os.MkdirTemp(filepath.Dir(built(t).dir), "machine-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(work) })
	for _, dir := range []string{"root", "layer", "notify"} {
		if err := os.Mkdir(filepath.Join(work, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("testdata/machine.sh")
	if err != nil {
		t.Fatal(err)
	}
	mode, cgroup := "idle", ""
	if booted {
		mode, cgroup = "systemd", "trailhound-test-"+strconv.Itoa(os.Getpid())+"-"+strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	up := make(chan error, 1)
	if booted {
		listenNotify(t, filepath.Join(work, "notify", "socket"), up)
	}
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", script, mode, base, work, packages, cgroup)
	said := &readyWriter{up: up}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a killed test leaves nothing behind
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	m := &machine{t: t, init: cmd.Process.Pid, inside: "/"}
	t.Cleanup(func() {
		// With the first process of its namespace every other one has ended too,
		// before unshare, which waits for it, does.
		syscall.Kill(m.init, syscall.SIGKILL)
		<-ended
		if cgroup != "" {
			removeCgroup(t, cgroup, filepath.Join(work, "layer"))
		}
	})
	select {
	case err := <-up:
		if err != nil {
			t.Fatal(err)
		}
	case err := <-ended:
		ended <- err
		t.Fatalf("the test system does not start: %v\n%s", err, said)
	case <-time.After(patience):
		t.Fatalf("the test system is not up after %v\n%s", patience, said)
	}
	if !booted {
		m.inside = filepath.Join(work, "root")
		m.enter = []string{"nsenter", "--mount", "--target", strconv.Itoa(m.init), "chroot", m.inside}
	} else {
		m.init = child(t, m.init)
		m.enter = []string{"nsenter", "--all", "--root", "--wd=/", "--target", strconv.Itoa(m.init)}
	}
	m.root = filepath.Join("/proc", strconv.Itoa(m.init), "root", m.inside)
	return m
}

// try runs a command in the machine and gives its output and exit code.
func (m *machine) try(args ...string) (string, int) {
	m.t.Helper()
	return run(m.t, append(m.enter[:len(m.enter):len(m.enter)], append([]string{"env", "-i", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "TERM=dumb", "HOME=/root",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, args...)...)...)
}

// run runs a command in the machine that has to succeed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, code := m.try(args...)
	if code != 0 {
		m.t.Fatalf("%s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

func (m *machine) read(path string) string {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.root, path))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(data)
}

func (m *machine) write(path, text string) {
	m.t.Helper()
	file := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) exists(path string) bool {
	_, err := os.Lstat(filepath.Join(m.root, path))
	return err == nil
}

// stat gives mode and owner of a file: "750 root:trailhound".
func (m *machine) stat(path string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("stat", "-c", "%a %U:%G", path))
}

// eventually waits until something that another process does has happened.
func (m *machine) eventually(what string, happened func() bool) {
	m.t.Helper()
	deadline := time.Now().Add(patience)
	for !happened() {
		if time.Now().After(deadline) {
			log, _ := m.try("journalctl", "-b", "--no-pager", "-u", "trailhound", "-n", "40")
			m.t.Fatalf("not within %v: %s\n%s", patience, what, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// run runs a command on the host and gives what it says and its exit code.
func run(t *testing.T, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = 5 * time.Second // its children may keep the pipe open
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return string(out), 0
	case ctx.Err() == nil && errors.As(err, &exit):
		return string(out), exit.ExitCode()
	}
	t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	return "", 0
}

// listenNotify reports when systemd says that the system is up.
func listenNotify(t *testing.T, path string, up chan<- error) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for text := make([]byte, 4096); ; {
			n, err := conn.Read(text)
			if err != nil {
				return
			}
			// Read on: systemd says much more, and waits while nobody listens.
			if bytes.Contains(text[:n], []byte("READY=1")) {
				report(up)
			}
		}
	}()
}

// report says that a machine is up, unless that has been said.
func report(up chan<- error) {
	select {
	case up <- nil:
	default:
	}
}

// readyWriter keeps what a machine says while it starts, and reports its "ready".
type readyWriter struct {
	mutex sync.Mutex
	text  []byte
	up    chan<- error
}

func (w *readyWriter) Write(p []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.text = append(w.text, p...)
	if bytes.HasSuffix(w.text, []byte("ready\n")) {
		report(w.up)
	}
	return len(p), nil
}

func (w *readyWriter) String() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return string(w.text)
}

// child is the one process that another has started.
func child(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("children of %d: %q", pid, text)
	}
	return n
}

// removeCgroup takes away the control groups that a machine leaves empty.
func removeCgroup(t *testing.T, name, mountPoint string) {
	out, err := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c",
		`mount -t cgroup2 cgroup2 "$1" && find "$1/$2" -depth -type d -exec rmdir {} +`, "sh", mountPoint, name).CombinedOutput()
	if err != nil {
		t.Logf("the control group %s stays: %v\n%s", name, err, out)
	}
}
