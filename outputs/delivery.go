package outputs

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"trailhound/agent/event"
)

// Bounds of a Delivery: what waits for the destination, and one batch.
const (
	MaxQueueEvents = 65_536
	MaxQueueBytes  = 32 << 20
	maxBatch       = 1024
)

// Pauses between attempts that fail, and between log lines about them.
const (
	firstPause  = 100 * time.Millisecond
	longestWait = 30 * time.Second
	repeatLog   = 5 * time.Minute
)

// Delivery is the loop of one output: it queues events, hands them over in
// batches, and tries again what was not delivered. Offer never waits for it.
type Delivery struct {
	Name, Type string

	out Output
	log *slog.Logger

	mu     sync.Mutex
	queue  []event.Event // the oldest first
	bytes  int
	counts DeliveryCounts
	logged time.Time // when a failure last was

	more    chan struct{}
	closing chan struct{}
	once    sync.Once
	done    chan struct{}
}

// DeliveryCounts say what became of the events that were offered: Offered =
// Delivered + Rejected + Dropped + Queued at any time.
type DeliveryCounts struct {
	Offered, Delivered, Rejected, Dropped uint64
	Queued, QueuedBytes                   int
	Retries, Errors                       uint64 // batches sent again; attempts with an error
	LastSuccess, LastError                time.Time
	Error                                 string    // of the last attempt; empty: it went well
	Failing                               time.Time // since when; zero: it works
}

// NewDelivery makes the loop for an output and owns the output from then on.
// Run runs it.
func NewDelivery(name, typ string, out Output, log *slog.Logger) *Delivery {
	return &Delivery{Name: name, Type: typ, out: out, log: log.With("output", name), more: make(chan struct{}, 1),
		closing: make(chan struct{}), done: make(chan struct{})}
}

// Guarantee is the output's.
func (d *Delivery) Guarantee() Guarantee { return d.out.Guarantee() }

// Check asks the destination whether it can be reached and written to.
func (d *Delivery) Check(ctx context.Context) error { return d.out.Check(ctx) }

// Offer queues an event, or drops and counts it when MaxQueueEvents or
// MaxQueueBytes wait already.
func (d *Delivery) Offer(e event.Event) {
	size := e.Size()
	d.mu.Lock()
	d.counts.Offered++
	if len(d.queue) >= MaxQueueEvents || d.bytes+size > MaxQueueBytes {
		d.counts.Dropped++
		d.mu.Unlock()
		return
	}
	d.queue = append(d.queue, e)
	d.bytes += size
	d.mu.Unlock()
	select {
	case d.more <- struct{}{}:
	default:
	}
}

// Counts gives the counts up to now.
func (d *Delivery) Counts() DeliveryCounts {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.counts
	c.Queued, c.QueuedBytes = len(d.queue), d.bytes
	return c
}

// Run delivers until Close, and then until the queue is empty or ctx ends.
func (d *Delivery) Run(ctx context.Context) {
	defer close(d.done)
	pause := firstPause
	for {
		batch := d.front()
		if len(batch) == 0 {
			select {
			case <-d.more:
				continue
			case <-d.closing:
				if len(d.front()) == 0 {
					return
				}
				continue
			case <-ctx.Done():
				return
			}
		}
		result, err := d.out.Send(ctx, batch)
		moved := d.settle(batch, result, err)
		if err == nil && moved > 0 {
			pause = firstPause
			continue
		}
		if moved > 0 {
			pause = firstPause
		}
		wait := max(result.RetryAfter, pause/2+rand.N(pause/2+1))
		pause = min(2*pause, longestWait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// Close ends Run once everything is delivered, or ctx is over, and closes the
// output. Stop is called when ctx is over, and has to end the context of Run.
// The error says how many events are lost.
func (d *Delivery) Close(ctx context.Context, stop func()) error {
	d.once.Do(func() { close(d.closing) })
	select {
	case <-d.done:
	case <-ctx.Done():
		stop()
		<-d.done
	}
	err := d.out.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.queue); n > 0 {
		d.counts.Dropped += uint64(n)
		d.queue, d.bytes = nil, 0
		lost := fmt.Errorf("%d events could not be delivered to output %s", n, d.Name)
		if d.counts.Error != "" {
			lost = fmt.Errorf("%w: %s", lost, d.counts.Error)
		}
		return lost
	}
	return err
}

// front gives the events to send next. They stay in the queue.
func (d *Delivery) front() []event.Event {
	limits := d.out.Limits()
	most := maxBatch
	if limits.BatchEvents > 0 {
		most = min(most, limits.BatchEvents)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue[:min(len(d.queue), most):min(len(d.queue), most)]
}

// settle takes what was delivered or rejected out of the queue and says how
// many that were.
func (d *Delivery) settle(batch []event.Event, r Result, err error) (moved int) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := len(batch) // what stays moves to the end of the batch
	for i := len(batch) - 1; i >= 0; i-- {
		outcome := Retry
		if i < len(r.Outcomes) {
			outcome = r.Outcomes[i]
		}
		switch outcome {
		case Delivered:
			d.counts.Delivered++
		case Rejected:
			d.counts.Rejected++
			d.log.Warn("event rejected by the receiver", "id", event.IDString(batch[i].ID), "reason", r.Reasons[i])
		default:
			kept--
			batch[kept] = batch[i]
			continue
		}
		d.bytes -= batch[i].Size()
		moved++
	}
	clear(batch[:kept]) // the texts of what is delivered must not be held
	d.queue = d.queue[kept:]
	if len(d.queue) == 0 {
		d.queue = nil
	}
	if left := len(batch) - kept; err == nil && left > 0 {
		err = fmt.Errorf("%d of %d events were not taken", left, len(batch))
	}
	if err != nil {
		d.failed(now, err)
		return moved
	}
	if !d.counts.Failing.IsZero() {
		d.log.Info("delivery goes on", "failed_for", now.Sub(d.counts.Failing).Round(time.Second).String())
	}
	d.counts.Failing, d.counts.Error, d.counts.LastSuccess = time.Time{}, "", now
	return moved
}

// failed notes an attempt with an error: logged at once, then every five
// minutes.
func (d *Delivery) failed(now time.Time, err error) {
	c := &d.counts
	if c.Failing.IsZero() || now.Sub(d.logged) >= repeatLog {
		d.log.Error("delivery fails, will be tried again", "error", err, "errors", c.Errors+1, "waiting", len(d.queue))
		d.logged = now
	}
	c.LastError = now
	if c.Failing.IsZero() {
		c.Failing = now
	} else {
		c.Retries++
	}
	c.Errors++
	c.Error = err.Error()
}
