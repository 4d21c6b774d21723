package suppress

import (
	"container/heap"
	"crypto/sha256"
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
	// how many all are together. No more than maxAsking keys wait for the answer
	// of one conversation.
	maxAbout         = 8
	maxConversations = 1 << 16
	maxAsking        = 256
	// answerGrace is how long after an event silence means something.
	answerGrace = 5 * time.Second
	// proofHolds is how old the last answer on an interface may be for silence to
	// mean something: routes change. The workers look for one six times as often.
	proofHolds = time.Hour
	// maxProofs bounds the interfaces of which that is known, maxOn those of one
	// key.
	maxProofs = 4096
	maxOn     = 4
)

// outcome is what is known of the answers to the events of a key in the present
// window.
type outcome struct {
	about  []*question  // what its events wait for, oldest first
	answer event.Answer // the one that says most
	since  time.Time    // when the first event came that waits; zero: none does
	asked  time.Time    // when the last one did
	on     []string     // the interfaces that they were seen on
	lost   bool         // an answer may have been missed
	told   bool         // an outcome was, of the window before
	// first is the first event, until its outcome is told. Size is its memory.
	first *event.Event // also the waiter's
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
	list := g.about[a.Conversation]
	var latest time.Time
	for _, q := range list {
		if q.last.After(latest) {
			latest = q.last
		}
	}
	// Keys leave the list on the way.
	g.asking = append(g.asking[:0], list...)
	for _, q := range g.asking {
		open := q.group
		if a.Outcome != event.OutcomeUnknown && len(open.outcome.on) == 1 {
			g.proven(open.outcome.on[0], a.Time)
		}
		if g.hear(q, a, latest) && open.single {
			heap.Remove(&g.due, open.at)
			g.closed(open, out)
		}
	}
	clear(g.asking)
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
		if o := &open.outcome; !o.since.IsZero() {
			o.lost = true
		}
	}
}

// hear takes the answer to a question, and says whether there can be no better
// one: what its connection carries then is the answer to others. A status is that
// of the last request on its connection, asked at latest.
func (g *Gate) hear(q *question, a event.Answer, latest time.Time) bool {
	o := &q.group.outcome
	if a.Status != 0 && q.last.Before(latest) {
		a.Status = 0
	}
	switch {
	case a.Outcome == event.OutcomeUnknown:
		o.lost = true
		g.forget(q)
		return false
	case q.answered && a.Status == 0:
		return false
	}
	o.hear(&a)
	q.heard, q.answered = true, a.Outcome == event.Answered
	if !q.answered || q.http && a.Status == 0 {
		return false
	}
	g.forget(q)
	return true
}

// hear notes an answer: a better one goes before others, and of equals the latest.
func (o *outcome) hear(a *event.Answer) {
	if rank(a) < rank(&o.answer) {
		return
	}
	status := o.answer.Status
	if o.answer = *a; a.Status == 0 {
		o.answer.Status = status
	}
}

// rank orders answers. That a request succeeded is not hidden by another that did
// not.
func rank(a *event.Answer) int {
	switch {
	case a.Outcome == event.Answered && a.Status/100 == 2:
		return 3
	case a.Outcome == event.Answered:
		return 2
	case a.Outcome == event.Refused:
		return 1
	}
	return 0
}

// hold keeps the first event of a key, which is the gate's from here on, for a
// follow-up, or for its outcome.
func (g *Gate) hold(open *group, e *event.Event) {
	o := &open.outcome
	if e.Severity < g.opt.FollowUps && !(g.opt.Hold && !open.many) {
		return
	}
	if size := e.Size(); len(o.about) > 0 && g.followed+size <= MaxFollowed {
		o.first, o.size = e, size
		g.followed += size
	}
}

// drop lets the first event go.
func (g *Gate) drop(open *group) {
	g.followed -= open.outcome.size
	open.outcome.first, open.outcome.size = nil, 0
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
	if g.settle(open, &e, out) || !g.news(&e) || o.told && e.Outcome != event.Answered {
		return
	}
	if !g.quota.takes(&e, g.now) {
		g.counts.Withheld++
		return
	}
	e.Aggregate = event.Aggregate{ID: open.id, Summary: true}
	open.number++
	e.ID = event.ReplayID(sha256.Sum256(open.id[:]), open.number, e.Code, 1)
	g.counts.FollowUps++
	g.leave(&e, out)
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
// too. What comes next begins anew.
func (g *Gate) tells(open *group, e *event.Event, last bool, out func(event.Event)) {
	o := &open.outcome
	g.result(open, e, last)
	if e.Outcome == event.OutcomeNone {
		return
	}
	waited := open.waiter != nil && o.first != nil
	if waited {
		first := *o.first
		g.result(open, &first, last)
		g.settle(open, &first, out)
	}
	if !last {
		g.turn(open, e.Outcome)
	}
	// An answer that may still come is news all the same.
	o.told = e.Outcome > event.OutcomeUnknown
	if waited || o.told && (e.Outcome == event.Answered || len(o.about) == 0) {
		g.drop(open)
	}
}

// result sets the outcome of an event that tells of a window. That nothing came
// back means something only when time was left for an answer, and answers are
// seen here at all. What there was no time for the next window tells, unless this
// is the last.
func (g *Gate) result(open *group, e *event.Event, last bool) {
	o := &open.outcome
	a := &o.answer
	if a.Outcome != event.OutcomeNone {
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
	short := until.Sub(o.since) < open.grace()
	switch {
	case o.since.IsZero() || short && !last:
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
	for n := len(open.outcome.about); n > 0; n-- {
		g.forget(open.outcome.about[n-1])
	}
	g.drop(open)
	g.settle(open, nil, out)
}

// single follows an event that is not folded, as all are without windows.
func (g *Gate) single(e event.Event, out func(event.Event)) {
	g.counts.Passed++
	if _, ok := event.ConversationOf(&e); !ok || len(g.keys) >= MaxKeys {
		g.leave(&e, out)
		return
	}
	e.Aggregate.ID = e.ID
	open := &group{key: key(e.ID), id: e.ID, window: FollowUp, start: g.now, single: true}
	if g.keys[open.key] != nil { // an id twice: there is no following that
		g.leave(&e, out)
		return
	}
	g.keys[open.key] = open
	g.follow(open, &e)
	g.hold(open, &e)
	g.schedule(open)
	g.first(open, &e, out)
}
