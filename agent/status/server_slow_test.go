package status

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener for connections inside this process, so that deadlines
// run on the test's clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// Whoever sends slowly, sends nothing, sends a body slowly or does not read is
// gone within the time limits, and others are served then.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		s := New(Options{Snapshot: func() Snapshot { return large(64, 4) }})
		s.listener = newLimited(l, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx) }()

		start := time.Now()
		var slow sync.WaitGroup
		for i := range MaxConnections {
			c := l.dial()
			slow.Go(func() {
				defer c.Close()
				switch i % 4 {
				case 0: // nothing
					io.Copy(io.Discard, c)
				case 1: // a header a second
					go io.Copy(io.Discard, c)
					io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n")
					for {
						if _, err := io.WriteString(c, "X-Slow: 1\r\n"); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				case 2: // a body that never comes
					io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
					io.Copy(io.Discard, c)
				case 3: // an answer that is never read
					io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
					time.Sleep(time.Minute)
				}
			})
		}
		synctest.Wait()
		c := l.dial()
		io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" {
			t.Errorf("a connection too many: %q %v", line, err)
		}
		c.Close()
		if took := time.Since(start); took > grace+lookAgain {
			t.Errorf("it took %v", took)
		}
		if _, evicted := s.listener.counts(); evicted != 1 {
			t.Errorf("%d gave way to it", evicted)
		}
		time.Sleep(writeTimeout + readTimeout + time.Second)
		synctest.Wait()
		if n, _ := s.listener.counts(); n != 0 {
			t.Errorf("%d connections are still held", n)
		}
		c = l.dial()
		io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "HTTP/1.1 200 OK\r\n" {
			t.Errorf("afterwards: %q %v", line, err)
		}
		c.Close()
		slow.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLongHeader(t *testing.T) {
	_, url := served(t, Options{})
	r, err := http.NewRequest("GET", url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 2*maxHeader))
	response, err := new(http.Transport).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("code %d", response.StatusCode)
	}
}

// Ten thousand connections that ask nothing neither pile up nor keep others
// out once they are gone.
func TestManyConnections(t *testing.T) {
	s, url := served(t, Options{})
	address := s.Addr().String()
	ask(t, "GET", url+"/metrics", nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	most := 0
	for range 50 {
		var chunk []net.Conn
		for range 200 {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			chunk = append(chunk, c)
		}
		// The last of a chunk has been accepted when it is closed or holds a slot.
		most = max(most, runtime.NumGoroutine()-goroutines)
		for _, c := range chunk {
			c.Close()
		}
	}
	if most > 2*MaxConnections+10 {
		t.Errorf("%d goroutines more", most)
	}
	if r, _ := ask(t, "GET", url+"/healthz", nil); r.StatusCode != 200 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
	for held := uint64(1); held > 0; held, _ = s.listener.counts() {
		runtime.Gosched()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}
