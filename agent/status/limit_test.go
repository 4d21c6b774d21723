package status

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Who opens connections without end and asks nothing shuts nobody out, not even
// those of the same address.
func TestFlood(t *testing.T) {
	for _, sends := range []string{"GET /he", ""} {
		t.Run("sends "+sends, func(t *testing.T) {
			s, url := served(t, Options{})
			address := s.Addr().String()
			var flood sync.WaitGroup
			var over atomic.Bool
			for range 150 {
				flood.Go(func() {
					for !over.Load() {
						conn, err := net.Dial("tcp", address)
						if err != nil {
							continue // no port is free for a moment
						}
						io.WriteString(conn, sends)
						io.Copy(io.Discard, conn)
						conn.Close()
					}
				})
			}
			for _, evicted := s.listener.counts(); evicted == 0; _, evicted = s.listener.counts() {
				runtime.Gosched() // until it is full
			}
			client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for i := range 30 {
				r, err := client.Get(url + "/healthz")
				if err != nil {
					t.Errorf("request %d: %v", i, err)
					continue
				}
				r.Body.Close()
				if r.StatusCode != 200 {
					t.Errorf("request %d: code %d", i, r.StatusCode)
				}
			}
			if held, _ := s.listener.counts(); held > MaxPerAddress {
				t.Errorf("%d are held", held)
			}
			over.Store(true)
			s.Close() // ends those in the air
			flood.Wait()
		})
	}
}

// Nor does who asks and does not read the answer, or asks a sensor that is
// stuck.
func TestFloodOfRequests(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			l := newPipes()
			s := New(Options{Snapshot: func() Snapshot {
				if stuck {
					<-release
				}
				return healthy()
			}})
			s.listener = newLimited(l, slog.New(slog.DiscardHandler))
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.Serve(ctx) }()
			start := time.Now()
			for range 30 {
				for range MaxConnections {
					c := l.dial()
					defer c.Close()
					io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
				}
				c := l.dial()
				io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
				if line, err := bufio.NewReader(c).ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" {
					t.Errorf("stuck %v: %q %v", stuck, line, err)
				}
				c.Close()
			}
			if took := time.Since(start); took > 31*2*(grace+lookAgain) {
				t.Errorf("stuck %v: took %v", stuck, took)
			}
			close(release)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// remote is a connection from an address.
type remote struct {
	net.Conn
	from net.Addr
}

func (c remote) RemoteAddr() net.Addr { return c.from }

func from(address string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		panic(err)
	}
	return a
}

// One that came first gives way first, unless it has asked; an address at its
// bound makes room for itself only. The log has a line a minute.
func TestWhoGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newPipes()
		var log bytes.Buffer
		l := newLimited(in, slog.New(slog.NewTextHandler(&log, nil)))
		var gone []string
		waited := func() {
			for _, s := range l.held {
				s.waits()
			}
			time.Sleep(grace)
		}
		accept := func(address string) *slotted {
			t.Helper()
			client, server := net.Pipe()
			t.Cleanup(func() { client.Close() })
			go func() { in.conns <- remote{server, from(address)} }()
			before := append([]*slotted(nil), l.held...)
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			gone = nil
			for _, s := range before {
				if s.Conn.SetDeadline(time.Time{}) != nil { // closed
					gone = append(gone, s.RemoteAddr().String())
				}
			}
			return c.(*slotted)
		}
		gave := func(want ...string) {
			t.Helper()
			if strings.Join(gone, " ") != strings.Join(want, " ") {
				t.Errorf("%q gave way, want %q", gone, want)
			}
		}
		accept("192.0.2.1:1").asked.Store(true)
		for range MaxPerAddress - 1 {
			accept("192.0.2.9:2")
		}
		gave()
		accept("192.0.2.9:3")
		gave()
		waited()
		accept("[::ffff:192.0.2.9]:4") // the same address, at its bound now
		gave("192.0.2.9:2")
		for range MaxConnections - MaxPerAddress - 1 {
			accept("[2001:db8::1]:5")
		}
		gave()
		if n, _ := l.counts(); n != MaxConnections {
			t.Fatalf("%d are held", n)
		}
		waited()
		accept("[2001:db8::2]:6")
		gave("192.0.2.9:2") // not the one that came first, which has asked
		for _, s := range l.held {
			s.asks()
		}
		start := time.Now()
		time.AfterFunc(time.Second, l.held[9].waits)
		time.AfterFunc(time.Second, l.held[7].waits)
		accept("[2001:db8:1::1]:7")
		gave("192.0.2.9:2") // nobody kept the server waiting before
		if took := time.Since(start); took < time.Second+grace || took > time.Second+grace+lookAgain {
			t.Errorf("one gave way after %v", took)
		}
		l.held[len(l.held)-1].asks()
		waited()
		accept("192.0.2.9:8")
		gave("192.0.2.1:1") // all have asked
		waited()

		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "closed=1 one_from=192.0.2.9:2 ") {
			t.Errorf("the log:\n%s", log.String())
		}
		time.Sleep(evictTell)
		accept("192.0.2.9:9")
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "closed=4 ") {
			t.Errorf("the log a minute later:\n%s", log.String())
		}
		if held, evicted := l.counts(); held != MaxConnections || evicted != 5 {
			t.Errorf("%d are held, %d gave way", held, evicted)
		}
		for _, s := range append([]*slotted(nil), l.held...) {
			s.Close()
			s.Close()
		}
		if held, _ := l.counts(); held != 0 {
			t.Errorf("%d are held when all are closed", held)
		}
	})
}

func TestSource(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"192.0.2.1:1", "192.0.2.1/32"},
		{"[::ffff:192.0.2.1]:1", "192.0.2.1/32"},
		{"[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2::/64"},
		{"[fe80::1%lo]:1", "fe80::/64"},
	} {
		if got := source(from(c.address)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.address, got, c.want)
		}
	}
	if p := source(&net.UnixAddr{Name: "@", Net: "unix"}); p.IsValid() {
		t.Errorf("a unix socket: %s", p)
	}
}
