package tests

import (
	"encoding/csv"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trailhound/agent"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/suppress"
	"trailhound/trails/table"
)

// Bounds on what one capture may cost, whatever it holds.
const (
	maxEventsPerPacket = 64 // of recall tables; pipelined requests raise several
	// maxAllocation is for readers, workers and tables; events come on top.
	maxAllocation = 64 << 20
	maxEventBytes = 16 << 10
)

// TestRecall makes trails of the names and addresses that a dissector saw in
// foreign captures, replays the captures, and asks which are found again.
func TestRecall(t *testing.T) {
	root := shared(t, "corpus", "captures")
	seen := observables(t, filepath.Join(root, "observables.jsonl"))
	type tally struct{ found, all int }
	tallies := make([]tally, len(goals))
	left := map[string]int{}
	for _, row := range index(t, filepath.Join(root, "INDEX.csv")) {
		list := seen[strings.TrimSuffix(row.file, ".pcap")]
		names, addresses := table.NewBuilder(table.Options{Seed: 1}), table.NewBuilder(table.Options{Seed: 1})
		for i := range list {
			switch o := &list[i]; {
			case o.goal() < 0:
			case o.Kind == "syn_dst":
				o.trail(addresses)
			default:
				o.trail(names)
			}
		}
		path := filepath.Join(root, row.file)
		byName := bounded(t, path, row, memory(t, names))
		byAddress := bounded(t, path, row, memory(t, addresses))
		for i := range list {
			o := &list[i]
			g := o.goal()
			if g < 0 {
				continue
			}
			if why := o.leftOut(); why != "" {
				left[o.Kind+", "+why]++
				if strings.HasPrefix(why, "no name") {
					t.Logf("left out: %s %s %.90q: %s", o.Capture, o.Kind, o.Value, why)
				}
				continue
			}
			events := byName
			if o.Kind == "syn_dst" {
				events = byAddress
			}
			tallies[g].all++
			if o.in(events) {
				tallies[g].found++
			} else {
				t.Logf("missed: %s frame %s %s %s %.90q", o.Capture, frameOf(o), o.Kind, o.Transport, o.Value)
			}
		}
	}
	for _, why := range slices.Sorted(maps.Keys(left)) {
		t.Logf("left out: %3d %s", left[why], why)
	}
	var sum tally
	for i, g := range goals {
		n := tallies[i]
		if n.all == 0 {
			if g.least > 0 {
				t.Errorf("%s: none in the captures", g.name)
			}
			continue
		}
		t.Logf("recall: %-17s %4d of %4d = %6.2f %% (goal %.0f %%)", g.name, n.found, n.all, 100*float64(n.found)/float64(n.all), 100*g.least)
		if float64(n.found) < g.least*float64(n.all) {
			t.Errorf("%s: recall %d of %d is below %v", g.name, n.found, n.all, g.least)
		}
		if g.least > 0 {
			sum.found += n.found
			sum.all += n.all
		}
	}
	t.Logf("recall: all together      %4d of %4d = %6.2f %% (goal 98.5 %%)", sum.found, sum.all, 100*float64(sum.found)/float64(sum.all))
	if float64(sum.found) < 0.985*float64(sum.all) {
		t.Errorf("recall of all together is %d of %d", sum.found, sum.all)
	}
}

func frameOf(o *observable) string {
	if o.Frame == nil {
		return "?"
	}
	return strconv.Itoa(*o.Frame)
}

type capture struct {
	file    string
	packets uint64
	whole   bool
}

func index(t *testing.T, path string) (all []capture) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		n, err := strconv.ParseUint(r[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, capture{r[0], n, r[4] == "whole"})
	}
	return all
}

// bounded replays a capture that may hold anything, and holds the bounds.
func bounded(t *testing.T, path string, c capture, trails *table.Table) (events []event.Event) {
	t.Helper()
	rules := detect.NewRules(trails, nil, detect.Options{Heuristics: true, HostDomains: true, MissingHost: true})
	r := agent.Replay{Files: []string{path}, Workers: 2, Rules: rules, Gate: suppress.New(suppress.Options{}),
		Sink: func(e event.Event) error { events = append(events, e); return nil }}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	summary, err := r.Run(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", c.file, err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > maxAllocation+maxEventBytes*uint64(len(events)) {
		t.Errorf("%s: %d bytes allocated for %d events", c.file, got, len(events))
	}
	if n := uint64(len(events)); n > maxEventsPerPacket*summary.Packets {
		t.Errorf("%s: %d events of %d packets", c.file, n, summary.Packets)
	}
	switch {
	case !c.whole && len(summary.Damaged) == 0:
		t.Errorf("%s: the damage is not reported", c.file)
	case c.whole && len(summary.Damaged) > 0:
		t.Errorf("%s: reported as damaged: %v", c.file, summary.Damaged)
	case c.whole && summary.Packets != c.packets:
		t.Errorf("%s: %d packets read of %d", c.file, summary.Packets, c.packets)
	}
	return events
}
