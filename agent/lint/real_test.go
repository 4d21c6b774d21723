package lint

import (
	"os"
	"runtime/debug"
	"testing"
	"time"

	"trailhound/trails/source"
	"trailhound/trails/starter"
	"trailhound/trails/table"
)

// The static tree of the reference as one CSV (T 8). Set TRAILHOUND_CSV to its
// path; it is 83 MB and not part of the repository.
func TestRealTrails(t *testing.T) {
	path := os.Getenv("TRAILHOUND_CSV")
	if path == "" {
		t.Skip("TRAILHOUND_CSV does not name the reference's merged CSV")
	}
	b := table.NewBuilder(table.Options{Seed: 1, Now: time.Unix(1e9, 0)})
	if _, err := source.Read(path, b, source.Options{}); err != nil {
		t.Fatal(err)
	}
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	below := map[string]int{}
	shown := [Reasons]int{}
	start := time.Now()
	sum := Run(tab, starter.Whitelist(), starter.UserAgents(), func(f Finding) {
		if f.Reason == Whitelisted {
			below[f.Detail]++
		} else if shown[f.Reason]++; shown[f.Reason] <= 12 {
			t.Logf("%s %s %q %s (%s)", f.Reason, f.Kind, f.Trail, f.Detail, f.Source)
		}
	})
	t.Logf("%d trails in %v: sent %d, looked up %d", sum.Trails, time.Since(start), sum.Sent, sum.LookedUp)
	for r, n := range sum.ByReason {
		if n > 0 {
			t.Logf("%s %d", Reason(r), n)
		}
	}
	for k, n := range below {
		if n > 100 {
			t.Logf("below %s: %d", k, n)
		}
	}
}
