package live

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/capture"
	rings "trailhound/agent/capture/live"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
	"trailhound/trails/starter"
	"trailhound/trails/table"
)

// TestFeedLikeReplay runs captures through a ring that is fed from memory, with
// the link types and the time stamps that they have: what no device here can
// carry. The same events come out as of a replay, to the microsecond. It needs
// no privilege, and everything behind the ring runs in this process, for the
// race detector to see.
func TestFeedLikeReplay(t *testing.T) {
	files, left := feedable(t)
	trails, err := table.Open(corpusTable(t))
	if err != nil {
		t.Fatal(err)
	}
	defer trails.Close()
	rules := detect.NewRules(trails, nil, detect.Options{Heuristics: true, HostDomains: true, MissingHost: true, UserAgents: starter.UserAgents()})
	t.Logf("%d captures; %d of link types that no Linux device has left out", len(files), left)
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			var want []string
			replay := agent.Replay{Files: files, Workers: workers, Rules: rules, Gate: suppress.New(suppress.Options{}),
				Sink: func(e event.Event) error { want = append(want, signature(&e)); return nil }}
			if _, err := replay.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := fed(t, files, workers, rules)
			slices.Sort(want)
			slices.Sort(got)
			if len(want) < 200 {
				t.Fatalf("%d events: this is no test", len(want))
			}
			t.Logf("%d events", len(want))
			if slices.Equal(got, want) {
				return
			}
			t.Errorf("%d events, replay has %d", len(got), len(want))
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("from the ring: %s\n       replay: %s", got[i], want[i])
				}
			}
		})
	}
}

func signature(e *event.Event) string {
	return fmt.Sprintf("%s %s %s %d %s %d %s %s %s %s %v", e.Time.Format("2006-01-02T15:04:05.000000"), e.Src, e.Dst, e.SrcPort, e.Code, e.DstPort, e.Type, e.Trail, e.Info, e.Reference, e.VLANs)
}

// feedable gives the captures that a ring can carry, and how many it cannot.
func feedable(t *testing.T) (files []string, left int) {
	t.Helper()
	all := wholeCaptures(t)
	if root := shared("corpus", "captures"); root != "" {
		all, _ = filepath.Glob(filepath.Join(root, "*.pcap*"))
	}
	// The project's own, of each link type, with time that runs at several paces.
	dir := t.TempDir()
	for i, of := range []func(corpus.Packet) corpus.Frame{corpus.Packet.Raw, corpus.Packet.Ethernet} {
		var list []corpus.Stamped
		at := corpus.Start
		for n := range 500 {
			p := corpus.IP(fmt.Sprintf("10.0.%d.%d", n%3, n%200), "8.8.8.8", corpus.UDP(uint16(3000+n%7), 53, corpus.Query(corpus.Ask("evil-test-domain.com"))))
			list = append(list, corpus.Stamped{Time: at, Frame: of(p)})
			at = at.Add([...]time.Duration{0, time.Microsecond, time.Millisecond, time.Second, 90 * time.Second}[n%5])
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.pcap", i))
		if err := os.WriteFile(path, corpus.Pcap(list), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, path)
	}
	for _, path := range all {
		fits := true
		each(t, path, func(f capture.Frame) {
			_, ok := rings.FeedFrom(f, 1)
			fits = fits && ok
		})
		if fits {
			files = append(files, path)
		} else {
			left++
		}
	}
	return files, left
}

// each reads the frames of a capture as far as it is sound.
func each(t *testing.T, path string, take func(capture.Frame)) {
	t.Helper()
	source, err := capture.OpenFile(path, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for {
		batch, err := source.Next()
		for _, f := range batch {
			take(f)
		}
		if damage := (*capture.DamageError)(nil); errors.Is(err, io.EOF) || errors.As(err, &damage) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fed gives the events of captures that come through a ring.
func fed(t *testing.T, files []string, workers int, rules *detect.Rules) (events []string) {
	t.Helper()
	feed, err := rings.NewFeed(rings.FeedOptions{Ports: []rings.Port{{Index: 3, Name: "eth3"}}, Workers: workers, Block: 512 << 10, Blocks: 3,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	opt := agent.LiveOptions{Rules: rules, Gate: suppress.New(suppress.Options{}), Sink: func(list []event.Event) {
		for i := range list {
			if list[i].Interface != "eth3" {
				t.Errorf("an event of interface %q", list[i].Interface)
			}
			events = append(events, signature(&list[i]))
		}
	}}
	for _, s := range feed.Capture().Sources() {
		opt.Sources = append(opt.Sources, s)
	}
	l := agent.NewLive(opt)
	l.Start()
	var sent uint64
	for _, path := range files {
		each(t, path, func(f capture.Frame) {
			out, _ := rings.FeedFrom(f, 3)
			if err := feed.Write(t.Context(), out); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			sent++
		})
	}
	feed.Flush()
	feed.Capture().Close()
	<-l.Done()
	var seen, dropped uint64
	for _, w := range l.Traffic() {
		dropped += w.Dropped
		for i := range w.Seen {
			seen += w.Seen[i].Packets
		}
	}
	if seen != sent || dropped > 0 {
		t.Errorf("%d frames of %d came out of the ring, %d events dropped", seen, sent, dropped)
	}
	return events
}
