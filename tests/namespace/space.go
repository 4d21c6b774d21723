// Package namespace makes network namespaces for tests: of capture, of the whole
// sensor, of whatever needs devices of its own. They have no names, so that
// nothing is left behind, whatever ends the tests.
package namespace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// TB is what is used of testing.TB.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Skip(args ...any)
}

// A Space is a network namespace in which nothing speaks by itself: no IPv6, and
// with it no neighbour discovery and no autoconfiguration. It ends with the
// test, when nobody is in it any more.
type Space struct {
	t    TB
	file *os.File
}

// Possible says why no namespace can be made, or no packet socket opened in one;
// nil: both can. It takes root, of the host or of a user namespace, and ip(8).
func Possible() error {
	if _, err := exec.LookPath("ip"); err != nil {
		return fmt.Errorf("ip (iproute2) is needed to make network devices: %w", err)
	}
	return possible()
}

// New makes a namespace. The test fails if it cannot.
func New(t TB) *Space {
	t.Helper()
	s := &Space{t: t}
	err := Thread(func() error {
		if err := leave(); err != nil {
			return fmt.Errorf("cannot make a network namespace: %w", err)
		}
		var err error
		if s.file, err = os.Open(present); err != nil {
			return err
		}
		for _, of := range []string{"all", "default"} {
			if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+of+"/disable_ipv6", []byte("1"), 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	return s
}

// Entered makes a namespace and moves the test's goroutine into it, until the
// test ends. The test is skipped where none can be made.
func Entered(t TB) *Space {
	t.Helper()
	if err := Possible(); err != nil {
		t.Skip(err)
	}
	s := New(t)
	s.Enter()
	return s
}

// Name is how ip(8) names the namespace where it takes a file: "netns NAME" of
// "ip link".
func (s *Space) Name() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

// Inside runs f on a thread in the namespace. Sockets that f opens and programs
// that it starts belong there; goroutines that it starts do not.
func (s *Space) Inside(f func() error) error {
	return Thread(func() error {
		if err := s.Join(); err != nil {
			return err
		}
		return f()
	})
}

// Try runs a program inside.
func (s *Space) Try(name string, args ...string) (out string, err error) {
	err = s.Inside(func() error {
		b, err := exec.Command(name, args...).CombinedOutput()
		out = string(b)
		if err != nil {
			err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, b)
		}
		return err
	})
	return out, err
}

// Run runs a program inside, given with its arguments as one line. The test
// fails if it does.
func (s *Space) Run(line string) {
	s.t.Helper()
	if args := strings.Fields(line); len(args) > 0 {
		if _, err := s.Try(args[0], args[1:]...); err != nil {
			s.t.Fatal(err)
		}
	}
}

// IP runs commands of ip(8), one a line.
func (s *Space) IP(lines string) {
	s.t.Helper()
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line != "" {
			s.Run("ip " + line)
		}
	}
}
