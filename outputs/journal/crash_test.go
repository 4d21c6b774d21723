package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"slices"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
)

// The crash cases, one by one, on a disk in memory.

func testOptions() Options {
	return Options{Path: "/j", Sync: Always(), Now: func() time.Time { return time.Unix(1_700_000_000, 0) },
		small: &sizes{max: 1 << 20, free: -1, segment: 4 << 10, memory: 12 << 10, memPart: 3 << 10}}
}

// events makes n events with ids that count from from.
func events(from, n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		list[i] = event.Event{Type: event.DNS, Trail: "trail.test", Observable: "a rather long name of an observable.trail.test"}
		binary.BigEndian.PutUint64(list[i].ID[:], uint64(from+i))
	}
	return list
}

// rest reads and acknowledges all that there is.
func rest(t testing.TB, c *Cursor) (seqs []uint64, gap Gap) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		batch, g, err := c.Read(ctx, 100, 0)
		gap.Evicted += g.Evicted
		gap.Quarantined += g.Quarantined
		for _, e := range batch {
			if id := binary.BigEndian.Uint64(e.ID[:]); id != e.Seq {
				t.Fatalf("number %d is event %d", e.Seq, id)
			}
			seqs = append(seqs, e.Seq)
		}
		if len(batch) > 0 {
			c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: uint64(len(batch))})
			continue
		}
		if !errors.Is(err, context.Canceled) && err != io.EOF {
			t.Fatal(err)
		}
		s := c.State()
		if s.Pending != 0 || s.LastSeq-s.StartSeq != s.Delivered+s.Evicted+s.Quarantined {
			t.Fatalf("does not add up: %+v", s)
		}
		return seqs, gap
	}
}

func cursor(t testing.TB, j *Journal, name string) *Cursor {
	t.Helper()
	c, err := j.Cursor(name, CursorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kill ends a journal as SIGKILL does.
func kill(j *Journal) {
	j.closeFiles()
	close(j.teller.end)
}

// written gives a disk with n events and a cursor that read none of them.
func written(t testing.TB, n int) *testDisk {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	cursor(t, j, "out")
	j.Append(events(1, n))
	kill(j)
	return d
}

func (d *testDisk) clone() *testDisk {
	c := newTestDisk(1)
	for name, i := range d.names {
		c.names[name] = &inode{data: slices.Clone(i.data), synced: slices.Clone(i.data)}
	}
	return c
}

func count(j *Journal, k Kind) uint64 { return j.State().Incidents[k] }

// The last record is cut off at each of its bytes.
func TestTornTail(t *testing.T) {
	const n = 8
	whole := written(t, n)
	name := whole.segments()[0]
	size := len(whole.names[name].data)
	start := size - (size-segmentHead)/n
	for cut := start; cut <= size; cut++ {
		d := whole.clone()
		d.names[name].data = d.names[name].data[:cut]
		j := open(testOptions(), d, 0)
		c := cursor(t, j, "out")
		wantLast := uint64(n - 1)
		if cut == size {
			wantLast = n
		}
		s := j.State()
		if s.Last != wantLast {
			t.Fatalf("cut to %d of %d: last is %d, want %d", cut, size, s.Last, wantLast)
		}
		if torn := cut > start && cut < size; torn != (count(j, TornTail) == 1) || torn && s.TornBytes != int64(cut-start) {
			t.Fatalf("cut to %d of %d: %d incidents, %d bytes", cut, size, count(j, TornTail), s.TornBytes)
		}
		if first := j.Append(events(int(wantLast)+1, 3)); first != wantLast+1 {
			t.Fatalf("goes on at %d", first)
		}
		if got, gap := rest(t, c); len(got) != int(wantLast)+3 || gap != (Gap{}) {
			t.Fatalf("cut to %d: read %d, %+v", cut, len(got), gap)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Each byte of the files of a small journal is damaged, one at a time. What is
// whole is delivered, and the rest is counted: nobody else's events come up.
func TestBitRot(t *testing.T) {
	const n = 34
	whole := written(t, n)
	names, epoch := whole.segments(), whole.epoch(t)
	if len(names) < 2 {
		t.Fatal("want several segments")
	}
	for at, name := range names {
		data := whole.names[name].data
		for off := range data {
			if off >= headerLength && off < segmentCopy || off >= segmentCopy+headerLength && off < segmentHead {
				continue // nothing is there
			}
			d := whole.clone()
			d.names[name].data[off] ^= 1 << (off % 8)
			j := open(testOptions(), d, 0)
			c := cursor(t, j, "out")
			last := int(j.State().Last)
			j.Append(events(last+1, 1))
			got, gap := rest(t, c)
			lost := last + 1 - len(got)
			if off < segmentHead && (lost != 0 || last != n) {
				t.Fatalf("%s, byte %d of the header: %d events lost, %+v", name, off, lost, gap)
			}
			if lost > 1 || uint64(lost) != gap.Quarantined || gap.Evicted != 0 {
				t.Fatalf("%s byte %d: %d of %d lost, %+v", name, off, lost, last+1, gap)
			}
			// Only the head of the very last record cannot be told from a write
			// that was cut off.
			torn := at == len(names)-1 && last == n-1 && count(j, TornTail) == 1
			if torn && j.Epoch() == epoch {
				t.Fatalf("%s byte %d: number %d is given again in the same epoch", name, off, n)
			}
			if last != n && !torn || lost == 1 && count(j, Damaged) != 1 {
				t.Fatalf("%s byte %d: last is %d, %d lost, incidents %v", name, off, last, lost, j.State().Incidents)
			}
			kill(j)
		}
	}
}

func TestHeaderLost(t *testing.T) {
	whole := written(t, 60)
	names := whole.segments()
	for at, name := range names {
		d := whole.clone()
		clear(d.names[name].data[:segmentHead])
		j := open(testOptions(), d, 0)
		c := cursor(t, j, "out")
		first, _, _ := parseName(name[len("/j/"):])
		got, gap := rest(t, c)
		if len(got)+int(gap.Quarantined) != int(j.State().Last) || slices.Contains(got, first) || count(j, Damaged) != 1 {
			t.Errorf("%s: %d read, %+v, last %d, %v", name, len(got), gap, j.State().Last, j.State().Incidents)
		}
		if at+1 < len(names) && j.State().Last != 60 {
			t.Errorf("%s: last is %d", name, j.State().Last)
		}
		if d.names[name+damagedSuffix] == nil {
			t.Errorf("%s has not its other name", name)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestMissingSegment(t *testing.T) {
	whole := written(t, 100)
	names := whole.segments()
	for at, name := range names {
		d := whole.clone()
		delete(d.names, name)
		j := open(testOptions(), d, 0)
		epoch := j.Epoch()
		c := cursor(t, j, "out")
		j.Append(events(int(j.State().Last)+1, 1))
		got, gap := rest(t, c)
		if count(j, Missing) != 1 {
			t.Errorf("%s: incidents %v", name, j.State().Incidents)
		}
		if at+1 < len(names) && (gap.Quarantined == 0 || len(got)+int(gap.Quarantined) != 101) {
			t.Errorf("%s: %d read, %+v", name, len(got), gap)
		}
		if at+1 == len(names) && epoch == whole.epoch(t) {
			t.Errorf("%s, the last: its numbers are given again in the same epoch", name)
		}
		kill(j)
	}
}

func (d *testDisk) epoch(t *testing.T) uint64 {
	_, value, err := openSlots(d, "/j/"+stateName, stateMagic, false)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := decodeState(value)
	return v.epoch
}

// A cursor that is ahead: an older copy of the segments was put back.
func TestCursorAhead(t *testing.T) {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	c, _ := cursor(t, j, "out"), cursor(t, j, "behind")
	j.Append(events(1, 10))
	rest(t, c)
	backup := d.clone()
	j.Append(events(11, 20))
	rest(t, c)
	epoch := j.Epoch()
	kill(j)
	for name := range d.names {
		if _, isCursor := cursorName(name[len("/j/"):]); !isCursor {
			delete(d.names, name)
		}
	}
	for _, name := range append(backup.segments(), "/j/"+stateName) {
		d.names[name] = backup.names[name]
	}
	j = open(testOptions(), d, 0)
	c, behind := cursor(t, j, "out"), cursor(t, j, "behind")
	if j.Epoch() == epoch {
		t.Error("the epoch goes on")
	}
	if first := j.Append(events(31, 5)); first != 31 {
		t.Errorf("numbers go on at %d", first)
	}
	if got, gap := rest(t, c); len(got) != 5 || gap != (Gap{}) {
		t.Errorf("the cursor ahead got %d, %+v", len(got), gap)
	}
	if got, gap := rest(t, behind); len(got) != 15 || gap.Quarantined != 20 {
		t.Errorf("the other got %d, %+v", len(got), gap)
	}
	if count(j, CursorAhead) != 1 {
		t.Errorf("incidents %v", j.State().Incidents)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

func TestCursorDamaged(t *testing.T) {
	d := written(t, 20)
	clear(d.names["/j/"+cursorFile("out")].data)
	j := open(testOptions(), d, 0)
	if got, _ := rest(t, cursor(t, j, "out")); len(got) != 20 || count(j, CursorDamaged) != 1 {
		t.Errorf("read %d, incidents %v", len(got), j.State().Incidents)
	}
	kill(j)
}

// The slot that was written last is damaged: the one before it counts, and some
// events come twice.
func TestCursorSlots(t *testing.T) {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	c := cursor(t, j, "out")
	j.Append(events(1, 10))
	ctx := context.Background()
	batch, _, err := c.Read(ctx, 0, 0)
	if err != nil || len(batch) != 10 {
		t.Fatal(len(batch), err)
	}
	c.Advance(4, Sums{Delivered: 4})
	before := slices.Clone(d.names["/j/"+cursorFile("out")].data)
	c.Advance(7, Sums{Delivered: 3})
	kill(j)
	data := d.names["/j/"+cursorFile("out")].data
	for at := range data {
		if data[at] != before[at] {
			data[at] ^= 0xFF
		}
	}
	j = open(testOptions(), d, 0)
	c = cursor(t, j, "out")
	if s := c.State(); s.Acknowledged != 4 || s.Delivered != 4 {
		t.Errorf("%+v", s)
	}
	if got, _ := rest(t, c); !slices.Equal(got, []uint64{5, 6, 7, 8, 9, 10}) {
		t.Errorf("read %v", got)
	}
	kill(j)
}

func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour} {
		d := newTestDisk(1)
		now := time.Unix(1_700_000_000, 0)
		opt := testOptions()
		opt.MaxAge, opt.Now = 30*time.Minute, func() time.Time { return now }
		j := open(opt, d, 0)
		cursor(t, j, "out")
		j.Append(events(1, 100))
		now = now.Add(jump)
		j.tick()
		j.Append(events(101, 100))
		j.tick()
		kill(j)
		now = now.Add(jump) // and while it is off
		j = open(opt, d, 0)
		c := cursor(t, j, "out")
		j.Append(events(201, 100))
		j.tick()
		if got, gap := rest(t, c); len(got) != 300 || gap != (Gap{}) {
			t.Errorf("a jump of %v: %d read, %+v", jump, len(got), gap)
		}
		// And time that really passes does count.
		for range 40 {
			now = now.Add(time.Minute)
			j.tick()
		}
		j.Append(events(301, 1))
		j.tick()
		if s := j.State(); s.First == 1 || count(j, Evicted) != 0 {
			t.Errorf("a jump of %v: after 40 minutes the oldest is %d; %v", jump, s.First, s.Incidents)
		}
		kill(j)
	}
}

// A file used again has the old records behind the new ones: none of them may
// come up, at whatever place a write is cut off.
func TestUsedAgain(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.Sync = Never()
	d.capacity = 40 << 10
	j := open(opt, d, 0)
	c := cursor(t, j, "out")
	next := 1
	for range 60 {
		j.Append(events(next, 11))
		next += 11
		rest(t, c)
		j.tick()
	}
	stale := j.active.stale
	if stale == 0 || j.State().Degraded != nil {
		t.Fatalf("the disk never was full: %+v", j.State())
	}
	kill(j)
	again := open(opt, d.clone(), 0)
	if s := again.State(); s.TornBytes != 0 || s.Epoch != j.Epoch() || s.Last != uint64(next-1) {
		t.Errorf("old bytes are taken for something: %+v", s)
	}
	kill(again)
	name := j.segments[len(j.segments)-1].path
	end := int(j.segments[len(j.segments)-1].end)
	for cut := end - 80; cut < end; cut++ {
		copied := d.clone()
		data := copied.names[name].data
		copy(data[cut:end], bytes.Repeat([]byte{0xA5}, end-cut))
		j := open(opt, copied, 0)
		last := j.State().Last
		if last > uint64(next-1) || last < uint64(next-3) {
			t.Fatalf("cut at %d of %d: last is %d of %d", cut, end, last, next-1)
		}
		kill(j)
	}
}

func TestDiskFull(t *testing.T) {
	d := newTestDisk(1)
	d.capacity = 64 << 10
	var told []Incident
	opt := testOptions()
	opt.Incident = func(i Incident) { told = append(told, i) }
	j := open(opt, d, 0)
	c := cursor(t, j, "out")
	d.capacity = d.used() // someone takes the rest
	next := 1
	for range 200 {
		j.Append(events(next, 5))
		next += 5
	}
	s := c.State()
	if !j.State().Full || s.Evicted == 0 || s.LastSeq != uint64(next-1) {
		t.Fatalf("%+v\n%+v", j.State(), s)
	}
	got, gap := rest(t, c)
	if len(got) == 0 || uint64(len(got))+gap.Evicted != uint64(next-1) || gap.Quarantined != 0 {
		t.Fatalf("read %d, %+v of %d", len(got), gap, next-1)
	}
	d.capacity = 1 << 20
	for range 100 {
		j.clock.now += time.Second
		j.tick()
	}
	if s := j.State(); s.Degraded != nil || s.Full {
		t.Errorf("room is back: %+v", s)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	var kinds []Kind
	for _, i := range told {
		if i.Kind == Full || i.Kind == Evicted && i.Output == "out" && i.Events > 0 {
			kinds = append(kinds, Kind(i.Kind+"/"+Kind(i.Phase.String())))
		}
	}
	if !slices.Contains(kinds, "full/raised") || !slices.Contains(kinds, "full/recovered") || !slices.Contains(kinds, "evicted/noted") {
		t.Errorf("told of %v", kinds)
	}
}

// A directory that cannot be written, from the start: events wait in memory,
// and move when it can.
func TestMemory(t *testing.T) {
	for name, fault := range map[string]func(*testDisk){
		"read-only":   func(d *testDisk) { d.readOnly = true },
		"input error": func(d *testDisk) { d.broken = syscall.EIO },
	} {
		d := newTestDisk(1)
		fault(d)
		j := open(testOptions(), d, 0)
		c := cursor(t, j, "out")
		j.Append(events(1, 30))
		if s := j.State(); s.Degraded == nil || s.MemoryBytes == 0 {
			t.Fatalf("%s: %+v", name, s)
		}
		batch, _, err := c.Read(context.Background(), 10, 0)
		if err != nil || len(batch) != 10 {
			t.Fatal(len(batch), err)
		}
		d.readOnly, d.broken = false, nil
		j.clock.now += time.Minute
		j.tick()
		if s := j.State(); s.Degraded != nil || s.MemoryBytes != 0 || s.Bytes == 0 {
			t.Fatalf("%s: %+v", name, s)
		}
		c.Advance(10, Sums{Delivered: 10})
		j.Append(events(31, 10))
		kill(j)
		j = open(testOptions(), d, 0)
		c = cursor(t, j, "out")
		if got, gap := rest(t, c); len(got) != 30 || got[0] != 11 || gap != (Gap{}) {
			t.Errorf("%s: read %v, %+v", name, got, gap)
		}
		kill(j)
	}
}

// A second process on the same directory works in memory, and leaves what it
// could not deliver to the journal when the first one has ended.
func TestLocked(t *testing.T) {
	d := newTestDisk(1)
	first := open(testOptions(), d, 0)
	a := cursor(t, first, "out")
	first.Append(events(1, 5))

	second := open(testOptions(), d, 0)
	if s := second.State(); !errors.Is(s.Degraded, ErrLocked) {
		t.Fatalf("%+v", s)
	}
	b := cursor(t, second, "out")
	second.Append(events(1, 7))
	batch, _, err := b.Read(context.Background(), 3, 0)
	if err != nil || len(batch) != 3 {
		t.Fatal(len(batch), err)
	}
	b.Advance(3, Sums{Delivered: 3})
	rest(t, a)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second.clock.now += time.Minute
	second.tick()
	if s := second.State(); !errors.Is(s.Degraded, errForeign) && !errors.Is(s.Degraded, ErrLocked) {
		t.Errorf("%+v", s)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	third := open(testOptions(), d, 0)
	c := cursor(t, third, "out")
	batch, _, err = c.Read(context.Background(), 0, 0)
	if err != nil || len(batch) != 4 || batch[0].Seq != 6 || binary.BigEndian.Uint64(batch[0].ID[:]) != 4 {
		t.Errorf("handed over: %d events, %v", len(batch), err)
	}
	kill(third)
}

func TestPowerCutAfterSync(t *testing.T) {
	for seed := range uint64(200) {
		d := newTestDisk(seed)
		j := open(testOptions(), d, 0)
		cursor(t, j, "out")
		for k := range 20 {
			j.Append(events(1+7*k, 7))
		}
		kill(j)
		d.powerCut()
		j = open(testOptions(), d, 0)
		c := cursor(t, j, "out")
		if got, gap := rest(t, c); len(got) != 140 || gap != (Gap{}) {
			t.Fatalf("seed %d: %d of 140, %+v, %v", seed, len(got), gap, j.State().Incidents)
		}
		kill(j)
	}
}

func TestCursorNames(t *testing.T) {
	d := newTestDisk(1)
	j := open(testOptions(), d, 0)
	for _, name := range []string{"a", "A", ".", "..", "a/b", "über", "x y%", "-"} {
		c := cursor(t, j, name)
		if _, err := j.Cursor(name, CursorOptions{}); !errors.Is(err, ErrInUse) {
			t.Errorf("%q twice: %v", name, err)
		}
		if back, ok := cursorName(cursorFile(name)); !ok || back != name {
			t.Errorf("%q comes back as %q", name, back)
		}
		c.Close()
		c.Close()
		cursor(t, j, name)
	}
	if _, err := j.Cursor("", CursorOptions{}); !errors.Is(err, ErrName) {
		t.Error(err)
	}
	kill(j)
}

// An output that is gone keeps its cursor for a time, and holds nothing.
func TestCursorOfRemovedOutput(t *testing.T) {
	d := newTestDisk(1)
	now := time.Unix(1_700_000_000, 0)
	opt := testOptions()
	opt.MaxAge, opt.Now = 30*time.Minute, func() time.Time { return now }
	j := open(opt, d, 0)
	cursor(t, j, "gone").Close()
	j.Append(events(1, 5))
	kill(j)
	j = open(opt, d, 0)
	pass := func(n int) {
		for range n {
			now = now.Add(time.Minute)
			j.tick()
		}
	}
	pass(20)
	if n := len(j.Cursors()); n != 1 {
		t.Errorf("%d cursors after 20 minutes", n)
	}
	pass(20)
	if n := len(j.Cursors()); n != 0 || d.names["/j/"+cursorFile("gone")] != nil {
		t.Errorf("%d cursors after 40 minutes", n)
	}
	kill(j)
}

func TestEndThenRead(t *testing.T) {
	j := open(testOptions(), newTestDisk(1), 0)
	c := cursor(t, j, "out")
	j.Append(events(1, 3))
	j.End()
	if seq := j.Append(events(4, 1)); seq != 0 {
		t.Errorf("appended after End: %d", seq)
	}
	batch, _, err := c.Read(context.Background(), 0, 0)
	if err != nil || len(batch) != 3 {
		t.Fatal(len(batch), err)
	}
	if _, _, err := c.Read(context.Background(), 0, 0); err != io.EOF {
		t.Error(err)
	}
	c.Advance(3, Sums{Delivered: 3})
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(context.Background(), 0, 0); err != io.EOF {
		t.Error(err)
	}
}

func TestBatchBounds(t *testing.T) {
	opt := testOptions()
	opt.Log = slog.New(slog.DiscardHandler)
	j := open(opt, newTestDisk(1), 0)
	c := cursor(t, j, "out")
	e := events(1, 10)
	j.Append(e)
	size := int(j.active.end-segmentHead) / 10
	for _, k := range []struct{ events, bytes, want int }{{3, 0, 3}, {0, 2*size + 1, 2}, {0, 1, 1}, {100, 0, 4}} {
		batch, _, err := c.Read(context.Background(), k.events, k.bytes)
		if err != nil || len(batch) != k.want {
			t.Errorf("%+v: %d, %v", k, len(batch), err)
		}
	}
	kill(j)
}

// What should not be is cut, and not lost: an event larger than a record.
func TestHugeEvent(t *testing.T) {
	j := open(testOptions(), newTestDisk(1), 0)
	c := cursor(t, j, "out")
	e := events(1, 3)
	huge := string(bytes.Repeat([]byte("u"), 300<<10))
	e[1].HTTP.UserAgent, e[1].Trail, e[1].Aggregate.Trails = huge, huge, []string{huge, huge}
	j.Append(e)
	batch, _, err := c.Read(context.Background(), 0, 0)
	for err == nil && len(batch) < 3 {
		var more []event.Event
		more, _, err = c.Read(context.Background(), 0, 0)
		batch = append(batch, more...)
	}
	if err != nil || len(batch) != 3 || len(batch[1].Trail) != event.MaxTrail || j.State().Shortened != 1 {
		t.Errorf("%d events, %v, %d shortened", len(batch), err, j.State().Shortened)
	}
	kill(j)
}

// The bound in bytes holds at every moment, with the spare segment in it.
func TestMaxSize(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.small.max = 48 << 10
	j := open(opt, d, 0)
	c := cursor(t, j, "out")
	for n := 1; n < 3000; n += 5 {
		j.Append(events(n, 5))
		if n%20 == 1 {
			j.tick()
		}
		const slots = 2 * (slotSecond + slotSize)
		if used := d.used(); used > opt.small.max+slots {
			t.Fatalf("%d bytes are used, %d allowed", used, opt.small.max)
		}
	}
	s := j.State()
	if s.First == 1 || s.Bytes < opt.small.max/2 || s.Evicted != c.State().Evicted || c.State().Evicted != s.First-1 {
		t.Errorf("%+v\n%+v", s, c.State())
	}
	rest(t, c)
	kill(j)
}

// Less free than MinFree: the oldest go, and never the one that is appended to.
func TestMinFree(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.small.free = 30 << 10
	d.capacity = 200 << 10
	j := open(opt, d, 0)
	c := cursor(t, j, "out")
	for n := 1; n < 2000; n += 5 {
		j.Append(events(n, 5))
		j.tick()
	}
	if free, _, _ := d.Space("/j"); free < opt.small.free-opt.small.segment {
		t.Errorf("%d bytes are free, want %d", free, opt.small.free)
	}
	if s := c.State(); s.Evicted == 0 || s.LastSeq != 2000 {
		t.Errorf("%+v", s)
	}
	d.capacity = d.used()
	for range 20 {
		j.tick()
	}
	if s := j.State(); s.Segments < 1 || s.Degraded != nil {
		t.Errorf("%+v", s)
	}
	rest(t, c)
	kill(j)
}

// Segments that everybody has delivered go, and then the power: what was
// delivered is not taken for evicted, nor what went for missing.
func TestPowerCutAfterEviction(t *testing.T) {
	for seed := range uint64(60) {
		d := newTestDisk(seed)
		opt := testOptions()
		opt.Sync = Never()
		opt.small.max = 24 << 10
		j := open(opt, d, 0)
		c := cursor(t, j, "out")
		for n := 1; n < 500; n += 10 {
			j.Append(events(n, 10))
			rest(t, c)
		}
		first := j.State().First
		kill(j)
		d.powerCut()
		j = open(opt, d, 0)
		s := cursor(t, j, "out").State()
		if first == 1 || s.Evicted != 0 || s.Acknowledged < first-1 {
			t.Fatalf("seed %d: first was %d; %+v", seed, first, s)
		}
		for _, g := range j.segments {
			if g.lost != kept && g.first < first {
				t.Fatalf("seed %d: %d to %d are taken for missing", seed, g.first, g.last)
			}
		}
		kill(j)
	}
}
