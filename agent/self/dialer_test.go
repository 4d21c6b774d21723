package self

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen accepts connections on a loopback address; each is read to its end.
func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("cannot listen on %s: %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func knows(r *Registry, proto uint8, a, b net.Addr) bool {
	x, y := addrPort(a), addrPort(b)
	return r.Own(proto, x.Addr(), x.Port(), y.Addr(), y.Port()) && r.Own(proto, y.Addr(), y.Port(), x.Addr(), x.Port())
}

func TestDialTCP(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		r := New()
		l := listen(t, "tcp", address)
		// What the receiver sees at the moment it accepts must be known by then.
		accepted := make(chan bool, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				accepted <- false
				return
			}
			accepted <- knows(r, TCP, c.RemoteAddr(), c.LocalAddr())
			io.Copy(c, c)
			c.Close()
		}()
		c, err := r.Dialer(net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if !<-accepted || !knows(r, TCP, c.LocalAddr(), c.RemoteAddr()) {
			t.Error("not known when it was accepted")
		}
		other := addrPort(c.LocalAddr())
		remote := addrPort(c.RemoteAddr())
		if r.Own(TCP, netip.MustParseAddr("192.0.2.77"), other.Port(), remote.Addr(), remote.Port()) {
			t.Error("another host's flow is known too")
		}
		// It can do what a TCP connection can.
		if err := c.(interface{ SetKeepAlive(bool) error }).SetKeepAlive(true); err != nil {
			t.Error(err)
		}
		if _, ok := c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn); !ok {
			t.Error("NetConn")
		}
		c.Write([]byte("hello"))
		if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Error(err)
		}
		if b, err := io.ReadAll(c); string(b) != "hello" || err != nil {
			t.Errorf("%q %v", b, err)
		}
		if open, closed := r.Len(); open != 1 || closed != 0 {
			t.Errorf("%d open, %d closed", open, closed)
		}
		c.Close()
		c.Close()
		if open, closed := r.Len(); open != 0 || closed != 1 || !knows(r, TCP, c.LocalAddr(), c.RemoteAddr()) {
			t.Errorf("%d open, %d closed", open, closed)
		}
	}
}

// TestKnownBeforeConnect looks from within connect(2)'s last hook: after ours
// has run, the flow must be known, and the socket not yet connected.
func TestKnownBeforeConnect(t *testing.T) {
	r := New()
	l := listen(t, "tcp", "127.0.0.1:0")
	d := r.Dialer(net.Dialer{})
	var order []string
	d.base.Control = func(network, address string, c syscall.RawConn) error {
		order = append(order, "base")
		return nil
	}
	a := &attempt{registry: r, proto: TCP}
	hook := d.hook(a)
	dialer := net.Dialer{ControlContext: func(ctx context.Context, network, address string, c syscall.RawConn) error {
		if err := hook(ctx, network, address, c); err != nil {
			return err
		}
		order = append(order, "entered")
		var local unix.Sockaddr
		var peer error
		c.Control(func(fd uintptr) {
			local, _ = unix.Getsockname(int(fd))
			_, peer = unix.Getpeername(int(fd))
		})
		port := fromSockaddr(local).Port()
		remote := ap(address)
		if port == 0 || !errors.Is(peer, unix.ENOTCONN) {
			t.Errorf("port %d, peer: %v", port, peer)
		}
		if !r.Own(TCP, netip.MustParseAddr("127.0.0.1"), port, remote.Addr(), remote.Port()) {
			t.Error("not known before connect")
		}
		return nil
	}}
	c, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(order) != 2 || order[0] != "base" {
		t.Errorf("hooks ran as %v", order)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if !knows(r, TCP, server.RemoteAddr(), server.LocalAddr()) {
		t.Error("the port that the receiver sees is another")
	}
}

func TestDialFails(t *testing.T) {
	r := New()
	l := listen(t, "tcp", "127.0.0.1:0")
	address := l.Addr().String()
	l.Close()
	if c, err := r.Dialer(net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
		c.Close()
		t.Skip("something listens on the port just freed")
	}
	// Its SYN is in a ring: still known, and on its way out.
	if open, closed := r.Len(); open != 0 || closed != 1 {
		t.Errorf("%d open, %d closed", open, closed)
	}
	for _, network := range []string{"ip4:icmp", "tcpx", ""} {
		if _, err := r.Dialer(net.Dialer{}).DialContext(t.Context(), network, "127.0.0.1"); !errors.As(err, new(net.UnknownNetworkError)) {
			t.Errorf("%q: %v", network, err)
		}
	}
	refused := errors.New("refused by the caller")
	d := r.Dialer(net.Dialer{ControlContext: func(context.Context, string, string, syscall.RawConn) error { return refused }})
	if _, err := d.DialContext(t.Context(), "tcp", address); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Dialer(net.Dialer{}).DialContext(ctx, "udp", address); err == nil {
		t.Error("dialled with an ended context")
	}
}

func TestDialFromAddress(t *testing.T) {
	r := New()
	l := listen(t, "tcp", "127.0.0.1:0")
	from := func(a string, port int) net.Dialer {
		return net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(a), Port: port}}
	}
	c, err := r.Dialer(from("127.0.0.3", 0)).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := addrPort(c.LocalAddr()).Addr().String(); got != "127.0.0.3" || !knows(r, TCP, c.LocalAddr(), c.RemoteAddr()) {
		t.Errorf("from %s", got)
	}
	// What was asked for and cannot be had is an error, not something else.
	for _, d := range []net.Dialer{from("127.0.0.3", int(addrPort(c.LocalAddr()).Port())), from("192.0.2.1", 0), from("::1", 0)} {
		if c, err := r.Dialer(d).DialContext(t.Context(), "tcp", l.Addr().String()); err == nil {
			t.Errorf("from %v: connected from %v", d.LocalAddr, c.LocalAddr())
			c.Close()
		}
	}
}

// TestBoundByTheCaller: a hook of the base may have bound the socket itself.
func TestBoundByTheCaller(t *testing.T) {
	r := New()
	l := listen(t, "tcp", "127.0.0.1:0")
	c, err := r.Dialer(net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = unix.Bind(int(fd), &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 5}}) })
		return err
	}}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if open, closed := r.Len(); open != 1 || closed != 0 || addrPort(c.LocalAddr()).Addr().String() != "127.0.0.5" {
		t.Errorf("%d open, %d closed, from %v", open, closed, c.LocalAddr())
	}
}

func TestDialUDPAndUnix(t *testing.T) {
	r := New()
	d := r.Dialer(net.Dialer{})
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		pc, err := net.ListenPacket("udp", address)
		if err != nil {
			t.Skip(err)
		}
		defer pc.Close()
		c, err := d.DialContext(t.Context(), "udp", pc.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_, from, err := pc.ReadFrom(make([]byte, 8))
		if err != nil || !knows(r, UDP, from, pc.LocalAddr()) || !knows(r, UDP, c.LocalAddr(), c.RemoteAddr()) {
			t.Errorf("from %v: not known, %v", from, err)
		}
		if _, ok := c.(net.PacketConn); !ok {
			t.Error("a socket for datagrams that does not say so")
		}
		c.Close()
	}
	if open, closed := r.Len(); open != 0 || closed != 2 {
		t.Errorf("%d open, %d closed", open, closed)
	}
	path := t.TempDir() + "/socket"
	listen(t, "unix", path)
	c, err := d.DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.(*net.UnixConn); !ok {
		t.Errorf("%T", c)
	}
	c.Close()
	if open, closed := r.Len(); open != 0 || closed != 2 {
		t.Errorf("%d open, %d closed", open, closed)
	}
}

// TestSlowAddress: of two addresses tried at once, the loser's hook may run
// when the dial is over.
func TestSlowAddress(t *testing.T) {
	r := New()
	a := &attempt{registry: r, proto: TCP}
	bound := func(netip.AddrPort) (netip.AddrPort, error) { return ap("0.0.0.0:4000"), nil }
	if err := a.prepare("192.0.2.1:443", bound); err != nil {
		t.Fatal(err)
	}
	a.end(nil)
	if err := a.prepare("[2001:db8::1]:443", bound); err != nil {
		t.Fatal(err)
	}
	if open, closed := r.Len(); open != 0 || closed != 2 {
		t.Errorf("%d open, %d closed", open, closed)
	}
	// No port to be had: go on, unless one was asked for.
	none := func(netip.AddrPort) (netip.AddrPort, error) { return netip.AddrPort{}, unix.EADDRINUSE }
	if err := a.prepare("192.0.2.1:443", none); err != nil {
		t.Error(err)
	}
	a.local = ap("10.0.0.1:4000")
	if err := a.prepare("192.0.2.1:443", none); !errors.Is(err, unix.EADDRINUSE) {
		t.Error(err)
	}
}

func TestListener(t *testing.T) {
	r := New()
	l := r.Listener(listen(t, "tcp", "127.0.0.1:0"))
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if !knows(r, TCP, c.LocalAddr(), c.RemoteAddr()) {
		t.Error("not known")
	}
	s.Close()
	if open, closed := r.Len(); open != 0 || closed != 1 {
		t.Errorf("%d open, %d closed", open, closed)
	}
	u := r.Listener(listen(t, "unix", t.TempDir()+"/socket"))
	go net.Dial("unix", u.Addr().String())
	if s, err = u.Accept(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	u.Close()
	if _, err := u.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// TestManyConnections: many dials at once, each known at its receiver.
func TestManyConnections(t *testing.T) {
	r := New()
	l := listen(t, "tcp", "127.0.0.1:0")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if !knows(r, TCP, c.RemoteAddr(), c.LocalAddr()) {
				t.Error("not known when it was accepted")
			}
			c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT
			c.Write([]byte("x"))
			c.Read(make([]byte, 1))
			c.Close()
		}
	}()
	d := r.Dialer(net.Dialer{Timeout: time.Minute})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				c, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				b := make([]byte, 1)
				if _, err := io.ReadFull(c, b); err != nil || !bytes.Equal(b, []byte("x")) {
					t.Error(err)
				}
				c.Close()
			}
		})
	}
	all.Wait()
	if open, closed := r.Len(); open != 0 || closed != 800 {
		t.Errorf("%d open, %d closed", open, closed)
	}
}
