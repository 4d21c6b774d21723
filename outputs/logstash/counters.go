package logstash

import "trailhound/outputs"

var _ outputs.Counter = (*Output)(nil)

// Counters are Stats as all outputs have them.
func (o *Output) Counters() outputs.Counters {
	s := o.Stats()
	c := outputs.Counters{Has: outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures, Bytes: s.Bytes, Requests: s.Windows, Truncated: s.Truncated,
		Resent: s.Resent, Reconnects: max(s.Connects, 1) - 1, Failures: o.remote.Stats().Failures, Keepalives: s.Keepalives}
	switch way := o.way.(type) {
	case *datagrams:
		c.Has |= outputs.HasTruncated
	case *lumberjack:
		c.Has |= outputs.HasRequests | outputs.HasResent | outputs.HasKeepalives
	case *lines:
		c.Has |= outputs.HasResent | outputs.HasLosses
		c.Losses = way.stream.Stats().Losses
	}
	return c
}
