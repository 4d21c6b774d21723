package device

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inNamespace runs the rest of the test on a thread in a network namespace of
// its own, which ends with the test. run gives commands to ip(8) in it.
func inNamespace(t *testing.T) (run func(line string)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip (iproute2) to make network devices")
	}
	name := fmt.Sprintf("thdv-%d-%d", os.Getpid(), unix.Gettid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("cannot make a network namespace: %v: %s", err, out)
	}
	// Cleanups run last in, first out: the thread leaves first.
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
			t.Errorf("cannot delete namespace %s: %v: %s", name, err, out)
		}
	})
	enter(t, "/run/netns/"+name)
	return func(line string) {
		t.Helper()
		args := append([]string{"-n", name}, strings.Fields(line)...)
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
}

// enter moves the test's thread to a namespace and back when it ends.
func enter(t *testing.T, path string) {
	t.Helper()
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := unix.Setns(int(other.Fd()), unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer home.Close()
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			t.Fatalf("cannot leave the namespace: %v", err) // the thread stays locked and dies with the goroutine
		}
		runtime.UnlockOSThread()
	})
}
