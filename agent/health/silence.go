package health

import (
	"time"

	"trailhound/agent/event"
)

// silenceOf gives after how long a link is silent; 0: never.
func (m *Monitor) silenceOf(l *link) time.Duration {
	if d, ok := m.opt.SilenceBy[l.name]; ok {
		return d
	}
	return m.opt.Silence
}

// judgeSilence: no frame for the time that is configured, on an interface that
// was busy when the last one came, or whose silence is configured by name. An
// interface that is gone is silent too.
func (m *Monitor) judgeSilence(l *link) verdict {
	limit, quiet := m.silenceOf(l), m.clock.at-l.heard
	v := verdict{since: quiet}
	v.active = limit > 0 && quiet >= limit && (l.busy || m.opt.SilenceBy[l.name] > 0)
	if v.active {
		l.silence = quiet
	}
	// The frame's own stamp is exact, unless the clock has been set since.
	if stamp := l.heardAt; !stamp.IsZero() && m.clock.now.Add(-quiet).Sub(stamp).Abs() <= maxGap {
		v.at = stamp
	}
	v.wrong = func() string {
		text := "no frame on " + l.label() + " for " + quiet.Truncate(time.Second).String()
		switch {
		case !l.there:
			text += ": the interface is not there"
		case !l.up:
			text += ": the interface is down"
		}
		return text
	}
	v.right = func() string {
		if quiet >= l.silence {
			return "the silence of " + l.label() + " is not watched any more"
		}
		return "frames on " + l.label() + " again after " + l.silence.Truncate(time.Second).String()
	}
	v.measures = func() []event.Measure {
		return []event.Measure{
			event.Count("silent_seconds", uint64(l.silence/time.Second)),
			event.Count("limit_seconds", uint64(limit/time.Second)),
			event.Count("packets", l.last.packets),
			event.Count("bytes", l.bytes),
		}
	}
	return v
}
