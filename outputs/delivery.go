package outputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/dead"
	"trailhound/outputs/journal"
)

// A Reader hands an output the events of the journal: a journal.Cursor.
type Reader interface {
	// Read gives the events behind the last one that it gave, and what was lost
	// in front of them. It waits for one; io.EOF says that none comes any more.
	// Any other error but that of ctx is the disk's, and passes.
	Read(ctx context.Context, events, bytes int) ([]event.Event, journal.Gap, error)
	// Advance says that all events up to one are settled, and how.
	Advance(through uint64, sums journal.Sums)
	State() journal.CursorState
}

// Settings are what the configuration says of an output whatever its type.
type Settings struct {
	Filter Filter
	Health bool // health events go there
	Local  bool // it is on this host: events that a rule keeps local go there
	Batch  int  // most events at once; 0: as the output's Limits say
	// Timeout is how long a Send may take.
	Timeout time.Duration
	// Pauses between attempts that fail, doubled from First up to Most.
	First, Most time.Duration
	// MaxRate is the most events a second while a backlog of more than one second's
	// worth waits; 0: no limit.
	MaxRate int
	// Remake makes the output anew if what its configuration reads from elsewhere
	// has changed, and gives nil if it has not. It is asked when the receiver does
	// not accept our credentials; nil: that changes nothing.
	Remake func() (Output, error)
}

const (
	// maxBatch is the most events at once for an output without a limit of its own.
	maxBatch = 1024
	// maxBatchBytes is the most bytes of events that are read at once.
	maxBatchBytes = 8 << 20
	// maxRetryAfter bounds the receiver's wish.
	maxRetryAfter = 10 * time.Minute
	// repeatLog is how often a failure that lasts is logged.
	repeatLog = 5 * time.Minute
	// startSpread is the longest wait before a backlog is delivered after the
	// start: sensors of a fleet are often restarted together.
	startSpread = 5 * time.Second
)

// ErrBatch is in the chain of the error of a Send whose batch the receiver
// refused as a whole, for something that is in it. The batch is halved until the
// event is found.
var ErrBatch = errors.New("the batch was refused")

// Delivery is the loop of one output: it reads events from the journal, hands
// them over in batches, tries again what was not delivered, puts aside what was
// refused for good, and says how far it has got. Memory is that of one batch,
// whatever the backlog.
type Delivery struct {
	Name, Type string

	out      Output // the loop's own to read; it is changed under mu
	from     Reader
	set      Settings
	letters  *dead.File
	document func([]byte, *event.Event) []byte // a dead letter as people read it; nil: none
	log      *slog.Logger

	batch   []work
	sending []event.Event // of batch: what is handed to Send, used again each time
	places  []int         // where in batch they are
	pace    pace
	pause   time.Duration
	telling journal.Mark // what the heartbeat in the batch tells
	bucket  int          // of the delay of the event before
	asked   time.Time    // for other credentials
	warned  time.Time    // that they cannot be read

	mu     sync.Mutex
	counts DeliveryCounts
	failed failures
	past   Counters  // of the outputs that were there before
	logged time.Time // when a failure last was

	done chan struct{}
}

// DeliveryCounts say what the loop did since it was made. What became of the
// events over the life of the cursor is in its state.
type DeliveryCounts struct {
	Delivered, Filtered, Dead uint64
	DeadLost                  uint64             // of Dead: no letter could be written
	Resent                    uint64             // dead letters delivered after all
	Retries, Errors           uint64             // batches sent again; attempts with an error
	Classes                   [NumClasses]uint64 // of Errors, by their class
	Remade                    uint64             // times that the output was made anew with other credentials
	LastSuccess, LastError    time.Time
	Error                     string        // of the last attempt; empty: it went well
	Failing                   time.Time     // since when; zero: it works
	Delay                     time.Duration // of the event delivered last: from its time to its delivery
	Delays                    Histogram     // the same of all
	Sends                     Histogram     // how long each handing over took
}

// NewDelivery makes the loop for an output and owns the output from then on.
// Run runs it.
func NewDelivery(name, typ string, out Output, from Reader, set Settings, letters *dead.File, document func([]byte, *event.Event) []byte, log *slog.Logger) *Delivery {
	set.First = max(set.First, time.Millisecond)
	set.Most = max(set.Most, set.First)
	return &Delivery{Name: name, Type: typ, out: out, from: from, set: set, letters: letters, document: document, log: log.With("output", name),
		pace: pace{rate: float64(set.MaxRate)}, pause: set.First, done: make(chan struct{})}
}

// Guarantee is the output's.
func (d *Delivery) Guarantee() Guarantee { return d.Output().Guarantee() }

// Output is the destination itself. Another one may take its place.
func (d *Delivery) Output() Output {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out
}

// Check asks the destination whether it can be reached and written to.
func (d *Delivery) Check(ctx context.Context) error { return d.Output().Check(ctx) }

// Counts gives the counts up to now.
func (d *Delivery) Counts() DeliveryCounts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// Counters gives what the output itself has counted, together with those that
// were in its place.
func (d *Delivery) Counters() Counters {
	d.mu.Lock()
	out, past := d.out, d.past
	d.mu.Unlock()
	return past.plus(countersOf(out))
}

// Failures gives the last ones, the oldest first.
func (d *Delivery) Failures() []Failure {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.failed.list[:d.failed.n])
}

// State is the cursor's.
func (d *Delivery) State() journal.CursorState { return d.from.State() }

// Run delivers until the journal ends and everything is settled, or ctx ends.
// What is not delivered then stays in the journal.
func (d *Delivery) Run(ctx context.Context) {
	defer close(d.done)
	if s := d.from.State(); d.set.MaxRate > 0 && s.Pending > uint64(d.set.MaxRate) {
		if sleep(ctx, rand.N(startSpread)) != nil {
			return
		}
	}
	d.resend(ctx)
	for again := time.Now(); ; {
		if err := d.step(ctx); err != nil {
			if !errors.Is(err, io.EOF) && ctx.Err() == nil {
				d.log.Error("delivery has ended", "error", err)
			}
			return
		}
		if time.Since(again) >= resendLook {
			again = time.Now()
			d.resend(ctx)
		}
	}
}

// Done is closed when Run has ended.
func (d *Delivery) Done() <-chan struct{} { return d.done }

// Close closes the output. Run must have ended.
func (d *Delivery) Close() error {
	err := d.out.Close()
	if d.letters != nil {
		err = errors.Join(err, d.letters.Close())
	}
	if err != nil {
		return fmt.Errorf("output %s: %w", d.Name, err)
	}
	return nil
}

// step reads a batch and settles all of it.
func (d *Delivery) step(ctx context.Context) error {
	events, bytes := d.size()
	// An idle loop looks for letters to be sent again, too.
	limit, done := context.WithTimeout(ctx, resendLook)
	list, gap, err := d.from.Read(limit, events, bytes)
	idle := limit.Err() != nil && ctx.Err() == nil
	done()
	if gap != (journal.Gap{}) {
		d.log.Warn("events are lost to this output", "evicted", gap.Evicted, "quarantined", gap.Quarantined)
	}
	if err != nil {
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return err
		}
		if idle {
			return nil
		}
		d.outcome(fmt.Errorf("cannot read the journal: %w", err), 0)
		d.pause = min(2*d.pause, d.set.Most)
		return sleep(ctx, d.pause/2)
	}
	for len(list) > 0 {
		part := d.beforeHeartbeat(list)
		d.fill(list[:part])
		list = list[part:]
		for len(d.batch) > 0 {
			n := d.ready()
			if n > 0 {
				if err := d.hold(ctx, n); err != nil {
					return err
				}
			}
			if err := d.attempt(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// size is how much to read at once.
func (d *Delivery) size() (events, bytes int) {
	limits := d.out.Limits()
	events, bytes = maxBatch, maxBatchBytes
	if limits.BatchEvents > 0 {
		events = limits.BatchEvents
	}
	if d.set.Batch > 0 {
		events = d.set.Batch
		if limits.BatchEvents > 0 {
			events = min(events, limits.BatchEvents)
		}
	}
	if limits.BatchBytes > 0 {
		bytes = min(bytes, limits.BatchBytes)
	}
	return events, bytes
}

// hold keeps to the rate while there is a backlog.
func (d *Delivery) hold(ctx context.Context, n int) error {
	if d.set.MaxRate <= 0 {
		return ctx.Err()
	}
	if d.from.State().Pending <= uint64(max(d.set.MaxRate, n)) {
		d.pace.rest()
		return ctx.Err()
	}
	return d.pace.take(ctx, n)
}
