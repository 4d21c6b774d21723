package agent

import "trailhound/agent/event"

// merge takes the events of all workers in the order of their packets, passes
// them through the gate, and hands on what is left. Before it takes an event
// it waits for every worker that may still report an earlier one: that is what
// makes the result independent of their number.
func (r *Replay) merge(queues []chan progress) error {
	var failed error
	out := func(e event.Event) {
		if failed == nil {
			failed = r.Sink(e)
		}
	}
	lanes := make([]lane, len(queues))
	for i, q := range queues {
		lanes[i].queue = q
	}
	for failed == nil {
		next, behind := nextOf(lanes), behindOf(lanes)
		if behind != nil && (next == nil || behind.upto.before(next.events[0].place)) {
			behind.receive()
			continue
		}
		if next == nil {
			r.Gate.Flush(out)
			return failed
		}
		r.Gate.Take(next.events[0].Event, out)
		next.events = next.events[1:]
	}
	return failed
}

// lane is the merge's end of a worker's queue.
type lane struct {
	queue  chan progress
	events []placed
	upto   place
	closed bool
}

func (l *lane) receive() {
	part, ok := <-l.queue
	l.closed = !ok
	if ok {
		l.events, l.upto = part.events, part.upto
	}
}

// nextOf gives the lane with the earliest event in hand.
func nextOf(lanes []lane) (next *lane) {
	for i := range lanes {
		if l := &lanes[i]; len(l.events) > 0 && (next == nil || l.events[0].place.before(next.events[0].place)) {
			next = l
		}
	}
	return next
}

// behindOf gives the lane without an event in hand that has come least far.
func behindOf(lanes []lane) (behind *lane) {
	for i := range lanes {
		if l := &lanes[i]; len(l.events) == 0 && !l.closed && (behind == nil || l.upto.before(behind.upto)) {
			behind = l
		}
	}
	return behind
}
