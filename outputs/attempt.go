package outputs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
	"trailhound/outputs/journal"
)

// work is an event of the batch in hand and what became of it.
type work struct {
	event event.Event
	fate  fate
}

type fate uint8

const (
	waiting fate = iota
	delivered
	filtered
	buried
)

// fill makes the batch of what was read. What does not go to this output is
// settled at once.
func (d *Delivery) fill(list []event.Event) {
	for i := range list {
		w := work{event: list[i]}
		e := &w.event
		switch health := e.Code.IsHealth(); {
		case health && !d.set.Health,
			!health && !d.set.Filter.Pass(e),
			e.Suppression.Local && !d.set.Local:
			w.fate = filtered
		case e.Code == event.HealthHeartbeat:
			d.complete(e)
		}
		d.batch = append(d.batch, w)
	}
}

// ready counts the events to send.
func (d *Delivery) ready() (n int) {
	for i := range d.batch {
		if d.batch[i].fate == waiting {
			n++
		}
	}
	return n
}

// attempt sends what waits, once, settles what it can, and pauses when it
// could not get on. The error is that of ctx.
func (d *Delivery) attempt(ctx context.Context) error {
	send, at := d.sending[:0], d.places[:0]
	for i := range d.batch {
		if d.batch[i].fate == waiting {
			send, at = append(send, d.batch[i].event), append(at, i)
		}
	}
	d.sending, d.places = send, at
	defer clear(send) // their texts must not be held
	if len(send) == 0 {
		d.settle()
		return ctx.Err()
	}
	r, err := d.send(ctx, send)
	if errors.Is(err, ErrBatch) {
		r, err = d.bisect(ctx, send, r, err)
	}
	moved := d.note(send, at, r)
	d.settle()
	left := len(send) - moved
	if err == nil && left > 0 {
		err = Mark(fmt.Errorf("%d of %d events were not taken", left, len(send)), ErrUnavailable)
	}
	d.outcome(err, left)
	if moved > 0 {
		d.pause = d.set.First
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if left == 0 {
		return nil
	}
	if d.remake(err) {
		d.pause = d.set.First
		return nil // what the receiver asked of the other one is not its matter
	}
	wait := max(d.pause/2+rand.N(d.pause/2+1), min(r.RetryAfter, maxRetryAfter))
	d.pause = min(2*d.pause, d.set.Most)
	return sleep(ctx, wait)
}

// finish is how long a send that is under way when the loop is to end may take to
// end by itself. What is given up may have arrived all the same, and would be sent
// again by the next loop.
const finish = time.Second

// finishing is a context that ends so much later than ctx is cancelled; a deadline of
// ctx is kept.
func finishing(ctx context.Context) (longer context.Context, end func()) {
	longer = context.WithoutCancel(ctx)
	dated := func() {}
	if at, ok := ctx.Deadline(); ok {
		longer, dated = context.WithDeadline(longer, at)
	}
	longer, cancel := context.WithCancelCause(longer)
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-longer.Done():
		case <-time.After(finish):
			cancel(context.Cause(ctx))
		}
	})
	return longer, func() {
		stop()
		cancel(nil)
		dated()
	}
}

// send is Send with its deadline. A panic of an output costs the attempt, not
// the sensor.
func (d *Delivery) send(ctx context.Context, batch []event.Event) (r Result, err error) {
	ctx, end := finishing(ctx)
	defer end()
	if d.set.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.set.Timeout)
		defer cancel()
	}
	start := time.Now()
	defer func() {
		took := time.Since(start)
		d.mu.Lock()
		d.counts.Sends.add(took, 0)
		d.mu.Unlock()
		if v := recover(); v != nil {
			d.log.Error("BUG: the output failed", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			r, err = Result{}, fmt.Errorf("the output failed (%v): %w", v, ErrBatch)
		}
	}()
	return d.out.Send(ctx, batch)
}

// bisect finds the events for which a batch was refused: it sends the halves,
// and an event that is refused alone is rejected. What was delivered on the way
// counts, and it ends with the first error of another kind.
func (d *Delivery) bisect(ctx context.Context, batch []event.Event, r Result, err error) (Result, error) {
	all := Result{Outcomes: make([]Outcome, len(batch)), Reasons: map[int]string{}, RetryAfter: r.RetryAfter}
	copy(all.Outcomes, r.Outcomes)
	for i, why := range r.Reasons {
		all.Reasons[i] = why
	}
	var waiting []int
	for i := range batch {
		if all.Outcomes[i] == Retry {
			waiting = append(waiting, i)
		}
	}
	type part struct {
		at  []int
		err error
	}
	var parts []part // to be halved: what is known to be refused
	refuse := func(p part) {
		if len(p.at) == 1 {
			all.Outcomes[p.at[0]], all.Reasons[p.at[0]] = Rejected, p.err.Error()
		} else if len(p.at) > 1 {
			parts = append(parts, p)
		}
	}
	refuse(part{waiting, err})
	for len(parts) > 0 {
		p := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		halves := [][]int{p.at[:len(p.at)/2], p.at[len(p.at)/2:]}
		if rand.N(2) == 0 { // else a receiver that fails in step with this would meet the same half for ever
			halves[0], halves[1] = halves[1], halves[0]
		}
		for _, half := range halves {
			if ctx.Err() != nil { // send would begin all the same: see finishing
				return all, ctx.Err()
			}
			events := make([]event.Event, len(half))
			for i, at := range half {
				events[i] = batch[at]
			}
			r, err := d.send(ctx, events)
			var left []int
			for i, at := range half {
				if i < len(r.Outcomes) && r.Outcomes[i] != Retry {
					all.Outcomes[at] = r.Outcomes[i]
					if why, ok := r.Reasons[i]; ok {
						all.Reasons[at] = why
					}
				} else {
					left = append(left, at)
				}
			}
			if errors.Is(err, ErrBatch) {
				refuse(part{left, err})
			} else if err != nil {
				all.RetryAfter = max(all.RetryAfter, r.RetryAfter)
				return all, err
			}
		}
	}
	return all, nil
}

// note writes down what became of the events that were sent, and says how many
// of them need not be sent again.
func (d *Delivery) note(sent []event.Event, at []int, r Result) (moved int) {
	now := time.Now()
	var letters []dead.Letter
	var last *event.Event
	for i := range sent {
		outcome := Retry
		if i < len(r.Outcomes) {
			outcome = r.Outcomes[i]
		}
		switch outcome {
		case Delivered:
			d.batch[at[i]].fate = delivered
			last = &sent[i]
		case Rejected:
			d.batch[at[i]].fate = buried
			letters = append(letters, d.letter(now, &sent[i], r.Reasons[i]))
		default:
			continue
		}
		moved++
	}
	if last != nil {
		d.mu.Lock()
		d.counts.Delay = now.Sub(last.Time)
		for i := range sent {
			if i < len(r.Outcomes) && r.Outcomes[i] == Delivered {
				d.bucket = d.counts.Delays.add(now.Sub(sent[i].Time), d.bucket)
			}
		}
		d.mu.Unlock()
	}
	d.bury(letters)
	return moved
}

// letter makes the dead letter of an event that was refused for good.
func (d *Delivery) letter(now time.Time, e *event.Event, reason string) dead.Letter {
	if reason == "" {
		reason = "refused without a reason"
	}
	l := dead.Letter{Time: now, Output: d.Name, Reason: reason, Event: *e}
	if d.document != nil {
		l.Shown = d.document(nil, e)
	}
	return l
}

// bury writes dead letters. Their loss is counted and said; it does not stop
// delivery.
func (d *Delivery) bury(letters []dead.Letter) {
	if len(letters) == 0 {
		return
	}
	var lost uint64
	if d.letters == nil {
		lost = uint64(len(letters))
	} else if err := d.letters.Put(letters); err != nil {
		lost = uint64(len(letters))
		d.log.Error("dead letters are lost", "events", len(letters), "error", err)
	}
	d.log.Warn("events were refused for good", "events", len(letters), "first", event.IDString(letters[0].Event.ID), "reason", letters[0].Reason)
	d.mu.Lock()
	d.counts.DeadLost += lost
	d.mu.Unlock()
}

// settle takes the settled events at the front of the batch out of it and tells
// the cursor.
func (d *Delivery) settle() {
	var s journal.Sums
	n := 0
	for ; n < len(d.batch) && d.batch[n].fate != waiting; n++ {
		switch d.batch[n].fate {
		case delivered:
			s.Delivered++
			if m := d.told(&d.batch[n].event); m != (journal.Mark{}) {
				s.Told = m
			}
		case filtered:
			s.Filtered++
		case buried:
			s.DeadLettered++
		}
	}
	if n == 0 {
		return
	}
	d.from.Advance(d.batch[n-1].event.Seq, s)
	left := copy(d.batch, d.batch[n:])
	clear(d.batch[left:])
	d.batch = d.batch[:left]
	d.mu.Lock()
	d.counts.Delivered += s.Delivered
	d.counts.Filtered += s.Filtered
	d.counts.Dead += s.DeadLettered
	d.mu.Unlock()
}

// outcome notes how an attempt ended. A failure is logged at once, and every
// five minutes while it lasts.
func (d *Delivery) outcome(err error, left int) {
	now := time.Now()
	pending := d.from.State().Pending
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &d.counts
	if err == nil {
		if !c.Failing.IsZero() {
			d.log.Info("delivery goes on", "failed_for", now.Sub(c.Failing).Round(time.Second).String(), "waiting", pending)
		}
		c.Failing, c.Error, c.LastSuccess = time.Time{}, "", now
		return
	}
	class := ClassOf(err)
	c.Errors++
	c.Classes[class]++
	if left > 0 {
		c.Retries++
	}
	c.LastError, c.Error = now, failureText(err)
	d.failed.add(now, class, c.Error)
	if c.Failing.IsZero() || now.Sub(d.logged) >= repeatLog {
		d.log.Error("delivery fails, will be tried again", "error", c.Error, "class", class.String(), "errors", c.Errors, "waiting", pending)
		d.logged = now
	}
	if c.Failing.IsZero() {
		c.Failing = now
	}
}
