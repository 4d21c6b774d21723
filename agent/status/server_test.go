package status

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// served is a server on a free port, and where it is.
func served(t *testing.T, opt Options) (s *Server, url string) {
	t.Helper()
	if opt.Listen == "" {
		opt.Listen = "127.0.0.1:0"
	}
	if opt.Snapshot == nil {
		opt.Snapshot = healthy
	}
	s = New(opt)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	run(t, s)
	return s, "http://" + s.Addr().String()
}

// run serves until the test ends.
func run(t *testing.T, s *Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

func ask(t *testing.T, method, url string, body io.Reader) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: new(http.Transport)} // would keep the connection
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(b)
}

func TestPages(t *testing.T) {
	_, url := served(t, Options{})
	for _, c := range []struct {
		method, path string
		body         string
		code         int
		kind         string
		has          string
	}{
		{"GET", "/healthz", "", 200, textType, "ok\n"},
		{"GET", "/readyz", "", 200, jsonType, `"ready": true`},
		{"GET", "/status", "", 200, jsonType, `"name": "edge-7"`},
		{"GET", "/status?x=1", "", 200, jsonType, `"name": "edge-7"`},
		{"GET", "/metrics", "", 200, "text/plain; version=0.0.4; charset=utf-8", "trailhound_ready 1\n"},
		{"GET", "/", "", 200, textType, "/metrics"},
		{"HEAD", "/healthz", "", 200, textType, ""},
		{"HEAD", "/metrics", "", 200, metricsType, ""},
		{"GET", "/nothing", "", 404, textType, "/metrics"},
		{"GET", "/status/", "", 404, textType, ""},
		{"GET", "/debug/pprof/", "", 404, textType, ""},
		{"POST", "/status", "{}", 405, textType, "only GET"},
		{"DELETE", "/status", "", 405, textType, ""},
		{"OPTIONS", "/status", "", 405, textType, ""},
		{"GET", "/status", "body", 413, textType, "no body"},
	} {
		var body io.Reader
		if c.body != "" {
			body = strings.NewReader(c.body)
		}
		r, text := ask(t, c.method, url+c.path, body)
		h := r.Header
		if r.StatusCode != c.code || h.Get("Content-Type") != c.kind || !strings.Contains(text, c.has) {
			t.Errorf("%s %s: %d, %s, %q", c.method, c.path, r.StatusCode, h.Get("Content-Type"), text)
		}
		if c.method == "HEAD" && (text != "" || r.ContentLength <= 0) {
			t.Errorf("%s %s: body %q, length %d", c.method, c.path, text, r.ContentLength)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || !r.Close {
			t.Errorf("%s %s: headers %v", c.method, c.path, h)
		}
		if c.code == 405 && h.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s %s: allows %q", c.method, c.path, h.Get("Allow"))
		}
	}
}

func TestReadyzSaysWhatIsNot(t *testing.T) {
	_, url := served(t, Options{Snapshot: func() Snapshot {
		s := healthy()
		s.Trails.Starter = true
		return s
	}})
	r, text := ask(t, "GET", url+"/readyz", nil)
	var got struct {
		Ready   bool
		Reasons []Reason
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != 503 || got.Ready || len(got.Reasons) != 1 || got.Reasons[0].Code != ReasonStarter {
		t.Errorf("%d %s", r.StatusCode, text)
	}
}

// All who ask at once share one snapshot, and those who ask within its age.
func TestSnapshotIsShared(t *testing.T) {
	var taken atomic.Int32
	release := make(chan struct{})
	s, url := served(t, Options{MaxAge: time.Hour, Snapshot: func() Snapshot {
		taken.Add(1)
		<-release
		return healthy()
	}})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if r, _ := ask(t, "GET", url+[]string{"/status", "/metrics", "/readyz"}[i%3], nil); r.StatusCode != 200 {
				t.Errorf("code %d", r.StatusCode)
			}
		})
	}
	close(release)
	all.Wait()
	if n := taken.Load(); n != 1 {
		t.Errorf("%d snapshots for 20 requests", n)
	}
	s.sampler.mu.Lock()
	s.sampler.last.taken = time.Now().Add(-2 * time.Hour)
	s.sampler.mu.Unlock()
	ask(t, "GET", url+"/status", nil)
	if n := taken.Load(); n != 2 {
		t.Errorf("%d snapshots after the first grew old", n)
	}
}

// A sensor that is stuck costs one goroutine; its process still lives.
func TestStuckSensor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := &sampler{maxAge: time.Second, log: slog.New(slog.DiscardHandler), take: func() Snapshot {
			<-release
			return healthy()
		}}
		before, start := runtime.NumGoroutine(), time.Now()
		for range 10 {
			if _, err := p.get(t.Context()); err != errNoAnswer {
				t.Fatalf("error %v", err)
			}
		}
		if took := time.Since(start); took != 10*patience {
			t.Errorf("took %v", took)
		}
		if n := runtime.NumGoroutine(); n > before+1 {
			t.Errorf("%d goroutines, before %d", n, before)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.get(gone); err != context.Canceled {
			t.Errorf("error %v for one who has gone", err)
		}
		close(release)
		synctest.Wait()
		first, err := p.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(999 * time.Millisecond)
		if again, _ := p.get(t.Context()); again != first {
			t.Error("a snapshot younger than the bound was not used again")
		}
		time.Sleep(time.Millisecond)
		if again, _ := p.get(t.Context()); again == first {
			t.Error("a snapshot as old as the bound was used")
		}
	})
}

// A panic in the sensor's own code costs an answer, not the sensor.
func TestPanickingSnapshot(t *testing.T) {
	var log bytes.Buffer
	var bad atomic.Bool
	bad.Store(true)
	_, url := served(t, Options{MaxAge: 1, Log: slog.New(slog.NewTextHandler(&log, nil)), Snapshot: func() Snapshot {
		if bad.Load() {
			panic("BUG: in a snapshot")
		}
		return healthy()
	}})
	if r, text := ask(t, "GET", url+"/status", nil); r.StatusCode != 503 || strings.Contains(text, "BUG") {
		t.Errorf("%d %s", r.StatusCode, text)
	}
	bad.Store(false)
	if r, _ := ask(t, "GET", url+"/status", nil); r.StatusCode != 200 {
		t.Errorf("%d after the panic", r.StatusCode)
	}
	if !strings.Contains(log.String(), "BUG: in a snapshot") {
		t.Errorf("log: %s", log.String())
	}
}

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

func TestListenErrors(t *testing.T) {
	s, _ := served(t, Options{})
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	served(t, Options{Listen: used})
	taken := s.Addr().String()
	for _, c := range []struct{ listen, want string }{
		{taken, fmt.Sprintf("cannot listen on status address %q: address already in use; another trailhound may be running, or set status.listen to a free port", taken)},
		{"192.0.2.1:8339", `cannot listen on status address "192.0.2.1:8339": cannot assign requested address; this host has no such address`},
		{"8339", `status address "8339" is neither address:port nor unix:/path`},
		{"unix:relative", `status address "unix:relative" is not a socket with its whole path, such as unix:/run/trailhound/status.sock`},
		{"/" + strings.Repeat("x", 107), "is longer than the 107 bytes that a socket's path may have"},
		{file, fmt.Sprintf("cannot listen on status socket %q: something else is there that is no socket", file)},
		{used, fmt.Sprintf("cannot listen on status socket %q: another process answers there", used)},
		{filepath.Join(dir, "no", "where"), "no such file or directory"},
	} {
		if err := New(Options{Listen: c.listen, Snapshot: healthy}).Listen(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.listen, err, c.want)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("what is no socket was removed: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	// What a process leaves that has died.
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()

	s := New(Options{Listen: "unix:" + path, Snapshot: healthy})
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != os.ModeSocket|0o660 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	for _, address := range []string{path, "unix:" + path} {
		c, err := NewClient(address)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := c.Status(t.Context()); err != nil || got.Sensor.Name != "edge-7" {
			t.Errorf("%s: %v %v", address, got, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestCloseWithoutServe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	s := New(Options{Listen: path, Snapshot: healthy})
	if s.Addr() != nil {
		t.Error("an address before listening")
	}
	if err := s.Serve(t.Context()); err == nil {
		t.Error("serves without listening")
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err == nil {
		t.Error("listens twice")
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
	if err := s.Serve(t.Context()); err != nil {
		t.Errorf("serving when closed: %v", err)
	}
	if err := s.Listen(); err == nil {
		t.Error("listens when closed")
	}
}
