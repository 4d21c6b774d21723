package e2e

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	file "trailhound/outputs/csv"
	"trailhound/outputs/journal"
)

// counter is an output that takes everything and notes the size of each batch.
type counter struct {
	gate  chan struct{} // nothing is taken before it is closed; nil: open
	after chan struct{} // told after each batch, if somebody waits

	mu    sync.Mutex
	sends []int
	seqs  []uint64
}

func (c *counter) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	if c.gate != nil {
		select {
		case <-c.gate:
		case <-ctx.Done():
			return outputs.Result{}, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sends = append(c.sends, len(batch))
	for i := range batch {
		c.seqs = append(c.seqs, batch[i].Seq)
	}
	if c.after != nil {
		select {
		case c.after <- struct{}{}:
		default:
		}
	}
	return outputs.AllDelivered(len(batch)), nil
}
func (*counter) Check(context.Context) error  { return nil }
func (*counter) Limits() outputs.Limits       { return outputs.Limits{} }
func (*counter) Guarantee() outputs.Guarantee { return outputs.Acknowledged }
func (*counter) Close() error                 { return nil }

// until waits until so many events were taken.
func (c *counter) until(t *testing.T, n int) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		c.mu.Lock()
		have := len(c.seqs)
		c.mu.Unlock()
		if have >= n {
			return
		}
		select {
		case <-c.after:
		case <-limit.C:
			t.Fatalf("%d of %d events", have, n)
		}
	}
}

// crash is an output that panics.
type crash struct{ refuser }

func (*crash) Send(context.Context, []event.Event) (outputs.Result, error) { panic("out of order") }

// TestDeliveryDeadNeighbour: an output beside one that is dead for the whole run
// - refusing, swallowing, crashing - gets every event, in exactly the batches
// that it gets alone.
func TestDeliveryDeadNeighbour(t *testing.T) {
	const rounds, batch = 300, 10
	for name, dead := range map[string]outputs.Output{"none": nil, "refuses": &refuser{}, "swallows": &counter{gate: make(chan struct{})}, "crashes": &crash{}} {
		t.Run(name, func(t *testing.T) {
			j := journal.Open(journal.Options{Path: t.TempDir(), MaxSize: 64 << 20, MinFree: -1})
			ctx, stop := context.WithCancel(t.Context())
			good := &counter{after: make(chan struct{}, 1)}
			loops := []*outputs.Delivery{deliveryLoop(t, j, "good", good, outputs.Settings{})}
			if dead != nil {
				loops = append(loops, deliveryLoop(t, j, "dead", dead, outputs.Settings{Timeout: time.Millisecond, Batch: 1}))
			}
			j.Append(deliveryEvents(1)) // makes the first segment
			for _, d := range loops {
				go d.Run(ctx)
			}
			good.until(t, 1)
			for round := range rounds { // the next events come when these have arrived: a dead neighbour cannot hide behind a batch
				j.Append(deliveryEvents(batch))
				good.until(t, 1+(round+1)*batch)
			}
			j.End()
			<-loops[0].Done()
			stop()
			for _, d := range loops {
				<-d.Done()
			}
			if slices.ContainsFunc(good.sends[1:], func(n int) bool { return n != batch }) || len(good.sends) != 1+rounds || !slices.IsSorted(good.seqs) {
				t.Errorf("%d deliveries of %v, want %d of %d", len(good.sends)-1, good.sends[1:], rounds, batch)
			}
			if s := loops[0].State(); s.Delivered != 1+rounds*batch || s.Pending != 0 {
				t.Errorf("%+v", s)
			}
			if dead != nil && name != "crashes" {
				if s := loops[1].State(); s.Delivered != 0 || s.Pending != 1+rounds*batch || loops[1].Counts().Errors == 0 {
					t.Errorf("the dead one: %+v", s)
				}
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDeliveryOnAFullDisk: while the disk of journal and file is full, appending
// and delivery go on; what an output that is behind loses is counted; and all
// works again when there is room.
func TestDeliveryOnAFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("trailhound", disk, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("a small tmpfs is needed, and mounting one is not permitted: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_FORCE|2) }) // MNT_DETACH
	j := journal.Open(journal.Options{Path: filepath.Join(disk, "journal"), MaxSize: 4 << 20, MinFree: -1})
	good, late := &counter{after: make(chan struct{}, 1)}, &counter{gate: make(chan struct{}), after: make(chan struct{}, 1)}
	opt := file.Defaults()
	opt.Path, opt.Daily, opt.Compress, opt.Log = filepath.Join(disk, "events.csv"), false, false, slog.New(slog.DiscardHandler)
	rows, err := file.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	loops := []*outputs.Delivery{
		deliveryLoop(t, j, "good", good, outputs.Settings{}),
		deliveryLoop(t, j, "file", rows, outputs.Settings{Batch: 500}),
		deliveryLoop(t, j, "late", late, outputs.Settings{}),
	}
	for _, d := range loops {
		go d.Run(t.Context())
	}
	appended := 0
	add := func(rounds int) {
		t.Helper()
		for range rounds {
			const batch = 500
			if first := j.Append(deliveryEvents(batch)); first != uint64(appended+1) {
				t.Fatalf("the first is %d, want %d", first, appended+1)
			}
			appended += batch
			good.until(t, appended) // delivery goes on
		}
	}
	add(4)
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 16<<10))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	add(200) // many times what the journal may have, in memory too
	until(t, "a full disk is said", func() bool { s := j.State(); return s.Full || s.Degraded != nil })
	until(t, "the file fails", func() bool { return loops[1].Counts().Errors > 0 })
	for _, d := range loops[1:] {
		if s := d.State(); s.Evicted == 0 || s.Pending == 0 {
			t.Errorf("%s: %+v", d.Name, s)
		}
	}
	until(t, "the last batch is settled", func() bool { return loops[0].State().Pending == 0 })
	if s := loops[0].State(); s.Evicted+s.Quarantined != 0 || s.Delivered != uint64(appended) {
		t.Errorf("good: %+v", s)
	}
	if err := errors.Join(filler.Close(), os.Remove(filler.Name())); err != nil {
		t.Fatal(err)
	}
	add(1)
	t.Logf("full: %+v", j.State())
	until(t, "the journal is on disk again", func() bool { s := j.State(); return !s.Full && s.Degraded == nil && s.MemoryBytes == 0 && s.Reserve })
	close(late.gate)
	add(2)
	j.End()
	for _, d := range loops {
		<-d.Done()
		s := d.State()
		if s.LastSeq != uint64(appended) || s.Pending != 0 || s.Delivered+s.Evicted != s.LastSeq || s.Quarantined+s.Filtered+s.DeadLettered != 0 {
			t.Errorf("%s: %+v", d.Name, s)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := loops[2].State(); len(late.seqs) != int(s.Delivered) || !slices.IsSorted(late.seqs) {
		t.Errorf("late: got %d, %+v", len(late.seqs), s)
	}
	got := &arrivals{t: t}
	(&rowsFile{path: opt.Path, arrivals: got}).read(t)
	if s := loops[1].State(); len(got.ids) != int(s.Delivered) || got.twice != 0 {
		t.Errorf("file: has %d, %d twice, %+v", len(got.ids), got.twice, s)
	}
	t.Logf("%d events; given up: file %d, late %d", appended, loops[1].State().Evicted, loops[2].State().Evicted)
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
