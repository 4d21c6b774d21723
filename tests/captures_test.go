package tests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/event"
	. "trailhound/tests/corpus"
)

// rows are the rows of D 16, the table of what the reference detects, in order.
var rows = []string{
	"syn-address", "udp-address", "resolver-address", "domain", "host-address", "url", "body", "certificate", "other-protocol",
	"port-scanning", "udp-scanning", "infection", "web-scanning",
	"dns-exhaustion", "long-domain", "sinkholed", "parked", "nx-excessive", "nx-entropy", "nx-consonants",
	"missing-host", "iot-download", "proxy-probe", "user-agent", "request-category", "direct-download", "non-existent-page",
	"sinkhole-response", "seized-domain", "content-type",
}

// limits is how many D 19 has; noCapture are those that none can show.
const limits = 38

var noCapture = map[int]string{
	3:  "fragments are not put together",
	7:  "segments are not put together",
	32: "a setting of how trails are built",
	37: "neither are handshakes of several segments or datagrams",
}

// TestEveryRowAndLimitHasCaptures: a row has one that raises its event and one
// that raises nothing; a limit has one.
func TestEveryRowAndLimitHasCaptures(t *testing.T) {
	want := map[string]bool{}
	for _, id := range rows {
		want[id] = true
	}
	for i := 1; i <= limits; i++ {
		if noCapture[i] == "" {
			want[fmt.Sprintf("limit-%02d", i)] = true
		}
	}
	codes := map[string]bool{}
	have := map[string]bool{}
	check := func(s Subject, row bool) {
		if have[s.ID] {
			t.Errorf("%s is there twice", s.ID)
		}
		have[s.ID] = true
		loud, quiet := 0, 0
		for _, c := range s.Cases {
			if len(c.Frames) == 0 {
				t.Errorf("%s: %s has no frames", s.ID, c.Name)
			}
			if len(c.Events) > 0 {
				loud++
			} else {
				quiet++
			}
			for _, code := range c.Codes {
				codes[code] = true
			}
		}
		if row && (loud == 0 || quiet == 0) || loud+quiet == 0 {
			t.Errorf("%s: %d captures with events, %d without", s.ID, loud, quiet)
		}
	}
	for _, s := range Rows() {
		check(s, true)
	}
	for _, s := range Limits() {
		check(s, false)
	}
	for id := range want {
		if !have[id] {
			t.Errorf("%s has no capture", id)
		}
	}
	for id := range have {
		if !want[id] {
			t.Errorf("%s is neither a row nor a limit", id)
		}
	}
	// What the reference has no row for.
	own := []event.Code{event.TrailJA3, event.TrailJA4, event.TrailUA}
	for _, entry := range event.Catalogue() {
		if code := entry.Code; !code.IsHealth() && !codes[string(code)] && !slices.Contains(own, code) {
			t.Errorf("no capture raises %s", code)
		}
	}
}

// TestCaptures writes all captures to a folder and replays them from there, with
// the trails that lie beside them.
func TestCaptures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "captures")
	subjects := append(Rows(), Limits()...)
	if err := Write(dir, subjects); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, s := range subjects {
		t.Run(s.ID, func(t *testing.T) {
			for _, c := range s.Cases {
				path := s.Capture(&c)
				if listed[path] {
					t.Errorf("two captures are called %s", path)
				}
				listed[path] = true
				t.Run(c.Name, func(t *testing.T) {
					path := filepath.Join(dir, path)
					runFile(t, written(t, c, strings.TrimSuffix(path, filepath.Ext(path))), path)
				})
			}
		})
	}
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(index), "\n") - 1; n != len(listed) {
		t.Errorf("%d captures in the index of %d", n, len(listed))
	}
	if err := Write(dir, subjects); err == nil {
		t.Error("captures were written over others")
	}
}

// written is a case with the trails and the events that were written beside its
// capture.
func written(t *testing.T, c Case, base string) Case {
	t.Helper()
	read := func(suffix string, want int) (all []string) {
		text, err := os.ReadFile(base + suffix)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			all = append(all, strings.TrimSuffix(line, "\n"))
		}
		if len(all) != want {
			t.Fatalf("%d lines in %s%s, want %d", len(all), base, suffix, want)
		}
		return all
	}
	c.Trails = read(".trails.csv", len(c.Trails))
	events := read(".events", len(c.Events))
	c.Events, c.Codes = nil, []string{}
	for _, line := range events {
		code, rest, _ := strings.Cut(line, " ")
		c.Codes, c.Events = append(c.Codes, code), append(c.Events, rest)
	}
	return c
}
