package outputs

import (
	"crypto/sha256"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// beforeHeartbeat says how many events go before the next heartbeat behind the
// first event. A heartbeat is sent when all before it is settled. So it always
// tells of everything up to itself, and one that is sent again, also by another
// process after a kill, says what it said before: a receiver that keeps the
// first of two with one id misses nothing.
func (d *Delivery) beforeHeartbeat(list []event.Event) int {
	if d.set.Health {
		for i := 1; i < len(list); i++ {
			if list[i].Code == event.HealthHeartbeat {
				return i
			}
		}
	}
	return len(list)
}

// complete makes a heartbeat this output's own: its cause is the output's name,
// and it says what became of the events since the last one that was delivered, for
// this output: who has received both knows from them alone whether anything between
// is missing. What it told is kept with the cursor when it is settled.
func (d *Delivery) complete(e *event.Event) {
	s := d.from.State()
	now, was := s.Settled(), s.Told
	d.telling = now
	e.ID, e.Health.Cause = ownID(e.ID, d.Name), d.Name
	// A slice of its own: the event is this output's, what it points to may not be.
	// In front, because a datagram that is too long is cut at its end.
	e.Health.Measures = append([]event.Measure{
		event.Count("output_from_seq", was.Through+1),
		event.Count("output_through_seq", now.Through),
		event.Count("output_delivered", now.Delivered-was.Delivered),
		event.Count("output_filtered", now.Filtered-was.Filtered),
		event.Count("output_dead_letters", now.DeadLettered-was.DeadLettered),
		event.Count("output_evicted", now.Evicted-was.Evicted),
		event.Count("output_quarantined", now.Quarantined-was.Quarantined)}, e.Health.Measures...)
}

// ownID is the id of an output's copy of a heartbeat: several outputs may lead to
// one index, which has one document of an id, and each copy says something else.
// It is the same each time, and the front half, the time of a UUID of version 7
// (RFC 9562 5.7), stays.
func ownID(id [16]byte, output string) [16]byte {
	sum := sha256.Sum256(append(id[:], output...))
	copy(id[8:], sum[:8])
	id[8] = id[8]&0x3F | 0x80 // the variant
	return id
}

// told is what the receiver knows by an event that it has: nothing, unless it is
// a heartbeat.
func (d *Delivery) told(e *event.Event) journal.Mark {
	if e.Code != event.HealthHeartbeat {
		return journal.Mark{}
	}
	return d.telling
}
