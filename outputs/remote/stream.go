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
	// given records. One that was quiet for so long and is ended in order was idle.
	trust = time.Second
	// closeTime bounds the attempt to send again when the stream is closed.
	closeTime = 5 * time.Second
	// patience is after how many connections in a row that are young when they end
	// there are pauses: a receiver that restarts may end some.
	patience = 3
	// firstPause and longest are these pauses, and those between attempts to send
	// again when no records come: doubled from one to the other.
	firstPause = time.Second
	longest    = time.Minute
)

// A Stream writes records to a receiver that does not acknowledge them. That a
// record was written says only that this kernel has it; so the last ones are kept
// and sent again over the next connection when one is lost: all that the other
// kernel had not acknowledged, until it has, and what was written for the first
// time in the last ResendAge before, of that the last ResendBytes. The latter is
// sent again once when the receiver has ended the connection in order, and up to
// five times when connections break. So a receiver that only ends or restarts
// misses nothing, and gets some records twice.
//
// A receiver that takes connections and ends them shortly after gets the next
// one after a pause that grows up to a minute. Meanwhile Send fails.
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
	wrote  time.Time // when conn was last written to; zero: not yet
	over   bool      // the end of conn is accounted for
	brief  int       // connections in a row that were young when they ended
	next   time.Time // no connection is made before
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
		s.wrote = time.Now()
		s.window.add(data[:ends[n-1]], ends[:n], s.wrote, unacknowledged)
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
	for pause := firstPause / 4; ; pause *= 2 {
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
		if s.window.lost(c.Lost()); s.window.bytes == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the last records may not have arrived: the receiver has not acknowledged them")
		case <-time.After(pause):
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
	if s.conn != nil && !s.conn.alive() {
		s.ended()
		if time.Until(s.next) > 0 {
			return nil, fmt.Errorf("%d connections in a row were ended shortly after they were made, the pauses between them grow up to %s: %w",
				s.brief, longest, s.conn.reason())
		}
	}
	c, err := s.remote.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if c == s.conn {
		return c, nil
	}
	brief := false
	if s.conn != nil { // else it was replaced, or has ended just now
		s.ended()
		brief = s.brief > 0
	}
	s.conn, s.since, s.wrote, s.over = c, time.Now(), time.Time{}, false
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

// ended accounts for the end of the present connection, once: what has to be sent
// again, and when the next one may be made.
func (s *Stream) ended() {
	if s.over {
		return
	}
	s.over = true
	l := s.conn.Lost()
	s.window.lost(l)
	if l.Clean {
		s.brief = 0
		return
	}
	s.losses.Add(1)
	idle := l.Ended && l.Unacknowledged == 0 && !s.wrote.IsZero() && l.At.Sub(s.wrote) >= trust
	if idle || l.At.Sub(s.since) >= young {
		s.brief = 0
		return
	}
	if s.brief++; s.brief >= patience {
		s.next = l.At.Add(min(firstPause<<min(s.brief-patience, 10), longest))
	}
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
		p.due = false
		p.again++
		s.wrote = time.Now()
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
			s.ended()
		}
		if s.conn != c || s.window.bytes == 0 {
			s.release()
			return
		}
		if pause := max(s.pause, time.Until(s.next)); pause > 0 { // the former when it has been tried
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
			if s.pause = min(max(2*s.pause, firstPause), longest); err == nil {
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
