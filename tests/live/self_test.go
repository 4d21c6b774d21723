package live

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trailhound/agent"
	rings "trailhound/agent/capture/live"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/self"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
	"trailhound/trails/table"
)

// TestSelf captures the very interface over which events are delivered, in
// clear text and full of trails, to a receiver whose address is a trail. No
// event is born of an event; the same words from anybody else are.
func TestSelf(t *testing.T) {
	need(t)
	near, far := newSpace(t), newSpace(t)
	near.veth("v0", far, "v1", 1500)
	near.IP("addr add 10.9.0.1/24 dev v0")
	far.IP("addr add 10.9.0.2/24 dev v1")
	received := receive(t, far, "10.9.0.2:9200")

	var c *rings.Capture
	if err := near.Inside(func() (err error) {
		c, err = rings.Open(rings.Options{Interfaces: []rings.Interface{{Name: "v0"}}, Workers: 2, RingTotal: 16 << 20, Log: slog.New(slog.DiscardHandler)})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	trails, err := table.Open(writeTable(t, builder(t, rows)))
	if err != nil {
		t.Fatal(err)
	}
	own := self.New()
	deliver := make(chan event.Event, 10_000)
	var runaway atomic.Uint64
	opt := agent.LiveOptions{Self: own, Gate: suppress.New(suppress.Options{}),
		Rules: detect.NewRules(trails, nil, detect.Options{Heuristics: true, HostDomains: true, MissingHost: true}),
		Sink: func(list []event.Event) {
			for _, e := range list {
				select {
				case deliver <- e:
				default:
					runaway.Add(1)
				}
			}
		}}
	for _, s := range c.Sources() {
		opt.Sources = append(opt.Sources, s)
	}
	l := agent.NewLive(opt)
	l.Start()
	t.Cleanup(func() { c.Close(); <-l.Done() })

	dial := func(d interface {
		Dial(network, address string) (net.Conn, error)
	}) (conn net.Conn) {
		if err := near.Inside(func() (err error) { conn, err = d.Dial("tcp", "10.9.0.2:9200"); return err }); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	out := dial(known{t, own.Dialer(net.Dialer{})})
	ownPort := uint16(out.LocalAddr().(*net.TCPAddr).Port)
	var all []event.Event
	take := func() (e event.Event) {
		select {
		case e = <-deliver:
		case <-time.After(patience):
			t.Fatalf("%d events came, and no more", len(all))
		}
		all = append(all, e)
		if _, err := io.WriteString(out, delivered(&e)); err != nil {
			t.Fatal(err)
		}
		return e
	}

	const queries = 50
	from := far.sender("v1")
	for i := range queries {
		from.send(query(i))
	}
	for range queries {
		take()
	}
	received.wait(t, queries)
	// At least those that had an event in them. The ring shows them when a
	// block is full or a moment old, and the worker tells after its batch.
	for late := time.Now().Add(patience); sum(l, func(w agent.WorkerTraffic) uint64 { return w.Self }) < queries; {
		if time.Now().After(late) {
			t.Fatal("the packets with events in them are not counted as the sensor's own")
		}
		time.Sleep(5 * time.Millisecond)
	}

	// Somebody else on this host says the same to the same receiver.
	foreign := dial(&net.Dialer{})
	foreignPort := uint16(foreign.LocalAddr().(*net.TCPAddr).Port)
	if e := take(); e.Type != event.IP || e.SrcPort != foreignPort {
		t.Errorf("the connection to a trail raised %+v", e)
	}
	if _, err := io.WriteString(foreign, delivered(&all[0])); err != nil {
		t.Fatal(err)
	}
	if e := take(); e.HTTP.Host != "evil-parent.com" || e.SrcPort != foreignPort {
		t.Errorf("the content raised %+v", e)
	}
	foreign.Close()
	out.Close()

	// What is left in the rings comes out, too.
	c.Close()
	<-l.Done()
	close(deliver)
	for e := range deliver {
		all = append(all, e)
	}
	for i := range all {
		if e := &all[i]; e.SrcPort == ownPort || e.DstPort == ownPort {
			t.Errorf("an event was born of an event: %s %s", e.Type, e.Trail)
		}
	}
	for _, e := range all[queries:] {
		if e.SrcPort != foreignPort && e.DstPort != foreignPort { // what was answered counts, too
			t.Errorf("neither asked for nor foreign: %+v", e)
		}
	}
	if n := runaway.Load(); n > 0 {
		t.Errorf("%d events more than could be held", n)
	}
}

// delivered is an event on the wire: a request that is itself one to a trail,
// with the event as its body.
func delivered(e *event.Event) string {
	body := fmt.Sprintf(`{"trail":%q,"info":%q,"url":"http://evil-url.example/bad/path","sni":"tls-evil.example"}`+"\n", e.Trail, e.Info)
	return corpus.Request("POST", "/malicious-login.php", []string{"Host: evil-parent.com", fmt.Sprintf("Content-Length: %d", len(body))}, body)
}

// known dials as the outputs do.
type known struct {
	t *testing.T
	*self.Dialer
}

func (k known) Dial(network, address string) (net.Conn, error) {
	return k.DialContext(k.t.Context(), network, address)
}

// receiver counts the requests that come.
type receiver struct {
	requests atomic.Int64
	more     chan struct{}
}

func receive(t *testing.T, s *space, address string) *receiver {
	t.Helper()
	r := &receiver{more: make(chan struct{}, 1)}
	var l net.Listener
	if err := s.Inside(func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.read(c) })
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return r
}

// read counts requests, and answers each in words that are a trail, too.
func (r *receiver) read(c net.Conn) {
	defer c.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := c.Read(b)
		if found := bytes.Count(b[:n], []byte("POST ")); found > 0 {
			r.requests.Add(int64(found))
			io.WriteString(c, corpus.Get("evil-url.example", "/bad/path"))
			select {
			case r.more <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

func (r *receiver) wait(t *testing.T, n int64) {
	t.Helper()
	for late := time.After(patience); r.requests.Load() < n; {
		select {
		case <-r.more:
		case <-late:
			t.Fatalf("%d requests arrived of %d", r.requests.Load(), n)
		}
	}
}

func sum(l *agent.Live, of func(agent.WorkerTraffic) uint64) (n uint64) {
	for _, w := range l.Traffic() {
		n += of(w)
	}
	return n
}
