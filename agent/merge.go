package agent

import (
	"crypto/sha256"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
)

// merge takes the events and the evidence of all workers in the order of their
// packets, has the board judge the evidence, passes the events through the gate,
// and hands on what is left. Before it takes something it waits for every worker
// that may still report something earlier: that is what makes the result
// independent of their number.
func (r *Replay) merge(queues []chan progress) error {
	var failed error
	out := func(e event.Event) {
		if failed == nil {
			failed = r.Sink(e)
		}
	}
	if r.Board != nil {
		r.Board.SetRaise(func(f *heuristic.Finding) {
			f.ID = r.foundID(&f.Event)
			r.Gate.Take(f.Event, out)
		})
	}
	lanes := make([]lane, len(queues))
	for i, q := range queues {
		lanes[i].queue = q
	}
	for failed == nil {
		next, behind := nextOf(lanes), behindOf(lanes)
		if behind != nil && (next == nil || behind.upto.before(next.place())) {
			behind.receive()
			continue
		}
		if next == nil {
			if r.Gate.Await() > 0 { // it matters which windows have ended
				r.Gate.Advance(latest(lanes), out)
			}
			r.Gate.Flush(out)
			return failed
		}
		if next.eventNext() {
			if a := next.events[0].answer; a != nil {
				r.Gate.Answer(*a, out)
			} else {
				r.Gate.Take(next.events[0].Event, out)
			}
			next.events = next.events[1:]
			continue
		}
		batch, e := next.observation()
		r.merging = next.evidence[0].file
		r.Board.Take(e, batch.Name(e))
		next.step()
	}
	return failed
}

// foundID names what the board found, as run.id does what a packet raised. The
// packet's bytes are gone; its number, time and addresses are not.
func (r *Replay) foundID(e *event.Event) [16]byte {
	for len(r.prints) <= r.merging {
		r.prints = append(r.prints, fingerprint(r.Files[len(r.prints)]))
	}
	h := sha256.New()
	h.Write(r.prints[r.merging][:])
	h.Write([]byte("found"))
	stamp, _ := e.Time.MarshalBinary()
	h.Write(stamp)
	h.Write(e.Src.AsSlice())
	h.Write(e.Dst.AsSlice())
	h.Write([]byte(e.Trail))
	return event.ReplayID([32]byte(h.Sum(nil)), e.Number, e.Code, 0)
}

// lane is the merge's end of a worker's queue.
type lane struct {
	queue    chan progress
	events   []placed
	evidence []fileBatch
	at       int // in the first batch of evidence
	upto     place
	last     time.Time // the latest packet
	closed   bool
}

// fileBatch is evidence of one file.
type fileBatch struct {
	*heuristic.Batch
	file int
}

func (l *lane) receive() {
	part, ok := <-l.queue
	l.closed = !ok
	if ok {
		l.events, l.upto, l.last = part.events, part.upto, part.last
		for _, b := range part.evidence {
			l.evidence = append(l.evidence, fileBatch{b, part.file})
		}
	}
}

// latest is the time of the latest packet of all lanes.
func latest(lanes []lane) (t time.Time) {
	for i := range lanes {
		if last := lanes[i].last; last.After(t) {
			t = last
		}
	}
	return t
}

// observation is the first piece of evidence.
func (l *lane) observation() (*heuristic.Batch, *heuristic.Evidence) {
	b := l.evidence[0].Batch
	return b, &b.Evidence[l.at]
}

// step takes the first piece of evidence away.
func (l *lane) step() {
	if l.at++; l.at == len(l.evidence[0].Evidence) {
		l.evidence, l.at = l.evidence[1:], 0
	}
}

// observed is the place of the first piece of evidence, if there is one whose
// turn may have come: one that is later than all that was reported waits.
func (l *lane) observed() (place, bool) {
	if len(l.evidence) == 0 {
		return place{}, false
	}
	_, e := l.observation()
	p := place{l.evidence[0].file, e.Number}
	return p, l.closed || !l.upto.before(p)
}

// eventNext says whether an event comes next: of what one packet gave, events
// come first.
func (l *lane) eventNext() bool {
	if len(l.events) == 0 {
		return false
	}
	p, ok := l.observed()
	return !ok || !p.before(l.events[0].place)
}

// any says whether the lane has something in hand.
func (l *lane) any() bool {
	_, ok := l.observed()
	return ok || len(l.events) > 0
}

// place is that of what comes next.
func (l *lane) place() place {
	if l.eventNext() {
		return l.events[0].place
	}
	p, _ := l.observed()
	return p
}

// nextOf gives the lane with the earliest thing in hand.
func nextOf(lanes []lane) (next *lane) {
	for i := range lanes {
		if l := &lanes[i]; l.any() && (next == nil || l.place().before(next.place())) {
			next = l
		}
	}
	return next
}

// behindOf gives the lane without anything in hand that has come least far.
func behindOf(lanes []lane) (behind *lane) {
	for i := range lanes {
		if l := &lanes[i]; !l.any() && !l.closed && (behind == nil || l.upto.before(behind.upto)) {
			behind = l
		}
	}
	return behind
}
