package status

import (
	"time"

	"trailhound/agent/event"
)

// Detection is what the workers made of the packets. At any time
// Events = Dropped + Queued + Gate.Detected.
type Detection struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	Events  uint64 `json:"events"`  // raised by workers
	Repeats uint64 `json:"repeats"` // DNS messages seen before in the same second
	Crowded uint64 `json:"crowded"` // not raised: the packet had raised the most a packet may
	Self    uint64 `json:"self"`    // packets of the sensor's own flows, which raise nothing
	Dropped uint64 `json:"dropped"` // events for which a worker's queue was full
	Queued  uint64 `json:"queued"`  // events on their way to the gate
	Health  uint64 `json:"health"`  // events that the sensor raised of itself; not in Events
	// Heuristics are those that judge over time. What they find is in Events.
	Heuristics Heuristics `json:"heuristics"`
	// Findings share out Gate.Detected. Those that are missing count as 0.
	Findings []Finding `json:"findings"`
}

// Finding counts the detections of one class.
type Finding struct {
	Type     event.Type `json:"type"`
	Severity string     `json:"severity"` // event.Severity's label
	Source   string     `json:"source"`   // trail or heuristic: event.Code's Category
	Count    uint64     `json:"count"`
}

// Gate is what became of the detections. At any time
// Detected = Suppressed + Folded + Passed. What left the gate is Passed + Summaries +
// FollowUps.
type Gate struct {
	Detected   uint64 `json:"detected"`
	Suppressed uint64 `json:"suppressed"`          // taken out: Ignored + Ruled + Whitelisted
	Folded     uint64 `json:"folded"`              // repeats that became part of a summary
	Passed     uint64 `json:"passed"`              // went out by themselves
	Summaries  uint64 `json:"summaries"`           // went out for the folded ones
	FollowUps  uint64 `json:"follow_ups"`          // went out for no detection, to tell the outcome of an earlier one
	Withheld   uint64 `json:"follow_ups_withheld"` // did not go out, since there were too many
	Unkeyed    uint64 `json:"unkeyed"`             // of Passed: not followed, the gate's memory was at its bound
	Dropped    uint64 `json:"dropped"`             // events and summaries that left the gate and were lost before any output
	Keys       uint64 `json:"keys"`                // followed at present

	Ignored     uint64 `json:"ignored"`     // suppressed by the ignore lists of the reference
	Ruled       uint64 `json:"ruled"`       // suppressed by a rule
	Whitelisted uint64 `json:"whitelisted"` // suppressed by the whitelist
	Local       uint64 `json:"local"`       // not suppressed, but kept from all receivers by a rule
	Lowered     uint64 `json:"lowered"`     // not suppressed, but of a lower severity by a rule
	Restored    uint64 `json:"restored"`    // repeats of the run before, from a checkpoint; they are in summaries, not in Folded

	Outcomes Outcomes `json:"outcomes"`
}

// Outcomes counts the events that left with an outcome: first events, summaries and
// follow-ups.
type Outcomes struct {
	Unknown   uint64 `json:"unknown"`
	Attempted uint64 `json:"attempted"`
	Answered  uint64 `json:"answered"`
	Refused   uint64 `json:"refused"`
}

// Output is one destination of events.
type Output struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Guarantee is what Delivered means: acknowledged by the destination, or
	// just sent.
	Guarantee string `json:"guarantee"`
	// Over the life of the output's cursor, in sequence numbers of the journal:
	// LastSeq - StartSeq = Delivered + Filtered + Rejected + Evicted +
	// Quarantined + Queued.
	StartSeq    uint64 `json:"start_seq"`
	LastSeq     uint64 `json:"last_seq"`
	Delivered   uint64 `json:"delivered"`
	Filtered    uint64 `json:"filtered"`    // not for this output
	Rejected    uint64 `json:"rejected"`    // refused for good: dead letters
	Evicted     uint64 `json:"evicted"`     // given up by the journal for room or age
	Quarantined uint64 `json:"quarantined"` // damaged or missing in the journal
	Queued      uint64 `json:"queued"`      // in the journal, not delivered yet
	QueuedBytes uint64 `json:"queued_bytes"`
	// OldestAt is about when the first of them was written.
	OldestAt time.Time `json:"oldest_at,omitzero"`
	// DelaySeconds is from the time of the event delivered last to its delivery.
	DelaySeconds float64   `json:"delay_seconds"`
	Delays       Histogram `json:"delays"`  // the same of all events delivered since the start
	Sends        Histogram `json:"sends"`   // how long each handing over of a batch took
	Retries      uint64    `json:"retries"` // batches sent again
	Errors       uint64    `json:"errors"`
	// ErrorsByClass shares out Errors. Every class is there.
	ErrorsByClass map[string]uint64 `json:"errors_by_class"`
	LastSuccessAt time.Time         `json:"last_success_at,omitzero"`
	LastError     string            `json:"last_error,omitempty"` // no values: they may be secrets
	LastErrorAt   time.Time         `json:"last_error_at,omitzero"`
	LastErrors    []OutputError     `json:"last_errors"` // at most eight, the oldest first
	Healthy       bool              `json:"healthy"`
	// Counters are what the output itself has counted since the start: those of
	// OutputCounters that mean something for its type.
	Counters   map[string]uint64 `json:"counters"`
	DeadLost   uint64            `json:"dead_letters_lost"`   // of Rejected: could not be kept
	DeadResent uint64            `json:"dead_letters_resent"` // delivered after all
	Remade     uint64            `json:"remade"`              // times that it was made anew with other credentials
}

// OutputError is how attempts went wrong, several in a row if they went wrong
// alike.
type OutputError struct {
	FirstAt time.Time `json:"first_at"`
	LastAt  time.Time `json:"last_at"`
	Times   uint64    `json:"times"`
	Class   string    `json:"class"`
	Text    string    `json:"text"` // no values: they may be secrets
}

// The states of a Health. An empty one counts as raised.
const (
	Raised    = event.Raised
	Recovered = event.Recovered
)

// Health is one condition that is wrong with the sensor at present, or was
// until lately.
type Health struct {
	Code  event.Code        `json:"code"`  // health.capture.drops ...
	Cause string            `json:"cause"` // what it is wrong with: an interface, an output
	State event.HealthState `json:"state"` // raised while it lasts, then recovered
	Since time.Time         `json:"since,omitzero"`
	Info  string            `json:"info"`
	// Values are the figures behind it, by the names of their measures: finite
	// numbers.
	Values map[string]any `json:"values"`
}

// Memory is what the sensor holds. The resident memory includes heap and rings as
// far as they were touched, so each of those may be larger, and the part of the
// trail table that was looked at.
type Memory struct {
	RSSBytes   uint64  `json:"rss_bytes"`
	HeapBytes  uint64  `json:"heap_bytes"` // live and not yet collected objects
	RingsBytes uint64  `json:"rings_bytes"`
	Bounds     []Bound `json:"bounds"`
}

// Bound is a store with the most that it may hold.
type Bound struct {
	Store      string `json:"store"`
	UsedBytes  uint64 `json:"used_bytes"`
	BoundBytes uint64 `json:"bound_bytes"`
}

// Journal is the durable event log.
type Journal struct {
	Path        string `json:"path"`
	Epoch       uint64 `json:"epoch"`
	FirstSeq    uint64 `json:"first_seq"` // that is kept
	LastSeq     uint64 `json:"last_seq"`
	Segments    uint64 `json:"segments"`
	Bytes       uint64 `json:"bytes"`
	MaxBytes    uint64 `json:"max_bytes"`
	MemoryBytes uint64 `json:"memory_bytes"` // of Bytes: not on disk
	Appended    uint64 `json:"appended"`     // since the start
	Evicted     uint64 `json:"evicted"`      // given up before every output had delivered them
	Quarantined uint64 `json:"quarantined"`
	Missing     uint64 `json:"missing"`
	Lost        uint64 `json:"lost"`
	Full        bool   `json:"full"`
	// Degraded says why events are kept in memory only; empty: they are not.
	Degraded string `json:"degraded,omitempty"`
}
