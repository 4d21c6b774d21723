// Package suppress is the gate that every event passes on its way out: the
// operator's rules, the whitelist of addresses, and the folding of repeats into
// summaries.
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
	// Ignore are the reference's ignore rules; nil: none.
	Ignore *Ignore
	// Rules are the operator's; nil: none. They are judged by the time of the
	// event.
	Rules *Set
	// Whitelisted is the address test of the whitelist; nil: no whitelist.
	// Events of type DNS are exempt from it, since resolvers are listed.
	Whitelisted func(a netip.Addr) bool
	// Window is the first window of a key; 0 lets every event pass by itself.
	Window time.Duration
	// Inbound, when not 0, is the window of inbound events of low severity, at
	// most MaxWindow. All that a source does under one code is then one key,
	// whatever trail it met: the Internet's scanners are told once per window.
	Inbound time.Duration
	// Outcomes says whether summaries tell if what they are about was answered, and
	// a follow-up does for what did not repeat: an event that stands for no
	// detection (count 0), with the first event's aggregate.
	Outcomes bool
	// FollowUps is the least severity of what has follow-ups; NoFollowUps: nothing
	// has. Of what came from outside only an answer is news.
	FollowUps event.Severity
	// Hold has first events wait for their outcome, for when no one waits for
	// them: they carry it, and there are no follow-ups but of those that found no
	// room to wait, or that began a window of inbound events.
	Hold bool
}

// NoFollowUps is above every severity.
const NoFollowUps = event.High + 1

// Counts says what became of the events. Detected = Suppressed + Folded +
// Passed at any time, and Suppressed = Ignored + Ruled + Whitelisted. What left
// is Passed + Summaries + FollowUps, less Waiting.
type Counts struct {
	Detected   uint64 // events that came in
	Suppressed uint64 // taken out
	Folded     uint64 // repeats that became part of a summary
	Passed     uint64 // events that went out by themselves
	Summaries  uint64
	FollowUps  uint64 // events that tell an outcome and stand for no detection
	Withheld   uint64 // follow-ups that did not go out, since there were too many
	Unkeyed    uint64 // of Passed: not followed because MaxKeys or MaxBytes was reached

	Ignored     uint64 // suppressed by the ignore rules
	Ruled       uint64 // suppressed by a rule; Set.List says by which
	Whitelisted uint64 // suppressed by the whitelist
	Local       uint64 // of what was not suppressed: kept local by a rule
	Lowered     uint64 // of what was not suppressed: lowered by a rule
	Restored    uint64 // repeats of an earlier run, from a checkpoint; in summaries, not in Folded

	// Outcomes counts what left with an outcome: first events, summaries and
	// follow-ups. That of OutcomeNone stays 0.
	Outcomes [event.NumOutcomes]uint64

	Keys, Held int // followed at present; bytes held for summaries, follow-ups and outcomes
	Waiting    int // of Passed and Summaries: held back by Options.Hold
}

// Gate is used by one goroutine. Its clock is the latest time that it was told, by
// events or by Advance, until one is more than MaxWindow older: then a clock was set
// back, or one packet had a stamp from the future, and all windows are closed. Else
// they would stay open for as long as the step was.
type Gate struct {
	opt    Options
	counts Counts
	keys   map[key]*group
	due    schedule
	now    time.Time
	held   int    // bytes of the events that summaries are made from
	came   uint64 // how many groups came

	proofs        map[string]time.Time // when answers were last seen, by interface
	line          line                 // what waits to leave
	about         map[event.Conversation][]*question
	asking        []*question // of one answer, for the time being
	conversations int         // in all of about's lists
	followed      int         // bytes of first events
	quota         quota
}

// group is an open window of a key.
type group struct {
	key    key
	id     [16]byte
	window time.Duration
	start  time.Time
	number uint64 // of the window, from 0
	many   bool   // it is of several trails
	single bool   // it is of one event, which is only followed
	fold   fold
	at     int    // place in the schedule
	came   uint64 // its number among all of this run, from 1; 0: from a checkpoint

	outcome outcome
	waiter  *waiter // the first event, while it waits
}

// New makes a gate.
func New(opt Options) *Gate {
	return &Gate{opt: opt, keys: make(map[key]*group), about: make(map[event.Conversation][]*question), proofs: make(map[string]time.Time)}
}

// Counts gives the counts up to now.
func (g *Gate) Counts() Counts {
	c := g.counts
	c.Keys, c.Held, c.Waiting = len(g.keys), g.held+g.followed+g.line.size, len(g.line.events)
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
	if !g.admit(&e) {
		g.counts.Suppressed++
		return
	}
	if g.opt.Window <= 0 && !g.opt.Outcomes {
		g.counts.Passed++
		g.leave(&e, out)
		return
	}
	g.Advance(e.Time, out)
	if g.opt.Window <= 0 {
		g.single(e, out)
		return
	}
	many := g.opt.Inbound > 0 && e.Direction == event.Inbound && e.Severity == event.Low
	k := keyOf(&e, many)
	if open, ok := g.keys[k]; ok {
		if !g.fold(open, &e) {
			g.counts.Passed++
			g.counts.Unkeyed++
			e.Aggregate.ID = open.id
			g.leave(&e, out)
			return
		}
		g.counts.Folded++
		g.follow(open, &e)
		return
	}
	g.counts.Passed++
	if len(g.keys) >= MaxKeys {
		g.counts.Unkeyed++
		g.leave(&e, out)
		return
	}
	open := &group{key: k, id: e.ID, window: g.opt.Window, start: g.now, many: many}
	if many {
		open.window = min(g.opt.Inbound, MaxWindow)
	}
	g.keys[k] = open
	g.follow(open, &e)
	e.Aggregate.ID = e.ID
	g.hold(open, &e)
	g.schedule(open)
	g.first(open, &e, out)
}

// schedule puts a new group where its window will close.
func (g *Gate) schedule(open *group) {
	g.came++
	open.came = g.came
	heap.Push(&g.due, open)
}

// admit says whether the event is not suppressed, and lets the rule that
// decides about it mark it.
func (g *Gate) admit(e *event.Event) bool {
	if g.opt.Ignore.Match(e) {
		g.counts.Ignored++
		return false
	}
	rule := g.opt.Rules.decide(e)
	if rule != nil {
		rule.hit(e.Time)
		if rule.action == drop {
			g.counts.Ruled++
			return false
		}
	}
	// What an answer holds is not the resolver's: everybody's is on the list.
	if g.opt.Whitelisted != nil && e.Type != event.DNS && e.Code != event.TrailIPAnswer && (g.opt.Whitelisted(e.Src) || g.opt.Whitelisted(e.Dst)) {
		g.counts.Whitelisted++
		return false
	}
	if rule != nil && rule.mark(e) {
		if rule.action == local {
			g.counts.Local++
		} else {
			g.counts.Lowered++
		}
	}
	return true
}

// fold makes an event part of an open window's summary. It does not when there
// is no room for the first repeat.
func (g *Gate) fold(open *group, e *event.Event) bool {
	before := open.fold.size
	if open.fold.agg.Count == 0 && g.held+e.Size() > MaxBytes {
		return false
	}
	open.fold.add(e)
	if open.many {
		open.fold.addTrail(e.Trail, MaxBytes-g.held-(open.fold.size-before))
	}
	g.held += open.fold.size - before
	return true
}

// Advance moves the clock and closes the windows that have ended; all of them, when
// the clock was set back.
func (g *Gate) Advance(now time.Time, out func(event.Event)) {
	if g.now.Sub(now) > MaxWindow && !g.now.IsZero() {
		g.Flush(out)
		g.now = now
	}
	if !now.After(g.now) {
		return
	}
	g.now = now
	for len(g.due) > 0 && !g.due[0].end().After(now) {
		open := g.due[0]
		if open.fold.agg.Count == 0 {
			heap.Pop(&g.due)
			g.closed(open, out)
			continue
		}
		g.summarise(open, false, out)
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
		if open.fold.agg.Count > 0 {
			g.summarise(open, true, out)
		}
		g.closed(open, out)
	}
}

// summarise makes the event of the repeats. The last one is that of a key that is
// forgotten.
func (g *Gate) summarise(open *group, last bool, out func(event.Event)) {
	e := open.fold.summary(open.id)
	if g.opt.Outcomes {
		g.tells(open, &e, last, out)
	}
	open.number++
	// The id follows from the first event's, so a repeated replay gives the
	// same ids and the summary of a crash is not stored twice.
	e.ID = event.ReplayID(sha256.Sum256(open.id[:]), open.number, e.Code, 0)
	g.held -= open.fold.size
	open.fold = fold{}
	g.counts.Summaries++
	g.leave(&e, out)
}
