// Package live tests the sensor end to end: the real program, on real rings,
// in network namespaces that each test makes for itself. The namespaces have no
// names, so that nothing is left behind, whatever ends the tests.
//
// It takes root or, without, a user namespace of its own. Where neither is to
// be had the tests fail, because a capture that nobody tested is not a tested
// capture; TRAILHOUND_NO_LIVE=reason skips them and says why.
package live

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"trailhound/tests/namespace"
)

const (
	envSkip   = "TRAILHOUND_NO_LIVE"
	envInside = "TRAILHOUND_LIVE_INSIDE" // the tests run in the user namespace already
	envRace   = "TRAILHOUND_LIVE_RACE"   // the sensor is built with the race detector, which needs gcc
)

// program is the path of the built sensor; unable says why nothing can be
// tested. TestMain sets both. lacking are the checks that this kernel does not
// allow; TestMain prints them.
var (
	program string
	unable  error
	lacking skipped
)

// skipped counts checks that were not made.
type skipped struct {
	mu   sync.Mutex
	list []string
}

// skip skips a test for what the kernel lacks.
func (s *skipped) skip(t testing.TB, what string) {
	t.Helper()
	s.mu.Lock()
	s.list = append(s.list, fmt.Sprintf("%s (%s)", t.Name(), what))
	s.mu.Unlock()
	t.Skipf("not tested: this kernel lacks %s", what)
}

func TestMain(m *testing.M) {
	code := run(m)
	if n := len(lacking.list); n > 0 {
		fmt.Fprintf(os.Stderr, "tests/live: %d checks could not be made on this kernel: %s\n", n, strings.Join(lacking.list, ", "))
	}
	os.Exit(code)
}

func run(m *testing.M) int {
	if os.Getenv(envSkip) != "" {
		return m.Run() // every test skips itself
	}
	if err := namespace.Possible(); err != nil {
		if os.Getenv(envInside) == "" {
			if code, again := inside(); again == nil {
				return code
			} else {
				err = fmt.Errorf("%w; in a user namespace: %w", err, again)
			}
		}
		unable = err
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "thtl-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "trailhound")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "trailhound/cmd/trailhound")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if os.Getenv(envRace) != "" {
		build = exec.Command("go", "build", "-race", "-o", program, "trailhound/cmd/trailhound")
		build.Env = append(os.Environ(), "CGO_ENABLED=1")
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// inside runs these tests once more, as root of a user namespace.
func inside() (code int, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), envInside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// released skips a test of what only a binary without cgo does: to give up its
// capabilities.
func released(t testing.TB) {
	t.Helper()
	if os.Getenv(envRace) != "" {
		t.Skipf("a sensor with the race detector (%s) is built with cgo and keeps its capabilities", envRace)
	}
}

// need is the first line of each test. Tests that wait most of the time run in
// parallel; those that send at top speed do not.
func need(t testing.TB) {
	t.Helper()
	if reason := os.Getenv(envSkip); reason != "" {
		t.Skipf("not tested, because %s=%s", envSkip, reason)
	}
	if unable != nil {
		t.Fatalf("cannot test live capture: %v (run as root, allow user namespaces, or set %s=reason)", unable, envSkip)
	}
}
