package suppress

import (
	"container/heap"
	"crypto/sha256"
	"slices"
	"time"

	"trailhound/agent/event"
)

// Bounds of what is followed for an outcome, beside those of the gate. What is
// beyond has none.
const (
	// FollowUp is how long the answer to an event is waited for when events are
	// not folded.
	FollowUp = time.Minute
	// MaxFollowed bounds the first events that are held for a follow-up, about
	// (bytes).
	MaxFollowed = 32 << 20
	// maxAbout is of how many conversations a key is at once, maxConversations of
	// how many all are together.
	maxAbout         = 8
	maxConversations = 1 << 16
	// answerQuiet is how long after an answer a worker tells of no other.
	answerQuiet = time.Second
	// answerGrace is how long before the end of a window, or of all, an event must
	// lie for silence to mean something.
	answerGrace = 5 * time.Second
	// proofHolds is how old the last answer on an interface may be for silence to
	// mean something: routes change. The workers look for one six times as often.
	proofHolds = time.Hour
	// maxProofs bounds the interfaces of which that is known, maxOn those of one
	// key.
	maxProofs = 4096
	maxOn     = 4
)

// outcome is what is known of the answers to the events of a key.
type outcome struct {
	about  []event.Conversation // that its events are about, oldest first
	answer event.Answer         // the one that says most, of the present window
	asked  time.Time            // when the last event with a conversation came
	on     []string             // the interfaces that they were seen on
	lost   bool                 // an answer may have been missed
	told   bool                 // the outcome of a window was: what comes next begins anew
	// first is the first event, until its outcome is told. Size is its memory.
	first *event.Event
	size  int
}

// Await is how long the workers are to wait for the answer to an event (time of
// packets); 0: not at all.
func (g *Gate) Await() time.Duration {
	switch {
	case !g.opt.Outcomes:
		return 0
	case g.opt.Window > 0:
		return g.opt.Window
	}
	return FollowUp
}

// Answer takes what a worker saw of a conversation.
func (g *Gate) Answer(a event.Answer, out func(event.Event)) {
	if !g.opt.Outcomes {
		return
	}
	if a.Proof() {
		if a.Outcome == event.OutcomeUnknown {
			g.Missed()
		} else {
			g.proven(a.Interface, a.Time)
		}
		return
	}
	for i := 0; i < len(g.about[a.Conversation]); {
		open := g.about[a.Conversation][i]
		o := &open.outcome
		if o.hear(&a, open.start); a.Outcome != event.OutcomeUnknown && len(o.on) == 1 {
			g.proven(o.on[0], a.Time)
		}
		if open.single && o.answer.Outcome != event.OutcomeNone {
			heap.Remove(&g.due, open.at)
			g.closed(open, out) // leaves the list
			continue
		}
		i++
	}
}

// proven notes that answers are seen on an interface.
func (g *Gate) proven(on string, at time.Time) {
	if last, ok := g.proofs[on]; ok && !at.After(last) && last.Sub(at) <= MaxWindow {
		return
	}
	if _, ok := g.proofs[on]; !ok && len(g.proofs) >= maxProofs { // names that came and went
		for name, last := range g.proofs {
			if at.Sub(last) > proofHolds {
				delete(g.proofs, name)
			}
		}
		if len(g.proofs) >= maxProofs {
			return
		}
	}
	g.proofs[on] = at
}

// twoWay says whether answers are seen wherever the last events of a key were.
func (g *Gate) twoWay(o *outcome) bool {
	for _, on := range o.on {
		if last, ok := g.proofs[on]; !ok || o.asked.Sub(last) > proofHolds {
			return false
		}
	}
	return true
}

// Missed says that answers were lost on their way: silence means nothing for what
// is open.
func (g *Gate) Missed() {
	for _, open := range g.due {
		open.outcome.lost = true
	}
}

// hear notes an answer: one of this window goes before one of the last, a better
// one before others, and of equals the latest.
func (o *outcome) hear(a *event.Answer, start time.Time) {
	if a.Outcome == event.OutcomeUnknown {
		o.lost = true
		return
	}
	stale := o.answer.Outcome == event.OutcomeNone || o.answer.Time.Before(start.Add(-answerQuiet))
	if !stale && rank(a.Outcome) < rank(o.answer.Outcome) {
		return
	}
	status := o.answer.Status
	o.answer = *a
	if a.Status == 0 && !stale {
		o.answer.Status = status
	}
}

func rank(o event.Outcome) int {
	switch o {
	case event.Answered:
		return 2
	case event.Refused:
		return 1
	}
	return 0
}

// follow notes what an event of a key is about.
func (g *Gate) follow(open *group, e *event.Event) {
	if !g.opt.Outcomes {
		return
	}
	o := &open.outcome
	if e.Outcome != event.OutcomeNone {
		o.hear(&event.Answer{Outcome: e.Outcome, Time: e.Time, RCode: e.DNS.RCode, HasRCode: e.DNS.HasRCode, Answers: e.DNS.Answers, Status: e.HTTP.Status}, open.start)
		return
	}
	c, ok := event.ConversationOf(e)
	if !ok {
		return
	}
	if o.told {
		o.told, o.lost, o.on = false, false, o.on[:0]
	}
	o.asked = e.Time
	if !slices.Contains(o.on, e.Interface) {
		if len(o.on) < maxOn {
			o.on = append(o.on, e.Interface)
		} else {
			o.lost = true
		}
	}
	for _, known := range o.about {
		if known == c {
			return
		}
	}
	if len(o.about) == maxAbout {
		g.unfollow(open, 0)
		o.lost = true
	}
	if g.conversations >= maxConversations {
		o.lost = true
		return
	}
	g.conversations++
	o.about = append(o.about, c)
	g.about[c] = append(g.about[c], open)
}

// hold keeps the first event of a key for a follow-up, or for its outcome.
func (g *Gate) hold(open *group, e *event.Event) {
	o := &open.outcome
	if e.Severity < g.opt.FollowUps && !(g.opt.Hold && !open.many) {
		return
	}
	if size := e.Size(); len(o.about) > 0 && g.followed+size <= MaxFollowed {
		first := *e
		o.first, o.size = &first, size
		g.followed += size
	}
}

// drop lets the first event go.
func (g *Gate) drop(open *group) {
	g.followed -= open.outcome.size
	open.outcome.first, open.outcome.size = nil, 0
}

// unfollow forgets the n-th conversation of a key.
func (g *Gate) unfollow(open *group, n int) {
	o := &open.outcome
	c := o.about[n]
	o.about = append(o.about[:n], o.about[n+1:]...)
	g.conversations--
	list := g.about[c]
	for i, other := range list {
		if other == open {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if len(list) == 0 {
		delete(g.about, c)
	} else {
		g.about[c] = list
	}
}

// followUp makes the event that tells the outcome of the first event of a key
// that did not repeat, when there is one to tell. It stands for no detection.
func (g *Gate) followUp(open *group, out func(event.Event)) {
	o := &open.outcome
	if o.first == nil || !g.opt.Outcomes {
		return
	}
	e := *o.first
	g.result(open, &e, true)
	if g.settle(open, &e, out) || !g.news(&e) {
		return
	}
	e.Aggregate = event.Aggregate{ID: open.id, Summary: true}
	open.number++
	e.ID = event.ReplayID(sha256.Sum256(open.id[:]), open.number, e.Code, 1)
	g.counts.FollowUps++
	g.leave(e, out)
}

// news says whether an outcome is worth a follow-up.
func (g *Gate) news(e *event.Event) bool {
	switch e.Outcome {
	case event.Answered:
		return e.Severity >= g.opt.FollowUps
	case event.Refused, event.Attempted: // an attack that got nowhere is none
		return e.Severity >= g.opt.FollowUps && e.Direction != event.Inbound
	}
	return false
}

// tells sets the outcome of a summary, which is then told for the first event,
// too.
func (g *Gate) tells(open *group, e *event.Event, last bool, out func(event.Event)) {
	o := &open.outcome
	g.result(open, e, last)
	o.told = e.Outcome != event.OutcomeNone
	if e.Outcome <= event.OutcomeUnknown {
		return
	}
	if open.waiter != nil && o.first != nil {
		first := *o.first
		g.result(open, &first, last)
		g.settle(open, &first, out)
	}
	g.drop(open)
}

// result sets the outcome of an event that tells of a window. That nothing came
// back means something only when time was left for an answer, and answers are
// seen here at all. What there was no time for the next window tells, unless this
// is the last.
func (g *Gate) result(open *group, e *event.Event, last bool) {
	o := &open.outcome
	a := &o.answer
	if a.Outcome != event.OutcomeNone && !a.Time.Before(open.start.Add(-answerQuiet)) {
		e.Outcome = a.Outcome
		if a.HasRCode && e.DNS.Question != "" {
			e.DNS.RCode, e.DNS.HasRCode, e.DNS.Answers = a.RCode, true, a.Answers
		}
		if a.Status != 0 && e.Application == "http" {
			e.HTTP.Status = a.Status
		}
		return
	}
	until := open.end()
	if g.now.Before(until) {
		until = g.now
	}
	short := until.Sub(o.asked) < min(answerGrace, open.window/2)
	switch {
	case o.asked.IsZero() || short && !last:
		e.Outcome = event.OutcomeNone
	case short || o.lost || !g.twoWay(o):
		e.Outcome = event.OutcomeUnknown
	default:
		e.Outcome = event.Attempted
	}
}

// closed forgets a key whose window closed without a repeat; it is out of the
// schedule already.
func (g *Gate) closed(open *group, out func(event.Event)) {
	delete(g.keys, open.key)
	g.followUp(open, out)
	for len(open.outcome.about) > 0 {
		g.unfollow(open, len(open.outcome.about)-1)
	}
	g.drop(open)
	g.settle(open, nil, out)
}

// single follows an event that is not folded, as all are without windows.
func (g *Gate) single(e event.Event, out func(event.Event)) {
	g.counts.Passed++
	if _, ok := event.ConversationOf(&e); !ok || len(g.keys) >= MaxKeys {
		g.leave(e, out)
		return
	}
	e.Aggregate.ID = e.ID
	open := &group{key: key(e.ID), id: e.ID, window: FollowUp, start: g.now, single: true}
	if g.keys[open.key] != nil { // an id twice: there is no following that
		g.leave(e, out)
		return
	}
	g.keys[open.key] = open
	g.follow(open, &e)
	g.hold(open, &e)
	g.schedule(open)
	g.first(open, e, out)
}
