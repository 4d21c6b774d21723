// Package suppress is the gate that every event passes on its way out: the
// whitelist of addresses, and the folding of repeats into summaries.
//
// The first event of a key goes out at once; what repeats within the key's
// window becomes one summary when the window closes. A key that keeps
// repeating doubles its window, up to an hour; one that stays silent for a
// window is forgotten. Nothing disappears uncounted: the counts of all events
// and summaries that leave add up to what came in less what was suppressed.
package suppress

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"trailhound/agent/event"
)

// Bounds of a gate.
const (
	// MaxKeys is how many keys are followed at once. Events beyond it go out
	// one by one.
	MaxKeys = 50_000
	// MaxBytes bounds the repeats that are held for summaries, about. Beyond it
	// repeats of further keys go out one by one.
	MaxBytes = 64 << 20
	// MaxWindow ends the doubling of a key's window.
	MaxWindow = time.Hour
)

// Options of a gate.
type Options struct {
	// Whitelisted is the address test of the whitelist; nil: no whitelist.
	// Events of type DNS are exempt from it, since resolvers are listed.
	Whitelisted func(a netip.Addr) bool
	// Window is the first window of a key; 0 lets every event pass by itself.
	Window time.Duration
}

// Counts says what became of the events. Detected = Suppressed + Folded +
// Passed at any time.
type Counts struct {
	Detected   uint64 // events that came in
	Suppressed uint64 // taken out by the whitelist
	Folded     uint64 // repeats that became part of a summary
	Passed     uint64 // events that went out by themselves
	Summaries  uint64
	Unkeyed    uint64 // of Passed: not followed because MaxKeys or MaxBytes was reached

	Keys, Held int // followed at present; bytes held for summaries
}

// Gate is used by one goroutine. Its clock is the latest time of the events,
// until one is more than MaxWindow older: then a clock was set back, or one
// packet had a stamp from the future, and all windows are closed. Else they
// would stay open for as long as the step was.
type Gate struct {
	opt    Options
	counts Counts
	keys   map[key]*group
	due    schedule
	now    time.Time
	held   int // bytes of the events that summaries are made from
}

// key is what makes two detections the same: source, indicator (of a heuristic
// its display trail), code and info, hashed so that what is remembered of an
// event does not grow with what an attacker put into it.
type key [16]byte

func keyOf(e *event.Event) (k key) {
	h := sha256.New()
	src := e.Src.As16()
	h.Write(src[:])
	indicator := e.Indicator
	if indicator == "" {
		indicator = e.Trail
	}
	for _, text := range [...]string{indicator, string(e.Code), e.Info} {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(text)))
		h.Write(size[:])
		io.WriteString(h, text)
	}
	copy(k[:], h.Sum(nil))
	return k
}

// group is an open window of a key.
type group struct {
	key    key
	id     [16]byte
	window time.Duration
	start  time.Time
	number uint64 // of the window, from 0
	fold   fold
	at     int // place in the schedule
}

// New makes a gate.
func New(opt Options) *Gate { return &Gate{opt: opt, keys: make(map[key]*group)} }

// Counts gives the counts up to now.
func (g *Gate) Counts() Counts {
	c := g.counts
	c.Keys, c.Held = len(g.keys), g.held
	return c
}

// Configure changes the options. Without a window the open ones are closed;
// else a new window counts for keys that come from now on.
func (g *Gate) Configure(opt Options, out func(event.Event)) {
	if opt.Window <= 0 {
		g.Flush(out)
	}
	g.opt = opt
}

// Take lets an event through, folds it, or suppresses it. Windows that ended
// before it are closed first. Out gets what leaves, in order.
func (g *Gate) Take(e event.Event, out func(event.Event)) {
	g.counts.Detected++
	if g.opt.Whitelisted != nil && e.Type != event.DNS && (g.opt.Whitelisted(e.Src) || g.opt.Whitelisted(e.Dst)) {
		g.counts.Suppressed++
		return
	}
	if g.opt.Window <= 0 {
		g.counts.Passed++
		out(e)
		return
	}
	if g.now.Sub(e.Time) > MaxWindow && !g.now.IsZero() {
		g.Flush(out)
		g.now = e.Time
	}
	g.Advance(e.Time, out)
	k := keyOf(&e)
	if open, ok := g.keys[k]; ok {
		if open.fold.count == 0 {
			size := e.Size()
			if g.held+size > MaxBytes {
				g.counts.Passed++
				g.counts.Unkeyed++
				e.Aggregate.ID = open.id
				out(e)
				return
			}
			g.held += size
		}
		g.counts.Folded++
		open.fold.add(&e)
		return
	}
	g.counts.Passed++
	if len(g.keys) >= MaxKeys {
		g.counts.Unkeyed++
		out(e)
		return
	}
	open := &group{key: k, id: e.ID, window: g.opt.Window, start: g.now}
	g.keys[k] = open
	heap.Push(&g.due, open)
	e.Aggregate.ID = e.ID
	out(e)
}

// Advance moves the clock and closes the windows that have ended.
func (g *Gate) Advance(now time.Time, out func(event.Event)) {
	if !now.After(g.now) {
		return
	}
	g.now = now
	for len(g.due) > 0 && !g.due[0].end().After(now) {
		open := g.due[0]
		if open.fold.count == 0 {
			heap.Pop(&g.due)
			delete(g.keys, open.key)
			continue
		}
		g.summarise(open, out)
		// The next window starts where this one ended. When it has ended before
		// now, too, nothing came in it, and the key is forgotten above: what
		// comes back after a long silence goes out at once.
		open.start = open.end()
		open.window = min(2*open.window, MaxWindow)
		heap.Fix(&g.due, open.at)
	}
}

// Flush closes all windows, in the order of their ends: at the end of the
// input.
func (g *Gate) Flush(out func(event.Event)) {
	for len(g.due) > 0 {
		open := heap.Pop(&g.due).(*group)
		delete(g.keys, open.key)
		if open.fold.count > 0 {
			g.summarise(open, out)
		}
	}
}

func (g *Gate) summarise(open *group, out func(event.Event)) {
	e := open.fold.summary()
	e.Aggregate.ID = open.id
	open.number++
	// The id follows from the first event's, so a repeated replay gives the
	// same ids and the summary of a crash is not stored twice.
	e.ID = event.ReplayID(sha256.Sum256(open.id[:]), open.number, e.Code, 0)
	g.held -= open.fold.first.Size()
	open.fold = fold{}
	g.counts.Summaries++
	out(e)
}

func (o *group) end() time.Time { return o.start.Add(o.window) }

// schedule is a heap of groups by the end of their windows; equal ends keep
// the order of ids, so that replays agree.
type schedule []*group

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	a, b := s[i].end(), s[j].end()
	if a.Equal(b) {
		return string(s[i].id[:]) < string(s[j].id[:])
	}
	return a.Before(b)
}
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].at, s[j].at = i, j
}
func (s *schedule) Push(x any) {
	g := x.(*group)
	g.at = len(*s)
	*s = append(*s, g)
}
func (s *schedule) Pop() any {
	old := *s
	g := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	return g
}
