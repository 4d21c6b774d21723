package outputs

import (
	"slices"
	"testing"
	"time"
)

// Each counter has a place of its own in the set and in the sum.
func TestCounters(t *testing.T) {
	var names []string
	all := AllCounters()
	all.Each(func(name string, _ uint64) { names = append(names, name) })
	if len(names) != 16 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("%d names: %v", len(names), names)
	}
	one := Counters{HasBytes | HasResent, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	sum := one.plus(Counters{HasTorn, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100})
	if sum != (Counters{HasBytes | HasResent | HasTorn, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116}) {
		t.Errorf("%+v", sum)
	}
	got := map[string]uint64{}
	sum.Each(func(name string, value uint64) { got[name] = value })
	if len(got) != 3 || got["bytes"] != 101 || got["resent"] != 109 || got["torn"] != 115 {
		t.Errorf("%v", got)
	}
	sum.Has, got = hasAll, map[string]uint64{}
	sum.Each(func(name string, value uint64) { got[name] = value })
	for i, name := range names {
		if got[name] != uint64(101+i) {
			t.Errorf("%s is %d", name, got[name])
		}
	}
}

func TestHistogram(t *testing.T) {
	if !slices.IsSorted(Bounds()) {
		t.Fatal("the bounds do not rise")
	}
	for at := range len(bounds) + 1 { // wherever the search begins
		var h Histogram
		for i, b := range bounds {
			if got := h.add(b, at); got != i { // upper ends belong to their bucket
				t.Errorf("%v from %d: bucket %d, want %d", b, at, got, i)
			}
			if got := h.add(b+1, at); got != i+1 {
				t.Errorf("%v from %d: bucket %d, want %d", b+1, at, got, i+1)
			}
		}
		if got := h.add(-time.Hour, at); got != 0 {
			t.Errorf("an event of the future is in bucket %d", got)
		}
		if h.Counts[0] != 2 || h.Counts[1] != 2 || h.Counts[len(bounds)] != 1 {
			t.Errorf("%+v", h)
		}
	}
	var h Histogram
	h.add(1500*time.Millisecond, 0)
	h.add(-time.Second, 0)
	if h.Sum != 1.5 {
		t.Errorf("the sum is %v", h.Sum)
	}
	if n := testing.AllocsPerRun(100, func() { h.add(time.Minute, 3) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHistogram(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	at := 0
	for i := range b.N {
		at = h.add(time.Duration(i%7)*time.Millisecond, at)
	}
}
