// Package tests holds what spans packages: the arrows between them, captures
// with the events that must come of them, recall over foreign captures.
package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
	"trailhound/trails"
	"trailhound/trails/source"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// moduleRoot is the directory of go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above this test")
		}
		dir = up
	}
}

// shared gives a path below the shared folder, and skips the test when it is
// not there.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	root := os.Getenv("TRAILHOUND_SHARED")
	if root == "" {
		root = filepath.Join(moduleRoot(t), "..", "shared")
	}
	full := filepath.Join(append([]string{root}, path...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skipf("no shared data at %s (set TRAILHOUND_SHARED): %v", full, err)
	}
	return full
}

// tableOf builds a table of CSV rows.
func tableOf(t testing.TB, rows string) *table.Table {
	t.Helper()
	b := table.NewBuilder(table.Options{Seed: 1, Now: corpus.Start})
	if strings.TrimSpace(rows) != "" {
		report, err := source.ReadCSV(strings.NewReader(rows), "trails.csv", b, source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if report.Malformed > 0 {
			t.Fatalf("malformed trails: %v", report.Problems)
		}
	}
	return memory(t, b)
}

func memory(t testing.TB, b *table.Builder) *table.Table {
	t.Helper()
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// setup is how a capture is replayed.
type setup struct {
	rules     *detect.Rules
	white     *whitelist.List
	workers   int
	aggregate time.Duration
	outcomes  bool
}

// replay runs capture files through the pipeline.
func replay(t testing.TB, s setup, files ...string) ([]event.Event, agent.Summary) {
	t.Helper()
	var events []event.Event
	gate := suppress.Options{Window: s.aggregate}
	if s.white != nil {
		gate.Whitelisted = s.white.Addr
	}
	r := agent.Replay{Files: files, Workers: s.workers, Rules: s.rules, Board: board.NewBoard(s.rules.Board()), Gate: suppress.New(gate),
		Sink: func(e event.Event) error { events = append(events, e); return nil }}
	summary, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return events, summary
}

// line writes an event as cases do: seconds from the start of the cases.
func line(e *event.Event) string {
	at := strconv.FormatFloat(e.Time.Sub(corpus.Start).Seconds(), 'f', -1, 64)
	return fmt.Sprintf("%s %s %s %s %s %s %s %s | %s | %s", at, trails.AddrText(e.Src), port(e.SrcPort),
		trails.AddrText(e.Dst), port(e.DstPort), e.Protocol, e.Type, e.Trail, e.Info, e.Reference)
}

func port(n uint16) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(int(n))
}

func lines(events []event.Event) (all []string) {
	for i := range events {
		all = append(all, line(&events[i]))
	}
	return all
}

func codesOf(events []event.Event) (all []string) {
	for i := range events {
		all = append(all, string(events[i].Code))
	}
	return all
}

// sameLines reports the first difference and both lists.
func sameLines(t testing.TB, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("events\n got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// caseFile writes the capture of a case.
func caseFile(t testing.TB, c *corpus.Case) string {
	t.Helper()
	name := "capture.pcap"
	if c.Pcapng {
		name = "capture.pcapng"
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, c.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// runCase replays the capture of a case with one and several workers, which must give the same events in the same order with the same ids.
func runCase(t *testing.T, c corpus.Case) {
	t.Helper()
	runFile(t, c, caseFile(t, &c))
}

// runFile does the same with a capture that is already written.
func runFile(t *testing.T, c corpus.Case, path string) {
	t.Helper()
	s := setup{rules: caseRules(t, &c), white: caseWhitelist(t, &c), workers: 1, aggregate: c.Aggregate}
	events, summary := replay(t, s, path)
	if len(summary.Damaged) > 0 {
		t.Fatalf("damaged: %v", summary.Damaged)
	}
	if summary.Packets != uint64(len(c.Frames)) {
		t.Errorf("%d packets read of %d", summary.Packets, len(c.Frames))
	}
	sameLines(t, lines(events), c.Events)
	if c.Codes != nil {
		sameLines(t, codesOf(events), c.Codes)
	}
	for _, s.workers = range []int{2, 3, 4, 8} {
		again, summary := replay(t, s, path)
		sameEvents(t, fmt.Sprintf("%d workers", s.workers), again, events)
		if summary.Packets != uint64(len(c.Frames)) {
			t.Errorf("%d workers: %d packets read of %d", s.workers, summary.Packets, len(c.Frames))
		}
	}
}

// sameEvents compares everything that an event holds.
func sameEvents(t testing.TB, what string, got, want []event.Event) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = fmt.Sprintf("%+v", got[i])
		}
		if i < len(want) {
			w = fmt.Sprintf("%+v", want[i])
		}
		if g != w {
			t.Errorf("%s: event %d differs\n got %s\nwant %s", what, i, g, w)
			return
		}
	}
}

func caseRules(t testing.TB, c *corpus.Case) *detect.Rules {
	t.Helper()
	rules := detect.NewRules(tableOf(t, c.TrailRows()), caseWhitelist(t, c), detect.Options{Heuristics: !c.NoHeuristics,
		HostDomains: !c.NoHostNames, MissingHost: true, UserAgents: []byte(c.UserAgents), Home: event.NewHomeNetworks(private)})
	if len(rules.Unusable) > 0 {
		t.Fatalf("unusable patterns: %v", rules.Unusable)
	}
	return rules
}

func caseWhitelist(t testing.TB, c *corpus.Case) *whitelist.List {
	t.Helper()
	if len(c.Whitelist) == 0 {
		return nil
	}
	list, err := whitelist.New(c.Whitelist...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// runCases runs each case as a subtest.
func runCases(t *testing.T, cases []corpus.Case) {
	t.Helper()
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.Name] {
			t.Errorf("two cases are called %q", c.Name)
		}
		names[c.Name] = true
		t.Run(c.Name, func(t *testing.T) { runCase(t, c) })
	}
}
