package logstash

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/elastic/go-lumber/lj"
	lumber "github.com/elastic/go-lumber/server/v2"

	"trailhound/outputs"
)

// delivered counts the events that Send reported, and checks that they are the
// first ones of the batch.
func delivered(t testing.TB, r outputs.Result) (n int) {
	t.Helper()
	for i, outcome := range r.Outcomes {
		switch outcome {
		case outputs.Delivered:
			if n++; n != i+1 {
				t.Errorf("event %d is delivered and one before it is not", i)
			}
		case outputs.Rejected:
			t.Errorf("event %d is rejected: %s", i, r.Reasons[i])
		}
	}
	return n
}

// numbers of what a real server received, in order.
func numbers(t testing.TB, b *lj.Batch) (list []int) {
	t.Helper()
	for _, doc := range b.Events {
		list = append(list, number(t, doc))
	}
	return list
}

func sequence(from, n int) (list []int) {
	for i := range n {
		list = append(list, from+i)
	}
	return list
}

func TestRealServer(t *testing.T) {
	for _, c := range []struct{ level, window, events int }{{0, 2048, 1}, {3, 2048, 3000}, {9, 7, 100}, {1, 1, 5}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv, err := lumber.NewWithListener(l, lumber.Keepalive(time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		done := make(chan struct{})
		go func() {
			defer close(done)
			for b := range srv.ReceiveChan() {
				got = append(got, numbers(t, b)...)
				b.ACK()
			}
		}()
		o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{l.Addr().String()}, Compression: c.level, Window: c.window}, nil)
		if err := o.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if o.Guarantee() != outputs.Acknowledged || o.Limits().BatchEvents != c.window {
			t.Errorf("%v, %+v", o.Guarantee(), o.Limits())
		}
		r, err := o.Send(t.Context(), numbered(1, c.events))
		if n := delivered(t, r); err != nil || n != c.events {
			t.Errorf("%+v: %d delivered, %v", c, n, err)
		}
		if s := o.Stats(); s.Events != uint64(c.events) || s.Connects != 1 || s.Bytes == 0 || s.Resent != 0 || s.Windows != uint64((c.events+c.window-1)/c.window) {
			t.Errorf("%+v: %+v", c, s)
		}
		o.Close()
		srv.Close()
		<-done
		if !slices.Equal(got, sequence(1, c.events)) {
			t.Errorf("%+v: %d arrived: %v", c, len(got), got)
		}
	}
}

// A window may be larger than what a receiver has to keep: then it is two.
func TestWindowBytes(t *testing.T) {
	batch := numbered(1, 6)
	for i := range batch {
		batch[i].HTTP.UserAgent = strings.Repeat("x", windowBytes/4)
	}
	f, err := newFramer((&Keys{}).encoder(identity), 0)
	if err != nil {
		t.Fatal(err)
	}
	if frames, n := f.window(batch); n != 4 || len(frames) < windowBytes {
		t.Errorf("%d events in %d bytes", n, len(frames))
	}
}

// realAfter gives an address whose first connection goes to the script and all
// others to a real server.
func realAfter(t testing.TB, script func(c *peer)) (address string, batches <-chan *lj.Batch) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := lumber.NewWithListener(&firstElsewhere{Listener: l, script: script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	return l.Addr().String(), srv.ReceiveChan()
}

type firstElsewhere struct {
	net.Listener
	script func(c *peer)
	given  atomic.Bool
}

func (f *firstElsewhere) Accept() (net.Conn, error) {
	for {
		c, err := f.Listener.Accept()
		if err != nil || f.given.Swap(true) {
			return c, err
		}
		go func() {
			defer c.Close()
			f.script(newPeer(c))
		}()
	}
}

// A server that closes the connection anywhere gets the rest again, on a new
// connection; what it acknowledged before is delivered.
func TestServerClosesMidWindow(t *testing.T) {
	for _, c := range []struct {
		name   string
		acks   []uint32 // before it closes
		read   int      // bytes that it reads before; 0: the whole window
		before int
		err    bool
	}{
		{"after the first byte", nil, 1, 0, true},
		{"in the middle of the frames", nil, 500, 0, true},
		{"before any acknowledgement", nil, 0, 0, true},
		{"after a part", []uint32{1, 3, 3, 7}, 0, 7, true},
		{"after keepalives", []uint32{0, 0, 4, 0}, 0, 4, true},
		{"after all", []uint32{5, 10}, 0, 10, false},
	} {
		address, batches := realAfter(t, func(p *peer) {
			if c.read > 0 {
				p.in.Discard(c.read)
				return
			}
			if _, err := p.window(); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			for _, n := range c.acks {
				p.Write(ack(n))
			}
		})
		o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{address}}, nil)
		batch := numbered(1, 10)
		r, err := o.Send(t.Context(), batch)
		n := delivered(t, r)
		if n != c.before || (err != nil) != c.err {
			t.Errorf("%s: %d delivered, %v", c.name, n, err)
		}
		if err != nil && !strings.Contains(err.Error(), address) {
			t.Errorf("%s: the error does not name the receiver: %v", c.name, err)
		}
		var got []int
		done := make(chan struct{})
		go func() {
			b := <-batches
			got = numbers(t, b)
			b.ACK()
			close(done)
		}()
		rest := append(batch[n:], numbered(11, 5)...)
		if r, err := o.Send(t.Context(), rest); err != nil || delivered(t, r) != len(rest) {
			t.Fatalf("%s: %d of %d delivered after it, %v", c.name, delivered(t, r), len(rest), err)
		}
		<-done
		if !slices.Equal(got, sequence(n+1, 15-n)) {
			t.Errorf("%s: the second connection got %v", c.name, got)
		}
		// The end of the connection may cross with the next window.
		if s := o.Stats(); s.Connects != 2 || c.err && s.Resent != uint64(10-n) {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

// A receiver that ends an idle connection costs neither an error nor an event.
func TestIdleConnectionEnds(t *testing.T) {
	closed := make(chan struct{})
	address, batches := realAfter(t, func(p *peer) {
		defer close(closed)
		p.window()
		p.Write(ack(2))
	})
	o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{address}}, nil)
	if r, err := o.Send(t.Context(), numbered(1, 2)); err != nil || delivered(t, r) != 2 {
		t.Fatal(err)
	}
	<-closed
	go func() { (<-batches).ACK() }()
	if r, err := o.Send(t.Context(), numbered(3, 2)); err != nil || delivered(t, r) != 2 {
		t.Errorf("%d delivered, %v", delivered(t, r), err)
	}
}

// A receiver that is behind says that it is busy. The window stays under way
// when the time for a Send is over, and is not sent again.
func TestSlowAcknowledgement(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := lumber.NewWithListener(l, lumber.Keepalive(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{l.Addr().String()}}, nil)
	batch := numbered(1, 10)
	var b *lj.Batch
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			if b == nil {
				b = srv.Receive()
			}
			for before := o.Stats().Keepalives; o.Stats().Keepalives < before+3; {
				time.Sleep(time.Millisecond) // until the server has spoken
			}
			cancel()
		}()
		r, err := o.Send(ctx, batch)
		if !errors.Is(err, context.Canceled) || delivered(t, r) != 0 {
			t.Fatalf("%d delivered, %v", delivered(t, r), err)
		}
		mustFail(t, err, "has not acknowledged 10 of 10 events yet")
	}
	b.ACK()
	// A smaller batch first, then a longer one: the loop is free in that.
	if r, err := o.Send(t.Context(), batch[:4]); err != nil || delivered(t, r) != 4 {
		t.Errorf("%d delivered, %v", delivered(t, r), err)
	}
	go func() { (srv.Receive()).ACK() }()
	if r, err := o.Send(t.Context(), append(batch[4:], numbered(11, 3)...)); err != nil || delivered(t, r) != 9 {
		t.Errorf("%d delivered, %v", delivered(t, r), err)
	}
	if s := o.Stats(); s.Windows != 2 || s.Resent != 0 || s.Connects != 1 || s.Events != 13 {
		t.Errorf("%+v", s)
	}
}

// Other events than those under way go over a new connection.
func TestOtherEventsWhileUnderWay(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	address, batches := realAfter(t, func(p *peer) {
		p.window()
		cancel()
		p.window() // until the client is gone
	})
	o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{address}}, nil)
	if _, err := o.Send(cancelled, numbered(1, 3)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var got []int
	done := make(chan struct{})
	go func() {
		b := <-batches
		got = numbers(t, b)
		b.ACK()
		close(done)
	}()
	if r, err := o.Send(t.Context(), numbered(2, 2)); err != nil || delivered(t, r) != 2 {
		t.Errorf("%d delivered, %v", delivered(t, r), err)
	}
	<-done
	if !slices.Equal(got, []int{2, 3}) || o.Stats().Resent != 3 {
		t.Errorf("%v, %+v", got, o.Stats())
	}
}

// A receiver that takes everything and says nothing is given up after
// ack_timeout, and not before.
func TestNeverAcknowledges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{"192.0.2.1:5044"}, AckTimeout: 20 * time.Second}, func(e *Env) {
			e.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				dials++
				here, there := net.Pipe()
				go func() {
					p := newPeer(there)
					for {
						if _, err := p.window(); err != nil {
							return
						}
						for range 3 { // busy for 45 s, then silent
							time.Sleep(15 * time.Second)
							p.Write(ack(0))
						}
					}
				}()
				return here, nil
			}
		})
		begun := time.Now()
		r, err := o.Send(t.Context(), numbered(1, 5))
		mustFail(t, err, "has said nothing for 20s: 5 of 5 events are not acknowledged")
		if took := time.Since(begun); took != 65*time.Second || delivered(t, r) != 0 {
			t.Errorf("after %s, %d delivered", took, delivered(t, r))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		if _, err := o.Send(ctx, numbered(1, 5)); !errors.Is(err, context.DeadlineExceeded) || dials != 2 {
			t.Errorf("%v after %d connections", err, dials)
		}
		begun = time.Now()
		if _, err = o.Send(t.Context(), numbered(1, 5)); dials != 2 || time.Since(begun) != 15*time.Second {
			t.Errorf("%v after %s and %d connections", err, time.Since(begun), dials)
		}
		o.Close()
	})
}

// Whatever a receiver says: bounded, named, and no event counts as delivered
// that it did not acknowledge.
func TestGarbageFromTheServer(t *testing.T) {
	flood := slices.Repeat(ack(0), maxKeepalives+1)
	for _, c := range []struct {
		name, want string
		answer     []byte
		ok         int
	}{
		{"a web server", "this is not a receiver of lumberjack version 2", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), 0},
		{"version 1", "the answer is no acknowledgement but begins with \"1A", []byte("1A\x00\x00\x00\x0a"), 0},
		{"another frame", "begins with \"2W", []byte("2W\x00\x00\x00\x0a"), 0},
		{"beyond the window", "it acknowledges event 11 of 10", ack(11), 0},
		{"far beyond", "it acknowledges event 4294967295 of 10", ack(1<<32 - 1), 0},
		{"beyond after a part", "it acknowledges event 11 of 10", append(ack(4), ack(11)...), 4},
		{"backwards", "it acknowledges event 2 after event 4", append(ack(4), ack(2)...), 4},
		{"nothing but busy", "and acknowledges nothing", flood, 0},
		{"half an acknowledgement", "ended the connection", ack(10)[:5], 0},
		{"nothing", "ended the connection", nil, 0},
	} {
		address := scripted(t, func(p *peer) {
			p.window()
			p.Write(c.answer)
			if c.answer != nil && !strings.Contains(c.want, "ended") {
				p.window() // until the client is gone
			}
		})
		o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{address}}, nil)
		r, err := o.Send(t.Context(), numbered(1, 10))
		mustFail(t, err, c.want)
		mustFail(t, err, address)
		if n := delivered(t, r); n != c.ok {
			t.Errorf("%s: %d delivered, want %d", c.name, n, c.ok)
		}
	}
}

// An acknowledgement for which there is no window must not count for the next.
func TestAcknowledgementTooMuch(t *testing.T) {
	address, batches := realAfter(t, func(p *peer) {
		p.window()
		p.Write(append(ack(2), ack(2)...))
		p.Write(ack(1))
		p.window()
	})
	o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{address}}, nil)
	if r, err := o.Send(t.Context(), numbered(1, 2)); err != nil && delivered(t, r) != 2 {
		t.Fatal(err)
	}
	<-o.way.(*lumberjack).session.over // the goroutine has seen it
	go func() { (<-batches).ACK() }()
	if r, err := o.Send(t.Context(), numbered(3, 2)); err != nil || delivered(t, r) != 2 || o.Stats().Connects != 2 {
		t.Errorf("%d delivered, %v, %+v", delivered(t, r), err, o.Stats())
	}
}

func TestTLSAndFailover(t *testing.T) {
	server, ca := certificates(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := lumber.NewWithListener(l)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	go func() {
		for b := range srv.ReceiveChan() {
			b.ACK()
		}
	}()
	keys := Keys{Protocol: "lumberjack", Addresses: []string{closedPort(t), l.Addr().String()}, Compression: 3}
	keys.TLS.CA, keys.TLS.MinVersion = ca, "1.3"
	o := newOutput(t, keys, nil)
	if r, err := o.Send(t.Context(), numbered(1, 100)); err != nil || delivered(t, r) != 100 {
		t.Errorf("%d delivered, %v", delivered(t, r), err)
	}
	_, other := certificates(t)
	keys.TLS.CA = other
	o = newOutput(t, keys, nil)
	_, err = o.Send(t.Context(), numbered(1, 1))
	mustFail(t, err, l.Addr().String())
	mustFail(t, err, "certificate")
	mustFail(t, err, keys.Addresses[0])
}

func TestSendHonoursContext(t *testing.T) {
	stuck := scripted(t, func(p *peer) { p.window(); p.window() })
	for _, protocol := range []string{"tcp", "udp", "lumberjack"} {
		o := newOutput(t, Keys{Protocol: protocol, Addresses: []string{stuck}}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if r, err := o.Send(ctx, numbered(1, 1)); !errors.Is(err, context.Canceled) || delivered(t, r) != 0 {
			t.Errorf("%s: %v", protocol, err)
		}
	}
	o := newOutput(t, Keys{Protocol: "lumberjack", Addresses: []string{stuck}}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := o.Send(ctx, numbered(1, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func BenchmarkWindow(b *testing.B) {
	batch := numbered(1, 1024)
	for _, c := range []struct {
		name, profile string
		level         int
	}{{"ecs", "ecs", 0}, {"ecs-zlib3", "ecs", 3}, {"compat", "compat", 0}, {"compat-zlib3", "compat", 3}} {
		b.Run(c.name, func(b *testing.B) {
			f, err := newFramer((&Keys{Profile: c.profile}).encoder(identity), c.level)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			n, bytes := 0, 0
			for b.Loop() {
				frames, k := f.window(batch)
				n, bytes = n+k, bytes+len(frames)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
			b.ReportMetric(float64(bytes)/float64(n), "B/event")
		})
	}
}
