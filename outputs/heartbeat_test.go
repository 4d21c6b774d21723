package outputs

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// entry is what a receiver has of an event, and what it says when it is a
// heartbeat.
type entry struct {
	id   [16]byte
	seq  uint64
	beat *telling
}

type telling struct {
	from, through, delivered uint64
	others                   uint64 // filtered, refused, evicted, quarantined
}

func tellingOf(e *event.Event) *telling {
	if e.Code != event.HealthHeartbeat {
		return nil
	}
	var b telling
	for _, m := range e.Health.Measures {
		switch m.Name {
		case "output_from_seq":
			b.from = uint64(m.Value)
		case "output_through_seq":
			b.through = uint64(m.Value)
		case "output_delivered":
			b.delivered = uint64(m.Value)
		case "output_filtered", "output_dead_letters", "output_evicted", "output_quarantined":
			b.others += uint64(m.Value)
		}
	}
	return &b
}

// holes is the query of docs/journal.md over what arrived, and nothing else:
// ranges of which something is missing, and ranges that no heartbeat tells of.
// It also gives how far the heartbeats reach.
func holes(all []entry) (missing []telling, through uint64) {
	last := uint64(0)
	for i := range all {
		last = max(last, all[i].seq)
	}
	arrived := make([]uint64, last+2) // up to each number
	var beats []*telling
	for i := range all {
		arrived[all[i].seq] = 1
		if all[i].beat != nil {
			beats = append(beats, all[i].beat)
		}
	}
	for i := 1; i < len(arrived); i++ {
		arrived[i] += arrived[i-1]
	}
	upTo := func(seq uint64) uint64 { return arrived[min(seq, last+1)] }
	slices.SortStableFunc(beats, func(a, b *telling) int { return int(a.through) - int(b.through) })
	for _, b := range beats {
		if b.from > through+1 {
			missing = append(missing, telling{from: through + 1, through: b.from - 1})
		}
		if b.through >= b.from && upTo(b.through)-upTo(b.from-1) < b.delivered {
			missing = append(missing, *b)
		}
		through = max(through, b.through)
	}
	return missing, through
}

// A lifeline is a sensor with one output through reloads, restarts and kills,
// and the receiver behind it.
type lifeline struct {
	t   *testing.T
	r   *rand.Rand
	dir string // of the journal; another one after each kill

	j      *journal.Journal
	cursor *journal.Cursor
	d      *Delivery
	cancel context.CancelFunc

	made uint64 // events

	// The receiver.
	mu        sync.Mutex
	luck      *rand.Rand
	firstWins bool // a second event with an id is not taken, as by Elasticsearch
	has       map[[16]byte]bool
	got       []entry
	down      bool
	kill      bool   // in the next Send
	killed    string // directory as the kill left it
	seen      struct{ kills, midway, lost, evicted, dead, filtered int }
}

func (l *lifeline) open() {
	l.j = journal.Open(journal.Options{Path: l.dir, MaxSize: 1 << 20, MinFree: -1})
	if err := l.j.State().Degraded; err != nil {
		l.t.Fatal(err)
	}
	l.start()
}

func (l *lifeline) start() {
	c, err := l.j.Cursor("out", journal.CursorOptions{FromStart: true})
	if err != nil {
		l.t.Fatal(err)
	}
	set := settings()
	set.Batch = 1 + l.r.IntN(40)
	set.Filter.Severity = event.Medium
	l.cursor, l.d = c, NewDelivery("out", "test", l, c, set, nil, nil, quiet())
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(l.t.Context())
	go l.d.Run(ctx)
}

// stop ends the loop as a reload does.
func (l *lifeline) stop() {
	l.cancel()
	<-l.d.Done()
	l.d.Close()
	l.cursor.Close()
}

// end closes the journal too, as a restart does.
func (l *lifeline) end() {
	l.stop()
	if err := l.j.Close(); err != nil {
		l.t.Fatal(err)
	}
}

// Send is the receiver's. Some answers are lost on the way back.
func (l *lifeline) Send(ctx context.Context, batch []event.Event) (Result, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down || l.killed != "" {
		return Result{}, errors.New("connection refused")
	}
	fate := l.luck.IntN(12)
	until := len(batch)
	if l.kill || fate < 2 {
		until = l.luck.IntN(len(batch) + 1)
	}
	r := Result{Outcomes: make([]Outcome, len(batch)), Reasons: map[int]string{}}
	for i := range batch[:until] {
		e := &batch[i]
		if strings.HasSuffix(e.Trail, "refused") {
			r.Outcomes[i] = Rejected
			l.seen.dead++
			continue
		}
		r.Outcomes[i] = Delivered
		if l.firstWins && l.has[e.ID] {
			continue
		}
		l.has[e.ID] = true
		l.got = append(l.got, entry{e.ID, e.Seq, tellingOf(e)})
	}
	if l.kill {
		l.kill, l.killed = false, l.photograph()
		l.seen.midway++
		return Result{}, errors.New("killed")
	}
	if fate == 2 {
		l.seen.lost++
		return Result{}, errors.New("the answer is lost")
	}
	return r, nil
}

func (l *lifeline) Check(context.Context) error { return nil }
func (l *lifeline) Limits() Limits              { return Limits{} }
func (l *lifeline) Guarantee() Guarantee        { return Acknowledged }
func (l *lifeline) Close() error                { return nil }

// photograph copies the journal as it is now: what a process that is killed here
// leaves behind.
func (l *lifeline) photograph() string {
	to, err := os.MkdirTemp(filepath.Dir(l.dir), "life")
	if err != nil {
		l.t.Error(err)
	}
	list, err := os.ReadDir(l.dir)
	for _, f := range list {
		text, e := os.ReadFile(filepath.Join(l.dir, f.Name()))
		if errors.Is(e, fs.ErrNotExist) {
			continue // the journal gives up its oldest segment at this moment, or makes a spare one
		}
		err = errors.Join(err, e, os.WriteFile(filepath.Join(to, f.Name()), text, 0o644))
	}
	if err != nil {
		l.t.Error(err)
	}
	return to
}

// resurrect goes on from a photograph.
func (l *lifeline) resurrect(dir string) {
	l.seen.kills++
	l.set(func() { l.killed = dir }) // whatever the old one sends now never arrives
	l.end()
	os.RemoveAll(l.dir)
	l.dir, l.killed = dir, ""
	l.open()
}

func (l *lifeline) event(code event.Code) event.Event {
	l.made++
	e := event.Event{Code: code, Type: event.DNS, Severity: event.Medium, Time: time.Now()}
	if code == event.HealthHeartbeat {
		e = event.NewHealth(time.Now(), code, "alive", event.HealthFacts{State: event.Metric})
	}
	binary.BigEndian.PutUint64(e.ID[:], l.made)
	return e
}

// append adds events, of which some are not for this output, some will be
// refused, and some are heartbeats.
func (l *lifeline) append(n, text int) {
	var batch []event.Event
	for range n {
		e := l.event(event.TrailDNS)
		e.Trail = strings.Repeat("x", l.r.IntN(text+1))
		switch l.r.IntN(10) {
		case 0:
			e.Severity = event.Low
			l.seen.filtered++
		case 1:
			e.Trail += "refused"
		case 2:
			e = l.event(event.HealthHeartbeat)
		}
		batch = append(batch, e)
	}
	l.j.Append(batch)
}

// set changes what the receiver does.
func (l *lifeline) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// photo is the directory as a kill has left it; empty: nobody was killed.
func (l *lifeline) photo() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.killed
}

// settle lets everything happen that can.
func (l *lifeline) settle() {
	for l.d.State().Pending > 0 && l.photo() == "" {
		synctest.Wait()
		time.Sleep(time.Second)
	}
	synctest.Wait()
}

func (l *lifeline) step() {
	switch l.r.IntN(12) {
	default:
		l.append(1+l.r.IntN(30), 200)
		if l.r.IntN(2) == 0 {
			l.settle()
		}
	case 0, 1:
		l.stop()
		l.start()
	case 2:
		l.end()
		l.open()
	case 3:
		synctest.Wait()
		l.resurrect(l.photograph())
	case 4, 5, 6:
		l.set(func() { l.kill = true })
		l.append(1+l.r.IntN(60), 200)
		l.settle()
		l.set(func() { l.kill = false })
		if dir := l.photo(); dir != "" {
			l.resurrect(dir)
		}
	case 7:
		l.settle() // what arrived without an answer, and is given up then, would count as neither
		l.set(func() { l.down = true })
		before := l.d.State().Evicted
		for range 80 {
			l.append(10, 4<<10)
			synctest.Wait()
		}
		time.Sleep(3 * time.Second)
		if l.r.IntN(2) == 0 {
			synctest.Wait()
			l.resurrect(l.photograph())
		}
		l.set(func() { l.down = false })
		l.settle()
		l.seen.evicted += int(l.d.State().Evicted - before)
	}
}

// TestHeartbeatsOverLives goes through random histories of a sensor and asks
// the query over what arrived: it finds each event that is taken away, and
// nothing when none is.
func TestHeartbeatsOverLives(t *testing.T) {
	var kills, midway, lost, evicted, dead, filtered int
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			l := &lifeline{t: t, r: rand.New(rand.NewPCG(seed, 3)), luck: rand.New(rand.NewPCG(seed, 4)), dir: filepath.Join(t.TempDir(), "journal"),
				firstWins: seed%2 == 0, has: map[[16]byte]bool{}}
			l.open()
			for range 25 {
				l.step()
			}
			l.settle()
			l.j.Append([]event.Event{l.event(event.HealthHeartbeat)})
			l.settle()
			s := l.d.State()
			l.end()
			missing, through := holes(l.got)
			if len(missing) > 0 || through != s.LastSeq-1 {
				t.Fatalf("seed %d: nothing is missing, and the query says %+v; it reaches to %d of %d", seed, missing, through, s.LastSeq)
			}
			for i := range l.got {
				if b := l.got[i].beat; b != nil && b.delivered+b.others != b.through+1-b.from {
					t.Errorf("seed %d: number %d says %+v, which does not add up", seed, l.got[i].seq, *b)
				}
			}
			step := uint64(1) // each of them takes a look at all that arrived
			if seed > 2 {
				step = 17
			}
			for seq := 1 + seed%step; seq <= through; seq += step {
				gone := slices.DeleteFunc(slices.Clone(l.got), func(e entry) bool { return e.seq == seq })
				if missing, _ := holes(gone); len(gone) < len(l.got) && len(missing) == 0 {
					t.Errorf("seed %d: number %d is gone, and nobody knows", seed, seq)
				}
			}
			n := l.seen
			kills, midway, lost, evicted, dead, filtered = kills+n.kills, midway+n.midway, lost+n.lost, evicted+n.evicted, dead+n.dead, filtered+n.filtered
		})
	}
	t.Logf("%d kills, %d of them in Send; %d answers lost; %d evicted, %d refused, %d filtered", kills, midway, lost, evicted, dead, filtered)
	if midway == 0 || kills == midway || lost == 0 || evicted == 0 || dead == 0 || filtered == 0 {
		t.Error("something was not tried")
	}
}

// A heartbeat that could not be delivered tells nothing: the next one that is
// tells of the range too.
func TestHeartbeatRefused(t *testing.T) {
	from := newTape(t, 9)
	for _, n := range []int{2, 5, 8} {
		from.events[n].Code = event.HealthHeartbeat
	}
	var beats []telling
	to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
		r := AllDelivered(len(batch))
		for i := range batch {
			if b := tellingOf(&batch[i]); b != nil {
				beats = append(beats, *b)
				if batch[i].Seq == 6 {
					r.Outcomes[i] = Rejected
				}
			}
		}
		return r, nil
	}}
	NewDelivery("x", "test", to, from, settings(), nil, nil, quiet()).Run(t.Context())
	if want := []telling{{1, 2, 2, 0}, {3, 5, 3, 0}, {3, 8, 5, 1}}; !slices.Equal(beats, want) {
		t.Errorf("%+v, want %+v", beats, want)
	}
}

// TestHeartbeatOfEachOutput: outputs that lead to one index, which keeps the
// first document of an id, do not take each other's heartbeats away; each copy
// names its output, and is the same when it is sent again.
func TestHeartbeatOfEachOutput(t *testing.T) {
	index := map[[16]byte]event.Event{}
	beat := event.NewHealth(time.Now(), event.HealthHeartbeat, "alive", event.HealthFacts{State: event.Metric})
	for _, name := range []string{"elk", "elk-high", "elk"} { // the last: after a restart
		from := newTape(t, 5)
		id, seq := beat.ID, from.events[4].Seq
		from.events[4] = beat
		from.events[4].Seq = seq
		tries := 0
		to := &receiver{answer: func(_ context.Context, batch []event.Event) (Result, error) {
			r := AllDelivered(len(batch))
			for i := range batch {
				e := batch[i]
				if e.Code != event.HealthHeartbeat {
					continue
				}
				if tries++; tries == 1 {
					r.Outcomes[i] = Retry
				}
				if was, ok := index[e.ID]; ok && was.Health.Cause != name {
					t.Errorf("the copies of %s and %s have one id", was.Health.Cause, name)
				}
				if e.Health.Cause != name || e.ID == id || [8]byte(e.ID[:8]) != [8]byte(id[:8]) || e.ID[8]>>6 != 2 {
					t.Errorf("%s has %x, %q of %x", name, e.ID, e.Health.Cause, id)
				}
				index[e.ID] = e
			}
			return r, nil
		}}
		synctest.Test(t, func(t *testing.T) {
			NewDelivery(name, "test", to, from, settings(), nil, nil, quiet()).Run(t.Context())
		})
		if tries != 2 || from.events[4].ID != id {
			t.Errorf("%d tries; the journal's id is %x", tries, from.events[4].ID)
		}
	}
	if len(index) != 2 {
		t.Errorf("%d heartbeats arrived", len(index))
	}
}
