package maltrail

import "trailhound/outputs"

var _ outputs.Counter = (*Output)(nil)

// Counters are Stats as all outputs have them.
func (o *Output) Counters() outputs.Counters {
	s, r := o.Stats(), o.remote.Stats()
	return outputs.Counters{Has: outputs.HasBytes | outputs.HasTruncated | outputs.HasSkipped | outputs.HasReconnects | outputs.HasFailures,
		Bytes: s.Bytes, Truncated: s.Truncated, Skipped: s.Health, Reconnects: max(r.Connects, 1) - 1, Failures: r.Failures}
}
