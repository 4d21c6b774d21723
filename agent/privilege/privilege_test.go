package privilege

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// program builds the process under testdata, without cgo whatever the tests
// themselves are built with.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "trailhound-privilege-")
	if err != nil {
		return "", err
	}
	os.Chmod(dir, 0o755) // another user must be able to run it
	path := filepath.Join(dir, "process")
	cmd := exec.Command("go", "build", "-o", path, "./testdata/process")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// start runs the process and returns its id and what it printed before it was
// ready. It ends with the test.
func start(t *testing.T, args ...string) (pid int, said string) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return cmd.Process.Pid, said
		}
		said += lines.Text() + "\n"
	}
	t.Fatalf("%v ended: %v\n%s", args, cmd.Wait(), said)
	return 0, ""
}

// statuses reads one field of /proc/PID/task/*/status of all threads: value to
// number of threads.
func statuses(t *testing.T, pid int, field string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) < 33 {
		t.Fatalf("%d threads, %v", len(files), err)
	}
	values := make(map[string]int)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		values[statusField(string(b), field)]++
	}
	return values
}

func statusField(status, field string) string {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return "absent"
}

const nothing = "0000000000000000"

func wantAll(t *testing.T, pid int, want map[string]string) {
	t.Helper()
	for field, value := range want {
		if got := statuses(t, pid, field); len(got) != 1 || got[value] == 0 {
			t.Errorf("%s: threads by value %v, want all %q", field, got, value)
		}
	}
}

var dropped = map[string]string{"CapEff": nothing, "CapPrm": nothing, "CapInh": nothing, "CapAmb": nothing, "NoNewPrivs": "1"}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: there is nothing to give up without it")
	}
}

// TestDropAllThreads looks at every thread, those that were there before, in
// the runtime and in system calls, and those that were started after.
func TestDropAllThreads(t *testing.T) {
	if os.Geteuid() == 0 {
		pid, _ := start(t, "stay")
		if got := statuses(t, pid, "CapEff"); got[nothing] != 0 {
			t.Fatalf("nothing to drop: %v", got)
		}
	}
	pid, _ := start(t, "drop")
	wantAll(t, pid, dropped)
}

// TestDropWithAmbient: under systemd the capability comes as an ambient one.
func TestDropWithAmbient(t *testing.T) {
	needRoot(t)
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("needs setpriv (util-linux)")
	}
	run := func(what string) int {
		cmd := exec.Command(setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", "-all,+net_raw", "--ambient-caps", "-all,+net_raw", path, what)
		return waitReady(t, cmd)
	}
	const netRaw = "0000000000002000"
	wantAll(t, run("stay"), map[string]string{"CapEff": netRaw, "CapPrm": netRaw, "CapInh": netRaw, "CapAmb": netRaw, "Uid": "65534 65534 65534 65534"})
	wantAll(t, run("drop"), dropped)
}

func waitReady(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	b := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, b); err != nil || string(b) != "ready\n" {
		t.Fatalf("%q %v", b, err)
	}
	return cmd.Process.Pid
}

// TestDropHoldsForPrograms: root gets its capabilities back from execve(2)
// unless no_new_privs is set.
func TestDropHoldsForPrograms(t *testing.T) {
	needRoot(t)
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "exec", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for field, value := range dropped {
		if got := statusField(string(out), field); got != value {
			t.Errorf("%s of a program started afterwards is %q", field, got)
		}
	}
}

func TestChangeUser(t *testing.T) {
	needRoot(t)
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip("needs user nobody")
	}
	four := func(id string) string { return strings.Join([]string{id, id, id, id}, " ") }
	ids := map[string]string{"Uid": four(nobody.Uid), "Gid": four(nobody.Gid), "Groups": nobody.Gid, "CapEff": nothing, "CapPrm": nothing}
	pid, said := start(t, "user", "nobody")
	if said != "changed true unknown false\n" {
		t.Errorf("said %q", said)
	}
	wantAll(t, pid, ids)

	pid, _ = start(t, "both", "nobody")
	wantAll(t, pid, ids)
	wantAll(t, pid, dropped)
}

func TestChangeUserThatIsNot(t *testing.T) {
	needRoot(t)
	pid, said := start(t, "user", "no-such-user-here")
	if said != "changed false unknown true\n" {
		t.Errorf("said %q", said)
	}
	wantAll(t, pid, map[string]string{"Uid": "0 0 0 0"})
	path, _ := program()
	if out, err := exec.Command(path, "user", "root").CombinedOutput(); err == nil || !strings.Contains(string(out), "root by another name") {
		t.Errorf("to root: %v %s", err, out)
	}
}

func TestUnderSystemd(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  string
		want string
	}{
		{"", "false\n"},
		{"NOTIFY_SOCKET=/run/systemd/notify", "true\n"},
		{"INVOCATION_ID=0123", "false\n"}, // a shell below a service: its parent is not systemd
		{"SYSTEMD_EXEC_PID=1", "false\n"},
	} {
		cmd := exec.Command(path, "systemd")
		cmd.Env = []string{c.env}
		if out, err := cmd.Output(); err != nil || string(out) != c.want {
			t.Errorf("%s: %q %v, want %q", c.env, out, err, c.want)
		}
	}
	// exec keeps the process id, which is what systemd does.
	cmd := exec.Command("/bin/sh", "-c", "SYSTEMD_EXEC_PID=$$ exec "+path+" systemd")
	if out, err := cmd.Output(); err != nil || string(out) != "true\n" {
		t.Errorf("with its own id: %q %v", out, err)
	}
}

func TestSetString(t *testing.T) {
	for _, c := range []struct {
		set  Set
		want string
	}{
		{0, "none"},
		{1 << NetRaw, "cap_net_raw"},
		{1<<NetRaw | 1<<12 | 1<<40, "cap_net_admin,cap_net_raw,cap_checkpoint_restore"},
		{^Set(0), "all"},
		{1<<41 - 1, "all"},
		{1 << 63, "none"},
	} {
		if got := c.set.String(); got != c.want {
			t.Errorf("%x: %q, want %q", uint64(c.set), got, c.want)
		}
	}
	if Set(1).Has(64) || !Set(1).Has(0) {
		t.Error("Has")
	}
}

func TestReadAgreesWithProc(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	no := "0"
	if s.NoNewPrivs {
		no = "1"
	}
	for field, got := range map[string]string{"CapEff": s.Effective.hex(), "CapPrm": s.Permitted.hex(), "CapBnd": s.Bounding.hex(), "NoNewPrivs": no} {
		if want := statusField(string(b), field); got != want {
			t.Errorf("%s is %s, the kernel says %s", field, got, want)
		}
	}
}

func (s Set) hex() string { return fmt.Sprintf("%016x", uint64(s)) }

func TestOfFile(t *testing.T) {
	raw := []byte{1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0} // cap_net_raw,cap_checkpoint_restore=ep
	for _, c := range []struct {
		data []byte
		want Set
	}{
		{raw, 1<<NetRaw | 1<<40},
		{append(raw, 0, 0, 0, 0), 1<<NetRaw | 1<<40}, // revision 3 has the user of the namespace behind it
		{raw[:12], 1 << NetRaw},
		{append([]byte{0, 0, 0, 1}, raw[4:]...), 1 << NetRaw},
		{raw[:11], 0},
		{nil, 0},
	} {
		if got := fileSet(c.data); got != c.want {
			t.Errorf("%x: %s, want %s", c.data, got, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if s := OfFile(path); s != 0 || OfFile(path+"x") != 0 {
		t.Errorf("a file without has %s", s)
	}
	if out, err := exec.Command("setcap", "cap_net_raw+ep", path).CombinedOutput(); err != nil {
		t.Skipf("setcap: %v: %s", err, out)
	}
	if s := OfFile(path); s != 1<<NetRaw {
		t.Errorf("the kernel wrote %s", s)
	}
}
