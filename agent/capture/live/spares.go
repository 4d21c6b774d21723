package live

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// errNoSpare is in the chain of the error when no socket could be had.
var errNoSpare = errors.New("no spare packet socket is left")

// parked is the protocol of a socket that is kept for later: an EtherType for
// local experiments (IEEE 802). A socket that was bound cannot be unbound.
const parked = 0x88b5

// spares are packet sockets that receive nothing, opened as long as the process
// may. Whoever holds one can still give it a filter, a ring, a device and a
// fan-out group.
type spares struct {
	mu     sync.Mutex
	list   []spare // in the order of their creation
	made   uint64
	want   int
	denied bool // the process may open no more
	closed bool
}

type spare struct {
	fd   int
	born uint64
}

func (s *spares) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

// take gives n sockets in the order of their creation, or none.
func (s *spares) take(n int) ([]spare, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	for len(s.list) < n {
		if err := s.open(); err != nil {
			// Whoever had one before has lost the privilege since; one that never
			// may is told so at the start.
			if s.denied && s.made > 0 {
				err = fmt.Errorf("%w (%d left, %d needed): %w", errNoSpare, len(s.list), n, err)
			}
			return nil, err
		}
	}
	taken := slices.Clone(s.list[:n])
	s.list = append(s.list[:0], s.list[n:]...)
	return taken, nil
}

func (s *spares) open() error {
	fd, err := openSocket()
	if err != nil {
		s.denied = s.denied || errors.Is(err, ErrPrivilege)
		return err
	}
	s.made++
	s.list = append(s.list, spare{fd, s.made})
	return nil
}

// probe opens the first one: whether the process may capture at all is asked
// before anything else is.
func (s *spares) probe() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.list) > 0 {
		return nil
	}
	return s.open()
}

// refill opens sockets up to the number that is kept, as long as the process
// may. That it may not any more is the rule, and no error: rings that are being
// emptied give theirs back.
func (s *spares) refill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && !s.denied && len(s.list) < s.want {
		if err := s.open(); err != nil && !s.denied {
			return err
		}
	}
	return nil
}

// giveBack takes a socket that was in no fan-out group, shut and its ring
// unmapped, to be used again: whether the process may still open another is not
// known before it is tried.
func (s *spares) giveBack(back spare) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return unix.Close(back.fd)
	}
	err := requestRing(back.fd, 0, 0)
	if err == nil {
		err = bind(back.fd, 0, parked)
	}
	if err != nil {
		return errors.Join(err, unix.Close(back.fd))
	}
	// A link that went down left an error, which the next use must not find.
	unix.GetsockoptInt(back.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	unix.GetsockoptTpacketStatsV3(back.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	at, _ := slices.BinarySearchFunc(s.list, back, func(a, b spare) int { return int(int64(a.born) - int64(b.born)) })
	s.list = slices.Insert(s.list, at, back)
	return nil
}

func (s *spares) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var err error
	for _, one := range s.list {
		err = errors.Join(err, unix.Close(one.fd))
	}
	s.list = nil
	return err
}
