package suppress

import (
	"slices"
	"time"

	"trailhound/agent/event"
)

// question is a conversation that a key waits for the answer of.
type question struct {
	group *group
	about event.Conversation
	on    string // the interface that it was last seen on
	// The first event about it that was not answered, and the last one.
	asked, last time.Time
	http        bool // it was a request: the answer with its status is yet to come
	heard       bool // it had an answer
	answered    bool // which was no refusal
	at          int  // place in the list of all that wait for the same
}

// grace is how long after an event silence means something.
func (o *group) grace() time.Duration { return min(answerGrace, o.window/2) }

// follow notes what an event of a key is about.
func (g *Gate) follow(open *group, e *event.Event) {
	if !g.opt.Outcomes {
		return
	}
	o := &open.outcome
	if e.Outcome != event.OutcomeNone {
		o.hear(&event.Answer{Outcome: e.Outcome, Time: e.Time, RCode: e.DNS.RCode, HasRCode: e.DNS.HasRCode, Answers: e.DNS.Answers, Status: e.HTTP.Status})
		return
	}
	c, ok := event.ConversationOf(e)
	if !ok {
		return
	}
	o.asked = e.Time
	if o.since.IsZero() {
		o.since = e.Time
	}
	o.seen(e.Interface)
	for _, q := range o.about {
		if q.about == c {
			if q.heard {
				q.asked, q.heard, q.answered = e.Time, false, false
			}
			q.last, q.on, q.http = e.Time, e.Interface, e.Application == "http"
			return
		}
	}
	if len(o.about) == maxAbout {
		// What was silent for long enough was not answered.
		if q := o.about[0]; !q.heard && e.Time.Sub(q.asked) < open.grace() {
			o.lost = true
		}
		g.forget(o.about[0])
	}
	list := g.about[c]
	if g.conversations >= maxConversations || len(list) >= maxAsking {
		o.lost = true
		return
	}
	g.conversations++
	q := &question{group: open, about: c, on: e.Interface, asked: e.Time, last: e.Time, http: e.Application == "http", at: len(list)}
	o.about = append(o.about, q)
	g.about[c] = append(list, q)
}

// seen notes where a question was.
func (o *outcome) seen(on string) {
	switch {
	case slices.Contains(o.on, on):
	case len(o.on) < maxOn:
		o.on = append(o.on, on)
	default:
		o.lost = true
	}
}

// forget waits for an answer no longer.
func (g *Gate) forget(q *question) {
	o := &q.group.outcome
	n := slices.Index(o.about, q)
	o.about = slices.Delete(o.about, n, n+1)
	g.conversations--
	list := g.about[q.about]
	last := len(list) - 1
	list[q.at], list[last].at = list[last], q.at
	list[last] = nil
	if last == 0 {
		delete(g.about, q.about)
	} else {
		g.about[q.about] = list[:last]
	}
}

// turn begins a window after one whose outcome was told. What had no time to be
// answered in that one may still be, unless that is no news.
func (g *Gate) turn(open *group, told event.Outcome) {
	o := &open.outcome
	o.answer, o.lost, o.since, o.on = event.Answer{}, false, time.Time{}, o.on[:0]
	for n := len(o.about); n > 0; n-- {
		if q := o.about[n-1]; told == event.Answered || q.heard || open.end().Sub(q.last) >= open.grace() {
			g.forget(q)
		}
	}
	for _, q := range o.about {
		q.asked = q.last
		if o.since.IsZero() || q.last.Before(o.since) {
			o.since = q.last
		}
		o.seen(q.on)
	}
}
