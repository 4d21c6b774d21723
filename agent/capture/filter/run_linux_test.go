package filter

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// asInner is set in the process that TestRootWithoutCapabilities starts: what
// it has for tcpdump.
const asInner = "FILTER_TEST_TCPDUMP"

// TestRootWithoutCapabilities: a sensor that stays root gives its capabilities
// up, and a reload compiles all the same. So does a container that has root
// without the right to change users.
func TestRootWithoutCapabilities(t *testing.T) {
	if path := os.Getenv(asInner); path != "" {
		compileAsRoot(t, path)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for name, kept := range map[string]uint32{
		"none": 0, "setuid": 1 << unix.CAP_SETUID, "setgid": 1 << unix.CAP_SETGID,
		"both": 1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID,
	} {
		t.Run(name, func(t *testing.T) {
			path := fakeTcpdump(t, `d=${0%/*}
case "$*" in *"and and"*) echo 'tcpdump: syntax error in filter expression' >&2; exit 1;; esac
cat /proc/self/status >$d/status.$4
`+acceptAll)
			cmd := exec.Command(os.Args[0], "-test.run=^TestRootWithoutCapabilities$", "-test.count=1")
			cmd.Env = append(os.Environ(), asInner+"="+path)
			if out, err := withCapabilities(kept, cmd); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			status, err := os.ReadFile(filepath.Join(filepath.Dir(path), "status.EN10MB"))
			if err != nil {
				t.Fatal(err)
			}
			user := fmt.Sprint(unprivileged().Uid)
			if name != "both" {
				user = "0"
			}
			if want := "\nUid:\t" + strings.Repeat(user+"\t", 3) + user + "\n"; !strings.Contains(string(status), want) {
				t.Errorf("not user %s:\n%s", user, status)
			}
		})
	}
}

// compileAsRoot is the process that the test starts.
func compileAsRoot(t *testing.T, path string) {
	if _, err := New("ip[0] = ip[1]", Options{Tcpdump: path}); err != nil {
		t.Error(err)
	}
	_, err := New("tcp port 80 and and", Options{Tcpdump: path})
	if err == nil || !strings.Contains(err.Error(), "tcpdump says") {
		t.Errorf("%v, want what tcpdump says", err)
	}
}

// withCapabilities runs a command as a root that has only these capabilities
// and gets no others. It gives what the command printed.
func withCapabilities(set uint32, cmd *exec.Cmd) (out []byte, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return
		}
		h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		data := [2]unix.CapUserData{{Effective: set, Permitted: set}}
		if err = unix.Capset(&h, &data[0]); err == nil {
			out, err = cmd.CombinedOutput()
		}
	}()
	<-done
	return out, err
}

// TestCompilerRemembers: an expression that has compiled needs no tcpdump again.
func TestCompilerRemembers(t *testing.T) {
	path := fakeTcpdump(t, `case "$*" in *"and and"*) echo 'tcpdump: no' >&2; exit 1;; esac
echo x >>${0%/*}/calls
`+acceptAll)
	c := Compiler{Options: Options{Tcpdump: path}}
	first, err := c.Compile("ip[0] = ip[1]")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile("tcp port 80 and and"); err == nil {
		t.Error("what does not compile is kept")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	again, err := c.Compile("ip[0] = ip[1]")
	if err != nil || again != first {
		t.Errorf("compiled again: %v", err)
	}
	calls, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "calls"))
	if got := strings.Count(string(calls), "x"); got != len(links) {
		t.Errorf("tcpdump was called %d times, want %d", got, len(links))
	}
	if _, err := c.Compile("ip[0] = ip[2]"); err == nil {
		t.Error("another expression compiled without tcpdump")
	}
	other, err := c.Compile("tcp")
	if err != nil || other == first || other.String() != "tcp" {
		t.Errorf("%v %v", other, err)
	}
}
