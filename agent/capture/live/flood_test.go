package live

import (
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A flood sends numbered frames through a device as fast as it can. What the
// kernel took is counted: it passed the device as outgoing.
type flood struct {
	sent atomic.Uint64
	stop atomic.Bool
	gate sync.RWMutex // held for writing: nothing is sent
	done chan struct{}
	size int
}

func (s *space) flood(name string, size int, from uint32) *flood {
	f := &flood{done: make(chan struct{}), size: size}
	out := s.sender(name)
	go func() {
		defer close(f.done)
		for n := from; !f.stop.Load(); n++ {
			f.gate.RLock()
			frame := udp(uint16(n%251), uint16(n%17+300), n, f.size)
			if _, err := unix.Write(out.fd, frame); err == nil {
				f.sent.Add(1)
			}
			f.gate.RUnlock()
		}
	}()
	s.t.Cleanup(f.end)
	return f
}

func (f *flood) end() {
	f.stop.Store(true)
	<-f.done
}

// more waits until the flood has sent another n frames.
func (f *flood) more(t *testing.T, n uint64) {
	t.Helper()
	goal := f.sent.Load() + n
	until(t, "frames are sent", func() bool { return f.sent.Load() >= goal })
}

// balance sums up what was sent, seen and dropped after everything was closed.
func balance(t *testing.T, c *Capture, sent, seen uint64) Snapshot {
	t.Helper()
	s := c.Snapshot()
	total := s.Closed
	for _, r := range s.Rings {
		total.add(r.Kernel)
	}
	var traffic Traffic
	for _, i := range s.Interfaces {
		traffic.add(i.Traffic)
	}
	if total.Packets != sent {
		t.Errorf("%d frames were sent, the kernel counted %d", sent, total.Packets)
	}
	if seen+total.Drops != total.Packets || traffic.Packets+traffic.Skipped != seen || s.Lost != 0 || s.Damaged != 0 {
		t.Errorf("sent %d = seen %d + dropped %d does not hold; counted %d and %d skipped, %d lost, %d damaged",
			sent, seen, total.Drops, traffic.Packets, traffic.Skipped, s.Lost, s.Damaged)
	}
	t.Logf("sent %d, seen %d, dropped %d", sent, seen, total.Drops)
	return s
}

// count counts what is read, and that nothing is read twice.
func count(t *testing.T, c *Capture) (seen *atomic.Uint64, wait func()) {
	seen = new(atomic.Uint64)
	var mu sync.Mutex
	numbers := make(map[uint32]bool)
	r := read(t, c, func(g got) bool {
		n, ok := number(g.Data)
		if !ok {
			t.Errorf("a frame that nobody sent: %x", g.Data)
		}
		mu.Lock()
		if numbers[n] {
			t.Errorf("frame %d came twice", n)
		}
		numbers[n] = true
		mu.Unlock()
		seen.Add(1)
		return false
	})
	return seen, func() { r.rest(c) }
}
