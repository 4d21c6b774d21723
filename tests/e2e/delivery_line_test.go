package e2e

import (
	"log/slog"
	"testing"
	"time"

	"trailhound/outputs"
	"trailhound/outputs/journal"
)

// deliveryLoop makes the loop of an output over a journal.
func deliveryLoop(t testing.TB, j *journal.Journal, name string, out outputs.Output, set outputs.Settings) *outputs.Delivery {
	t.Helper()
	c, err := j.Cursor(name, journal.CursorOptions{FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	set.Health, set.First, set.Most = true, time.Millisecond, 20*time.Millisecond
	if set.Timeout == 0 {
		set.Timeout = 10 * time.Second
	}
	return outputs.NewDelivery(name, "test", out, c, set, nil, nil, slog.New(slog.DiscardHandler))
}

// addsUp checks the sums of a cursor.
func addsUp(t testing.TB, c journal.CursorState) {
	t.Helper()
	if c.LastSeq-c.StartSeq != c.Delivered+c.Filtered+c.DeadLettered+c.Evicted+c.Quarantined+c.Pending {
		t.Fatalf("does not add up: %+v", c)
	}
}

// A deliveryLine is a journal and the loop of one output.
type deliveryLine struct {
	t        testing.TB
	journal  *journal.Journal
	loop     *outputs.Delivery
	appended int // varied events
}

// newDeliveryLine makes one whose loop runs.
func newDeliveryLine(t testing.TB, out outputs.Output, set outputs.Settings) *deliveryLine {
	t.Helper()
	l := &deliveryLine{t: t, journal: journal.Open(journal.Options{Path: t.TempDir(), MaxSize: 4 << 30, MinFree: -1, Sync: journal.Never()})}
	l.loop = deliveryLoop(t, l.journal, "out", out, set)
	go l.loop.Run(t.Context())
	t.Cleanup(func() { // t's context is over: so is the loop
		<-l.loop.Done()
		l.journal.Close()
	})
	return l
}

// add appends the next varied events.
func (l *deliveryLine) add(n int) {
	l.t.Helper()
	list := variedEvents(l.appended, l.appended+n)
	if first := l.journal.Append(list); first != uint64(l.appended+1) {
		l.t.Fatalf("the first is %d, want %d", first, l.appended+1)
	}
	l.appended += n
}

// feed appends events as fast as they are delivered.
func (l *deliveryLine) feed(n int) {
	l.t.Helper()
	for ; n > 0; n -= 500 {
		until(l.t, "the output keeps up", func() bool { return l.loop.State().Pending < 2000 })
		l.add(min(n, 500))
	}
}

func (l *deliveryLine) epoch() uint64 { return l.journal.State().Epoch }

// settles waits until nothing is pending, and checks that everything was
// delivered.
func (l *deliveryLine) settles() {
	l.t.Helper()
	until(l.t, "all is delivered", func() bool {
		s := l.loop.State()
		addsUp(l.t, s)
		return s.Pending == 0
	})
	if s := l.loop.State(); s.Delivered != uint64(l.appended) || s.LastSeq != s.Delivered {
		l.t.Errorf("%d events: %+v", l.appended, s)
	}
}

// end delivers the rest and closes the output.
func (l *deliveryLine) end() {
	l.t.Helper()
	l.journal.End()
	select {
	case <-l.loop.Done():
	case <-time.After(patience):
		l.t.Fatalf("it does not end: %+v %+v", l.loop.State(), l.loop.Counts())
	}
	l.settles()
	if err := l.loop.Close(); err != nil {
		l.t.Error(err)
	}
}
