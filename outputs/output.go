// Package outputs is where events leave the sensor: the contract that every
// destination keeps, and the registry of destination types.
package outputs

import (
	"context"
	"time"

	"trailhound/agent/event"
)

// An Output delivers events to one destination. It is called by one goroutine
// at a time and honours ctx. What it counts itself it tells as a Counter.
type Output interface {
	// Send delivers the batch in order and reports per event. The error is for
	// what concerns the destination as a whole; Result is valid all the same.
	// The slice is not to be kept after Send has returned.
	Send(ctx context.Context, batch []event.Event) (Result, error)
	// Check tells whether the destination can be reached and written to. It
	// never delays or fails the start of the sensor.
	Check(ctx context.Context) error
	Limits() Limits
	Guarantee() Guarantee
	// Close delivers what is buffered and lets go of the destination.
	Close() error
}

// Outcome is what became of one event.
type Outcome uint8

// The outcomes. An event that Send did not get to is Retry.
const (
	Retry Outcome = iota
	Delivered
	Rejected // for good: sending it again cannot help
)

// Result tells what became of each event of a batch.
type Result struct {
	Outcomes   []Outcome      // one per event; missing ones are Retry
	Reasons    map[int]string // by index, for what was rejected
	RetryAfter time.Duration  // the receiver's wish; 0: none
}

// AllDelivered is the Result for a batch of n that went well.
func AllDelivered(n int) Result {
	r := Result{Outcomes: make([]Outcome, n)}
	for i := range r.Outcomes {
		r.Outcomes[i] = Delivered
	}
	return r
}

// Limits bound what Send takes; 0 is no limit.
type Limits struct {
	BatchEvents, BatchBytes, EventBytes int
}

// Guarantee is what Delivered means for an output.
type Guarantee uint8

// Sent: handed to the network without an answer. Acknowledged: the destination
// said that it has the event, or the file took it.
const (
	Sent Guarantee = iota
	Acknowledged
)

// String names the guarantee as metrics and documents do.
func (g Guarantee) String() string {
	if g == Acknowledged {
		return "acknowledged"
	}
	return "sent"
}
