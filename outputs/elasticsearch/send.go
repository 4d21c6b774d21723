package elasticsearch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
)

// maxAlone is how many events may be refused by themselves, one request each,
// before the request and not the events are taken to be at fault.
const maxAlone = 8

// refreshTime is how long connections are kept, busy or not: names are resolved
// and certificates read anew with the next one.
const refreshTime = 5 * time.Minute

// smallest is the bound on requests that 413 answers lead to at the least.
const smallest = 64 << 10

// Send delivers the batch in requests of bounded size. The error is of what
// concerns the node as a whole, or says why events were put off; it wraps
// ErrDenied where the credentials are at fault.
func (o *Output) Send(ctx context.Context, batch []event.Event) (outputs.Result, error) {
	s := sending{Output: o, ctx: ctx, batch: batch, result: outputs.Result{Outcomes: make([]outputs.Outcome, len(batch))}}
	if len(batch) == 0 {
		return s.result, nil
	}
	if time.Since(o.connected) > refreshTime {
		o.connected = time.Now()
		o.wire.base.CloseIdleConnections()
	}
	err := o.meet(ctx)
	for s.first < len(batch) && err == nil {
		n := o.body.fill(batch[s.first:], o.limit)
		err = s.request(0, n)
		s.first += n
	}
	return s.finish(err)
}

// sending is the state of one Send.
type sending struct {
	*Output
	ctx    context.Context
	batch  []event.Event
	first  int // of the batch in the body
	result outputs.Result

	alone    []lone // refused by themselves
	accepted bool   // a request was accepted
	putOff   int    // events that the node did not take now
	why      string // what it said of the first of them
	kind     error  // and of what kind that is
	denied   bool   // one is put off for want of a right
}

type lone struct {
	index  int // in the batch
	reason string
}

// request sends the events from..to of the body, in parts if the node finds
// them too large or malformed as a whole.
func (s *sending) request(from, to int) error {
	err := s.bulk(from, to)
	var f *fault
	if err == nil || !errors.As(err, &f) || f.status != http.StatusRequestEntityTooLarge && f.status != http.StatusBadRequest {
		return err
	}
	if f.status == http.StatusRequestEntityTooLarge {
		s.limit = max(smallest, min(s.limit, len(s.body.part(from, to))/2))
	}
	if to-from > 1 {
		s.counts.splits.Add(1)
		half := from + (to-from)/2
		if err := s.request(from, half); err != nil {
			return err
		}
		return s.request(half, to)
	}
	s.alone = append(s.alone, lone{s.first + from, f.Error()})
	if len(s.alone) >= maxAlone && !s.accepted {
		// Each event refused, whatever it is: it is not the events.
		return fmt.Errorf("every request is refused: %w", err)
	}
	return nil
}

// bulk sends the events from..to of the body in one request and notes what
// became of them.
func (s *sending) bulk(from, to int) error {
	results, err := s.roundTrip(s.ctx, s.body.part(from, to), to-from)
	if err != nil {
		return err
	}
	s.accepted, s.Output.accepted = true, true
	for i := range results {
		s.note(s.first+from+i, &results[i])
	}
	return nil
}

// note turns what the node said of one event into its outcome.
func (s *sending) note(index int, r *result) {
	c := &s.counts
	outcome := outputs.Retry
	switch {
	case r.status >= 200 && r.status < 300:
		outcome = outputs.Delivered
		if r.diverted {
			c.diverted.Add(1)
		}
	case r.status == http.StatusConflict:
		// The data stream has a document of this id: an attempt before this one
		// arrived, but its answer did not.
		outcome = outputs.Delivered
		c.duplicates.Add(1)
	case s.isFinal(r):
		outcome = outputs.Rejected
	}
	s.result.Outcomes[index] = outcome
	switch outcome {
	case outputs.Delivered:
		c.delivered.Add(1)
	case outputs.Rejected:
		s.reject(index, r.String())
	default:
		s.denied = s.denied || r.status == http.StatusUnauthorized || r.status == http.StatusForbidden
		if s.putOff++; s.putOff == 1 {
			s.why, s.kind = r.String(), kindOf(r.status)
		}
	}
}

// isFinal says whether an error is of the event, so that it will be the same each
// time. A right that is missing, a blocked or missing data stream and a missing
// pipeline are none of it: the events are kept until the operator has mended that.
func (s *sending) isFinal(r *result) bool {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return r.status >= 400 && r.status < 500 && !(s.keys.Pipeline != "" && isMissingPipeline(r.reason))
}

func (s *sending) reject(index int, reason string) {
	if s.result.Reasons == nil {
		s.result.Reasons = map[int]string{}
	}
	s.result.Outcomes[index], s.result.Reasons[index] = outputs.Rejected, reason
	s.counts.rejected.Add(1)
}

// finish settles what was refused alone and says why the rest is put off.
func (s *sending) finish(err error) (outputs.Result, error) {
	switch {
	case err == nil && s.Output.accepted:
		for _, l := range s.alone {
			s.reject(l.index, l.reason)
		}
	case err == nil && len(s.alone) > 0:
		// Nothing of this output was ever accepted: the request may be what is
		// wrong, not the event.
		err = outputs.Mark(fmt.Errorf("no request was accepted yet: %s", s.alone[0].reason), outputs.ErrRefused)
	}
	var f *fault
	if errors.As(err, &f) {
		s.result.RetryAfter = f.wait
	}
	if err == nil && s.putOff > 0 {
		text := fmt.Sprintf("%s: %d of %d events are put off: %s", s.nodes.current(), s.putOff, len(s.batch), s.why)
		err = outputs.Mark(errors.New(text), s.kind)
		if s.denied {
			err = fmt.Errorf("%s (%s): %w", text, s.rights(), ErrDenied)
			s.result.RetryAfter = deniedWait
		}
	}
	left := 0
	for _, outcome := range s.result.Outcomes {
		if outcome == outputs.Retry {
			left++
		}
	}
	s.counts.retried.Add(uint64(left))
	return s.result, err
}

// rights says what the user needs.
func (o *Output) rights() string {
	return fmt.Sprintf("the user or API key needs the index privileges auto_configure and create_doc on %s and %s",
		o.stream, o.keys.stream(o.keys.HealthDataset))
}
