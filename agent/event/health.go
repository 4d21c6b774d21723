package event

import (
	"strings"
	"time"
)

// The codes of what the sensor says of itself. These tell what it does not see:
const (
	HealthCaptureSilent        Code = "health.capture.silent"         // an interface with traffic has none any more
	HealthCaptureDrops         Code = "health.capture.drops"          // the kernel drops packets before they are read
	HealthCaptureOneway        Code = "health.capture.oneway"         // one direction of the conversations is missing
	HealthCaptureBroadcast     Code = "health.capture.broadcast"      // broadcast only: the mirror port mirrors nothing
	HealthCaptureTruncated     Code = "health.capture.truncated"      // frames are longer than what is kept of them
	HealthCaptureRestartNeeded Code = "health.capture.restart_needed" // an interface that only a restart can open
)

// These tell what it looks for, and whether that is fit for use:
const (
	HealthTrailsFault    Code = "health.trails.fault"    // the table could not be read
	HealthTrailsRejected Code = "health.trails.rejected" // a new table was refused, the old one stays
	HealthTrailsStale    Code = "health.trails.stale"    // older than trails.max_age
	HealthTrailsStarter  Code = "health.trails.starter"  // only the starter set is loaded
	HealthDetectionHome  Code = "health.detection.home"  // most of an interface's traffic has no side at home
)

// These tell whether its events arrive:
const (
	HealthOutputDown     Code = "health.output.down"
	HealthOutputSlow     Code = "health.output.slow"
	HealthOutputEvicted  Code = "health.output.evicted" // events were given up before they were delivered
	HealthJournalFull    Code = "health.journal.full"
	HealthJournalCorrupt Code = "health.journal.corrupt"
)

// These tell of what the operator wrote:
const (
	HealthConfigRefused   Code = "health.config.refused"   // a reload found the configuration wrong, the one before stays
	HealthSuppressRefused Code = "health.suppress.refused" // rules that are not in force, because they are wrong
	HealthSuppressExpired Code = "health.suppress.expired" // a rule whose time is over; no fault
)

// And these are no faults:
const (
	HealthConfigChanged Code = "health.config.changed"
	HealthHeartbeat     Code = "health.heartbeat"
	HealthCanary        Code = "health.canary" // a test detection on its way through everything
)

// HealthCodes lists the codes of all health events.
func HealthCodes() []Code {
	return []Code{
		HealthCaptureSilent, HealthCaptureDrops, HealthCaptureOneway, HealthCaptureBroadcast, HealthCaptureTruncated,
		HealthCaptureRestartNeeded, HealthTrailsFault, HealthTrailsRejected, HealthTrailsStale, HealthTrailsStarter, HealthDetectionHome,
		HealthOutputDown, HealthOutputSlow, HealthOutputEvicted, HealthJournalFull, HealthJournalCorrupt,
		HealthConfigRefused, HealthSuppressRefused, HealthSuppressExpired, HealthConfigChanged, HealthHeartbeat, HealthCanary,
	}
}

// ReferenceHealth is the reference of health events: nobody lists them.
const ReferenceHealth = "(health)"

// HealthState says what a health event reports.
type HealthState string

// The states. Raised, Reminded and Recovered are of a condition that lasts; the
// two others have no end.
const (
	Raised    HealthState = "raised"    // it has set in
	Reminded  HealthState = "reminded"  // it lasts; said once an hour
	Recovered HealthState = "recovered" // it is over
	Noted     HealthState = "noted"     // something happened
	Metric    HealthState = "metric"    // figures, as in a heartbeat
)

// HealthFacts is what a health event says.
type HealthFacts struct {
	State HealthState
	// Since is when the condition set in; the same in all events of one
	// condition. Zero where nothing lasts.
	Since time.Time
	// Cause is what it is about: the name of an interface or of an output, or
	// "trails". With the code it says which condition this is.
	Cause    string
	Measures []Measure // the figures behind it, at most MaxMeasures
}

// MaxMeasures bounds the figures of one health event.
const MaxMeasures = 64

// A Measure is one figure. Its name is of a-z, 0-9 and _, at most 64 bytes, and
// ends in the unit unless it is a count: silent_seconds, drop_share. A count
// is exact up to 2^53.
type Measure struct {
	Name  string
	Value float64
	Share bool // a part of 1: not a whole number, even when it happens to be one
}

// Count is a Measure of how many, or of whole seconds or bytes.
func Count(name string, n uint64) Measure { return Measure{Name: name, Value: float64(n)} }

// Share is a Measure of how large a part is of the whole; 0 when there is no
// whole.
func Share(name string, part, whole uint64) Measure {
	m := Measure{Name: name, Share: true}
	if whole > 0 {
		m.Value = float64(part) / float64(whole)
	}
	return m
}

// NewHealth makes a health event with an id of its own. Info is a sentence for
// people. What is said about is the trail, the sensor itself when Cause is
// empty; more measures than MaxMeasures are cut off. A condition is Medium
// while it lasts, which is 5 in CEF; what is over or no fault is Info.
func NewHealth(t time.Time, code Code, info string, h HealthFacts) Event {
	t = t.UTC().Truncate(time.Microsecond)
	if !h.Since.IsZero() {
		h.Since = h.Since.UTC().Truncate(time.Microsecond)
	}
	h.Cause, _ = Clean([]byte(h.Cause), MaxEvidence)
	h.Measures = h.Measures[:min(len(h.Measures), MaxMeasures)]
	e := Event{ID: NewID(t), Time: t, Type: HEALTH, Code: code, Severity: Info, Confidence: 100,
		Trail: h.Cause, Reference: ReferenceHealth, Health: h}
	e.Info, _ = Clean([]byte(info), MaxEvidence)
	if e.Trail == "" {
		e.Trail = "sensor"
	}
	if h.isFault(code) {
		e.Severity = Medium
	}
	return e
}

func (h *HealthFacts) isFault(code Code) bool {
	switch code {
	case HealthSuppressExpired, HealthConfigChanged, HealthHeartbeat, HealthCanary:
		return false
	}
	return h.State != Recovered && h.State != Metric
}

// ValidMeasure says whether a name is fit to be a key in every format.
func ValidMeasure(name string) bool {
	return name != "" && len(name) <= 64 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
