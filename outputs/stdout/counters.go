package stdout

import "trailhound/outputs"

var _ outputs.Counter = (*Output)(nil)

// Counters are what the output has counted since it was made.
func (o *Output) Counters() outputs.Counters {
	return outputs.Counters{Has: outputs.HasBytes, Bytes: o.bytes.Load()}
}
