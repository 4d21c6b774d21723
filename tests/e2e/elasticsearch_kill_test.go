package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/elasticsearch"
	"trailhound/outputs/format"
	"trailhound/outputs/journal"
	es "trailhound/tests/receivers/elasticsearch"
)

// The node is killed twice, and comes back: in the middle of a request, and when
// it has stored one and nobody knows.
func TestElasticsearchKilled(t *testing.T) {
	n := startSearchNode(t, es.Start)
	back := make(chan error)
	var next atomic.Int32 // the request in which it is killed
	var stored atomic.Bool
	next.Store(10)
	var g *gateway
	g = newGateway(t, n, func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i != int(next.Load()) {
			return false
		}
		if stored.Load() {
			g.store(t, r)
		}
		go func() {
			n.Kill()
			back <- n.Restart(context.WithoutCancel(t.Context()))
		}()
		if stored.Load() {
			reset(raw(t, w))
		}
		return stored.Load()
	})
	setUp(t, openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}}))
	f := newForwarder(t, elasticsearch.Keys{Addresses: []string{g.URL}}, outputs.Settings{})
	f.add(20_000)
	f.start()
	for range 2 {
		if err := <-back; err != nil {
			t.Fatal(err)
		}
		if !stored.Swap(true) {
			next.Store(g.bulks.Load() + 10)
		}
	}
	f.allArrived(n)
	t.Logf("%d requests, %d attempts failed, %d duplicates", g.bulks.Load(), f.loop.Counts().Errors, f.out.Stats().Duplicates)
	if f.loop.Counts().Errors == 0 || f.out.Stats().Duplicates == 0 {
		t.Errorf("%d attempts failed, %d duplicates", f.loop.Counts().Errors, f.out.Stats().Duplicates)
	}
}

// nodeChild turns TestElasticsearchChild into a process that journals in this
// directory; nodeAddress is where it delivers to.
const (
	nodeChild   = "TRAILHOUND_E2E_NODE_CHILD"
	nodeAddress = "TRAILHOUND_E2E_NODE_ADDRESS"
)

// TestElasticsearchChild is no test but the process that
// TestElasticsearchDeliveryKilled kills. It appends a batch for each byte on
// standard input and then writes to descriptor 3 the last number that Append has
// returned. When its input ends it delivers what is left.
func TestElasticsearchChild(t *testing.T) {
	dir := os.Getenv(nodeChild)
	if dir == "" {
		t.Skip("the process that TestElasticsearchDeliveryKilled starts")
	}
	f := openForwarder(t, dir, elasticsearch.Keys{Addresses: []string{os.Getenv(nodeAddress)}, Gzip: 1}, outputs.Settings{Batch: 64})
	f.start()
	said := os.NewFile(3, "numbers")
	for token := make([]byte, 1); ; {
		if _, err := os.Stdin.Read(token); err != nil {
			break
		}
		batch := nodeEvents(64 + rand.N(133))
		for i := range batch {
			batch[i].ID = event.NewID(time.Now())
		}
		first := f.j.Append(batch)
		fmt.Fprintln(said, first+uint64(len(batch))-1)
	}
	f.j.End()
	<-f.loop.Done()
	if err := f.loop.Close(); err != nil {
		t.Error(err)
	}
	if err := f.j.Close(); err != nil {
		t.Error(err)
	}
}

// TestElasticsearchDeliveryKilled kills a process that journals and delivers to a
// node, at random moments: while it appends, while it delivers, and between the
// node's answer and its arrival. Every number that Append returned is in the data
// streams once, as the journal has it; what was sent twice the node had already.
func TestElasticsearchDeliveryKilled(t *testing.T) {
	n := startSearchNode(t, es.Start)
	kills := 20
	if os.Getenv("TRAILHOUND_CHAOS") != "" {
		kills = 200
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	setUp(t, openElasticsearch(t, elasticsearch.Keys{Addresses: []string{n.URL}}))
	f := &killed{t: t, dir: t.TempDir(), chance: chance}
	f.gateway = newGateway(t, n, f.pass)
	streams := bothStreams(elasticsearch.Keys{})
	returned := uint64(0)
	for range kills {
		returned = f.run(returned, false)
		if c, ok := f.cursor(); ok && (c.Delivered != c.Acknowledged || c.LastSeq < returned || n.count(streams) < int(c.Acknowledged)) {
			t.Fatalf("%d were returned, %d documents: %+v", returned, n.count(streams), c)
		}
	}
	returned = f.run(returned, true)
	c, _ := f.cursor()
	if c.Pending != 0 || c.Delivered != c.LastSeq || c.LastSeq < returned || returned == 0 {
		t.Errorf("Append had returned %d: %+v", returned, c)
	}

	v, err := journal.OpenReadOnly(filepath.Join(f.dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	left := map[string][]byte{}
	if err := v.Scan(t.Context(), 1, func(e *event.Event) bool {
		left[event.IDString(e.ID)] = format.AppendECS(nil, e, nodeIdentity())
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if len(left) != int(c.LastSeq) {
		t.Errorf("%d events in a journal of %d", len(left), c.LastSeq)
	}
	n.each(streams, func(d *stored) {
		want := left[d.ID]
		delete(left, d.ID)
		if want == nil || string(d.Source) != string(want) && !sameDocument(t, d.Source, want) {
			t.Errorf("document %s is of no event, another than its event, or there twice:\n%s\n%s", d.ID, d.Source, want)
		}
	})
	if len(left) > 0 {
		t.Errorf("%d events are missing", len(left))
	}
	if f.gateway.conflicts.Load() == 0 {
		t.Error("nothing was sent twice")
	}
	t.Logf("%d kills, %d events, %d sent twice", kills, c.LastSeq, f.gateway.conflicts.Load())
}

// A killed is a process that delivers to a node until it is killed, again and
// again.
type killed struct {
	t       *testing.T
	dir     string
	chance  *rand.Rand
	gateway *gateway
	moment  atomic.Pointer[moment]
}

// A moment to kill is when so many requests have come. Stored: the node has then
// answered the last one, and its answer is withheld.
type moment struct {
	requests atomic.Int32
	stored   bool
	reached  chan struct{}
}

func (f *killed) pass(_ int, _ http.ResponseWriter, r *http.Request) bool {
	m := f.moment.Load()
	if m == nil || m.requests.Add(-1) != 0 {
		return false
	}
	if m.stored {
		f.gateway.store(f.t, r.Clone(f.t.Context()))
	}
	close(m.reached)
	if m.stored {
		<-r.Context().Done()
	}
	return m.stored
}

// run lets the process work and kills it at a moment that is chance's, or, at
// last, when it has delivered everything. It gives the last number that Append
// returned, at least before.
func (f *killed) run(before uint64, last bool) (returned uint64) {
	t := f.t
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestElasticsearchChild$")
	cmd.Env = append(os.Environ(), nodeChild+"="+f.dir, nodeAddress+"="+f.gateway.URL)
	cmd.Stderr = os.Stderr
	numbers, said, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer numbers.Close()
	cmd.ExtraFiles = []*os.File{said}
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	batches, way := 1+f.chance.IntN(12), f.chance.IntN(3)
	m := &moment{stored: way == 0, reached: make(chan struct{})}
	m.requests.Store(int32(1 + f.chance.IntN(batches))) // each batch is one request at least
	if f.moment.Store(m); last {
		f.moment.Store(nil)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said.Close()
	if _, err := orders.Write(make([]byte, batches)); err != nil {
		t.Error(err)
	}
	returned = before
	lines := bufio.NewScanner(numbers)
	take := func() bool {
		if !lines.Scan() {
			return false
		}
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		if err != nil || n <= returned {
			t.Errorf("%q behind %d: %v", lines.Text(), returned, err)
		}
		returned = n
		return true
	}
	switch {
	case last:
		orders.Close()
		for take() {
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return returned
	case way == 2: // while it appends
		for range f.chance.IntN(batches + 1) {
			take()
		}
	default:
		select {
		case <-m.reached:
		case <-time.After(patience):
			t.Errorf("request %d of %d batches does not come", m.requests.Load(), batches)
		}
	}
	cmd.Process.Kill()
	for take() { // what it said before it died
	}
	cmd.Wait()
	return returned
}

// cursor is that of the journal that nobody has open; false: there is none yet.
func (f *killed) cursor() (journal.CursorState, bool) {
	f.t.Helper()
	v, err := journal.OpenReadOnly(filepath.Join(f.dir, "journal"))
	if errors.Is(err, os.ErrNotExist) {
		return journal.CursorState{}, false // killed before anything
	}
	if err != nil {
		f.t.Fatal(err)
	}
	list := v.Cursors()
	if len(list) == 0 {
		return journal.CursorState{}, false
	}
	c := list[0]
	if c.LastSeq-c.StartSeq != c.Delivered+c.Filtered+c.DeadLettered+c.Evicted+c.Quarantined+c.Pending {
		f.t.Fatalf("does not add up: %+v", c)
	}
	return c, true
}
