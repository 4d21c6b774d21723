package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/capture/device"
	"trailhound/tests/namespace"
)

// A space is a network namespace that the test's thread is in.
type space struct {
	*namespace.Space
	t *testing.T
}

// newSpace moves the test to a network namespace of its own, which ends with it.
func newSpace(t *testing.T) *space {
	t.Helper()
	return &space{namespace.Entered(t), t}
}

// room is a second namespace, which the test's thread is not in.
func (s *space) room() *space { return &space{namespace.New(s.t), s.t} }

// veth makes a pair of devices and waits until they pass frames.
func (s *space) veth(a, b string) {
	s.t.Helper()
	s.IP(fmt.Sprintf("link add %s type veth peer name %s\nlink set %s up\nlink set %s up", a, b, a, b))
	s.running(a, b)
}

// running waits until devices pass frames: until the kernel's link watch has
// seen them, it takes frames and throws them away (noop_enqueue).
func (s *space) running(names ...string) {
	s.t.Helper()
	until(s.t, fmt.Sprint(names, " run"), func() bool {
		n := 0
		err := s.Inside(func() error {
			list, err := device.List()
			for _, name := range names {
				if d, ok := device.Find(list, name); ok && d.Up && d.Running && d.Carrier {
					n++
				}
			}
			return err
		})
		if err != nil {
			s.t.Error(err)
		}
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
		if err := s.Join(); err != nil {
			s.t.Error(err)
			return
		}
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

func (s *space) sender(name string) *sender { return &sender{s.t, s.Socket(name)} }

// send sends frames and says how many were taken.
func (s *sender) send(frames ...[]byte) (sent int) {
	for _, f := range frames {
		if namespace.Send(s.fd, f) == nil {
			sent++
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
