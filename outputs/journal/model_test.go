package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"trailhound/agent/event"
)

// The model: random operations on a journal over a disk that fails at random,
// beside a plain account of what was appended, handed out and acknowledged.
// After each operation the accounting identity must hold for every cursor, and
// what it says must be what happened.

type place struct{ epoch, seq uint64 }

type model struct {
	t     testing.TB
	r     *rand.Rand
	disk  *testDisk
	opt   Options
	j     *Journal
	now   time.Time
	log   []string
	count uint64 // events made

	given    map[place]uint64 // what each number named, ever
	acked    uint64           // highest number that Append returned
	readers  map[string]*modelCursor
	gentle   bool // no bound is near, no file is damaged, power stays
	excused  bool // events may be lost: damage, bounds, power, memory
	loose    bool // an Append was killed
	degraded bool // memory was in use since the last start
}

type modelCursor struct {
	c       *Cursor
	handed  uint64
	pending []uint64 // handed out, not acknowledged
	sums    Sums     // since the cursor was made, and what the last heartbeat told
	unsure  bool     // its file went, or power did
}

func newModel(t testing.TB, seed uint64) *model {
	m := &model{t: t, r: rand.New(rand.NewPCG(seed, 1)), disk: newTestDisk(seed), now: time.Unix(1_700_000_000, 0),
		given: map[place]uint64{}, readers: map[string]*modelCursor{}}
	m.opt = Options{Path: "/j", MaxAge: 90 * time.Minute, Now: func() time.Time { return m.now }, Sync: Interval(time.Second),
		small: &sizes{max: 40 << 10, free: -1, segment: 4 << 10, memory: 12 << 10, memPart: 3 << 10}}
	if m.gentle = seed%3 == 0; m.gentle {
		m.opt.small = &sizes{max: 4 << 20, free: -1, segment: 8 << 10, memory: 1 << 20, memPart: 3 << 10}
	}
	m.start()
	return m
}

func (m *model) failf(format string, a ...any) {
	m.t.Helper()
	log := m.log
	if len(log) > 60 {
		log = log[len(log)-60:]
	}
	m.t.Fatalf("%s\nafter\n  %s", fmt.Sprintf(format, a...), strings.Join(log, "\n  "))
}

func (m *model) note(format string, a ...any) { m.log = append(m.log, fmt.Sprintf(format, a...)) }

// start opens the journal and the cursors, as a process does.
func (m *model) start() {
	m.j = open(m.opt, m.disk, 0)
	m.degraded = m.j.isDown()
	last := m.j.State().Last
	if last < m.acked && !m.excused {
		m.failf("Append had returned %d, the journal ends at %d", m.acked, last)
	}
	m.acked = last
	for _, name := range []string{"a", "b/ü", "slow"} {
		m.claim(name)
	}
}

func (m *model) claim(name string) {
	c, err := m.j.Cursor(name, CursorOptions{FromStart: name == "slow"})
	if err != nil {
		m.failf("cursor %q: %v", name, err)
	}
	s := c.State()
	old := m.readers[name]
	k := &modelCursor{c: c, handed: s.Acknowledged, sums: sumsOf(s)}
	if old != nil && !old.unsure && k.sums != old.sums {
		m.failf("cursor %q comes back with %+v, had %+v: %+v", name, k.sums, old.sums, s)
	}
	m.readers[name] = k
}

// drop ends the process without a word.
func (m *model) drop() {
	close(m.j.teller.end)
	m.j.closeFiles() // as the kernel does
	m.disk.killed, m.disk.countdown, m.disk.dead = false, 0, false
}

func (m *model) event() event.Event {
	m.count++
	e := event.Event{Type: event.DNS, Trail: strings.Repeat("x", m.r.IntN(300))}
	binary.BigEndian.PutUint64(e.ID[:], m.count)
	return e
}

func (m *model) append() {
	batch := make([]event.Event, 1+m.r.IntN(12))
	for i := range batch {
		batch[i] = m.event()
	}
	first := m.j.Append(batch)
	m.note("append %d at %d", len(batch), first)
	if m.disk.killed {
		m.loose = true
		return // Append never returned; its events may be there all the same
	}
	for i := range batch {
		e := &batch[i]
		if e.Seq != first+uint64(i) {
			m.failf("event %d of the batch has number %d, the first %d", i, e.Seq, first)
		}
		m.remember(e)
	}
	if first <= m.acked {
		m.failf("number %d is given again: %d was given", first, m.acked)
	}
	m.acked = batch[len(batch)-1].Seq
}

// remember notes what a number names. It never names two things.
func (m *model) remember(e *event.Event) {
	at, id := place{e.Epoch, e.Seq}, binary.BigEndian.Uint64(e.ID[:])
	if was, ok := m.given[at]; ok && was != id {
		m.failf("epoch %d number %d names event %d and event %d", at.epoch, at.seq, was, id)
	}
	m.given[at] = id
}

func (m *model) read(name string, most int) {
	k := m.readers[name]
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	batch, gap, err := k.c.Read(ctx, most, 0)
	m.note("read %s: %d events, gap %+v, err %v (handed %d)", name, len(batch), gap, err, k.handed)
	if err != nil && !errors.Is(err, context.Canceled) && err != io.EOF {
		m.failf("read: %v", err)
	}
	if !m.excused && gap != (Gap{}) {
		m.failf("a gap without a cause: %+v", gap)
	}
	expected := k.handed + gap.Evicted + gap.Quarantined
	for i := range batch {
		expected++
		if batch[i].Seq != expected {
			m.failf("cursor %q got number %d, want %d", name, batch[i].Seq, expected)
		}
		at := place{batch[i].Epoch, batch[i].Seq}
		if _, ok := m.given[at]; !ok && batch[i].Seq <= m.acked && !m.excused && !m.loose {
			m.failf("cursor %q got %v, which nobody appended", name, at)
		}
		m.remember(&batch[i])
		k.pending = append(k.pending, batch[i].Seq)
	}
	k.handed = expected
}

func (m *model) advance(name string) {
	k := m.readers[name]
	if len(k.pending) == 0 {
		return
	}
	n := 1 + m.r.IntN(len(k.pending))
	var s Sums
	for range n {
		switch m.r.IntN(4) {
		case 0:
			s.Filtered++
		case 1:
			s.DeadLettered++
		default:
			s.Delivered++
		}
	}
	if at := k.c.State(); m.r.IntN(3) == 0 && s.Delivered > 0 {
		s.Told = at.Settled() // one of them was a heartbeat
	}
	m.note("advance %s to %d, told %d", name, k.pending[n-1], s.Told.Through)
	k.c.Advance(k.pending[n-1], s)
	if m.disk.killed {
		k.unsure = true // Advance never returned
	}
	k.pending = k.pending[n:]
	if s.Told != (Mark{}) {
		k.sums.Told = s.Told
	}
	k.sums.Delivered += s.Delivered
	k.sums.Filtered += s.Filtered
	k.sums.DeadLettered += s.DeadLettered
}

func sumsOf(s CursorState) Sums { return Sums{s.Delivered, s.Filtered, s.DeadLettered, s.Told} }

func (m *model) rewind(name string) {
	k := m.readers[name]
	k.c.Rewind()
	k.pending = nil
	// What is lost in front is told with the next Read.
	s := k.c.State()
	k.c.j.mu.Lock()
	told := k.c.told
	k.c.j.mu.Unlock()
	k.handed = s.Acknowledged - told.Evicted - told.Quarantined
	m.note("rewind %s to %d", name, k.handed)
}

// check holds every cursor to the identity and to the account.
func (m *model) check() {
	last := m.j.State().Last
	for name, k := range m.readers {
		s := k.c.State()
		sum := s.Delivered + s.Filtered + s.DeadLettered + s.Evicted + s.Quarantined + s.Pending
		if s.LastSeq-s.StartSeq != sum || s.LastSeq != last || s.Pending > s.LastSeq {
			m.failf("cursor %q does not add up: %+v", name, s)
		}
		if at := s.Settled(); at.Through-s.StartSeq != at.Delivered+at.Filtered+at.DeadLettered+at.Evicted+at.Quarantined {
			m.failf("cursor %q: what is settled does not add up: %+v", name, s)
		}
		if got := sumsOf(s); got != k.sums {
			m.failf("cursor %q says %+v, it was told %+v", name, got, k.sums)
		}
		if len(k.pending) > 0 && s.Acknowledged >= k.pending[0] {
			m.failf("cursor %q is at %d, but %d is in flight", name, s.Acknowledged, k.pending[0])
		}
		if !m.excused && s.Evicted+s.Quarantined > 0 {
			m.failf("cursor %q lost events without a cause: %+v", name, s)
		}
	}
	if !m.degraded && m.j.isDown() {
		m.degraded = true
	}
}

// restart ends the process in one of its ways and starts it again.
func (m *model) restart() {
	kind := m.r.IntN(10)
	switch {
	case kind < 4 && m.disk.broken == nil && !m.disk.readOnly:
		m.note("close")
		faulty := m.disk.countdown > 0 || m.disk.capacity > 0
		memory := m.j.isDown()
		for _, k := range m.readers {
			m.j.mu.Lock()
			k.unsure = k.unsure || faulty && k.c.dirty
			m.j.mu.Unlock()
		}
		err := m.j.Close()
		if err != nil && !m.excused && !faulty {
			m.failf("close: %v", err)
		}
		if faulty && err != nil && memory {
			m.excused = true
		}
		m.disk.killed, m.disk.countdown, m.disk.dead = false, 0, false
	case kind < 8 || m.gentle:
		m.note("kill")
		m.j.mu.Lock()
		for _, s := range m.j.segments {
			if s.memory != nil && s.last >= s.first {
				m.excused = true // memory ends with the process
			}
		}
		m.j.mu.Unlock()
		m.killed()
	default:
		m.note("power cut")
		m.excused = true
		m.drop()
		m.disk.powerCut()
		for _, k := range m.readers {
			k.unsure = true
		}
	}
	m.damage()
	m.start()
}

func (m *model) killed() {
	for _, k := range m.readers {
		k.c.j.mu.Lock()
		k.unsure = k.unsure || k.c.dirty || k.c.file.slots == nil
		k.c.j.mu.Unlock()
	}
	m.drop()
}

// damage is what may happen to the files of a journal that nobody has open.
func (m *model) damage() {
	if m.gentle {
		return
	}
	names := m.disk.segments()
	switch m.r.IntN(12) {
	case 0:
		if len(names) > 0 {
			name := names[m.r.IntN(len(names))]
			m.note("remove %s", name)
			delete(m.disk.names, name)
			m.excused = true
		}
	case 1:
		if len(names) > 0 {
			name := names[m.r.IntN(len(names))]
			m.rot(name)
		}
	case 2:
		name := []string{"a", "b/ü", "slow"}[m.r.IntN(3)]
		m.note("remove cursor %s", name)
		delete(m.disk.names, "/j/"+cursorFile(name))
		m.readers[name].unsure = true
		m.excused = true // the others are held by nothing now
	case 3:
		m.note("remove state")
		delete(m.disk.names, "/j/"+stateName)
		m.excused = true
	case 4:
		name := []string{"a", "b/ü", "slow"}[m.r.IntN(3)]
		if i := m.disk.names["/j/"+cursorFile(name)]; i != nil {
			m.note("damage cursor %s", name)
			clear(i.data)
			m.readers[name].unsure = true
			m.excused = true
		}
	}
}

func (m *model) rot(name string) {
	data := m.disk.names[name].data
	if len(data) == 0 {
		return
	}
	at := m.r.IntN(len(data))
	m.note("rot %s at %d of %d", name, at, len(data))
	data[at] ^= 1 << m.r.IntN(8)
	m.excused = true
}

func (m *model) step() {
	name := []string{"a", "a", "b/ü", "slow"}[m.r.IntN(4)]
	switch op := m.r.IntN(100); {
	case op < 30:
		m.append()
	case op < 55:
		m.read(name, m.r.IntN(20))
	case op < 75:
		m.advance(name)
	case op < 79:
		m.rewind(name)
	case op < 87:
		step := time.Duration(m.r.IntN(3000)) * time.Millisecond
		switch m.r.IntN(40) {
		case 0:
			step = 365 * 24 * time.Hour
		case 1:
			step = -365 * 24 * time.Hour
		case 2:
			step = time.Hour
		case 3:
			step = -time.Hour
		}
		m.now = m.now.Add(step)
		m.note("tick after %v", step)
		m.j.tick()
	case op < 90:
		m.faults()
	case op < 92 && m.excused && !m.gentle:
		if names := m.disk.segments(); len(names) > 0 {
			m.rot(names[m.r.IntN(len(names))])
		}
	case op < 95:
		m.restart()
	case op < 97:
		m.configure()
	default:
		m.note("release and claim %s", name)
		m.readers[name].c.Close()
		m.claim(name)
	}
	if m.disk.killed {
		m.note("killed in that")
		m.excused = m.excused || m.degraded
		m.killed()
		m.start()
	}
	m.check()
	if m.j.State().Evicted > 0 || m.full() {
		m.excused = true
	}
}

// full says whether a bound is near: then events may go rightly.
func (m *model) full() bool {
	s := m.j.State()
	return !m.gentle && (s.Bytes > m.opt.small.max/2 || s.MemoryBytes > 4<<10)
}

// configure takes other bounds and another policy, or syncs.
func (m *model) configure() {
	if m.r.IntN(2) == 0 {
		m.note("sync: %v", m.j.Sync())
		return
	}
	m.opt.Sync = []Sync{Always(), Never(), Interval(time.Second)}[m.r.IntN(3)]
	if !m.gentle {
		m.opt.small = &sizes{max: 24<<10 + int64(m.r.IntN(40<<10)), free: -1, segment: 2<<10 + int64(m.r.IntN(4<<10)), memory: 12 << 10, memPart: 3 << 10}
		m.excused = m.excused || m.j.State().Bytes > m.opt.small.max/4
	}
	m.note("configure %+v, sync %+v", *m.opt.small, m.opt.Sync)
	m.j.Configure(m.opt)
}

// faults sets or clears what is wrong with the disk.
func (m *model) faults() {
	d := m.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	switch m.r.IntN(7) {
	case 0:
		d.broken = []error{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS}[m.r.IntN(4)]
	case 1, 2:
		d.broken, d.capacity, d.readOnly = nil, 0, false
	case 3:
		d.countdown, d.fault, d.dead = 1+m.r.IntN(12), []error{syscall.EIO, syscall.ENOSPC}[m.r.IntN(2)], false
	case 4:
		d.countdown, d.fault, d.dead = 1+m.r.IntN(12), syscall.EIO, true
	case 5:
		if m.gentle {
			break
		}
		d.capacity = d.used() + int64(m.r.IntN(10<<10))
	case 6:
		d.allocates = !d.allocates
	}
	m.note("broken %v, countdown %d (kill %v), capacity %d, allocates %v", d.broken, d.countdown, d.dead, d.capacity, d.allocates)
}

// drain reads everything with a disk that works: nothing may be left over.
func (m *model) drain() {
	m.disk.broken, m.disk.capacity, m.disk.readOnly, m.disk.countdown = nil, 0, false, 0
	for range 200 {
		m.now = m.now.Add(time.Second)
		m.j.tick()
	}
	if m.j.isDown() {
		m.failf("the journal does not take up the disk again: %v", m.j.State().Degraded)
	}
	for name, k := range m.readers {
		m.rewind(name)
		for range 1000 {
			m.read(name, 0)
			if len(k.pending) == 0 {
				break
			}
			for len(k.pending) > 0 {
				m.advance(name)
			}
			m.check()
		}
		if s := k.c.State(); s.Pending != 0 {
			m.failf("cursor %q has %d pending after all was read: %+v", name, s.Pending, s)
		}
	}
	m.check()
	if err := m.j.Close(); err != nil {
		m.failf("close: %v", err)
	}
}

var modelRuns = flag.Int("model.runs", 300, "random histories that the model test goes through")

func TestModel(t *testing.T) {
	runs, steps := *modelRuns, 250
	if testing.Short() {
		runs = min(runs, 50)
	}
	for seed := range runs {
		m := newModel(t, uint64(seed))
		m.note("seed %d", seed)
		for range steps {
			m.step()
		}
		m.drain()
	}
}
