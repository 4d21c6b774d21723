package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestOptions(t *testing.T) {
	for name, opt := range map[string]Options{
		"no address":            {},
		"is no address":         {Addresses: []string{"siem.example"}},
		"is not a number":       {Addresses: []string{"siem.example:syslog"}},
		"neither a name nor an": {Addresses: []string{"user@siem:514"}},
		"unknown network":       {Network: "unix", Addresses: []string{"a:1"}},
		"neither over TLS":      {Network: "udp", Addresses: []string{"a:1"}, TLS: &TLS{}},
		"not a URL":             {Addresses: []string{"a:1"}, Proxy: "hunter2"},
		"its scheme":            {Addresses: []string{"a:1"}, Proxy: "ftp://u:hunter2@p:1"},
	} {
		_, err := New(opt)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://siem.example:514": "tcp siem.example:514", "TLS://[::1]:6514": "tls [::1]:6514", "siem.example": " siem.example:514",
		"::1": " [::1]:514", "[::1]": " [::1]:514", "10.0.0.1": " 10.0.0.1:514", "udp://10.0.0.1": "udp 10.0.0.1:514",
		"fe80::1%eth0": " [fe80::1%eth0]:514",
	} {
		scheme, address, err := ParseAddress(text, "514")
		if got := scheme + " " + address; err != nil || got != want {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"", "tcp://", "tcp://:514", "tcp://a:0", "tcp://a:65536", "tcp://a:b", "a b:1", "a/b:1", "u@a:1", "tcp://a:1/", "tcp://a:1?x"} {
		if _, address, err := ParseAddress(text, "514"); err == nil {
			t.Errorf("%q is taken as %q", text, address)
		}
	}
}

func TestFailover(t *testing.T) {
	second := listen(t, "127.0.0.1:0", nil)
	first := dead(t)
	r := open(t, Options{Addresses: []string{first, second.Addr().String()}, Refresh: time.Nanosecond})
	c := connect(t, r)
	write(t, c, "one\n")
	if got := second.line(t); got != "one" {
		t.Fatalf("got %q", got)
	}
	// The first one comes: the connection goes there without anybody's error.
	back := listen(t, first, nil)
	for next := c; next == c; {
		next = connect(t, r)
		if r.seeking {
			r.found <- <-r.found // wait for the search
		}
		if next != c && !c.Lost().Clean {
			t.Errorf("the old connection was lost: %+v", c.Lost())
		}
	}
	write(t, connect(t, r), "two\n")
	if got := back.line(t); got != "two" {
		t.Fatalf("got %q", got)
	}
	if s := r.Stats(); s.Connects != 2 || s.Failures != 0 || s.Bytes != 8 {
		t.Errorf("%+v", s)
	}
}

func TestAllFail(t *testing.T) {
	a, b := dead(t), dead(t)
	r := open(t, Options{Addresses: []string{a, b}})
	_, err := r.Conn(t.Context())
	if err == nil || !strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), b) || strings.Contains(err.Error(), "\n") || !isRefused(err) {
		t.Errorf("got %v", err)
	}
	if err := r.Check(t.Context()); err == nil {
		t.Error("the check finds nothing")
	}
	if s := r.Stats(); s.Failures != 1 {
		t.Errorf("%+v", s)
	}
}

func TestPeerCloses(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	r := open(t, Options{Addresses: []string{l.Addr().String()}})
	c := connect(t, r)
	before := time.Now()
	l.conn(t).Close()
	<-c.Done()
	if lost := c.Lost(); lost.At.Before(before) || lost.Clean {
		t.Errorf("%+v", lost)
	}
	if _, err := c.Write(t.Context(), []byte("x")); !errors.Is(err, errEnded) {
		t.Errorf("got %v", err)
	}
	if again := connect(t, r); again == c {
		t.Error("the same connection")
	}
}

// TestStateOfKernel: the end of a connection counts from the moment the kernel
// knows, even if nobody has read it.
func TestStateOfKernel(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	r := open(t, Options{Addresses: []string{l.Addr().String()}, Answers: true})
	c := connect(t, r)
	l.conn(t).Close()
	for c.alive() { // the FIN is on its way
		runtime.Gosched()
	}
	if connect(t, r) == c {
		t.Error("a connection that the other side has ended is still in use")
	}
}

func TestTalker(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	r := open(t, Options{Addresses: []string{l.Addr().String()}})
	c := connect(t, r)
	go io.Copy(l.conn(t), endless{})
	<-c.Done()
	if err := c.reason(); !errors.Is(err, errTalks) {
		t.Errorf("got %v", err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestStalls: a receiver that takes nothing ends a write in time, and with the
// context.
func TestStalls(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // never accepted, never read
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	big := make([]byte, 64<<20)
	r := open(t, Options{Addresses: []string{l.Addr().String()}, WriteTimeout: 50 * time.Millisecond})
	c := connect(t, r)
	n, err := c.Write(t.Context(), big)
	if !errors.Is(err, errStalled) || n == 0 || n == len(big) {
		t.Errorf("%d %v", n, err)
	}
	if lost := c.Lost(); lost.Unacknowledged == 0 || lost.Unacknowledged > n {
		t.Errorf("%+v after %d bytes", lost, n)
	}
	r = open(t, Options{Addresses: []string{l.Addr().String()}})
	c = connect(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := c.Write(ctx, big); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// A context that has ended before costs no connection.
	c = connect(t, r)
	if _, err := c.Write(ctx, []byte("x")); !errors.Is(err, context.Canceled) || !c.alive() {
		t.Errorf("got %v", err)
	}
}

// TestAnswers: where the caller reads, it gets what the receiver says, and each
// way in which that can end.
func TestAnswers(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	r := open(t, Options{Addresses: []string{l.Addr().String()}, Answers: true})
	b := make([]byte, 10)
	c := connect(t, r)
	there := l.conn(t)
	there.Write([]byte("ack"))
	if n, err := c.Read(t.Context(), b, time.Minute); err != nil || string(b[:n]) != "ack" {
		t.Errorf("%q %v", b[:n], err)
	}
	there.Close()
	if n, err := c.Read(t.Context(), b, time.Minute); n != 0 || !errors.Is(err, errEnded) || c.Lost().At.IsZero() {
		t.Errorf("%d %v", n, err)
	}
	if _, err := c.Read(t.Context(), b, time.Minute); err == nil {
		t.Error("read from what is over")
	}
	c = connect(t, r)
	if _, err := c.Read(t.Context(), b, time.Millisecond); !errors.Is(err, errStalled) {
		t.Errorf("got %v", err)
	}
	c = connect(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := c.Read(ctx, b, 0); !errors.Is(err, context.Canceled) || connect(t, r) == c {
		t.Errorf("got %v", err)
	}
}

// TestCloseWithAnswers: closing waits for the other side to end, which is when
// everything is known to have been acknowledged.
func TestCloseWithAnswers(t *testing.T) {
	l := listen(t, "127.0.0.1:0", nil)
	r := open(t, Options{Addresses: []string{l.Addr().String()}, Answers: true})
	c := connect(t, r)
	there := l.conn(t)
	write(t, c, "records")
	go func() {
		io.Copy(io.Discard, there)
		there.Close()
	}()
	read := make(chan error, 1)
	go func() {
		_, err := c.Read(context.Background(), make([]byte, 10), 0)
		read <- err
	}()
	if err := r.Close(); err != nil || !c.Lost().Clean {
		t.Errorf("%v %+v", err, c.Lost())
	}
	if err := <-read; !errors.Is(err, errEnded) {
		t.Errorf("got %v", err)
	}
}

func TestDatagrams(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := pc.LocalAddr().String()
	r := open(t, Options{Network: "udp", Addresses: []string{address}})
	c := connect(t, r)
	write(t, c, "one")
	pc.Close()
	write(t, c, "lost") // its answer comes with the next one
	for range 3 {       // and from then on each is waited for
		if n, err := connect(t, r).Write(t.Context(), []byte("kept")); n != 0 || !isRefused(err) || !strings.Contains(err.Error(), "nobody listens there") || connect(t, r) != c {
			t.Errorf("%d %v", n, err)
		}
		if n, err := c.Write(t.Context(), []byte("kept")); n != 0 || !isRefused(err) { // by another connection's experience
			t.Errorf("%d %v", n, err)
		}
	}
	if pc, err = net.ListenPacket("udp", address); err != nil {
		t.Skipf("the port is taken: %v", err)
	}
	defer pc.Close()
	b := make([]byte, 100)
	pc.SetReadDeadline(time.Now().Add(20 * time.Second))
	write(t, connect(t, r), "two")
	if n, _, err := pc.ReadFrom(b); err != nil || string(b[:n]) != "two" {
		t.Errorf("%q %v", b[:n], err)
	}
	if r.refused.Load() {
		t.Error("the answer is still waited for")
	}
	if _, err := connect(t, r).Write(t.Context(), make([]byte, 70000)); err == nil || !connect(t, r).alive() {
		t.Errorf("too large: %v", err)
	}
}

func TestNames(t *testing.T) {
	z := &zone{}
	z.set("127.0.0.2", "127.0.0.1")
	one := listen(t, "127.0.0.1:0", nil)
	_, port, _ := net.SplitHostPort(one.Addr().String())
	r := open(t, Options{Addresses: []string{"siem.example:" + port}, Resolver: z.resolver(), Refresh: time.Nanosecond})
	c := connect(t, r) // nobody listens on the first address
	if want := "siem.example:" + port + " (127.0.0.1)"; c.Name() != want {
		t.Errorf("connected to %s, want %s", c.Name(), want)
	}
	// The DNS fails: what was known stands, for new connections too.
	z.set()
	r.Drop()
	c = connect(t, r)
	// The name moves: the connection follows.
	two := listen(t, "127.0.0.3:"+port, nil)
	z.set("127.0.0.3")
	for next := c; next == c; next = connect(t, r) {
		if r.seeking {
			r.found <- <-r.found
		}
	}
	write(t, connect(t, r), "moved\n")
	if got := two.line(t); got != "moved" {
		t.Errorf("got %q", got)
	}
	// It moves to where nobody is: better the old one than none.
	z.set("127.0.0.4")
	for range 3 {
		connect(t, r)
		if r.seeking {
			r.found <- <-r.found
		}
	}
	write(t, connect(t, r), "stays\n")
	if got := two.line(t); got != "stays" {
		t.Errorf("got %q", got)
	}
}

func TestNameUnknown(t *testing.T) {
	z := &zone{down: true}
	r := open(t, Options{Addresses: []string{"siem.example:514"}, Resolver: z.resolver()})
	if _, err := r.Conn(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot find siem.example") {
		t.Errorf("got %v", err)
	}
	n := z.questions()
	z.set("127.0.0.1")
	if _, err := r.Conn(t.Context()); !isRefused(err) || z.questions() == n { // asked again at once
		t.Errorf("got %v", err)
	}
	n = z.questions()
	if r.Conn(t.Context()); z.questions() != n {
		t.Error("asked although an answer is known")
	}
}

// TestSlowAddress: one address that swallows everything leaves time for the
// next.
func TestSlowAddress(t *testing.T) {
	z := &zone{}
	z.set("127.0.0.9", "127.0.0.1")
	l := listen(t, "127.0.0.1:0", nil)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.HasPrefix(address, "127.0.0.9:") {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	r := open(t, Options{Addresses: []string{"siem.example:" + port}, Resolver: z.resolver(), Dial: dial, ConnectTimeout: 3 * time.Second})
	if c := connect(t, r); !strings.Contains(c.Name(), "127.0.0.1") {
		t.Errorf("connected to %s", c.Name())
	}
	// The one that works is tried first from now on.
	r.Drop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := r.Conn(ctx); err != nil {
		t.Error(err)
	}
	r = open(t, Options{Addresses: []string{"127.0.0.9:1"}, Dial: dial, ConnectTimeout: 10 * time.Millisecond})
	if _, err := r.Conn(t.Context()); !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
}
