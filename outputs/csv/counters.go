package csv

import "trailhound/outputs"

var _ outputs.Counter = (*Output)(nil)

// Counters are what the output has counted since it was made.
func (o *Output) Counters() outputs.Counters {
	return outputs.Counters{Has: outputs.HasBytes | outputs.HasRotations | outputs.HasTorn | outputs.HasEmptied,
		Bytes: o.bytes.Load(), Rotations: o.rotations.Load(), Torn: o.torn.Load(), Emptied: o.repeats.Load()}
}
