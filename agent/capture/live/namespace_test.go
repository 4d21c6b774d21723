package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/capture"
	"trailhound/agent/capture/device"
)

// A space is a network namespace that the test's thread is in.
type space struct {
	t    *testing.T
	name string
}

// newSpace moves the test to a network namespace of its own, which ends with it.
func newSpace(t *testing.T) *space {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace and packet sockets")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip (iproute2) to make network devices")
	}
	s := &space{t, fmt.Sprintf("thlv-%d-%d", os.Getpid(), time.Now().UnixNano()%1e9)}
	if out, err := exec.Command("ip", "netns", "add", s.name).CombinedOutput(); err != nil {
		t.Skipf("cannot make a network namespace: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("ip", "netns", "del", s.name).CombinedOutput(); err != nil {
			t.Errorf("cannot delete namespace %s: %v: %s", s.name, err, out)
		}
	})
	s.enter(true)
	// Nothing but the test's own frames.
	for _, f := range []string{"all", "default"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+f+"/disable_ipv6", []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return s
}

// enter moves the calling goroutine's thread into the namespace; back: until
// the end of the test. Without it the thread ends with the goroutine.
func (s *space) enter(back bool) {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		s.t.Error(err)
		return
	}
	other, err := os.Open("/run/netns/" + s.name)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer other.Close()
	if err := unix.Setns(int(other.Fd()), unix.CLONE_NEWNET); err != nil {
		s.t.Error(err)
		return
	}
	if !back {
		home.Close()
		return
	}
	s.t.Cleanup(func() {
		defer home.Close()
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			s.t.Errorf("cannot leave the namespace: %v", err)
			return
		}
		runtime.UnlockOSThread()
	})
}

// ip runs commands of ip(8), one a line.
func (s *space) ip(lines string) {
	s.t.Helper()
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		args := append([]string{"-n", s.name}, strings.Fields(line)...)
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			s.t.Fatalf("ip %s: %v: %s", line, err, out)
		}
	}
}

// veth makes a pair of devices and waits until they pass frames.
func (s *space) veth(a, b string) {
	s.t.Helper()
	s.ip(fmt.Sprintf("link add %s type veth peer name %s\nlink set %s up\nlink set %s up", a, b, a, b))
	s.running(a, b)
}

// running waits until devices pass frames: until the kernel's link watch has
// seen them, it takes frames and throws them away (noop_enqueue).
func (s *space) running(names ...string) {
	s.t.Helper()
	until(s.t, fmt.Sprint(names, " run"), func() bool {
		n := 0
		s.inside(func() {
			list, err := device.List()
			if err != nil {
				s.t.Error(err)
			}
			for _, name := range names {
				if d, ok := device.Find(list, name); ok && d.Up && d.Running && d.Carrier {
					n++
				}
			}
		})
		return n == len(names)
	})
}

// watch runs Watch in the namespace until the test ends.
func (s *space) watch(c *Capture) { s.t.Cleanup(s.watching(c, func() {})) }

// watching runs Watch on a thread of the namespace, after first.
func (s *space) watching(c *Capture, first func()) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.enter(false)
		first()
		c.Watch(ctx)
	}()
	return func() { cancel(); <-done }
}

// sender is a packet socket that frames are sent with.
type sender struct {
	t  *testing.T
	fd int
}

func (s *space) sender(name string) *sender {
	s.t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { unix.Close(fd) })
	request, err := unix.NewIfreq(name)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); err != nil {
		s.t.Fatalf("%s: %v", name, err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: int(request.Uint32())}); err != nil {
		s.t.Fatal(err)
	}
	return &sender{s.t, fd}
}

// send sends frames and says how many were taken.
func (s *sender) send(frames ...[]byte) (sent int) {
	for _, f := range frames {
		for {
			_, err := unix.Write(s.fd, f)
			if err == unix.ENOBUFS || err == unix.EINTR {
				runtime.Gosched()
				continue
			}
			if err == nil {
				sent++
			}
			break
		}
	}
	return sent
}

// got is a frame that was captured.
type got struct {
	capture.Frame
	worker int
	port   Port
}

// reader reads all sources until they end.
type reader struct {
	frames chan []got
	done   chan struct{}
	err    error
}

// read starts to read each source of c in a goroutine. keep says which frames
// are wanted; nil: all.
func read(t *testing.T, c *Capture, keep func(got) bool) *reader {
	t.Helper()
	sources := c.Sources()
	r := &reader{frames: make(chan []got, 1<<16), done: make(chan struct{})}
	ends := make(chan error, len(sources))
	for i, s := range sources {
		go func() {
			ends <- func() error {
				for {
					batch, err := s.Next()
					if err != nil {
						s.Close()
						if err == io.EOF {
							return nil
						}
						return err
					}
					var list []got
					for _, f := range batch {
						g := got{f, i, s.Interface(f.Interface)}
						if keep == nil || keep(g) {
							g.Data = append([]byte(nil), f.Data...)
							list = append(list, g)
						}
					}
					if len(list) > 0 {
						r.frames <- list
					}
				}
			}()
		}()
	}
	go func() {
		for range sources {
			r.err = errors.Join(r.err, <-ends)
		}
		close(r.frames)
		close(r.done)
	}()
	t.Cleanup(func() {
		c.Close()
		for range r.frames {
		}
		<-r.done
		if r.err != nil {
			t.Error(r.err)
		}
	})
	return r
}

// want waits until n frames have come.
func (r *reader) want(t *testing.T, n int) (all []got) {
	t.Helper()
	late := time.After(20 * time.Second)
	for len(all) < n {
		select {
		case list, ok := <-r.frames:
			if !ok {
				t.Fatalf("ended after %d frames of %d", len(all), n)
			}
			all = append(all, list...)
		case <-late:
			t.Fatalf("%d frames of %d came", len(all), n)
		}
	}
	return all
}

// rest closes the capture and returns what it still held.
func (r *reader) rest(c *Capture) (all []got) {
	c.Close()
	for list := range r.frames {
		all = append(all, list...)
	}
	return all
}

// quiet is a log for tests whose warnings are expected.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// until waits for a state.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("it never came to be that %s", what)
		}
		time.Sleep(5 * time.Millisecond) // polls a state that makes no event
	}
}

// inside runs something on a thread of the namespace.
func (s *space) inside(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.enter(false)
		do()
	}()
	<-done
}

// room is a second namespace, which the test's thread is not in.
func (s *space) room() *space {
	s.t.Helper()
	o := &space{s.t, s.name + "b"}
	if out, err := exec.Command("ip", "netns", "add", o.name).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	s.t.Cleanup(func() { exec.Command("ip", "netns", "del", o.name).Run() })
	o.inside(func() {
		for _, f := range []string{"all", "default"} {
			os.WriteFile("/proc/sys/net/ipv6/conf/"+f+"/disable_ipv6", []byte("1"), 0)
		}
	})
	return o
}
