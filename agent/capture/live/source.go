package live

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/capture"
)

// Source is what one worker reads: the rings of its share of each interface of
// a group. It is a capture.Source, used by one goroutine; only Interrupt may be
// called by others.
type Source struct {
	capture *Capture
	worker  int // place in Capture.Sources
	idle    time.Duration

	// The goroutine's own.
	rings   []*ring
	open    *ring // whose block is in hand
	ahead   ahead // in that block
	batch   []capture.Frame
	dirty   []*slot
	byIndex map[int32]*slot // of frames of "any"
	ended   bool

	changed atomic.Bool // there is something in the part below
	damaged atomic.Uint64
	reused  atomic.Uint64 // slots that were given to another interface

	mu      sync.Mutex // guards all below
	poll    *poll      // nil: closed
	wake    int        // eventfd
	coming  []*ring
	closing bool    // nothing comes any more
	former  Traffic // of slots that were given to another interface
	tenants uint64  // slots that were ever made
	// slots are replaced as a whole, so that Interface needs no lock.
	slots atomic.Pointer[[]*slot]
}

var _ capture.Source = (*Source)(nil)

func newSource(c *Capture, worker int, idle time.Duration) (*Source, error) {
	s := &Source{capture: c, worker: worker, idle: idle, byIndex: make(map[int32]*slot),
		batch: make([]capture.Frame, batchFrames)}
	s.slots.Store(new([]*slot))
	var err error
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, fmt.Errorf("cannot wait for rings: %w", err)
	}
	if s.poll, err = newPoll(); err != nil {
		return nil, errors.Join(err, unix.Close(s.wake))
	}
	if err := s.poll.add(s.wake); err != nil {
		return nil, errors.Join(err, s.poll.close(), unix.Close(s.wake))
	}
	return s, nil
}

// Next hands out frames of one block of one ring, the ring whose next block is
// oldest, so that the two directions of a tap stay about in order. The frames
// lie in the ring and are valid until the next call, which hands the block back
// when all of its frames are out. Without frames it waits, at most Options.Idle,
// and returns an empty batch and nil; a batch is empty, too, when all of its
// frames were skipped, and after Interrupt. After Capture.Close it hands out
// what is left in the rings and then returns io.EOF.
func (s *Source) Next() ([]capture.Frame, error) {
	if s.open != nil && s.open.left > 0 {
		return s.take(s.open), nil
	}
	s.handBack()
	if s.changed.Load() {
		s.adopt()
	}
	r := s.oldest()
	if r == nil {
		if s.ended {
			return nil, io.EOF
		}
		s.wait()
		if s.changed.Load() {
			s.adopt()
		}
		if r = s.oldest(); r == nil {
			return s.batch[:0], nil
		}
	}
	block := r.current()
	r.at = int(min(u32(block, blockFirst), uint32(len(block))))
	r.left = int(min(u32(block, blockPackets), uint32(len(block)/frameHeader)))
	s.open = r
	s.ahead = ahead{block: block, at: r.at, left: r.left}
	return s.take(r), nil
}

// handBack gives the block in hand to the kernel again.
func (s *Source) handBack() {
	r := s.open
	if r == nil {
		return
	}
	s.open, s.ahead = nil, ahead{}
	storeStatus(r.current(), unix.TP_STATUS_KERNEL)
	if r.next++; r.next == r.blocks {
		r.next = 0
	}
	r.intake.released()
}

// oldest gives the ring whose next block is ready and began first; nil: none
// is. Rings that were stopped and are empty are closed on the way.
func (s *Source) oldest() (oldest *ring) {
	var first uint64
	for i := 0; i < len(s.rings); i++ {
		r := s.rings[i]
		block := r.current()
		if loadStatus(block)&unix.TP_STATUS_USER == 0 {
			if r.stopped.Load() != 0 && s.finish(r) {
				s.rings = append(s.rings[:i], s.rings[i+1:]...)
				i--
			}
			continue
		}
		if began := uint64(u32(block, blockSeconds))<<32 | uint64(u32(block, blockNanos)); oldest == nil || began < first {
			oldest, first = r, began
		}
	}
	if len(s.rings) == 0 {
		s.end()
	}
	return oldest
}

// finish closes a stopped ring when all that came into it has been handed out.
func (s *Source) finish(r *ring) bool {
	done, lost := r.drained(time.Now())
	if !done || loadStatus(r.current())&unix.TP_STATUS_USER != 0 { // filled while it was asked
		return false
	}
	if r.fd >= 0 { // a socket without a fan-out group is not closed but used again
		s.poll.remove(r.fd)
	}
	s.capture.ringClosed(r, lost)
	return true
}

// end sees whether anything can still come.
func (s *Source) end() {
	if s.ended {
		return
	}
	s.mu.Lock()
	s.ended = s.closing && len(s.coming) == 0
	s.mu.Unlock()
}

// adopt takes over rings that were opened.
func (s *Source) adopt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Store(false)
	s.rings = append(s.rings, s.coming...)
	s.coming = nil
	for _, r := range s.rings { // its slot may have been given away
		r.last = nil
	}
}

// wait waits for a block, or less long for a ring that is being emptied: the
// end of that makes no event.
func (s *Source) wait() {
	most := s.idle
	for _, r := range s.rings {
		if r.stopped.Load() != 0 {
			most = min(most, retireAfter/5)
		}
	}
	s.mu.Lock()
	poll := s.poll
	s.mu.Unlock()
	if poll == nil {
		return
	}
	for _, e := range poll.wait(most) {
		if int(e.Fd) == s.wake {
			var count [8]byte
			unix.Read(s.wake, count[:])
			continue
		}
		if e.Events&unix.EPOLLERR != 0 {
			// The link went down (ENETDOWN). The socket stays bound and goes on
			// when it is up again; until it is read the error ends every wait.
			unix.GetsockoptInt(int(e.Fd), unix.SOL_SOCKET, unix.SO_ERROR)
		}
	}
}

// Interrupt makes a Next that waits return soon. Any goroutine may call it.
func (s *Source) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signal()
}

func (s *Source) signal() {
	if s.poll != nil {
		number := [8]byte{1, 1, 1, 1, 1, 1, 1, 1} // any will do
		unix.Write(s.wake, number[:])
	}
}

// add hands the source a ring. It is closed when the source is.
func (s *Source) add(r *ring) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil || s.closing {
		return errClosed
	}
	if r.fd >= 0 {
		if err := s.poll.add(r.fd); err != nil {
			return err
		}
	}
	s.coming = append(s.coming, r)
	s.changed.Store(true)
	s.signal()
	return nil
}

// close says that no more rings come.
func (s *Source) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	s.signal()
}

// Close unmaps the rings of this source, whatever is still in them. Frames are
// not valid after it.
func (s *Source) Close() error {
	s.mu.Lock()
	if s.poll == nil {
		s.mu.Unlock()
		return nil
	}
	rings := append(s.rings, s.coming...)
	err := errors.Join(s.poll.close(), unix.Close(s.wake))
	s.poll, s.wake, s.closing = nil, -1, true
	s.rings, s.coming = nil, nil
	s.mu.Unlock()
	s.open, s.ahead, s.ended = nil, ahead{}, true
	for _, r := range rings {
		s.capture.ringClosed(r, 0)
	}
	return err
}
