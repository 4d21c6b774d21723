// Package agent is the sensor: it runs workers over frames, brings their
// events into one order, passes them through the gate, and hands on what is
// left. It knows nothing of outputs.
package agent

import (
	"trailhound/agent/detect"
	"trailhound/agent/packet"
)

// QueueEvents is how many events a worker may be ahead of the gate.
const QueueEvents = 8192

// Traffic says what the workers saw.
type Traffic struct {
	Packets, Bytes uint64
	Decode         [packet.NumReasons]uint64 // frames by the outcome of decoding
	Events         uint64                    // raised by the workers
	Repeats        uint64                    // not raised: the same packet again in one second
	Crowded        uint64                    // not raised: the packet had raised 64 others
	Faults         uint64                    // batches in which the trail table could not be read
}

// Undecoded is the number of frames that were not matched.
func (t *Traffic) Undecoded() uint64 { return t.Packets - t.Decode[packet.OK] }

func (t *Traffic) add(w *detect.Worker) {
	t.Packets += w.Stats.Packets
	t.Bytes += w.Stats.Bytes
	t.Events += w.Stats.Events
	t.Repeats += w.Stats.Repeats
	t.Crowded += w.Stats.Crowded
	for i, n := range w.Decode() {
		t.Decode[i] += n
	}
}
