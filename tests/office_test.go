package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	. "trailhound/tests/corpus"
	"trailhound/trails/starter"
	"trailhound/trails/table"
)

// officeEvents replays a capture with one and eight workers, with what is built
// in: the same events must come out, and none of a heuristic, since nobody attacks.
func officeEvents(t *testing.T, tab *table.Table, path string, packets int) []event.Event {
	t.Helper()
	white := starter.Whitelist()
	rules := detect.NewRules(tab, white, detect.Options{Heuristics: true, HostDomains: true, MissingHost: true,
		UserAgents: starter.UserAgents(), Home: event.NewHomeNetworks(nil)})
	for _, window := range []time.Duration{time.Minute, 0} {
		var want []event.Event
		for _, workers := range []int{1, 8} {
			got, summary := replay(t, setup{rules: rules, white: white, workers: workers, aggregate: window}, path)
			if summary.Packets != uint64(packets) || len(summary.Damaged) > 0 || summary.Undecoded() > 0 {
				t.Fatalf("%d workers: %d packets of %d, %d not decoded, damaged: %v", workers, summary.Packets, packets, summary.Undecoded(), summary.Damaged)
			}
			if summary.Board.Taken == 0 {
				t.Errorf("%d workers: no evidence was judged", workers)
			}
			if workers == 1 {
				want = got
			}
			sameEvents(t, fmt.Sprintf("%d workers, window %v", workers, window), got, want)
		}
		for i := range want {
			if !strings.HasPrefix(string(want[i].Code), "trail.") {
				t.Errorf("%s: %s", want[i].Code, line(&want[i]))
			}
		}
		if window == 0 {
			return want
		}
	}
	return nil
}

// TestOffice: an office with the starter trails. What is listed is told, each
// time it is asked for or named, and nothing else.
func TestOffice(t *testing.T) {
	listed := []string{"triallyforwhgh.shop", "confirmation-id56102.com", "cdn.tenseddrywsqio.shop", "biigband.click", "rlc.members.openarmscv.com", "ql48213.pw"}
	frames := Office(1, 60_000, listed...)
	path := writeCase(t, Case{Frames: frames})
	var got []string
	for _, e := range officeEvents(t, tableOf(t, string(starter.Trails())), path, len(frames)) {
		got = append(got, fmt.Sprintf("%s %s %s", e.Code, e.Protocol, e.Observable))
	}
	var want []string
	for _, name := range listed {
		want = append(want, "trail.dns UDP "+name, "trail.dns TCP "+name)
	}
	slices.Sort(got)
	slices.Sort(want)
	sameLines(t, got, want)
}

// TestOfficeMix: the mix that speed is measured with, of its usual size, and the
// full static set. Among the random names of a longer one are some of twelve
// different characters; that they do not exist is by the reference's threshold
// the sign of a machine that makes names, and raises dns.dga.entropy.
func TestOfficeMix(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the full static set; not with -short")
	}
	script := shared(t, "bench", "mkmix.py")
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	trails := staticTrails(t)
	const packets = 32_768
	path := filepath.Join(t.TempDir(), "office.pcap")
	if out, err := exec.Command(python, script, "office", strconv.Itoa(packets), path, trails).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Fatal(err)
	}
	events := officeEvents(t, tableOfFile(t, trails), path, packets)
	if len(events) == 0 {
		t.Error("no events: about one packet in 10,000 carries a trail")
	}
	t.Logf("%d events", len(events))
}
