package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"
)

// DialerOptions say how a Dialer connects.
type DialerOptions struct {
	TLS     *TLS          // for DialTLSContext; nil: it verifies with the system's authorities
	Proxy   Secret        // see NewDialer
	Timeout time.Duration // for one connection, name and TLS handshake included; 0: ConnectTimeout
	Refresh time.Duration // how long an answer of the DNS stands; 0: Refresh

	Dial     func(ctx context.Context, network, address string) (net.Conn, error)
	Resolver *net.Resolver
}

// A Dialer connects to addresses. Its two methods fit into a http.Transport
// (DialContext and DialTLSContext, without a Proxy there) and are safe for
// concurrent use.
type Dialer struct {
	tls     *TLS
	proxy   *proxy // nil: none
	timeout time.Duration
	dialing func(ctx context.Context, network, address string) (net.Conn, error)
	names   *names
}

// NewDialer makes a Dialer. Proxy is a URL, http://host:port for CONNECT
// (RFC 9110 9.3.6) or socks5://host:port (RFC 1928), with user:password@ if the
// proxy wants them; it resolves the names then.
func NewDialer(opt DialerOptions) (*Dialer, error) {
	d := &Dialer{tls: opt.TLS, timeout: opt.Timeout, dialing: opt.Dial}
	if d.timeout == 0 {
		d.timeout = ConnectTimeout
	}
	if d.dialing == nil {
		d.dialing = (&net.Dialer{KeepAlive: -1}).DialContext // keep sets it
	}
	d.names = &names{resolver: opt.Resolver, refresh: opt.Refresh, known: map[string]*known{}}
	if d.names.resolver == nil {
		d.names.resolver = net.DefaultResolver
	}
	if d.names.refresh == 0 {
		d.names.refresh = Refresh
	}
	if opt.Proxy != "" {
		var err error
		if d.proxy, err = parseProxy(opt.Proxy); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// target is what a connection leads to.
type target struct {
	name   string         // host:port (address), for people
	peer   netip.AddrPort // zero: behind a proxy
	loaded uint64         // generation of the certificates on disk
	settle time.Duration  // how long the receiver may still refuse the client certificate
}

// DialContext connects to host:port in clear text. All addresses of a name are
// tried, the one that worked last first.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, done := context.WithTimeout(ctx, d.timeout)
	defer done()
	conn, _, err := d.reach(ctx, network, address, "")
	return conn, err
}

// DialTLSContext connects to host:port and does the handshake.
func (d *Dialer) DialTLSContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, done := context.WithTimeout(ctx, d.timeout)
	defer done()
	conn, t, err := d.reach(ctx, network, address, "")
	if err != nil {
		return nil, err
	}
	own := d.tls
	if own == nil {
		own = &TLS{}
	}
	return own.handshake(ctx, conn, address, &t)
}

// dial connects and, where TLS is given, does the handshake.
func (d *Dialer) dial(ctx context.Context, network, address, but string) (net.Conn, target, error) {
	ctx, done := context.WithTimeout(ctx, d.timeout)
	defer done()
	conn, t, err := d.reach(ctx, network, address, but)
	if err != nil || d.tls == nil {
		return conn, t, err
	}
	secure, err := d.tls.handshake(ctx, conn, address, &t)
	if err != nil {
		return nil, t, err
	}
	return secure, t, nil
}

// reach connects to one of the addresses of a name, or to the proxy.
func (d *Dialer) reach(ctx context.Context, network, address, but string) (net.Conn, target, error) {
	t := target{name: address}
	if d.proxy != nil {
		conn, err := d.proxy.dial(ctx, d.one, address)
		if err != nil {
			return nil, t, fmt.Errorf("cannot connect to %s through the proxy %s: %w", address, d.proxy.address, plain(ctx, err))
		}
		return conn, t, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, t, err
	}
	addrs, err := d.names.lookup(ctx, host)
	if err != nil {
		return nil, t, fmt.Errorf("cannot find %s: %w", host, plain(ctx, err))
	}
	var problem error
	for i, a := range addrs {
		ip := net.JoinHostPort(a.String(), port)
		if ip == but {
			continue
		}
		conn, err := d.share(ctx, network, ip, len(addrs)-i)
		if err == nil {
			t.peer, _ = netip.ParseAddrPort(ip)
			if host != a.String() {
				t.name += " (" + a.String() + ")"
			}
			d.names.worked(host, a)
			return conn, t, nil
		}
		if problem == nil || ctx.Err() == nil { // the end of ctx says the least
			problem = fmt.Errorf("cannot connect to %s (%s): %w", address, a, plain(ctx, err))
			if host == a.String() {
				problem = fmt.Errorf("cannot connect to %s: %w", address, plain(ctx, err))
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if problem == nil {
		problem = fmt.Errorf("%s has no other address", host)
	}
	return nil, t, problem
}

// share dials with a fair part of the time left, so that one address that
// swallows packets leaves time for the others.
func (d *Dialer) share(ctx context.Context, network, ip string, left int) (net.Conn, error) {
	if end, ok := ctx.Deadline(); ok && left > 1 {
		part := max(time.Until(end)/time.Duration(left), min(time.Second, time.Until(end)))
		sub, done := context.WithTimeout(ctx, part)
		defer done()
		return d.dialing(sub, network, ip)
	}
	return d.dialing(ctx, network, ip)
}

// one connects to host:port, whatever comes of its name.
func (d *Dialer) one(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := d.names.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, a := range addrs {
		var conn net.Conn
		if conn, err = d.share(ctx, network, net.JoinHostPort(a.String(), port), len(addrs)-i); err == nil {
			d.names.worked(host, a)
			return conn, nil
		}
	}
	return nil, err
}

// plain takes the address out of an error of package net, whose callers name it
// themselves, and says a time out as one.
func plain(ctx context.Context, err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op != "lookup" && op.Err != nil {
		err = op.Err
	}
	if timeout(err) {
		if ctx.Err() == context.Canceled {
			return context.Canceled
		}
		var lookup *net.DNSError
		if errors.As(err, &lookup) {
			return &worded{errNoAnswer.Error(), lookup}
		}
		return errNoAnswer
	}
	return err
}

var errNoAnswer error = &worded{"no answer in time", os.ErrDeadlineExceeded}

// worded is an error in plain words, with the one behind it that says of what
// kind it is.
type worded struct {
	text string
	kind error
}

func (e *worded) Error() string { return e.text }
func (e *worded) Unwrap() error { return e.kind }

func timeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
