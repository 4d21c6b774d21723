package e2e

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/dead"
	"trailhound/outputs/elasticsearch"
	"trailhound/outputs/journal"
)

// A forwarder is a journal and the loop that delivers it to a node.
type forwarder struct {
	t      *testing.T
	keys   elasticsearch.Keys
	set    outputs.Settings
	dir    string
	waits  bool // as long as the output asks for
	j      *journal.Journal
	events []event.Event // as they were appended

	out     *elasticsearch.Output
	watched *watched
	loop    *outputs.Delivery
	stop    context.CancelFunc
}

// nodeBatch is how many events a forwarder sends at once.
const nodeBatch = 250

func newForwarder(t *testing.T, k elasticsearch.Keys, set outputs.Settings) *forwarder {
	t.Helper()
	return openForwarder(t, t.TempDir(), k, set)
}

func openForwarder(t *testing.T, dir string, k elasticsearch.Keys, set outputs.Settings) *forwarder {
	t.Helper()
	set.Health, set.First, set.Most = true, time.Millisecond, 20*time.Millisecond
	if set.Batch == 0 {
		set.Batch = nodeBatch
	}
	if set.Timeout == 0 {
		set.Timeout = time.Minute // a node that has just started, on a machine that is busy
	}
	f := &forwarder{t: t, keys: k, set: set, dir: dir}
	f.reopen()
	return f
}

// reopen opens the journal, at first or after finish.
func (f *forwarder) reopen() {
	f.t.Helper()
	f.j = journal.Open(journal.Options{Path: filepath.Join(f.dir, "journal"), MaxSize: 4 << 30, MinFree: -1})
	if err := f.j.State().Degraded; err != nil {
		f.t.Fatal(err)
	}
}

// add appends events.
func (f *forwarder) add(n int) {
	f.t.Helper()
	all := nodeEvents(len(f.events) + n)
	batch := all[len(f.events):]
	if first := f.j.Append(batch); first != uint64(len(f.events)+1) {
		f.t.Fatalf("the first number is %d behind %d events", first, len(f.events))
	}
	f.events = append(f.events, batch...)
}

// start begins to deliver.
func (f *forwarder) start() {
	f.t.Helper()
	c, err := f.j.Cursor("node", journal.CursorOptions{FromStart: true})
	if err != nil {
		f.t.Fatal(err)
	}
	k := f.keys
	k.Enrichments = true
	if f.out, err = elasticsearch.New(k, elasticsearch.Env{Identity: nodeIdentity(), Log: slog.New(slog.DiscardHandler)}); err != nil {
		f.t.Fatal(err)
	}
	f.watched = &watched{Output: f.out, waits: f.waits, errors: map[string]int{}}
	f.loop = outputs.NewDelivery("node", "elasticsearch", f.watched, c, f.set, dead.New(f.letters(), "node", 0), nil, slog.New(slog.DiscardHandler))
	var ctx context.Context
	ctx, f.stop = context.WithCancel(f.t.Context())
	f.t.Cleanup(f.stop)
	go f.loop.Run(ctx)
}

func (f *forwarder) letters() string { return filepath.Join(f.dir, "dead") }

// finish waits until all is delivered, closes everything, and gives the state of
// the cursor as it is on disk.
func (f *forwarder) finish() journal.CursorState {
	f.t.Helper()
	f.j.End()
	select {
	case <-f.loop.Done():
	case <-time.After(patience):
		f.t.Fatalf("%+v: %+v", f.loop.State(), f.loop.Counts())
	}
	if err := errors.Join(f.loop.Close(), f.j.Close()); err != nil {
		f.t.Error(err)
	}
	list := f.cursors()
	if len(list) != 1 || list[0].Pending != 0 || list[0].LastSeq != uint64(len(f.events)) {
		f.t.Fatalf("%d events, %+v", len(f.events), list)
	}
	return list[0]
}

// cursors reads the cursors of the journal on disk.
func (f *forwarder) cursors() []journal.CursorState {
	f.t.Helper()
	v, err := journal.OpenReadOnly(filepath.Join(f.dir, "journal"))
	if err != nil {
		f.t.Fatal(err)
	}
	list := v.Cursors()
	for _, c := range list {
		if c.LastSeq-c.StartSeq != c.Delivered+c.Filtered+c.DeadLettered+c.Evicted+c.Quarantined+c.Pending {
			f.t.Errorf("does not add up: %+v", c)
		}
	}
	return list
}

// allArrived finishes and checks that the node has every event once.
func (f *forwarder) allArrived(n *searchNode) {
	f.t.Helper()
	if c := f.finish(); c.Delivered != uint64(len(f.events)) {
		f.t.Errorf("%+v", c)
	}
	n.holds(f.events, f.keys)
}

// delivered waits until so many events are.
func (f *forwarder) delivered(n uint64) {
	f.t.Helper()
	until(f.t, "events are delivered", func() bool { return f.loop.State().Delivered >= n })
}

// watched is an output of whose answers a record is kept. The wait that it asks
// for is noted, and cut to a moment unless the test is about it.
type watched struct {
	outputs.Output
	waits bool

	mu      sync.Mutex
	errors  map[string]int
	longest time.Duration
}

func (w *watched) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	r, err := w.Output.Send(ctx, batch)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.errors[err.Error()]++
	}
	w.longest = max(w.longest, r.RetryAfter)
	if !w.waits {
		r.RetryAfter = min(r.RetryAfter, 10*time.Millisecond)
	}
	return r, err
}

// failed checks that an attempt failed for a reason.
func (w *watched) failed(t *testing.T, times int, why ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range why {
		n := 0
		for e, count := range w.errors {
			if strings.Contains(e, text) {
				n += count
			}
		}
		if n < times {
			t.Errorf("%d attempts failed with %q, want %d: %v", n, text, times, w.errors)
		}
	}
}
