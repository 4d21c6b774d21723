// Package remote reaches a receiver. It knows the receiver's addresses in the
// order in which they are wanted, finds their names in the DNS and keeps what it
// found while the DNS does not answer, connects with or without TLS, directly or
// through a proxy, and notices when a connection is no longer any good before
// the next record is written to it.
//
// Three layers, each of use by itself: a Dialer connects to one address and fits
// into a http.Transport; a Remote keeps one connection to the first address that
// works; a Stream writes records to a Remote whose receiver does not acknowledge
// them, and sends the last of them again after a connection was lost.
package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

// Defaults of Options.
const (
	ConnectTimeout = 10 * time.Second
	WriteTimeout   = 30 * time.Second
	Refresh        = 5 * time.Minute
)

// Options say where a receiver is and how to talk to it.
type Options struct {
	Network   string   // tcp, or udp for datagrams; empty: tcp
	Addresses []string // host:port, the wanted ones first
	TLS       *TLS     // nil: in clear text
	Proxy     Secret   // see NewDialer; empty: none

	ConnectTimeout time.Duration // for one address, its name and the TLS handshake included; 0: ConnectTimeout
	WriteTimeout   time.Duration // without any progress; 0: WriteTimeout
	Refresh        time.Duration // between looks at the DNS, at certificates on disk, at better addresses; 0: Refresh

	// Answers says that the caller reads what the receiver says. Otherwise it is
	// read and thrown away, which is how the end of a connection shows at once.
	Answers bool

	// Set by the program, not by the configuration.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: package net's
	Resolver *net.Resolver                                                        // nil: package net's
	Log      *slog.Logger                                                         // nil: slog.Default
}

// A Remote keeps one connection to a receiver. Its methods are for one goroutine
// at a time, but for Stats.
type Remote struct {
	opt    Options
	dialer *Dialer
	log    *slog.Logger

	conn   *Conn     // the present one; nil: none
	looked time.Time // when it was last asked whether there is a better one
	last   int       // address of the last connection, to name a change

	// At most one goroutine looks for a better connection, so that the present
	// one goes on meanwhile. It ends with one value in found, nil for none.
	seeking bool
	found   chan *Conn
	ctx     context.Context
	stop    context.CancelFunc

	connects, failures, bytes atomic.Uint64
	refused                   atomic.Bool // see Conn
}

// Stats are counts since New.
type Stats struct {
	Connects uint64 // connections made
	Failures uint64 // attempts at all addresses that failed
	Bytes    uint64 // written to connections, before TLS
}

// New makes a Remote. It connects nowhere; errors are of the options.
func New(opt Options) (*Remote, error) {
	if opt.Network == "" {
		opt.Network = "tcp"
	}
	if opt.Network != "tcp" && opt.Network != "udp" {
		return nil, fmt.Errorf("unknown network %q: use tcp or udp", opt.Network)
	}
	if opt.Network == "udp" && (opt.TLS != nil || opt.Proxy != "") {
		return nil, errors.New("datagrams go neither over TLS nor through a proxy")
	}
	if len(opt.Addresses) == 0 {
		return nil, errors.New("no address is given")
	}
	for _, a := range opt.Addresses {
		if err := checkAddress(a); err != nil {
			return nil, err
		}
	}
	if opt.ConnectTimeout == 0 {
		opt.ConnectTimeout = ConnectTimeout
	}
	if opt.WriteTimeout == 0 {
		opt.WriteTimeout = WriteTimeout
	}
	if opt.Refresh == 0 {
		opt.Refresh = Refresh
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	d, err := NewDialer(DialerOptions{TLS: opt.TLS, Proxy: opt.Proxy, Timeout: opt.ConnectTimeout, Refresh: opt.Refresh,
		Dial: opt.Dial, Resolver: opt.Resolver})
	if err != nil {
		return nil, err
	}
	r := &Remote{opt: opt, dialer: d, log: opt.Log, found: make(chan *Conn, 1)}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r, nil
}

// Conn gives the connection to write to: the present one as long as it is good,
// otherwise a new one to the first address that works. A caller that keeps state
// with a connection compares the pointers.
//
// A connection is replaced when its address is no longer in the DNS, when
// certificates on disk have changed and when an address that is wanted more
// works again. What was written to the old one has then been acknowledged by the
// other kernel, else Conn.Lost says so.
func (r *Remote) Conn(ctx context.Context) (*Conn, error) {
	if r.conn != nil && !r.conn.alive() {
		r.Drop()
	}
	r.improve()
	if r.conn != nil {
		return r.conn, nil
	}
	c, err := r.connect(ctx, len(r.opt.Addresses), "")
	if err != nil {
		r.failures.Add(1)
		return nil, err
	}
	r.take(c)
	return c, nil
}

// Drop closes the present connection, as after an answer that makes no sense.
func (r *Remote) Drop() {
	if r.conn != nil {
		r.conn.abandon(errDropped)
		r.conn = nil
	}
}

var errDropped = errors.New("the connection was given up")

// Check tells whether a connection can be made now. It leaves the present one
// alone.
func (r *Remote) Check(ctx context.Context) error {
	c, err := r.connect(ctx, len(r.opt.Addresses), "")
	if err != nil {
		return err
	}
	c.drain(time.Second)
	return nil
}

// Stats gives the counts up to now. Any goroutine may ask.
func (r *Remote) Stats() Stats {
	return Stats{Connects: r.connects.Load(), Failures: r.failures.Load(), Bytes: r.bytes.Load()}
}

// Close ends the present connection once what was written has been acknowledged
// by the other kernel, or after two seconds. The error says that it was not.
func (r *Remote) Close() error {
	r.stop()
	if r.seeking {
		if c := <-r.found; c != nil {
			c.abandon(errDropped)
		}
		r.seeking = false
	}
	c := r.conn
	r.conn = nil
	if c == nil || c.drain(drainTime) {
		return nil
	}
	return fmt.Errorf("%s has not acknowledged all that was sent", c.name)
}

// connect tries the first n addresses in order. One that leads to but is left
// alone, for it has been reached already.
func (r *Remote) connect(ctx context.Context, n int, but string) (*Conn, error) {
	var failed []error
	for i, address := range r.opt.Addresses[:n] {
		conn, target, err := r.dialer.dial(ctx, r.opt.Network, address, but)
		if err == nil {
			c := newConn(conn, target, i, r)
			if err = c.reason(); err == nil {
				return c, nil
			}
		}
		failed = append(failed, err)
		if ctx.Err() != nil {
			break
		}
	}
	if len(failed) == 1 {
		return nil, failed[0]
	}
	text := ""
	for i, err := range failed {
		if i > 0 {
			text += "; "
		}
		text += err.Error()
	}
	return nil, &allFailed{text, failed}
}

// allFailed is errors.Join on one line.
type allFailed struct {
	text string
	errs []error
}

func (e *allFailed) Error() string   { return e.text }
func (e *allFailed) Unwrap() []error { return e.errs }

// take makes c the present connection.
func (r *Remote) take(c *Conn) {
	r.conn, r.looked = c, time.Now()
	if n := r.connects.Add(1); n == 1 || c.index != r.last {
		r.log.Info("connected to the receiver", "address", c.name)
	} else {
		r.log.Debug("connected to the receiver again", "address", c.name)
	}
	r.last = c.index
}

// improve looks for a better connection than the present one when it is time,
// and takes one that was found.
func (r *Remote) improve() {
	if r.seeking {
		select {
		case c := <-r.found:
			r.seeking = false
			if c != nil && c.alive() {
				if r.conn != nil {
					r.conn.drain(drainTime)
				}
				r.take(c)
			}
		default:
			return
		}
	}
	if r.conn == nil || time.Since(r.looked) < r.opt.Refresh {
		return
	}
	r.looked, r.seeking = time.Now(), true
	go r.seek(r.conn)
}

// seek looks for a better connection than c and puts it into found.
func (r *Remote) seek(c *Conn) {
	n, but := c.index, ""
	if c.peer.IsValid() {
		host, _, _ := net.SplitHostPort(r.opt.Addresses[c.index])
		addrs, err := r.dialer.names.ask(r.ctx, host)
		if err == nil && !slices.Contains(addrs, c.peer.Addr()) {
			r.log.Info("the receiver's name has another address now", "address", c.name)
			n, but = c.index+1, c.peer.String()
		}
	}
	if r.opt.TLS != nil && r.opt.TLS.changedSince(c.loaded) {
		n = c.index + 1
	}
	if n == 0 {
		r.found <- nil
		return
	}
	better, err := r.connect(r.ctx, n, but)
	if err != nil {
		r.log.Debug("no better connection to the receiver", "error", err)
	}
	r.found <- better
}
