package delivery

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	lumber "github.com/elastic/go-lumber/server/v2"
	"github.com/klauspost/compress/gzip"
)

// A sink takes what it gets and throws it away. It runs in the process of the
// test: what it costs is not the sender's.
type sink struct {
	address string
	bytes   atomic.Int64
	events  atomic.Int64 // where it tells them apart
	all     sync.WaitGroup
}

// settled gives what came, after the sender has ended.
func (s *sink) settled() (events, bytes int64) {
	s.all.Wait()
	return s.events.Swap(0), s.bytes.Swap(0)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// newStreamSink reads connections to their ends and counts lines.
func newStreamSink(t *testing.T) *sink {
	l := listen(t)
	s := &sink{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.all.Go(func() {
				defer c.Close()
				for buf := make([]byte, 256<<10); ; {
					n, err := c.Read(buf)
					s.bytes.Add(int64(n))
					s.events.Add(int64(bytes.Count(buf[:n], []byte{'\n'})))
					if err != nil {
						return
					}
				}
			})
		}
	}()
	return s
}

// newBulkSink answers like an Elasticsearch node that takes everything at once.
func newBulkSink(t *testing.T) *sink {
	l := listen(t)
	s := &sink{address: "http://" + l.Addr().String()}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		if r.URL.Path == "/" {
			io.WriteString(w, `{"version":{"number":"8.19.7"},"tagline":"You Know, for Search"}`)
			return
		}
		got := &counter{in: r.Body, n: &s.bytes}
		var text io.Reader = got
		if r.Header.Get("Content-Encoding") == "gzip" {
			var err error
			if text, err = gzip.NewReader(got); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		lines := 0
		for buf := make([]byte, 256<<10); ; {
			n, err := text.Read(buf)
			lines += bytes.Count(buf[:n], []byte{'\n'})
			if err != nil {
				break
			}
		}
		s.events.Add(int64(lines / 2))
		io.WriteString(w, `{"items":[`+strings.TrimSuffix(strings.Repeat(`{"create":{"status":201}},`, lines/2), ",")+`]}`)
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return s
}

// counter counts what is read.
type counter struct {
	in io.Reader
	n  *atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// newLumberjackSink acknowledges what it gets. It is the server of another
// project and unpacks every event.
func newLumberjackSink(t *testing.T) *sink {
	log.SetOutput(io.Discard) // where the server tells of each connection
	l := listen(t)
	s := &sink{address: l.Addr().String()}
	server, err := lumber.NewWithListener(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for batch := range server.ReceiveChan() {
			s.events.Add(int64(len(batch.Events)))
			batch.ACK()
		}
	}()
	return s
}

// check compares what came with what was sent.
func (s *sink) check(t *testing.T, want int) (size int64) {
	t.Helper()
	events, size := s.settled()
	if events != int64(want) {
		t.Fatalf("%d events came of %d", events, want)
	}
	return size
}
