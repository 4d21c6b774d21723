package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/dead"
	"trailhound/outputs/journal"
)

// bench is a service with journal and outputs only.
type bench struct {
	*service
	t   *testing.T
	dir string
	log lockedBuffer
}

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newBench opens a service. Entries are the outputs' lines of the configuration;
// types are not checked, so that there can be some that cannot be made.
func newBench(t *testing.T, journalPath string, entries ...string) *bench {
	b := &bench{t: t, dir: t.TempDir()}
	c := b.configured(entries...)
	if journalPath != "" {
		c.Journal.Path = journalPath
	}
	b.service = newService(&app{streams: &streams{out: &b.log, err: &b.log}}, runFlags{}, c)
	b.service.log = slog.New(slog.NewTextHandler(&b.log, nil))
	b.id = &event.Identity{Name: "bench"}
	if err := b.openJournal(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.close() })
	b.openOutputs()
	return b
}

func (b *bench) configured(entries ...string) *config.Config {
	b.t.Helper()
	text := "state: " + b.dir + "\noutputs:\n"
	for _, e := range entries {
		text += "- {" + e + "}\n"
	}
	if len(entries) == 0 {
		text = "state: " + b.dir + "\noutputs: []\n"
	}
	c, err := config.Load(config.Options{File: writeTest(b.t, filepath.Join(b.dir, "c.yaml"), text), Explicit: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// close ends it at once.
func (b *bench) close() error {
	over, done := context.WithCancel(context.Background())
	done()
	return b.closeOutputs(over)
}

func (b *bench) append(n int) {
	list := make([]event.Event, n)
	for i := range list {
		list[i] = event.Event{ID: event.NewID(time.Now()), Time: time.Now(), Type: event.DNS, Code: event.TrailDNS, Trail: "evil.example", Severity: event.High}
	}
	b.journal.Append(list)
}

// raised lists the conditions that hold: "code cause".
func (b *bench) raised() (list []string) {
	for _, s := range b.monitor.States() {
		if !s.Clear {
			list = append(list, string(s.Code)+" "+s.Cause)
		}
	}
	return list
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// What was raised of outputs is over when they are removed, and one that is being
// stopped is not judged.
func TestRemovedOutputsAreNoFault(t *testing.T) {
	port := closedPort(t)
	b := newBench(t, "", `name: a, type: syslog, address: "tcp://`+port+`"`, `name: b, type: syslog, address: "tcp://`+port+`"`, "name: never, type: nothing")
	for _, d := range b.deliveries {
		d.down = true
		for _, code := range []event.Code{event.HealthOutputDown, event.HealthOutputSlow, event.HealthOutputEvicted} {
			b.set(code, d.Name, true, "test")
		}
	}
	if got := b.raised(); len(got) != 7 {
		t.Fatal(got)
	}
	b.reopenOutputs(b.configured(`name: b, type: syslog, address: "tcp://`+port+`"`), false)
	b.judgeOutputs()
	if got := b.raised(); slices.ContainsFunc(got, func(c string) bool { return !strings.HasSuffix(c, " b") }) {
		t.Errorf("after two were removed: %v", got)
	}
	b.set(event.HealthOutputDown, "b", true, "test")
	old := b.deliveries[0]
	b.reopenOutputs(b.configured(), false)
	b.judgeOutputs()
	if got := b.raised(); len(got) > 0 || len(b.deliveries) > 0 || len(b.broken) > 0 {
		t.Errorf("after all were removed: %v", got)
	}
	// A look that began before the reload still has it in its hands.
	old.lost, old.lostAt = 5, time.Now()
	b.deliveries = []*delivery{old}
	b.judgeOutputs()
	b.deliveries = nil
	if got := b.raised(); len(got) > 0 {
		t.Errorf("a stopped one was judged: %v", got)
	}
}

// A reload is no recovery: what takes the place of an output that is down has to
// deliver first.
func TestReloadIsNoRecovery(t *testing.T) {
	address := `type: syslog, address: "tcp://` + closedPort(t) + `"`
	b := newBench(t, "", "name: a, "+address)
	b.append(3)
	b.set(event.HealthOutputDown, "a", true, "test")
	b.deliveries[0].down = true
	for range 2 {
		b.reopenOutputs(b.configured("name: a, batch: 7, "+address), true)
		b.judgeOutputs()
		if got := b.raised(); !slices.Equal(got, []string{"health.output.down a"}) {
			t.Fatal(got)
		}
	}
	rows := filepath.Join(b.dir, "rows.csv")
	b.reopenOutputs(b.configured("name: a, type: csv, path: "+rows), false)
	eventually(t, func() string { return "no recovery" }, func() bool { b.judgeOutputs(); return len(b.raised()) == 0 })
	first := showOutput(b.deliveries[0])
	if first.Delivered != 3 || first.LastSuccessAt.IsZero() {
		t.Errorf("%+v", first)
	}
	// When something was last delivered is known over a reload.
	b.reopenOutputs(b.configured("name: a, type: csv, batch: 5, path: "+rows), false)
	if again := showOutput(b.deliveries[0]); again.Delivered != 3 || !again.LastSuccessAt.Equal(first.LastSuccessAt) {
		t.Errorf("%+v", again)
	}
}

// closer is an output that takes nothing, and its time to close.
type closer struct{ closing func() }

func (closer) Send(ctx context.Context, _ []event.Event) (outputs.Result, error) {
	<-ctx.Done()
	return outputs.Result{}, ctx.Err()
}
func (closer) Guarantee() outputs.Guarantee { return outputs.Sent }
func (closer) Limits() outputs.Limits       { return outputs.Limits{} }
func (closer) Check(context.Context) error  { return nil }
func (c closer) Close() error               { c.closing(); return nil }

// Outputs end side by side, and one that is new has its place in the journal
// before they do.
func TestReloadWithSlowOutputs(t *testing.T) {
	b := newBench(t, "")
	var both sync.WaitGroup
	both.Add(2)
	for _, name := range []string{"old", "older"} {
		cursor, err := b.journal.Cursor(name, journal.CursorOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d := &delivery{entry: &config.Output{Name: name}, cursor: cursor}
		d.Delivery = outputs.NewDelivery(name, "csv", closer{func() {
			both.Done()
			both.Wait() // one after the other this is never over
			if name == "old" {
				b.append(2)
			}
		}}, cursor, outputs.Settings{}, dead.New(b.dir, name, 0), nil, b.service.log)
		d.ctx, d.cancel = context.WithCancel(t.Context())
		b.deliveries = append(b.deliveries, d)
		go d.Run(d.ctx)
	}
	b.append(1)
	rows := filepath.Join(b.dir, "rows.csv")
	b.reopenOutputs(b.configured("name: new, type: csv, path: "+rows), false)
	eventually(t, func() string { return fmt.Sprintf("%+v", b.deliveries[0].State()) }, func() bool {
		s := b.deliveries[0].State()
		return s.Delivered == 2 && s.Pending == 0 && s.StartSeq == 1
	})
}

// An output that cannot be made is down, has its row, and its events wait until
// a reload mends it.
func TestOutputThatCannotBeMade(t *testing.T) {
	rows := t.TempDir() + "/rows.csv"
	b := newBench(t, "", "name: ok, type: csv, path: "+rows, "name: bus, type: nothing")
	b.append(4)
	if got := b.raised(); !slices.Equal(got, []string{"health.output.down bus"}) || len(b.broken) != 1 {
		t.Fatal(got)
	}
	row := showBroken(b.broken[0])
	if row.Name != "bus" || row.Type != "nothing" || row.Healthy || row.Queued != 4 || !strings.Contains(row.LastError, "outputs of type nothing are not in this version") || len(row.LastErrors) != 1 {
		t.Errorf("%+v", row)
	}
	b.reopenOutputs(b.configured("name: ok, type: csv, path: "+rows, "name: bus, type: nothing, batch: 9"), false)
	b.judgeOutputs()
	if got := b.raised(); !slices.Equal(got, []string{"health.output.down bus"}) || len(b.deliveries) != 1 {
		t.Errorf("after a reload: %v", got)
	}
	b.reopenOutputs(b.configured("name: bus, type: csv, path: "+rows+"2", "name: ok, type: csv, path: "+rows), false)
	if len(b.deliveries) != 2 || b.deliveries[0].Name != "bus" || len(b.broken) != 0 {
		t.Fatalf("%v", b.deliveries)
	}
	eventually(t, func() string { return fmt.Sprintf("%+v %v", b.deliveries[0].State(), b.raised()) }, func() bool {
		b.judgeOutputs()
		return b.deliveries[0].State().Delivered == 4 && len(b.raised()) == 0
	})
	// And the other way round.
	b.reopenOutputs(b.configured("name: bus, type: nothing"), false)
	if got := b.raised(); !slices.Equal(got, []string{"health.output.down bus"}) {
		t.Errorf("broken by a reload: %v", got)
	}
	b.reopenOutputs(b.configured(), false)
	if got := b.raised(); len(got) > 0 {
		t.Errorf("removed: %v", got)
	}
}

// What was in memory only is lost at the end, which is an error and said as it
// is.
func TestEndWithAJournalInMemory(t *testing.T) {
	file := writeTest(t, filepath.Join(t.TempDir(), "file"), "")
	output := `name: a, type: syslog, address: "tcp://` + closedPort(t) + `"`
	b := newBench(t, filepath.Join(file, "journal"), output)
	b.append(7)
	if err := b.close(); err == nil || !strings.Contains(err.Error(), "7 events are lost: the journal was in memory only") {
		t.Errorf("the end: %v", err)
	}
	if log := b.log.String(); strings.Contains(log, "for the next start") || !strings.Contains(log, `level=ERROR msg="events that were not delivered are lost: the journal was in memory only" output=a events=7`) {
		t.Error(log)
	}
	b = newBench(t, "", output)
	b.append(7)
	if err := b.close(); err != nil {
		t.Error(err)
	}
	if log := b.log.String(); !strings.Contains(log, `msg="events wait in the journal for the next start" output=a events=7`) || strings.Contains(log, "lost") {
		t.Error(log)
	}
}

// A journal that another process has is a reason not to start.
func TestJournalOfAnother(t *testing.T) {
	b := newBench(t, "")
	s := newService(b.app, runFlags{}, b.config)
	err := s.openJournal()
	if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("cannot lock the journal %s/journal: another process has this journal: pid %d\n", b.dir, os.Getpid())) {
		t.Error(err)
	}
	s.journal.Close()
}
