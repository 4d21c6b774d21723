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
// Detected = Suppressed + Folded + Passed.
type Gate struct {
	Detected   uint64 `json:"detected"`
	Suppressed uint64 `json:"suppressed"` // by the whitelist
	Folded     uint64 `json:"folded"`     // repeats that became part of a summary
	Passed     uint64 `json:"passed"`     // went out by themselves
	Summaries  uint64 `json:"summaries"`  // went out for the folded ones
	Unkeyed    uint64 `json:"unkeyed"`    // of Passed: not followed, the gate's memory was at its bound
	Dropped    uint64 `json:"dropped"`    // events and summaries that left the gate and were lost before any output
	Keys       uint64 `json:"keys"`       // followed at present
}

// Output is one destination of events.
type Output struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Guarantee is what Delivered means: acknowledged by the destination, or
	// just sent.
	Guarantee     string    `json:"guarantee"`
	Delivered     uint64    `json:"delivered"`
	Rejected      uint64    `json:"rejected"` // refused for good
	Dropped       uint64    `json:"dropped"`  // given up by the sensor
	Retries       uint64    `json:"retries"`  // batches sent again
	Errors        uint64    `json:"errors"`
	Queued        uint64    `json:"queued"`
	Capacity      uint64    `json:"capacity"` // of the queue, in events; 0: no such bound
	LastSuccessAt time.Time `json:"last_success_at,omitzero"`
	LastError     string    `json:"last_error,omitempty"` // no values: they may be secrets
	LastErrorAt   time.Time `json:"last_error_at,omitzero"`
	Healthy       bool      `json:"healthy"`
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

// Memory is what the sensor holds. The resident memory includes the heap and
// the rings, and the part of the trail table that was looked at.
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
