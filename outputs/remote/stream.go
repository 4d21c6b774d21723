package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// young is how long a connection has to last before the next one is trusted
	// at once.
	young = 5 * time.Second
	// trust is how long a connection after a young one has to last before it is
	// given records.
	trust = time.Second
	// closeTime bounds the attempt to send again when the stream is closed.
	closeTime = 5 * time.Second
	// longest pause between attempts to send again when no records come.
	longest = time.Minute
)

// A Stream writes records to a receiver that does not acknowledge them. That a
// record was written says only that this kernel has it; so the last ones are kept
// and sent again over the next connection when one is lost: all that the other
// kernel had not acknowledged, and what was written in the last ResendAge before,
// of that the last ResendBytes. A receiver that only ends or restarts misses
// nothing, and gets some records twice.
//
// When no further record comes, a connection that is lost is made anew all the
// same to send the last ones again. Send and Close are for one goroutine at a
// time.
type Stream struct {
	remote *Remote
	lock   chan struct{} // a mutex that ctx can end the wait for

	// Under lock.
	conn   *Conn     // the one that the window was written to; nil: none yet
	since  time.Time // when conn was made
	pause  time.Duration
	window window

	ctx  context.Context // of the goroutine that waits for the end of conn
	stop context.CancelFunc
	wait sync.WaitGroup

	resent, resentBytes, losses atomic.Uint64
}

// StreamStats are counts since NewStream.
type StreamStats struct {
	Stats
	Resent      uint64 // records that were sent again
	ResentBytes uint64
	Losses      uint64 // connections that ended before we ended them
}

// NewStream makes a Stream of a Remote of TCP, which it owns from then on.
func NewStream(r *Remote) *Stream {
	s := &Stream{remote: r, lock: make(chan struct{}, 1), window: window{age: ResendAge, most: ResendBytes}}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Send writes records in order; data holds them one after the other, as they are
// to stand in the stream, and ends says where each ends. It returns how many
// were taken whole; with fewer than all there is an error. The others are to be
// handed over again.
func (s *Stream) Send(ctx context.Context, data []byte, ends []int) (n int, err error) {
	if err := s.acquire(ctx); err != nil {
		return 0, err
	}
	defer s.release()
	if len(ends) == 0 {
		return 0, nil
	}
	c, err := s.ready(ctx)
	if err != nil {
		return 0, err
	}
	written, err := c.Write(ctx, data[:ends[len(ends)-1]])
	for n < len(ends) && ends[n] <= written {
		n++
	}
	if n > 0 {
		unacknowledged := c.Unacknowledged()
		if l := c.Lost(); !l.At.IsZero() {
			unacknowledged = l.Unacknowledged
		}
		s.window.add(data[:ends[n-1]], ends[:n], time.Now(), unacknowledged)
	}
	return n, err
}

// Check tells whether the receiver can be reached now.
func (s *Stream) Check(ctx context.Context) error { return s.remote.Check(ctx) }

// Stats gives the counts up to now. Any goroutine may ask.
func (s *Stream) Stats() StreamStats {
	return StreamStats{Stats: s.remote.Stats(), Resent: s.resent.Load(), ResentBytes: s.resentBytes.Load(), Losses: s.losses.Load()}
}

// Close waits until the other kernel has acknowledged what was written, for a few
// seconds, and ends the connection. Where it was lost, the last records are sent
// again, as often as that takes a few seconds. The error says that some may not
// have arrived.
func (s *Stream) Close() error {
	s.stop()
	s.wait.Wait()
	s.lock <- struct{}{}
	defer s.release()
	err := s.remote.Close()
	if s.conn == nil {
		return err
	}
	if s.window.lost(s.conn.Lost()); s.window.bytes == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	for {
		c, err := s.remote.connect(ctx, len(s.remote.opt.Addresses), "")
		if err != nil {
			return fmt.Errorf("the last records may not have arrived: %w", err)
		}
		s.remote.connects.Add(1)
		if err = s.resend(ctx, c); err == nil && c.drain(drainTime) {
			s.window = window{}
			return nil
		}
		c.abandon(errDropped)
		s.window.lost(c.Lost())
		if ctx.Err() != nil {
			return errors.New("the last records may not have arrived: the receiver has not acknowledged them")
		}
	}
}

func (s *Stream) acquire(ctx context.Context) error {
	select {
	case s.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Stream) release() { <-s.lock }

// ready gives a connection over which everything has gone that had to go again.
func (s *Stream) ready(ctx context.Context) (*Conn, error) {
	c, err := s.remote.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if c == s.conn {
		return c, nil
	}
	brief := false
	if s.conn != nil {
		l := s.conn.Lost()
		s.window.lost(l)
		if !l.Clean {
			s.losses.Add(1)
			brief = l.At.Sub(s.since) < young
		}
	}
	s.conn, s.since = c, time.Now()
	s.wait.Add(1)
	go s.follow(c)
	// Something that takes each connection and ends it at once - a forwarder with
	// nothing behind it, a list of allowed senders - must not swallow records.
	if brief {
		select {
		case <-c.Done():
			return nil, fmt.Errorf("it takes connections and ends them at once: %w", c.reason())
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(trust):
		}
	}
	if err := s.resend(ctx, c); err != nil {
		return nil, err
	}
	return c, nil
}

// resend writes what is due. What could not be written stays due.
func (s *Stream) resend(ctx context.Context, c *Conn) error {
	n := 0
	for i := range s.window.list {
		p := &s.window.list[i]
		if !p.due {
			continue
		}
		if _, err := c.Write(ctx, p.data); err != nil {
			return err
		}
		p.due, p.at = false, time.Now()
		s.resent.Add(uint64(p.records))
		s.resentBytes.Add(uint64(len(p.data)))
		n += p.records
	}
	if n > 0 {
		s.remote.log.Info("the last records were sent again after a lost connection", "address", c.name, "records", n)
	}
	return nil
}

// follow waits for the end of a connection and sends its last records again, if
// Send has not done so by then.
func (s *Stream) follow(c *Conn) {
	defer s.wait.Done()
	select {
	case <-c.Done():
	case <-s.ctx.Done():
		return
	}
	for {
		if s.acquire(s.ctx) != nil {
			return
		}
		if s.conn == c {
			s.window.lost(c.Lost())
		}
		if s.conn != c || s.window.bytes == 0 {
			s.release()
			return
		}
		pause := s.pause
		if pause > 0 { // it has been tried
			s.release()
			select {
			case <-time.After(pause):
			case <-s.ctx.Done():
				return
			}
			if s.acquire(s.ctx) != nil {
				return
			}
		}
		over := s.conn != c
		if !over {
			_, err := s.ready(s.ctx)
			over = s.conn != c // a newer connection has its own follower
			if s.pause = min(max(2*pause, trust), longest); err == nil {
				s.pause = 0
			} else {
				s.remote.log.Debug("cannot send the last records again", "error", err)
			}
		}
		s.release()
		if over {
			return
		}
	}
}
