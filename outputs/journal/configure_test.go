package journal

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
)

const slotsOnDisk = 3 * (slotSecond + slotSize) // state and two cursors

// filled gives a journal with n events, a cursor that has delivered all of them
// and one that has none.
func filled(t *testing.T, opt Options, d *testDisk, n int) (j *Journal, done, slow *Cursor) {
	j = open(opt, d, 0)
	done, slow = cursor(t, j, "done"), cursor(t, j, "slow")
	for from := 1; from <= n; from += 10 {
		j.Append(events(from, 10))
		rest(t, done)
	}
	j.tick() // makes the reserve
	return j, done, slow
}

// Less room than is taken: the oldest go, counted for whom they were pending.
func TestConfigureMaxSize(t *testing.T) {
	d := newTestDisk(1)
	var told []Incident
	opt := testOptions()
	opt.Incident = func(i Incident) { told = append(told, i) }
	j, done, slow := filled(t, opt, d, 2000)
	before := j.State()
	if before.Bytes < 200<<10 || slow.State().Evicted != 0 {
		t.Fatalf("%+v", before)
	}
	opt.small = &sizes{max: 48 << 10, free: -1, segment: 2 << 10, memory: 12 << 10, memPart: 3 << 10}
	j.Configure(opt)
	j.tick()
	if used := d.used(); used > opt.small.max+slotsOnDisk {
		t.Errorf("%d bytes are used, %d allowed", used, opt.small.max)
	}
	s := j.State()
	if s.MaxSize != 48<<10 || s.SegmentSize != 2<<10 || s.First == 1 || s.Last != 2000 || slow.State().Evicted != s.First-1 || done.State().Evicted != 0 {
		t.Errorf("%+v\n%+v\n%+v", s, slow.State(), done.State())
	}
	for n := 2001; n < 3000; n += 10 {
		j.Append(events(n, 10))
		rest(t, done)
		if j.keepBounds(); d.used() > opt.small.max+slotsOnDisk {
			t.Fatalf("%d bytes are used, %d allowed", d.used(), opt.small.max)
		}
	}
	if got, gap := rest(t, slow); uint64(len(got))+gap.Evicted != 3000 || gap.Quarantined != 0 {
		t.Errorf("read %d, %+v", len(got), gap)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	n := uint64(0)
	for _, i := range told {
		if i.Kind == Evicted && i.Output == "slow" {
			n += i.Events
		} else {
			t.Errorf("told of %+v", i)
		}
	}
	if n != slow.State().Evicted {
		t.Errorf("told of %d events, %d are evicted", n, slow.State().Evicted)
	}
}

// More room: nothing goes that would have gone, segments are larger, and the
// reserve too.
func TestConfigureGrows(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.small.max = 64 << 10
	j, _, slow := filled(t, opt, d, 100)
	opt.small = &sizes{max: 4 << 20, free: -1, segment: 32 << 10, memory: 12 << 10, memPart: 3 << 10}
	j.Configure(opt)
	if i := d.names["/j/"+spareName]; i == nil || i.allocated < 32<<10 {
		t.Error("the reserve is as small as before")
	}
	segments := j.State().Segments
	for n := 101; n <= 2000; n += 10 {
		j.Append(events(n, 10))
		j.tick()
	}
	if s := j.State(); s.First != 1 || s.Segments > segments+int(s.Bytes/(30<<10))+1 {
		t.Errorf("%+v", s)
	}
	if got, gap := rest(t, slow); len(got) != 2000 || gap != (Gap{}) {
		t.Errorf("read %d, %+v", len(got), gap)
	}
	kill(j)
}

// A larger segment on a disk that has no room for it: what is reserved stays.
func TestConfigureGrowsOnAFullDisk(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	j, _, slow := filled(t, opt, d, 20)
	d.capacity = d.used()
	opt.small = &sizes{max: 4 << 20, free: -1, segment: 32 << 10, memory: 12 << 10, memPart: 3 << 10}
	j.Configure(opt)
	if s := j.State(); !s.Full || !s.Reserve || s.Degraded != nil {
		t.Fatalf("%+v", s)
	}
	for n := 21; n <= 50; n += 10 { // fits into the active and the spare segment
		j.Append(events(n, 10))
	}
	if s := j.State(); s.Degraded != nil || s.MemoryBytes != 0 {
		t.Errorf("the reserve was of no use: %+v", s)
	}
	d.capacity = 0
	for range 5 {
		j.clock.now += time.Minute
		j.tick()
	}
	if s := j.State(); s.Full || s.Degraded != nil {
		t.Errorf("room is back: %+v", s)
	}
	if got, _ := rest(t, slow); len(got) != 50 {
		t.Errorf("read %d", len(got))
	}
	kill(j)
}

func TestConfigureAgeAndFree(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	d := newTestDisk(1)
	d.capacity = 1 << 20
	opt := testOptions()
	opt.MaxAge, opt.Now = time.Hour, func() time.Time { return now }
	j, _, slow := filled(t, opt, d, 400)
	for range 20 {
		now = now.Add(time.Minute)
		j.tick()
	}
	j.Append(events(401, 10))
	if s := j.State(); s.First != 1 {
		t.Fatalf("%+v", s)
	}
	opt.MaxAge = 10 * time.Minute
	j.Configure(opt)
	j.tick()
	if s := j.State(); s.First == 1 || s.Last != 410 || slow.State().Evicted != s.First-1 {
		t.Errorf("too old, and still there: %+v", s)
	}
	for n := 411; n <= 1000; n += 10 {
		j.Append(events(n, 10))
	}
	before := j.State().First
	free, _, _ := d.Space("/j")
	opt.small = &sizes{max: 1 << 20, free: free + 30<<10, segment: 4 << 10, memory: 12 << 10, memPart: 3 << 10}
	j.Configure(opt)
	for range 3 {
		j.tick()
	}
	if after, _, _ := d.Space("/j"); j.State().First == before || after < free+25<<10 || j.State().MinFree != opt.small.free {
		t.Errorf("%d free, were %d; %+v", after, free, j.State())
	}
	kill(j)
}

func TestConfigureSync(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.Sync = Never()
	j := open(opt, d, 0)
	synced := func() bool {
		i := d.names[d.segments()[0]]
		return bytes.Equal(i.data, i.synced)
	}
	j.Append(events(1, 3))
	if j.tick(); synced() {
		t.Error("synced, and the policy is never")
	}
	opt.Sync = Always()
	j.Configure(opt)
	if j.Append(events(4, 3)); !synced() {
		t.Error("not synced, and the policy is always")
	}
	if j.round() != time.Second {
		t.Error(j.round())
	}
	opt.Sync = Interval(10 * time.Millisecond)
	j.Configure(opt)
	if j.Append(events(7, 3)); synced() {
		t.Error("synced in Append, and the policy is an interval")
	}
	j.clock.now += time.Second
	if j.tick(); !synced() || j.round() != 10*time.Millisecond {
		t.Error("not synced by a tick", j.round())
	}
	kill(j)
}

// What was appended before Sync is there after a loss of power, names too.
func TestSync(t *testing.T) {
	for seed := range uint64(100) {
		d := newTestDisk(seed)
		opt := testOptions()
		opt.Sync = Never()
		j := open(opt, d, 0)
		cursor(t, j, "out")
		j.Append(events(1, 90)) // several segments
		if err := j.Sync(); err != nil {
			t.Fatal(err)
		}
		j.Append(events(91, 30))
		kill(j)
		d.powerCut()
		j = open(opt, d, 0)
		c := cursor(t, j, "out")
		for next := uint64(1); next <= 90; {
			batch, gap, err := c.Read(context.Background(), 0, 0)
			if err != nil || gap != (Gap{}) || batch[0].Seq != next {
				t.Fatalf("seed %d: at %d: %v, %+v", seed, next, err, gap)
			}
			next += uint64(len(batch))
			c.Advance(next-1, Sums{Delivered: uint64(len(batch))})
		}
		kill(j)
	}
}

func TestSyncFails(t *testing.T) {
	d := newTestDisk(1)
	opt := testOptions()
	opt.Sync = Never()
	j := open(opt, d, 0)
	j.Append(events(1, 10))
	d.broken = syscall.EIO
	if err := j.Sync(); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	if s := j.State(); s.Degraded == nil || s.SyncErrors != 1 {
		t.Errorf("%+v", s)
	}
	j.Append(events(11, 10))
	if err := j.Sync(); !errors.Is(err, syscall.EIO) { // nothing in memory is durable
		t.Error(err)
	}
	d.broken = nil
	j.clock.now += time.Minute
	j.tick()
	if err := j.Sync(); err != nil {
		t.Error(err)
	}
	kill(j)
	j = open(Options{}, d, 0)
	if err := j.Sync(); !errors.Is(err, errNoPath) {
		t.Error(err)
	}
}

// The names of segments are synced by the next Sync when one could not.
func TestSyncOfNamesIsTriedAgain(t *testing.T) {
	for countdown := 1; countdown < 4; countdown++ {
		d := newTestDisk(1)
		opt := testOptions()
		opt.Sync = Never()
		j := open(opt, d, 0)
		j.Append(events(1, 10))
		d.countdown, d.fault = countdown, syscall.EIO
		failed := j.sync() != nil
		d.countdown = 0
		if err := j.sync(); err != nil {
			t.Fatal(err)
		}
		if name := d.segments()[0]; d.durable[name] == nil || failed != (countdown < 3) {
			t.Errorf("fault at %d: failed %v, names %v", countdown, failed, slices.Sorted(func(yield func(string) bool) {
				for name := range d.durable {
					if !yield(name) {
						return
					}
				}
			}))
		}
		kill(j)
	}
}

// The keeper takes what Configure says, while others append, read and sync.
func TestConfigureWhileAppending(t *testing.T) {
	j := Open(Options{Path: t.TempDir(), MaxSize: 2 << 20, MinFree: -1, Sync: Never()})
	c := cursor(t, j, "out")
	stop := make(chan struct{})
	configured := make(chan struct{})
	go func() {
		defer close(configured)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				j.Configure(Options{MaxSize: int64(1+n%3) << 20, MinFree: -1, MaxAge: time.Hour, Sync: []Sync{Always(), Never(), Interval(time.Millisecond)}[n%3]})
				if err := j.Sync(); err != nil {
					t.Error(err)
				}
				j.State()
			}
		}
	}()
	const total = 20_000
	for n := 1; n <= total; n += 50 {
		j.Append(events(n, 50))
	}
	close(stop)
	<-configured
	j.End()
	var got, lost uint64
	for {
		batch, gap, err := c.Read(context.Background(), 0, 0)
		lost += gap.Evicted + gap.Quarantined
		if err != nil {
			break
		}
		check := func(e *event.Event) {
			if got+lost+1 != e.Seq {
				t.Fatalf("got %d, want %d", e.Seq, got+lost+1)
			}
			got++
		}
		for i := range batch {
			check(&batch[i])
		}
		c.Advance(batch[len(batch)-1].Seq, Sums{Delivered: uint64(len(batch))})
	}
	if s := c.State(); s.Quarantined != 0 || s.Delivered+s.Evicted != total || got+lost != total {
		t.Errorf("%d read, %d lost, %+v", got, lost, s)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
