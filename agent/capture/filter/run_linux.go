package filter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxOutput    = 64 << 10 // of tcpdump's program: 4096 instructions fit
	maxComplaint = 4 << 10  // of what it says when it fails

	// nobody is the user and group of that name where /etc/passwd has none.
	nobody = 65534
)

// systemPaths are where tcpdump is outside of PATH, and where it may look.
const systemPaths = "/usr/sbin:/usr/bin:/sbin"

// findTcpdump gives the path that Options.Tcpdump asks for. The error reads on
// behind "and".
func findTcpdump(path string) (string, error) {
	switch path {
	case "-":
		return "", errors.New("tcpdump, which may know it, is not to be used")
	case "":
	default:
		if !filepath.IsAbs(path) {
			return "", fmt.Errorf("the path of tcpdump, which may know it, is not absolute: %q", path)
		}
		if _, err := exec.LookPath(path); err != nil {
			return "", fmt.Errorf("tcpdump, which may know it, cannot be used: %w", err)
		}
		return path, nil
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH") + ":" + systemPaths) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if found, err := exec.LookPath(filepath.Join(dir, "tcpdump")); err == nil {
			return found, nil
		}
	}
	return "", errors.New("tcpdump, which may know it, is not installed")
}

// runTcpdump has tcpdump compile an expression and gives what it printed. The
// process has no environment, ends in time with all that it started, and cannot
// get any privilege. It is nobody's where the sensor may change users; where it
// may not, it is the sensor's, which has no more left than that.
func runTcpdump(path, dataLink, expression string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	out := &bounded{limit: maxOutput, exceeded: cancel}
	complaint := &bounded{limit: maxComplaint, exceeded: func() {}}
	// Without its optimizer (-O), which makes programs of some nested expressions
	// that mean something else (libpcap 1.10.3).
	cmd := exec.CommandContext(ctx, path, "-O", "-ddd", "-y", dataLink, "--", expression)
	cmd.Env = []string{"LC_ALL=C", "PATH=" + systemPaths}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out, complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if may, err := mayChangeUser(); err != nil {
		return "", err
	} else if may {
		cmd.SysProcAttr.Credential = unprivileged()
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second

	err := withoutPrivilege(cmd)
	switch {
	case out.full:
		return "", fmt.Errorf("tcpdump printed more than %d bytes", maxOutput)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("tcpdump was not ready after %v", timeout)
	case err == nil:
		return string(out.data), nil
	}
	if line, _, _ := bytes.Cut(bytes.TrimSpace(complaint.data), []byte("\n")); len(line) > 0 {
		line = bytes.TrimPrefix(line, []byte("tcpdump: "))
		return "", fmt.Errorf("tcpdump says %q", line[:min(len(line), 200)])
	}
	return "", fmt.Errorf("tcpdump failed: %w", err)
}

// withoutPrivilege runs a command from a thread that has given up what a
// process would inherit: ambient capabilities, and the right to gain privilege
// by executing a file. The thread ends with it, and it is only then that the
// kernel may send the signal of Pdeathsig.
func withoutPrivilege(cmd *exec.Cmd) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread
		done <- func() error {
			if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
				return fmt.Errorf("cannot give up privilege: %w", err)
			}
			if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) {
				return fmt.Errorf("cannot give up ambient capabilities: %w", err)
			}
			return cmd.Run()
		}()
	}()
	return <-done
}

// mayChangeUser says whether a process of root can start others as nobody: not
// after it has given up its capabilities, nor in a container without these two.
func mayChangeUser() (bool, error) {
	if os.Geteuid() != 0 {
		return false, nil
	}
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // version 3 has two words of each set
	if err := unix.Capget(&h, &data[0]); err != nil {
		return false, fmt.Errorf("cannot read the capabilities of this process: %w", err)
	}
	const needed = 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID
	return data[0].Effective&needed == needed, nil
}

// unprivileged is the user nobody, with no other groups.
func unprivileged() *syscall.Credential {
	c := &syscall.Credential{Uid: nobody, Gid: nobody}
	if u, err := user.Lookup("nobody"); err == nil {
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 && gid != 0 {
			c.Uid, c.Gid = uint32(uid), uint32(gid)
		}
	}
	return c
}

// bounded keeps the first bytes that are written to it. At the first byte too
// many it calls exceeded and takes no more.
type bounded struct {
	data     []byte
	limit    int
	exceeded func()
	full     bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - len(b.data)
	b.data = append(b.data, p[:min(len(p), room)]...)
	if len(p) > room && !b.full {
		b.full = true
		b.exceeded()
	}
	return len(p), nil
}
