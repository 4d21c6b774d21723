// Package agent is the sensor: it runs workers over frames, brings their
// events into one order, passes them through the gate, and hands on what is
// left. It knows nothing of outputs.
package agent

import (
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// QueueEvents is how many events a worker may be ahead of the gate.
const QueueEvents = 8192

// Traffic says what the workers saw.
type Traffic struct {
	Packets, Bytes uint64
	Decode         [packet.NumReasons]uint64 // frames by the outcome of decoding
	Events         uint64                    // raised by the workers and found by the board
	Evidence       Evidence                  // given for heuristics over time
	Repeats        uint64                    // not raised: the same packet again in one second
	Crowded        uint64                    // not raised: the packet had raised the most a packet may
	Muted          [event.NumRoles]uint64    // not raised: a role of the host excuses it
	Faults         uint64                    // batches in which the trail table could not be read
}

// Evidence says what workers gave to the heuristics over time.
type Evidence struct {
	Taken    uint64
	Repeated uint64 // left out: the second had the same already
	Dropped  uint64 // there was no room, or their time is beyond the year 2262
}

// Undecoded is the number of frames that were not matched.
func (t *Traffic) Undecoded() uint64 { return t.Packets - t.Decode[packet.OK] }

func (t *Traffic) add(w *detect.Worker) {
	t.Packets += w.Stats.Packets
	t.Bytes += w.Stats.Bytes
	t.Events += w.Stats.Events
	t.Repeats += w.Stats.Repeats
	t.Crowded += w.Stats.Crowded
	for role, n := range w.Stats.Muted {
		t.Muted[role] += n
	}
	if c := w.Evidence; c != nil {
		t.Evidence.add(Evidence{c.Taken, c.Repeated, c.Dropped})
	}
	for i, n := range w.Decode() {
		t.Decode[i] += n
	}
}

func (e *Evidence) add(o Evidence) {
	e.Taken += o.Taken
	e.Repeated += o.Repeated
	e.Dropped += o.Dropped
}
