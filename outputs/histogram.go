package outputs

import (
	"slices"
	"time"
)

// bounds are the upper ends of a histogram's buckets: from what a local file
// takes to what a receiver may be away.
var bounds = [...]time.Duration{
	time.Millisecond, 5 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
	5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
}

// Bounds are the upper ends of the buckets of every Histogram, rising. Beyond
// them is one more bucket.
func Bounds() []time.Duration { return slices.Clone(bounds[:]) }

// A Histogram counts durations by their length. Copies are its values of the
// moment.
type Histogram struct {
	Counts [len(bounds) + 1]uint64 // by bucket, each by itself
	Sum    float64                 // of all durations, in seconds
}

// add counts a duration. It begins to look for the bucket at one of before,
// which is mostly the right one, and gives the one that it found. Nothing is
// shorter than 0: clocks differ.
func (h *Histogram) add(d time.Duration, at int) int {
	d = max(d, 0)
	for at < len(bounds) && d > bounds[at] {
		at++
	}
	for at > 0 && d <= bounds[at-1] {
		at--
	}
	h.Counts[at]++
	h.Sum += d.Seconds()
	return at
}
