package suppress

import "trailhound/agent/event"

// MaxLine bounds what waits to leave, about (bytes). Beyond it the oldest goes
// without its outcome.
const MaxLine = 64 << 20

// line is what waits to leave, in order: first events whose outcome is not known
// yet, and all behind them.
type line struct {
	events []*waiter
	size   int
}

// waiter is an event in the line.
type waiter struct {
	event *event.Event
	ready bool
	gone  bool // it has left
	size  int
}

// leave lets an event out, or has it wait for those before it.
func (g *Gate) leave(e *event.Event, out func(event.Event)) {
	if len(g.line.events) == 0 {
		g.tell(e, out)
		return
	}
	own := *e
	g.join(&waiter{event: &own, ready: true}, out)
}

// first lets the first event of a key out, or has it wait for its outcome; then it
// is the gate's.
func (g *Gate) first(open *group, e *event.Event, out func(event.Event)) {
	if !g.opt.Hold || open.many || open.outcome.first == nil {
		g.leave(e, out)
		return
	}
	open.waiter = &waiter{event: e}
	g.join(open.waiter, out)
}

func (g *Gate) join(w *waiter, out func(event.Event)) {
	w.size = w.event.Size()
	g.line.events = append(g.line.events, w)
	g.line.size += w.size
	g.advance(out)
}

// settle ends the waiting of a key's first event, with the outcome, or for good
// without one (nil), and says whether it was still there.
func (g *Gate) settle(open *group, e *event.Event, out func(event.Event)) bool {
	w := open.waiter
	if w == nil || w.gone {
		return false
	}
	if e != nil {
		w.event.Outcome, w.event.DNS, w.event.HTTP.Status = e.Outcome, e.DNS, e.HTTP.Status
	}
	open.waiter, w.ready = nil, true
	g.advance(out)
	return true
}

// advance lets those out that wait no longer.
func (g *Gate) advance(out func(event.Event)) {
	l := &g.line
	n := 0
	for n < len(l.events) && (l.events[n].ready || l.size > MaxLine) {
		w := l.events[n]
		l.events[n] = nil
		n++
		l.size -= w.size
		w.gone = true
		g.tell(w.event, out)
	}
	if l.events = l.events[n:]; len(l.events) == 0 {
		l.events = nil
	}
}

func (g *Gate) tell(e *event.Event, out func(event.Event)) {
	if e.Outcome != event.OutcomeNone {
		g.counts.Outcomes[e.Outcome]++
	}
	out(*e)
}
