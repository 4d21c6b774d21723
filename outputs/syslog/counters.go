package syslog

import "trailhound/outputs"

var _ outputs.Counter = (*Output)(nil)

// Counters are Stats as all outputs have them.
func (o *Output) Counters() outputs.Counters {
	s := o.Stats()
	c := outputs.Counters{Has: outputs.HasTruncated, Bytes: s.Bytes, Truncated: s.Truncated, Skipped: s.Skipped, Reconnects: max(s.Connects, 1) - 1,
		Failures: s.Failures, Losses: s.Losses, Resent: s.Resent}
	switch way := o.way.(type) {
	case *stream:
		c.Has |= outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures | outputs.HasLosses | outputs.HasResent
	case *datagrams:
		c.Has |= outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures
		if way.maltrail { // which has no form for health events
			c.Has |= outputs.HasSkipped
		}
	case *library:
		if way.remote != nil {
			c.Has |= outputs.HasBytes | outputs.HasReconnects | outputs.HasFailures
		}
	case *socket:
		c.Has |= outputs.HasReconnects
	}
	return c
}
