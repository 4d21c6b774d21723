package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	lumber "github.com/elastic/go-lumber/server/v2"

	"trailhound/agent/event"
)

// lumberReceiver is the server of elastic/go-lumber. It compares each event with
// what was sent before it acknowledges the batch.
type lumberReceiver struct {
	t      testing.TB
	dir    string
	port   int
	secure bool
	server *lumber.Server
	reads  sync.WaitGroup

	compare func(doc map[string]any, seq uint64) // nil: with the varied event

	mu    sync.Mutex
	epoch uint64
	seen  times
}

func startLumberReceiver(t testing.TB, secure bool) *lumberReceiver {
	t.Helper()
	r := &lumberReceiver{t: t, dir: t.TempDir(), port: freePort(t), secure: secure, seen: make(times)}
	writeCertificate(t, r.dir)
	t.Cleanup(func() { r.stop(syscall.SIGKILL) })
	r.start()
	return r
}

func (r *lumberReceiver) address() string { return loopback(r.port) }

func (r *lumberReceiver) start() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.address())
	if err != nil {
		r.t.Fatal(err)
	}
	if r.secure {
		pair, err := tls.LoadX509KeyPair(filepath.Join(r.dir, "cert.pem"), filepath.Join(r.dir, "key.pem"))
		if err != nil {
			r.t.Fatal(err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	r.server, err = lumber.NewWithListener(l, lumber.Keepalive(100*time.Millisecond), lumber.JSONDecoder(func(text []byte, to any) error {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		return d.Decode(to)
	}))
	if err != nil {
		r.t.Fatal(err)
	}
	batches := r.server.ReceiveChan()
	r.reads.Go(func() {
		for batch := range batches {
			for _, e := range batch.Events {
				doc, _ := e.(map[string]any)
				r.take(doc)
			}
			batch.ACK()
		}
	})
}

// stop ends it; what it has not acknowledged it has not taken.
func (r *lumberReceiver) stop(syscall.Signal) {
	if r.server != nil {
		r.server.Close()
		r.reads.Wait()
		r.server = nil
	}
}

func (r *lumberReceiver) take(doc map[string]any) {
	n, _ := dig(doc, "event.sequence").(json.Number)
	seq, err := n.Int64()
	if err != nil || doc["@version"] != "1" {
		r.t.Errorf("no event: %.500q", doc)
		return
	}
	r.mu.Lock()
	r.seen[uint64(seq)]++
	epoch := r.epoch
	r.mu.Unlock()
	if r.t.Failed() {
		return // a hundred thousand times the same
	}
	if r.compare != nil {
		r.compare(doc, uint64(seq))
		return
	}
	e := variedEvent(int(seq - 1))
	e.Epoch = epoch
	sameFields(r.t, doc, &e, false)
	if id := dig(doc, "event.id"); id != event.IDString(e.ID) {
		r.t.Errorf("event %d has the id %v", seq, id)
	}
}

// expect says of which journal the events are.
func (r *lumberReceiver) expect(epoch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch = epoch
}

// missing is how many of the events 1 to last have not arrived.
func (r *lumberReceiver) missing(last int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, _ := r.seen.missing(last)
	return n
}
