package live

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/status"
)

// jumbo is an MTU that lets every frame of the captures through.
const jumbo = 65535

// TestLikeReplay sends captures as fast as the device takes them. Live must
// raise what a replay of the same frames raises, whatever the number of
// workers.
func TestLikeReplay(t *testing.T) {
	need(t)
	var frames [][]byte
	left, files := 0, wholeCaptures(t)
	for _, path := range files {
		more, without := readCapture(t, path, jumbo)
		frames = append(frames, more...)
		left += without
	}
	frames = append(frames, generated()...)
	t.Logf("%d frames of %d captures and the generator; %d frames that Ethernet does not carry left out", len(frames), len(files), left)
	table := corpusTable(t)
	// The same message of the same flow is told once per second. How many
	// seconds the frames take live is not known: at least what they raise
	// within one second must be there, at most what they raise in one second
	// each.
	least := replayed(t, table, frames, time.Microsecond)
	most := replayed(t, table, frames, time.Second)
	if len(least) < 50 {
		t.Fatalf("%d events: this is no test", len(least))
	}
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			near, far := newSpace(t), newSpace(t)
			near.veth("v0", far, "v1", jumbo)
			r := start(near, setup{interfaces: "[v0]", table: table, workers: workers})
			from := far.sender("v1")
			from.send(frames...)
			shown := r.account(from.sent)
			last := r.end(from.sent)
			if sent, _ := far.carried("v1"); sent != from.sent {
				t.Errorf("the device passed on %d frames of %d", sent, from.sent)
			}
			if last.KernelDrops > 0 {
				t.Errorf("%d frames dropped by the kernel", last.KernelDrops)
			}
			compare(t, keys(r.found("trail.")), least, most)
			if n := len(shown.Capture.Rings); n != workers {
				t.Errorf("%d rings", n)
			}
			if busy := slices.DeleteFunc(shown.Capture.Workers, func(w status.Worker) bool { return w.Packets == 0 }); len(busy) != workers {
				t.Errorf("%d of %d workers had a frame", len(busy), workers)
			}
			for _, i := range shown.Capture.Interfaces {
				if i.Truncated > 0 {
					t.Errorf("%d frames of %s cut", i.Truncated, i.Name)
				}
			}
			t.Logf("%d packets, %d events, %d different ones", last.Packets, last.Events, len(keys(r.found("trail."))))
		})
	}
}

// replayed gives the trail events of a replay of frames.
func replayed(t *testing.T, table string, frames [][]byte, step time.Duration) map[string]bool {
	t.Helper()
	list := replayedEvents(t, table, frames, step)
	return keys(slices.DeleteFunc(list, func(f finding) bool { return !strings.HasPrefix(f.code, "trail.") }))
}

// replayedEvents gives the events of a replay of frames, each a step of time after
// the one before.
func replayedEvents(t *testing.T, table string, frames [][]byte, step time.Duration) (list []finding) {
	t.Helper()
	path := replayable(t, frames, step)
	config := setup{interfaces: "[any]", table: table}.write(t, t.TempDir())
	code, out, text := command(newSpace(t), nil, "replay", "-c", config, "--every", "--format", "csv", path)
	if code != 0 {
		t.Fatalf("replay: exit code %d: %s", code, text)
	}
	if err := readCSV(strings.NewReader(out), func(f finding) { list = append(list, f) }); err != nil {
		t.Fatal(err)
	}
	return list
}

func keys(list []finding) map[string]bool {
	all := make(map[string]bool)
	for i := range list {
		all[list[i].key()] = true
	}
	return all
}

func compare(t *testing.T, got, least, most map[string]bool) {
	t.Helper()
	wrong := 0
	for _, k := range slices.Sorted(maps.Keys(least)) {
		if !got[k] {
			if wrong++; wrong <= 20 {
				t.Errorf("not live: %s", k)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if !most[k] {
			if wrong++; wrong <= 20 {
				t.Errorf("live only: %s", k)
			}
		}
	}
	if wrong > 20 {
		t.Errorf("%d differences in all", wrong)
	}
}
