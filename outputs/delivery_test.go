package outputs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
)

// receiver is an output whose answers are scripted.
type receiver struct {
	script func(batch []event.Event) (Result, error)
	got    []string
	closed bool
	limit  int
}

func (r *receiver) Send(ctx context.Context, batch []event.Event) (Result, error) {
	result, err := AllDelivered(len(batch)), ctx.Err()
	if r.script != nil {
		result, err = r.script(batch)
	}
	for i, o := range result.Outcomes {
		if o == Delivered {
			r.got = append(r.got, batch[i].Info)
		}
	}
	return result, err
}
func (r *receiver) Check(context.Context) error { return nil }
func (r *receiver) Limits() Limits              { return Limits{BatchEvents: r.limit} }
func (r *receiver) Guarantee() Guarantee        { return Acknowledged }
func (r *receiver) Close() error                { r.closed = true; return nil }

func deliver(t *testing.T, r *receiver, during func(d *Delivery)) *Delivery {
	t.Helper()
	d := NewDelivery("x", "test", r, slog.New(slog.NewTextHandler(io.Discard, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go d.Run(ctx)
	during(d)
	limit, done := context.WithTimeout(context.Background(), time.Hour)
	defer done()
	if err := d.Close(limit, cancel); err != nil {
		t.Error(err)
	}
	if !r.closed {
		t.Error("the output was not closed")
	}
	return d
}

func balanced(t *testing.T, c DeliveryCounts) {
	t.Helper()
	if c.Offered != c.Delivered+c.Rejected+c.Dropped+uint64(c.Queued) {
		t.Errorf("%d offered: %+v", c.Offered, c)
	}
}

func TestDeliveryInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{limit: 7}
		d := deliver(t, r, func(d *Delivery) {
			for i := range 100 {
				d.Offer(event.Event{Info: fmt.Sprint(i)})
			}
		})
		for i, info := range r.got {
			if info != fmt.Sprint(i) {
				t.Fatalf("event %d is %s", i, info)
			}
		}
		if c := d.Counts(); c.Delivered != 100 || c.Errors != 0 || c.LastSuccess.IsZero() || c.QueuedBytes != 0 {
			t.Errorf("%+v", c)
		} else {
			balanced(t, c)
		}
	})
}

// TestDeliveryRetries: every third event is refused once, one for good; all
// others arrive, each once, and the bytes waiting come back to 0.
func TestDeliveryRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tried := map[string]int{}
		r := &receiver{script: func(batch []event.Event) (Result, error) {
			res := AllDelivered(len(batch))
			res.Reasons = map[int]string{}
			for i := range batch {
				tried[batch[i].Info]++
				switch {
				case batch[i].Info == "5":
					res.Outcomes[i], res.Reasons[i] = Rejected, "no"
				case i%3 == 0 && tried[batch[i].Info] == 1:
					res.Outcomes[i] = Retry
				}
			}
			return res, nil
		}}
		d := deliver(t, r, func(d *Delivery) {
			for i := range 50 {
				d.Offer(event.Event{Info: fmt.Sprint(i), Trail: strings.Repeat("x", i)})
			}
		})
		seen := map[string]bool{}
		for _, info := range r.got {
			if seen[info] {
				t.Errorf("event %s twice", info)
			}
			seen[info] = true
		}
		c := d.Counts()
		if len(seen) != 49 || seen["5"] || c.Rejected != 1 || c.QueuedBytes != 0 || c.Errors == 0 || c.Error != "" {
			t.Errorf("%d arrived, %+v", len(seen), c)
		}
		balanced(t, c)
	})
}

// TestDeliveryOutage holds that an outage loses nothing that fits the queue,
// that what does not fit is counted, and that Offer does not wait.
func TestDeliveryOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		r := &receiver{script: func(batch []event.Event) (Result, error) {
			if down.Load() {
				return Result{}, errors.New("connection refused")
			}
			return AllDelivered(len(batch)), nil
		}}
		d := deliver(t, r, func(d *Delivery) {
			for range MaxQueueEvents + 1000 {
				d.Offer(event.Event{})
			}
			time.Sleep(20 * time.Minute)
			c := d.Counts()
			balanced(t, c)
			if c.Delivered != 0 || c.Failing.IsZero() || c.Error != "connection refused" || c.Errors < 30 || c.Errors > 200 {
				t.Errorf("during the outage: %+v", c)
			}
			if c.QueuedBytes > MaxQueueBytes {
				t.Errorf("%d bytes wait", c.QueuedBytes)
			}
			down.Store(false)
		})
		c := d.Counts()
		balanced(t, c)
		if c.Delivered+c.Dropped != MaxQueueEvents+1000 || c.Dropped < 1000 || !c.Failing.IsZero() {
			t.Errorf("after it: %+v", c)
		}
	})
}

// TestDeliveryCloseGivesUp: a destination that stays dead holds the end up for
// as long as it is allowed to, and the loss is said.
func TestDeliveryCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{script: func([]event.Event) (Result, error) { return Result{}, errors.New("down") }}
		d := NewDelivery("x", "test", r, slog.New(slog.NewTextHandler(io.Discard, nil)))
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go d.Run(ctx)
		for range 3 {
			d.Offer(event.Event{})
		}
		limit, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		err := d.Close(limit, cancel)
		if err == nil || !strings.Contains(err.Error(), "3 events could not be delivered to output x: down") {
			t.Error(err)
		}
		c := d.Counts()
		balanced(t, c)
		if c.Dropped != 3 || !r.closed {
			t.Errorf("%+v, closed %v", c, r.closed)
		}
	})
}
