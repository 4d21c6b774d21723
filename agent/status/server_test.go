package status

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
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
