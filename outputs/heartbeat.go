package outputs

import (
	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// tallies are the sums of a cursor at one moment.
type tallies struct {
	through                                         uint64
	delivered, filtered, dead, evicted, quarantined uint64
}

func talliesOf(s journal.CursorState) tallies {
	return tallies{s.Acknowledged, s.Delivered, s.Filtered, s.DeadLettered, s.Evicted, s.Quarantined}
}

// complete writes into a heartbeat what became of the events since the one
// before it, for this output: who has received both knows from them alone
// whether anything between is missing.
func (d *Delivery) complete(e *event.Event) {
	now, was := talliesOf(d.from.State()), d.beat
	d.beat = now
	// A slice of its own: the event is this output's, what it points to may not be.
	// In front, because a datagram that is too long is cut at its end.
	e.Health.Measures = append([]event.Measure{
		event.Count("output_from_seq", was.through+1),
		event.Count("output_through_seq", now.through),
		event.Count("output_delivered", now.delivered-was.delivered),
		event.Count("output_filtered", now.filtered-was.filtered),
		event.Count("output_dead_letters", now.dead-was.dead),
		event.Count("output_evicted", now.evicted-was.evicted),
		event.Count("output_quarantined", now.quarantined-was.quarantined)}, e.Health.Measures...)
}
