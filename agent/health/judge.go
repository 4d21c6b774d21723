package health

import (
	"fmt"
	"time"

	"trailhound/agent/event"
)

// A verdict is what a rule finds; the zero verdict is none. Text and measures
// are made when they are needed only.
type verdict struct {
	active   bool
	since    time.Duration // how long it has been so
	at       time.Time     // exactly when it began; zero: since tells
	wrong    func() string
	right    func() string
	measures func() []event.Measure
}

// judge applies all rules to a link.
func (m *Monitor) judge(l *link) {
	if !l.there {
		l.advance(m.clock.at)
	}
	for _, code := range linkCodes {
		var v verdict
		switch code {
		case event.HealthCaptureSilent:
			v = m.judgeSilence(l)
		case event.HealthCaptureDrops:
			v = l.judgeDrops(m.clock.at)
		case event.HealthCaptureTruncated:
			v = l.judgeTruncated(m.clock.at)
		case event.HealthCaptureOneway:
			v = l.judgeDirections()
		case event.HealthCaptureBroadcast:
			v = l.judgeUnicast()
		case event.HealthCaptureRestartNeeded:
			v = l.judgeOpening()
		case event.HealthDetectionHome:
			v = l.judgeHome()
		}
		k := key{code, l.name}
		if v.right == nil || !v.active && !m.raised(k) {
			continue
		}
		f := finding{judged: true, active: v.active, since: v.at, alias: l.alias}
		if f.since.IsZero() {
			f.since = m.clock.now.Add(-v.since)
		}
		if v.measures != nil {
			f.measures = v.measures()
		}
		if f.info = v.right(); v.active {
			f.info = v.wrong()
		}
		m.set(k, f)
	}
}

// judgeOpening reports what the capture says of an interface.
func (l *link) judgeOpening() verdict {
	return verdict{
		active: l.restart,
		wrong: func() string {
			return l.label() + " cannot be captured before a restart: no socket is left that was opened with the privilege"
		},
		right: func() string { return l.label() + " needs no restart any more" },
	}
}

// percent writes a share for people.
func percent(part, whole uint64) string {
	p := 100 * event.Share("", part, whole).Value
	if p < 1 {
		return fmt.Sprintf("%.2g %%", p)
	}
	return fmt.Sprintf("%.1f %%", p)
}
