package outputs

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
)

// TestSendsAreFinished: a send that is under way when the loop is to end has a
// moment to end by itself, so that the next loop does not send its events again;
// one that hangs is given up after that moment, and no other is begun.
func TestSendsAreFinished(t *testing.T) {
	for _, c := range []struct {
		name      string
		takes     time.Duration
		ends      time.Duration // when the loop has ended, from the order to end
		delivered int
	}{
		{"at once", finish / 2, finish / 2, 5},
		{"never", time.Hour, finish, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &receiver{answer: func(ctx context.Context, batch []event.Event) (Result, error) {
					select {
					case <-time.After(c.takes):
						return AllDelivered(len(batch)), nil
					case <-ctx.Done():
						return Result{}, ctx.Err()
					}
				}}
				set := settings()
				set.Batch = 5
				d := NewDelivery("x", "test", to, newTape(t, 10), set, nil, nil, quiet())
				ctx, cancel := context.WithCancel(t.Context())
				go d.Run(ctx)
				synctest.Wait() // the first batch is under way
				cancel()
				start := time.Now()
				<-d.Done()
				if took := time.Since(start); took != c.ends {
					t.Errorf("ended after %v", took)
				}
				if !slices.Equal(to.got, numbers(1, uint64(c.delivered))) || to.calls != 1 || d.State().Pending != uint64(10-c.delivered) {
					t.Errorf("%d delivered in %d calls, %+v", len(to.got), to.calls, d.State())
				}
			})
		})
	}
}
