package live

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"trailhound/tests/namespace"
)

// A space is a network namespace for a part of a test's network.
type space struct {
	*namespace.Space
	t testing.TB
}

func newSpace(t testing.TB) *space {
	t.Helper()
	return &space{namespace.New(t), t}
}

// veth joins two namespaces by a pair of devices, up, with offloads off: every
// frame arrives as it was sent.
func (s *space) veth(dev string, peer *space, other string, mtu int) {
	s.t.Helper()
	s.IP(fmt.Sprintf("link add %s mtu %d type veth peer name %s mtu %d netns %s", dev, mtu, other, mtu, peer.Name()))
	for _, end := range []struct {
		*space
		dev string
	}{{s, dev}, {peer, other}} {
		end.offloads(end.dev, "off")
		end.IP("link set " + end.dev + " up")
	}
}

// offloads switches off, or on, what merges, cuts or completes frames.
func (s *space) offloads(dev, to string) {
	s.t.Helper()
	if _, err := exec.LookPath("ethtool"); err != nil {
		s.t.Fatalf("ethtool is needed to switch offloads %s: %v", to, err)
	}
	if _, err := s.Try("ethtool", "-K", dev, "gro", to, "gso", to, "tso", to, "tx", to, "rx", to); err != nil {
		s.t.Fatal(err)
	}
}

// carried is the number of frames that a device has passed on, and of those it
// could not.
func (s *space) carried(dev string) (sent, dropped uint64) {
	s.t.Helper()
	err := s.Inside(func() error {
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

func (s *space) sender(dev string) *sender { return &sender{t: s.t, fd: s.Socket(dev)} }

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
