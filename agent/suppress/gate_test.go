package suppress

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

var start = time.Unix(1700000000, 0).UTC()

// detection makes an event of a host at a second; its id is its number.
func detection(n int, second float64, src string) event.Event {
	e := event.Event{Time: start.Add(time.Duration(second * float64(time.Second))), Type: event.IP, Code: event.TrailIP, Number: uint64(n),
		Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr("192.0.2.1"), SrcPort: uint16(n), DstPort: 443,
		Indicator: "192.0.2.1", Trail: "192.0.2.1", Info: "malware"}
	binary.BigEndian.PutUint64(e.ID[8:], uint64(n))
	e.Aggregate.Count = 1
	return e
}

// text tells an event as "first 3" or "summary of 3: 2x 60-75", in seconds.
func text(e *event.Event) string {
	at := func(t time.Time) string { return fmt.Sprint(t.Sub(start).Seconds()) }
	if e.Aggregate.Summary {
		return fmt.Sprintf("summary of %d: %dx %s-%s", binary.BigEndian.Uint64(e.Aggregate.ID[8:]), e.Aggregate.Count, at(e.Aggregate.First), at(e.Aggregate.Last))
	}
	return fmt.Sprintf("first %d", e.Number)
}

// take runs events through a gate and gives what left, with "|" where one had
// been taken and "flush" before what came at the end.
func take(g *Gate, events ...event.Event) string {
	var all []string
	out := func(e event.Event) { all = append(all, text(&e)) }
	for _, e := range events {
		g.Take(e, out)
		all = append(all, "|")
	}
	all = append(all, "flush")
	g.Flush(out)
	return strings.Join(all, " ")
}

// at makes detections of one host at the seconds given, numbered from 1.
func at(seconds ...float64) (all []event.Event) {
	for i, s := range seconds {
		all = append(all, detection(i+1, s, "10.0.0.1"))
	}
	return all
}

func TestWindows(t *testing.T) {
	const hour = 3600
	for _, c := range []struct {
		name   string
		events []event.Event
		want   string
	}{
		{"one event", at(0), "first 1 | flush"},
		{"repeats are told when the window closes", at(0, 1, 59, 60), "first 1 | | | summary of 1: 2x 1-59 | flush summary of 1: 1x 60-60"},
		{"a silent key is forgotten", at(0, 60), "first 1 | first 2 | flush"},
		{"and so after a summary", at(0, 1, 200), "first 1 | | summary of 1: 1x 1-1 first 3 | flush"},
		{"the second window is twice as long", at(0, 1, 61, 179, 180), "first 1 | | summary of 1: 1x 1-1 | | summary of 1: 2x 61-179 | flush summary of 1: 1x 180-180"},
		{"the clock is the latest time", at(10, 5, 12, 70), "first 1 | | | summary of 1: 2x 5-12 | flush summary of 1: 1x 70-70"},
		{"a step back within an hour", at(0, 50, -1000, 59), "first 1 | | | | flush summary of 1: 3x -1000-59"},
		{"a step back beyond it starts anew", at(2*hour, 2*hour+1, 0, 1), "first 1 | | summary of 1: 1x 7201-7201 first 3 | | flush summary of 3: 1x 1-1"},
		{"one stamp from the future", at(0, 1, 3e9, 2, 61, 62), "first 1 | | summary of 1: 1x 1-1 first 3 | first 4 | | summary of 4: 1x 61-61 | flush summary of 4: 1x 62-62"},
		{"a leap forward", at(0, 1, 1e6, 1e6+1), "first 1 | | summary of 1: 1x 1-1 first 3 | | flush summary of 3: 1x 1.000001e+06-1.000001e+06"},
		{"a leap over an open second window", at(0, 1, 61, 1e6), "first 1 | | summary of 1: 1x 1-1 | summary of 1: 1x 61-61 first 4 | flush"},
		{"an hour exactly", at(hour, 0), "first 1 | | flush summary of 1: 1x 0-0"},
	} {
		if got := take(New(Options{Window: time.Minute}), c.events...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestWindowDoublesToAnHour(t *testing.T) {
	g := New(Options{Window: time.Minute})
	var ends []float64
	for s := 0; s < 6*3600; s++ {
		g.Take(detection(s+1, float64(s), "10.0.0.1"), func(e event.Event) {
			if e.Aggregate.Summary {
				ends = append(ends, float64(s))
			}
		})
	}
	want, end := []float64(nil), 0.0
	for window := 60.0; end+window < 6*3600; window = min(2*window, 3600) {
		end += window
		want = append(want, end)
	}
	if !slices.Equal(ends, want) || want[len(want)-1]-want[len(want)-2] != 3600 {
		t.Errorf("windows end at %v, want %v", ends, want)
	}
}

func TestWhatMakesEventsTheSame(t *testing.T) {
	base := detection(1, 0, "10.0.0.1")
	for name, c := range map[string]struct {
		change func(e *event.Event)
		same   bool
	}{
		"ports":      {func(e *event.Event) { e.SrcPort, e.DstPort = 7, 8 }, true},
		"target":     {func(e *event.Event) { e.Dst = netip.MustParseAddr("192.0.2.9") }, true},
		"reference":  {func(e *event.Event) { e.Reference = "feed" }, true},
		"observable": {func(e *event.Event) { e.Observable, e.Trail = "x", "x" }, true},
		"source":     {func(e *event.Event) { e.Src = netip.MustParseAddr("10.0.0.2") }, false},
		"indicator":  {func(e *event.Event) { e.Indicator = "other" }, false},
		"code":       {func(e *event.Event) { e.Code = event.TrailIPORT }, false},
		"info":       {func(e *event.Event) { e.Info = "other" }, false},
	} {
		second := detection(2, 1, "10.0.0.1")
		c.change(&second)
		g := New(Options{Window: time.Minute})
		take(g, base, second)
		if same := g.Counts().Folded == 1; same != c.same {
			t.Errorf("another %s: same %v", name, same)
		}
	}
	// Of a heuristic the display trail is what was found.
	one, two, three := detection(1, 0, "10.0.0.1"), detection(2, 0, "10.0.0.1"), detection(3, 0, "10.0.0.1")
	one.Indicator, two.Indicator, three.Indicator = "", "", ""
	two.Trail = "other"
	g := New(Options{Window: time.Minute})
	if take(g, one, two, three); g.Counts().Folded != 1 {
		t.Errorf("heuristics: %+v", g.Counts())
	}
}

func TestSummaryLists(t *testing.T) {
	g := New(Options{Window: time.Minute})
	var got event.Event
	out := func(e event.Event) { got = e }
	first := detection(9, 0, "10.0.0.1")
	g.Take(first, out)
	if a := got.Aggregate; a.ID != first.ID || a.Summary || a.Count != 1 || !a.First.IsZero() {
		t.Errorf("first event: %+v", a)
	}
	for i := range 100 {
		e := detection(1000-i%50, float64(i)/10, "10.0.0.1")
		e.DstPort = uint16(i % 3) // 0 is no port
		e.Dst = netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 2)})
		if i == 99 {
			e.Dst = netip.Addr{}
		}
		e.Trail = fmt.Sprint(i)
		g.Take(e, out)
	}
	g.Flush(out)
	a := got.Aggregate
	var ports []uint16
	for p := uint16(1000 - 31); p <= 1000; p++ {
		ports = append(ports, p)
	}
	if !a.Summary || a.Count != 100 || a.ID != first.ID || got.ID == first.ID || got.Trail != "0" || !got.Time.Equal(start) ||
		!a.First.Equal(start) || !a.Last.Equal(start.Add(9900*time.Millisecond)) {
		t.Errorf("%+v", got)
	}
	// 50 ports, each twice: 32 in the list, the other 18 counted each time.
	if !slices.Equal(a.SrcPorts, ports) || a.MoreSrcPorts != 36 || !slices.Equal(a.DstPorts, []uint16{1, 2}) || a.MoreDstPorts != 0 ||
		len(a.Dsts) != 2 || a.Dsts[0].String() != "192.0.2.0" || a.MoreDsts != 0 {
		t.Errorf("%+v", a)
	}
	if c := g.Counts(); c != (Counts{Detected: 101, Folded: 100, Passed: 1, Summaries: 1}) {
		t.Errorf("%+v", c)
	}
}

// TestEqualEnds: of windows that close at once, the one that came first is told
// first, whatever the ids are.
func TestEqualEnds(t *testing.T) {
	for _, n := range [][3]int{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}} {
		var events []event.Event
		for second := range 2 {
			for i, id := range n {
				events = append(events, detection(id, float64(second), fmt.Sprintf("10.0.0.%d", i+1)))
			}
		}
		want := fmt.Sprintf("first %d | first %d | first %d | | | | flush summary of %d: 1x 1-1 summary of %d: 1x 1-1 summary of %d: 1x 1-1",
			n[0], n[1], n[2], n[0], n[1], n[2])
		if got := take(New(Options{Window: time.Minute}), events...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestWhitelistedAddresses(t *testing.T) {
	white := netip.MustParseAddr("10.0.0.7")
	g := New(Options{Window: time.Minute, Whitelisted: func(a netip.Addr) bool { return a == white }})
	source, target := detection(1, 0, "10.0.0.7"), detection(2, 0, "10.0.0.8")
	target.Dst = white
	name, other := source, detection(4, 0, "10.0.0.8")
	name.Type, name.Number = event.DNS, 3
	if got := take(g, source, target, name, other); got != "| | first 3 | first 4 | flush" {
		t.Error(got)
	}
	if c := g.Counts(); c != (Counts{Detected: 4, Suppressed: 2, Whitelisted: 2, Passed: 2}) {
		t.Errorf("%+v", c)
	}
}

func TestNoWindow(t *testing.T) {
	g := New(Options{})
	if got := take(g, at(0, 0, 0)...); got != "first 1 | first 2 | first 3 | flush" {
		t.Error(got)
	}
	g.Take(detection(1, 0, "10.0.0.1"), func(e event.Event) {
		if e.Aggregate.ID != ([16]byte{}) {
			t.Error("an event by itself has an aggregate")
		}
	})
}

func TestMaxKeys(t *testing.T) {
	g := New(Options{Window: time.Minute})
	out := func(event.Event) {}
	host := func(i int) string { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String() }
	for i := range MaxKeys + 10 {
		g.Take(detection(i, 0, host(i)), out)
	}
	for i := range MaxKeys + 10 { // those that are followed fold, the others pass
		g.Take(detection(i, 1, host(i)), out)
	}
	c := g.Counts()
	if c.Keys != MaxKeys || c.Held < MaxKeys*1024 || c.Held > MaxBytes {
		t.Errorf("%d keys, %d bytes held", c.Keys, c.Held)
	}
	c.Keys, c.Held = 0, 0
	if c != (Counts{Detected: 2*MaxKeys + 20, Folded: MaxKeys, Passed: MaxKeys + 20, Unkeyed: 20}) {
		t.Errorf("%+v", c)
	}
	g.Advance(start.Add(4*time.Minute), out) // a window, and a silent one of twice its length
	if c := g.Counts(); len(g.keys) != 0 || len(g.due) != 0 || c.Summaries != MaxKeys {
		t.Errorf("%d keys left, %+v", len(g.keys), c)
	}
	g.Take(detection(1, 241, host(MaxKeys+1)), out)
	if c := g.Counts(); c.Unkeyed != 20 || len(g.keys) != 1 {
		t.Errorf("no room after all: %+v", c)
	}
}

// TestIDsAreDeterministic runs random streams twice.
func TestIDsAreDeterministic(t *testing.T) {
	for seed := range uint64(20) {
		once := func() (ids [][16]byte) {
			g := New(Options{Window: 10 * time.Second})
			out := func(e event.Event) { ids = append(ids, e.ID) }
			for _, e := range stream(rand.New(rand.NewPCG(seed, 1)), 400) {
				g.Take(e, out)
			}
			g.Flush(out)
			return ids
		}
		one := once()
		if !slices.Equal(one, once()) {
			t.Fatalf("seed %d: other ids or another order", seed)
		}
		slices.SortFunc(one, func(a, b [16]byte) int { return strings.Compare(string(a[:]), string(b[:])) })
		if n := len(one); len(slices.Compact(one)) != n {
			t.Errorf("seed %d: an id twice", seed)
		}
	}
}

// stream makes random events: few hosts, time that creeps, leaps and falls
// back.
func stream(r *rand.Rand, n int) (all []event.Event) {
	second := 0.0
	for i := range n {
		switch r.IntN(50) {
		case 0:
			second += float64(r.IntN(20000))
		case 1:
			second -= float64(r.IntN(20000))
		default:
			second += float64(r.IntN(40)) / 10
		}
		e := detection(i+1, second, fmt.Sprintf("10.0.0.%d", r.IntN(4)))
		e.SrcPort = uint16(r.IntN(60))
		if r.IntN(4) == 0 {
			e.Type, e.Indicator = event.DNS, ""
		}
		all = append(all, e)
	}
	return all
}

// TestAccounting is the identity of the package: at any time all that came in
// was suppressed, folded or passed, and at the end the counts of what left add
// up to what came in less what was suppressed.
func TestAccounting(t *testing.T) {
	white := netip.MustParseAddr("10.0.0.3")
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		window := time.Duration(r.IntN(90)) * time.Second
		g := New(Options{Window: window, Whitelisted: func(a netip.Addr) bool { return a == white }})
		var left, summaries, last uint64
		open := map[[16]byte]bool{}
		out := func(e event.Event) {
			a := &e.Aggregate
			left += a.Count
			if a.Summary {
				summaries++
				if a.Count == 0 || a.First.After(a.Last) || !open[a.ID] || len(a.SrcPorts) > event.MaxValues || !slices.IsSorted(a.SrcPorts) {
					t.Fatalf("seed %d: %+v", seed, a)
				}
			} else {
				open[e.ID] = true
				last = e.Number
			}
		}
		known := map[key]bool{}
		for _, e := range stream(r, 500) {
			k := keyOf(&e, false)
			suppressed := g.Counts().Suppressed
			g.Take(e, out)
			if c := g.Counts(); c.Detected != c.Suppressed+c.Folded+c.Passed || c.Summaries != summaries {
				t.Fatalf("seed %d: %+v", seed, c)
			}
			if g.Counts().Suppressed == suppressed && !known[k] {
				if last != e.Number {
					t.Fatalf("seed %d: the first event of a key was held back", seed)
				}
				known[k] = true
			}
		}
		g.Flush(out)
		if c := g.Counts(); left != c.Detected-c.Suppressed || len(g.keys) != 0 || len(g.due) != 0 {
			t.Errorf("seed %d: %d left of %+v", seed, left, c)
		}
	}
}

// TestMaxBytes floods the gate with distinct keys of large events, each of them
// twice: what is held stays bounded, and every event is counted somewhere.
func TestMaxBytes(t *testing.T) {
	g := New(Options{Window: time.Minute})
	var left uint64
	out := func(e event.Event) { left += max(e.Aggregate.Count, 1) }
	at := time.Unix(1_700_000_000, 0)
	const keys = 20_000
	for i := range 2 * keys {
		e := event.Event{Time: at, Code: event.HTTPUA, Trail: fmt.Sprintf("%04d", i%keys) + strings.Repeat("x", 4000)}
		e.ID[0], e.ID[1], e.Aggregate.Count = byte(i), byte(i>>8), 1
		g.Take(e, out)
		if g.held > MaxBytes {
			t.Fatalf("%d bytes held", g.held)
		}
	}
	if c := g.Counts(); c.Unkeyed == 0 || c.Folded == 0 || c.Detected != c.Folded+c.Passed {
		t.Errorf("%+v", c)
	}
	g.Flush(out)
	if left != 2*keys || g.held != 0 {
		t.Errorf("%d of %d came out, %d bytes held", left, 2*keys, g.held)
	}
}

// A summary has the flow id of its repeats when they are of one flow.
func TestSummaryFlow(t *testing.T) {
	for _, c := range []struct {
		flows []string // the first is of the event that is not held
		want  string
	}{
		{[]string{"1:a", "1:b", "1:b", "1:b"}, "1:b"},
		{[]string{"1:a", "1:a"}, "1:a"},
		{[]string{"1:a", "1:b", "1:c", "1:b"}, ""},
		{[]string{"1:a", "1:b", ""}, ""},
		{[]string{"1:a", "", "1:b", "1:b"}, ""},
		{[]string{"", ""}, ""},
	} {
		g := New(Options{Window: time.Minute})
		var out []event.Event
		for i, flow := range c.flows {
			e := detection(i, float64(i)/10, "10.0.0.1")
			e.CommunityID = flow
			g.Take(e, func(e event.Event) { out = append(out, e) })
		}
		if len(out) != 1 || out[0].CommunityID != c.flows[0] {
			t.Fatalf("%q: %+v", c.flows, out)
		}
		g = restored(t, g)
		g.Flush(func(e event.Event) { out = append(out, e) })
		if len(out) != 2 || !out[1].Aggregate.Summary || out[1].CommunityID != c.want {
			t.Errorf("%q: the summary has %q, want %q", c.flows, out[1].CommunityID, c.want)
		}
	}
}

// TestClockSetBackInSilence: what was folded before a clock was set back is told,
// also when no event comes any more.
func TestClockSetBackInSilence(t *testing.T) {
	g := New(Options{Window: time.Minute})
	var all []string
	out := func(e event.Event) { all = append(all, text(&e)) }
	for _, e := range at(0, 1) {
		g.Take(e, out)
	}
	g.Advance(start.Add(-time.Minute), out) // a step that windows outlast
	if len(all) != 1 {
		t.Errorf("%v", all)
	}
	g.Advance(start.Add(-24*time.Hour), out)
	if len(all) != 2 || all[1] != "summary of 1: 1x 1-1" || g.Counts().Keys != 0 {
		t.Errorf("%v, %+v", all, g.Counts())
	}
	g.Take(detection(1, -24*3600+1, "10.0.0.1"), out)
	if len(all) != 3 || all[2] != "first 1" {
		t.Errorf("%v", all)
	}
}
