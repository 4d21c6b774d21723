package health

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestWindow holds a window against all that was ever counted.
func TestWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		w := newWindow[uint64](time.Minute, 12)
		at := time.Duration(r.IntN(1000)) * time.Millisecond
		start, total := at, uint64(0)
		type count struct {
			at time.Duration
			n  uint64
		}
		var all []count
		for range 500 {
			w.enter(at, total)
			n := uint64(r.IntN(100))
			total += n
			all = append(all, count{at, n})
			was, from := w.oldest()
			want := uint64(0)
			for _, c := range all {
				if c.at >= from {
					want += c.n
				}
			}
			if got := total - was; got != want {
				t.Fatalf("%d in the window, want %d", got, want)
			}
			if length := at - from; w.full() != (at-start >= time.Minute) || length > time.Minute+w.width || w.full() && length < time.Minute {
				t.Fatalf("full %v after %v, covers %v", w.full(), at-start, length)
			}
			if r.IntN(100) == 0 {
				at += 10 * time.Minute // nothing was observed
			}
			at += time.Duration(r.IntN(10_000)) * time.Millisecond
		}
		w.restart()
		if w.enter(at, total); w.full() {
			t.Error("full after a restart")
		}
	}
}
