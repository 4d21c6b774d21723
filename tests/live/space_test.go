package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A space is a network namespace without a name. It ends when nobody is in it
// and nobody holds its file.
type space struct {
	t    testing.TB
	file *os.File
}

// newSpace makes a namespace in which nothing speaks by itself: no IPv6, and
// with it no neighbour discovery and no autoconfiguration.
func newSpace(t testing.TB) *space {
	t.Helper()
	s := &space{t: t}
	err := thread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("cannot make a network namespace: %w", err)
		}
		var err error
		if s.file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
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

// thread runs f on a thread of its own that ends with it.
func thread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// inside runs f on a thread in the namespace. Sockets that f opens and programs
// that it starts belong there; goroutines that it starts do not.
func (s *space) inside(f func() error) error {
	return thread(func() error {
		if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("cannot enter a network namespace: %w", err)
		}
		return f()
	})
}

// try runs a program inside.
func (s *space) try(name string, args ...string) (out string, err error) {
	err = s.inside(func() error {
		b, err := exec.Command(name, args...).CombinedOutput()
		out = string(b)
		if err != nil {
			err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, b)
		}
		return err
	})
	return out, err
}

// ip runs commands of ip(8), one a line.
func (s *space) ip(lines string) {
	s.t.Helper()
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if _, err := s.try("ip", strings.Fields(line)...); err != nil {
			s.t.Fatal(err)
		}
	}
}

// name is how ip(8) names the namespace.
func (s *space) name() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

// veth joins two namespaces by a pair of devices, up, with offloads off: every
// frame arrives as it was sent.
func (s *space) veth(dev string, peer *space, other string, mtu int) {
	s.t.Helper()
	s.ip(fmt.Sprintf("link add %s mtu %d type veth peer name %s mtu %d netns %s", dev, mtu, other, mtu, peer.name()))
	for _, end := range []struct {
		*space
		dev string
	}{{s, dev}, {peer, other}} {
		end.offloads(end.dev, "off")
		end.ip("link set " + end.dev + " up")
	}
}

// offloads switches off, or on, what merges, cuts or completes frames.
func (s *space) offloads(dev, to string) {
	s.t.Helper()
	if _, err := exec.LookPath("ethtool"); err != nil {
		s.t.Fatalf("ethtool is needed to switch offloads %s: %v", to, err)
	}
	if _, err := s.try("ethtool", "-K", dev, "gro", to, "gso", to, "tso", to, "tx", to, "rx", to); err != nil {
		s.t.Fatal(err)
	}
}

// carried is the number of frames that a device has passed on, and of those it
// could not.
func (s *space) carried(dev string) (sent, dropped uint64) {
	s.t.Helper()
	err := s.inside(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/dev")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			name, rest, ok := strings.Cut(line, ":")
			if f := strings.Fields(rest); ok && strings.TrimSpace(name) == dev && len(f) == 16 {
				sent, _ = strconv.ParseUint(f[9], 10, 64) // after eight columns of reception: bytes, packets, errors, drops
				dropped, _ = strconv.ParseUint(f[11], 10, 64)
				return nil
			}
		}
		return fmt.Errorf("no device %s", dev)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return sent, dropped
}

// A sender puts frames on a device as they are.
type sender struct {
	t     testing.TB
	fd    int
	loose bool // what the device does not take is not sent, and that is all
	tried uint64
	sent  uint64
}

func (s *space) sender(dev string) *sender {
	s.t.Helper()
	to := &sender{t: s.t}
	err := s.inside(func() (err error) {
		if to.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		request, err := unix.NewIfreq(dev)
		if err != nil {
			return err
		}
		if err := unix.IoctlIfreq(to.fd, unix.SIOCGIFINDEX, request); err != nil {
			return fmt.Errorf("no device %s: %w", dev, err)
		}
		return unix.Bind(to.fd, &unix.SockaddrLinklayer{Ifindex: int(request.Uint32())})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { unix.Close(to.fd) })
	return to
}

// send sends frames as fast as the device takes them. Any goroutine may call
// it, one at a time.
func (s *sender) send(frames ...[]byte) {
	for _, f := range frames {
		s.tried++
		for {
			_, err := unix.Write(s.fd, f)
			if err != nil && s.loose {
				s.sent--
				break
			}
			if err == unix.EINTR || err == unix.ENOBUFS {
				continue
			}
			if err != nil {
				s.t.Errorf("cannot send a frame of %d bytes: %v", len(f), err)
				return
			}
			break
		}
		s.sent++
	}
}
