package lint

import (
	"os"
	"runtime/debug"
	"testing"
	"time"

	"trailhound/trails"
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
	below := map[trails.Kind]int{}
	sum := Run(tab, starter.Whitelist(), starter.UserAgents(), func(f Finding) {
		if f.Reason == Whitelisted {
			below[f.Kind]++
		} else if f.Reason == Unmatched || f.Reason == NoSample || f.Reason == BadExpression {
			t.Errorf("%s %s %q %s", f.Reason, f.Kind, f.Trail, f.Detail)
		}
	})
	for r, n := range sum.ByReason {
		t.Logf("%s %d", Reason(r), n)
	}
	t.Logf("whitelisted by kind: %v", below)
	// T 4.3 counts 2,997 rows under a whitelisted parent; the addresses in
	// whitelisted ranges, which the gate drops, come on top of it.
	if n := below[trails.Domain] + below[trails.URL]; n < 2997 {
		t.Errorf("%d names and URLs under a whitelisted parent", n)
	}
	if sum.Trails != tab.Len() || sum.Sent+sum.LookedUp+sum.Findings != sum.Trails {
		t.Errorf("%+v does not add up", sum)
	}
}
