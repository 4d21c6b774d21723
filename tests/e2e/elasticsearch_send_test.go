package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/elasticsearch"
)

func openElasticsearch(t testing.TB, k elasticsearch.Keys) *elasticsearch.Output {
	t.Helper()
	k.Enrichments = true
	o, err := elasticsearch.New(k, elasticsearch.Env{Identity: nodeIdentity(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// setUp installs the templates.
func setUp(t testing.TB, o *elasticsearch.Output) string {
	t.Helper()
	var said bytes.Buffer
	if err := o.Setup(t.Context(), &said, elasticsearch.SetupOptions{Apply: true}); err != nil {
		t.Fatal(err)
	}
	return said.String()
}

// A tally is what became of events that were sent until all were settled.
type tally struct {
	delivered, attempts int
	rejected            map[int]string
	errors              map[string]int // by their text
}

// sendAll sends events in batches as a delivery loop does: what is put off is
// sent again, after the pause that the output asks for, up to a second.
func sendAll(t testing.TB, o outputs.Output, events []event.Event, size int, before func(attempt int)) tally {
	t.Helper()
	sum := tally{rejected: map[int]string{}, errors: map[string]int{}}
	deadline := time.Now().Add(10 * time.Minute)
	for from := 0; from < len(events); from += size {
		var left []int
		for i := from; i < min(from+size, len(events)); i++ {
			left = append(left, i)
		}
		for len(left) > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("%d events are not settled: %v", len(left), sum.errors)
			}
			if before != nil {
				before(sum.attempts)
			}
			sum.attempts++
			batch := make([]event.Event, len(left))
			for i, at := range left {
				batch[i] = events[at]
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // a node that has just started, on a machine that is busy
			r, err := o.Send(ctx, batch)
			cancel()
			var again []int
			for i, at := range left {
				switch r.Outcomes[i] {
				case outputs.Delivered:
					sum.delivered++
				case outputs.Rejected:
					sum.rejected[at] = r.Reasons[i]
				default:
					again = append(again, at)
				}
			}
			if err != nil {
				sum.errors[err.Error()]++
			}
			if len(again) == len(left) {
				select {
				case <-time.After(min(max(r.RetryAfter, 100*time.Millisecond), time.Second)):
				case <-t.Context().Done():
				}
			}
			left = again
		}
	}
	return sum
}
