package elasticsearch

import "trailhound/outputs"

var _ outputs.Counter = (*Output)(nil)

// Counters are Stats as all outputs have them.
func (o *Output) Counters() outputs.Counters {
	s := o.Stats()
	return outputs.Counters{
		Has:   outputs.HasBytes | outputs.HasRequests | outputs.HasDuplicates | outputs.HasDiverted | outputs.HasDeferred | outputs.HasSplits,
		Bytes: s.Bytes, Requests: s.Requests, Duplicates: s.Duplicates, Diverted: s.Diverted, Deferred: s.Retried, Splits: s.Splits}
}
