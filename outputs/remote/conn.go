package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// chunk is what one deadline of a write is for.
	chunk = 64 << 10
	// refusalTime is how long a host may take to say that nobody listens.
	refusalTime = 200 * time.Millisecond
	// drainTime bounds the wait for the other kernel's acknowledgement.
	drainTime = 2 * time.Second
	// maxTalk bounds what a receiver that has nothing to say may say in a minute.
	maxTalk = 64 << 10
	// userTimeout is when a kernel gives up what is not acknowledged. It is longer
	// than WriteTimeout: a receiver that stalls is not yet a dead one.
	userTimeout = time.Minute
)

// A Conn is one connection of a Remote. Write and Read are for one goroutine
// each; the rest is safe for concurrent use.
type Conn struct {
	conn   net.Conn // TLS on top of raw, or raw itself
	raw    net.Conn
	name   string // host:port (address)
	peer   netip.AddrPort
	index  int    // of its address in Options
	loaded uint64 // see target
	secure *TLS   // nil: in clear text
	stream bool
	limit  time.Duration  // of a write without progress
	bytes  *atomic.Uint64 // of the Remote
	// refused says that the other host has refused the last datagram; of the
	// Remote.
	refused *atomic.Bool

	closed  atomic.Bool // by ourselves
	done    chan struct{}
	watched chan struct{} // nil: nobody reads; closed when the reader has ended

	mu   sync.Mutex
	err  error // why it is over
	lost Loss
}

// Loss says what is known of the end of a connection.
type Loss struct {
	At time.Time // when it became known; zero: it goes on
	// Unacknowledged is how many of the bytes written last the other kernel never
	// acknowledged. TLS counts in: it is never too small.
	Unacknowledged int
	// Ended says that the other side ended it in order. Its kernel breaks off a
	// connection that is closed with something in it that was not read (RFC 2525
	// 2.17): so all that it had acknowledged was read.
	Ended bool
	// Clean says that we ended it and that everything had been acknowledged.
	Clean bool
}

func newConn(conn net.Conn, t target, index int, r *Remote) *Conn {
	c := &Conn{conn: conn, raw: conn, name: t.name, peer: t.peer, index: index, loaded: t.loaded, secure: r.opt.TLS, stream: r.opt.Network == "tcp",
		limit: r.opt.WriteTimeout, bytes: &r.bytes, refused: &r.refused, done: make(chan struct{})}
	if secure, ok := conn.(*tls.Conn); ok {
		c.raw = secure.NetConn()
	}
	if !c.stream {
		return c
	}
	keep(c.raw, max(userTimeout, 2*r.opt.WriteTimeout))
	if r.opt.Answers {
		return c
	}
	c.watched = make(chan struct{})
	go c.watch()
	if t.settle > 0 {
		select {
		case <-c.done:
		case <-time.After(t.settle):
		}
	}
	return c
}

// Name is host:port and the address behind it, for people.
func (c *Conn) Name() string { return c.name }

// Done is closed when the connection is over.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Lost says how the connection ended.
func (c *Conn) Lost() Loss {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// Unacknowledged is how many bytes the other kernel has not acknowledged yet; 0
// for datagrams.
func (c *Conn) Unacknowledged() int {
	if !c.stream {
		return 0
	}
	n, _ := unacknowledged(c.raw)
	return n
}

// Write writes all of b: a datagram, or a piece of a stream. It ends when ctx
// does or when nothing was taken for the WriteTimeout. After an error of a stream
// the connection is over, for the other side may hold half a record; n bytes
// were taken. The error names the receiver.
func (c *Conn) Write(ctx context.Context, b []byte) (n int, err error) {
	if err := c.reason(); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err // nothing was written: the connection stays good
	}
	defer c.interrupt(ctx, c.conn.SetWriteDeadline)()
	for more := true; more; more = len(b) > n { // an empty datagram is one too
		piece := b[n:]
		if c.stream {
			piece = piece[:min(len(piece), chunk)]
		}
		if err = c.within(ctx, c.conn.SetWriteDeadline); err != nil {
			break
		}
		k, e := c.conn.Write(piece)
		if !c.stream {
			if e = c.answered(ctx, e); e != nil {
				k = 0
			}
		}
		n += k
		c.bytes.Add(uint64(k))
		if err = e; err != nil {
			break
		}
	}
	if err == nil {
		return n, nil
	}
	err = fmt.Errorf("cannot write to %s: %w", c.name, c.why(ctx, err))
	if c.stream {
		c.end(err, time.Now())
	}
	return n, err
}

// answered says what the other host has to say of a datagram that was written
// with this error. That nobody listens there comes back in an ICMP message,
// which the kernel hands to a later write instead of sending (udp(7)): what went
// out in between is lost. From then on one datagram goes at a time, and has its
// answer waited for, until one is not refused.
func (c *Conn) answered(ctx context.Context, err error) error {
	if err == nil && c.refused.Load() {
		err = c.refusal(ctx)
	}
	switch {
	case err == nil:
		c.refused.Store(false)
	case isRefused(err):
		c.refused.Store(true)
	}
	return err
}

// refusal waits for an ICMP message. That there is none in time is no error.
func (c *Conn) refusal(ctx context.Context) error {
	until := time.Now().Add(refusalTime)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	if err := c.conn.SetReadDeadline(until); err != nil {
		return err
	}
	for b := make([]byte, 16); ; {
		switch _, err := c.conn.Read(b); {
		case err == nil: // a receiver of datagrams has nothing to say
			if time.Now().After(until) {
				return nil
			}
		case timeout(err):
			return nil
		default:
			return err
		}
	}
}

// Read reads what the receiver answers, where Options.Answers says that somebody
// does. It waits until ctx ends, and at most for limit unless that is 0. After
// an error the connection is over.
func (c *Conn) Read(ctx context.Context, b []byte, limit time.Duration) (n int, err error) {
	if err := c.reason(); err != nil {
		return 0, err
	}
	var until time.Time
	if limit > 0 {
		until = time.Now().Add(limit)
	}
	if err = c.conn.SetReadDeadline(until); err == nil {
		defer c.interrupt(ctx, c.conn.SetReadDeadline)()
		n, err = c.conn.Read(b)
	}
	if err != nil {
		err = fmt.Errorf("cannot read from %s: %w", c.name, c.why(ctx, err))
		c.end(err, time.Now())
	}
	return n, err
}

// within sets the deadline of the next piece.
func (c *Conn) within(ctx context.Context, set func(time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	until := time.Now().Add(c.limit)
	if end, ok := ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	return set(until)
}

// interrupt lets the end of ctx end what waits. Call what it returns: from then
// on ctx has no part in the connection.
func (c *Conn) interrupt(ctx context.Context, set func(time.Time) error) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	undo := context.AfterFunc(ctx, func() {
		set(time.Unix(1, 0))
		close(done)
	})
	return func() {
		if !undo() {
			<-done
		}
	}
}

// why says in plain words why a write or read failed.
func (c *Conn) why(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == context.Canceled:
		return context.Canceled
	case ctx.Err() != nil, timeout(err):
		return errStalled
	case errors.Is(err, io.EOF):
		return errEnded
	case !c.stream && isRefused(err):
		return &worded{"nobody listens there", err}
	}
	if reason := c.reason(); reason != nil {
		return reason
	}
	return plain(ctx, err)
}

var (
	errStalled error = &worded{"it takes and gives nothing any more", os.ErrDeadlineExceeded}
	errEnded   error = &worded{"it has ended the connection", io.EOF}
	errBroken  error = &worded{"the connection is broken", net.ErrClosed}
	errTalks   error = talkError{}
)

// talkError is of what answers at length, as no receiver of events does.
type talkError struct{}

func (talkError) Error() string {
	return "it says more than a receiver of events has to say: is this the right port?"
}

// Protocol tells such an error from others for those who do not know its type.
func (talkError) Protocol() bool { return true }

// watch reads and throws away, so that the end of the connection shows when it
// comes. It also keeps the receive buffer empty: closing a socket with something
// in it makes the kernel reset the connection and drop what is still to be sent.
func (c *Conn) watch() {
	defer close(c.watched)
	b := make([]byte, 512)
	said, since := 0, time.Now()
	for {
		n, err := c.conn.Read(b)
		at := time.Now()
		if said += n; at.Sub(since) > time.Minute {
			said, since = n, at
		}
		if err == nil && said > maxTalk {
			err = errTalks
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // TLS without close_notify
			err = errEnded
		}
		if _, refused := alertOf(err); refused && c.secure != nil {
			err = c.secure.explain(context.Background(), err, "")
		} else {
			err = plain(context.Background(), err)
		}
		c.end(fmt.Errorf("%s: %w", c.name, err), at)
		return
	}
}

// alive says whether it makes sense to write. The other side's wish to end may
// have reached the kernel and not yet the goroutine that reads.
func (c *Conn) alive() bool {
	if c.reason() != nil {
		return false
	}
	if !c.stream {
		return true
	}
	switch connectionState(c.raw) {
	case stateEstablished:
		return true
	case stateCloseWait:
		c.end(fmt.Errorf("%s: %w", c.name, errEnded), time.Now())
	default:
		c.end(fmt.Errorf("%s: %w", c.name, errBroken), time.Now())
	}
	return false
}

// reason is why the connection is over; nil: it is not.
func (c *Conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// end notes why and when the connection was over, the first time, and closes it.
func (c *Conn) end(err error, at time.Time) {
	c.mu.Lock()
	if c.err == nil {
		n := 0
		if c.stream {
			n, _ = unacknowledged(c.raw) // before the socket goes
		}
		c.err, c.lost = err, Loss{At: at, Unacknowledged: n, Ended: errors.Is(err, errEnded)}
		close(c.done)
	}
	c.mu.Unlock()
	if c.closed.CompareAndSwap(false, true) {
		c.raw.Close() // not that of TLS, which writes and so may wait
	}
}

func (c *Conn) abandon(err error) { c.end(err, time.Now()) }

// drain ends the connection in an orderly way: it says that nothing more will
// come, and waits until the other side has ended too. It says whether the other
// kernel has acknowledged everything; a receiver that goes on listening to an
// ended connection costs the whole limit.
func (c *Conn) drain(limit time.Duration) bool {
	if c.reason() != nil {
		return c.Lost().Clean
	}
	if !c.stream {
		c.abandon(errDropped)
		return true
	}
	// A close_notify must not wait longer; crypto/tls takes a deadline of its own.
	late := time.AfterFunc(limit, func() { c.raw.SetWriteDeadline(time.Unix(1, 0)) })
	if secure, ok := c.conn.(*tls.Conn); ok {
		secure.CloseWrite()
	}
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	over := c.watched
	if over == nil { // the caller reads, and so meets the end
		over = c.done
	}
	select {
	case <-over:
	case <-time.After(limit):
	}
	late.Stop()
	c.abandon(errDropped)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost.Clean = c.lost.Unacknowledged == 0 && (errors.Is(c.err, errEnded) || errors.Is(c.err, errDropped))
	return c.lost.Clean
}
