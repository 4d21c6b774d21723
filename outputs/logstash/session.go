package logstash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/remote"
)

// errProtocol marks answers that no receiver of this protocol gives.
var errProtocol = outputs.Mark(errors.New("this is not a receiver of lumberjack version 2"), outputs.ErrProtocol)

// maxKeepalives bounds what a receiver may say between two acknowledgements
// without any progress. Real ones say it every few seconds.
const maxKeepalives = 10_000

// A session is what the receiver says on one connection. A goroutine reads it,
// so that the end of a connection shows when it comes and the receiver can
// always get rid of what it has to say.
type session struct {
	conn   *remote.Conn
	counts *counts
	heard  chan struct{} // something has changed
	over   chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex
	window int // events under way; 0: no acknowledgement is due
	acked  int // of them
	busy   int // keepalives since the last progress
	last   time.Time
	err    error
}

// listen begins a session. It ends with the connection.
func listen(conn *remote.Conn, c *counts) *session {
	s := &session{conn: conn, counts: c, heard: make(chan struct{}, 1), over: make(chan struct{}), last: time.Now()}
	go s.run()
	return s
}

func (s *session) run() {
	defer close(s.over)
	var a ackReader
	for {
		n, err := s.conn.Read(context.Background(), a.rest(), 0)
		if err == nil && n == 0 {
			err = fmt.Errorf("%s: %w", s.conn.Name(), io.ErrNoProgress)
		}
		if err == nil {
			var sequence uint32
			var complete bool
			if sequence, complete, err = a.add(n); err == nil && !complete {
				continue
			}
			if err == nil {
				err = s.take(sequence)
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", s.conn.Name(), err)
			}
		}
		if err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
		}
		select {
		case s.heard <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// take notes an acknowledgement, which counts from the beginning of the window.
func (s *session) take(sequence uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	switch {
	case sequence == 0:
		s.counts.keepalives.Add(1)
		if s.busy++; s.busy > maxKeepalives {
			return fmt.Errorf("%w: it says that it is busy %d times and acknowledges nothing", errProtocol, s.busy)
		}
		return nil
	case uint64(sequence) > uint64(s.window):
		return fmt.Errorf("%w: it acknowledges event %d of %d", errProtocol, sequence, s.window)
	case int(sequence) < s.acked:
		return fmt.Errorf("%w: it acknowledges event %d after event %d", errProtocol, sequence, s.acked)
	}
	s.acked, s.busy = int(sequence), 0
	return nil
}

// expect says how many events the next acknowledgements are about.
func (s *session) expect(n int) {
	s.mu.Lock()
	s.window, s.acked, s.busy = n, 0, 0
	s.mu.Unlock()
}

// sent begins the time in which the receiver has to say something.
func (s *session) sent() {
	s.mu.Lock()
	s.last = time.Now()
	s.mu.Unlock()
}

// state is how many events of the window are acknowledged, and why nothing will
// follow.
func (s *session) state() (acked int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acked, s.err
}

// quiet is how long the receiver has said nothing.
func (s *session) quiet() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.last)
}
