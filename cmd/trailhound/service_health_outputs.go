package main

import (
	"fmt"
	"time"

	"trailhound/agent/event"
)

// downAfter is how long an output may fail before it is called down: a restart
// of the receiver is shorter.
const downAfter = 30 * time.Second

// slowAfter is how long an event may wait for an output that does not fail
// before the output is called slow.
const slowAfter = 5 * time.Minute

// lossLasts is how long no event must have been lost for the loss to be over:
// the journal gives them up by whole segments.
const lossLasts = time.Minute

// judgeOutputs says which outputs do not deliver, which are behind, and which
// lost events that were given up before they were delivered. One that is being
// stopped is not judged: that nothing moves there is no fault of its receiver.
func (s *service) judgeOutputs() {
	s.judging.Lock()
	defer s.judging.Unlock()
	s.mu.Lock()
	list := s.deliveries
	s.mu.Unlock()
	for _, d := range list {
		if !d.stopped {
			s.judgeOutput(d)
		}
	}
}

// judgeOutput is judgeOutputs for one. The caller holds judging.
func (s *service) judgeOutput(d *delivery) {
	c, at := d.Counts(), d.State()
	down := !c.Failing.IsZero() && time.Since(c.Failing) > downAfter
	// What a reload puts in the place of one that is down has to show that it
	// delivers, if there is anything to deliver.
	d.unproven = d.unproven && !down && c.LastSuccess.IsZero() && at.Pending > 0
	d.down = down || d.unproven
	if !d.unproven {
		info := fmt.Sprintf("output %s delivers again", d.Name)
		if down {
			info = fmt.Sprintf("output %s has not delivered for %s", d.Name, time.Since(c.Failing).Round(time.Second))
		}
		s.set(event.HealthOutputDown, d.Name, down, info, event.Count("waiting", at.Pending), event.Count("errors", c.Errors))
	}

	behind := time.Duration(0)
	if !at.Oldest.IsZero() {
		behind = time.Since(at.Oldest)
	}
	slow := !d.down && behind > slowAfter
	info := fmt.Sprintf("output %s has caught up", d.Name)
	if slow {
		info = fmt.Sprintf("output %s is %s behind", d.Name, behind.Round(time.Second))
	}
	s.set(event.HealthOutputSlow, d.Name, slow, info, event.Count("waiting", at.Pending), event.Count("behind_seconds", uint64(max(behind.Seconds(), 0))))

	gone := at.Evicted + at.Quarantined
	if gone > d.dropped {
		d.lost, d.lostAt = d.lost+gone-d.dropped, time.Now()
	}
	lost := d.lost > 0 && time.Since(d.lostAt) < lossLasts
	info = fmt.Sprintf("output %s loses no events any more", d.Name)
	if lost {
		info = fmt.Sprintf("output %s has lost %d events that it had not delivered", d.Name, d.lost)
	} else {
		d.lost = 0
	}
	s.set(event.HealthOutputEvicted, d.Name, lost, info, event.Count("evicted", at.Evicted), event.Count("quarantined", at.Quarantined))
	d.dropped = gone
}

// broke says that an output cannot be made at all.
func (s *service) broke(b *brokenOutput) {
	info := fmt.Sprintf("output %s cannot be used: %v", b.entry.Name, b.err)
	s.set(event.HealthOutputDown, b.entry.Name, true, info, event.Count("waiting", b.cursorState().Pending))
	s.over(b.entry.Name, false)
}

// over ends what was raised of an output that no loop delivers to any more:
// all of it, or all but that it is down.
func (s *service) over(name string, down bool) {
	info := fmt.Sprintf("output %s is not in use any more", name)
	if down {
		s.set(event.HealthOutputDown, name, false, info)
	}
	s.set(event.HealthOutputSlow, name, false, info)
	s.set(event.HealthOutputEvicted, name, false, info)
}
