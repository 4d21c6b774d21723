package suppress

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func TestWhatRulesDo(t *testing.T) {
	lowTo := named("medium", Lower, fieldInfo, "to medium")
	lowTo.To = "medium"
	g := New(Options{Rules: mustCompile(t, named("gone", Drop, fieldInfo, "drop"), named("here", Local, fieldInfo, "local"),
		named("step", Lower, fieldInfo, "step*"), lowTo)})
	for _, c := range []struct {
		info     string
		severity event.Severity
		want     string
	}{
		{"drop", event.High, ""},
		{"local", event.High, "high here true"},
		{"step", event.High, "medium step false"},
		{"step", event.Medium, "low step false"},
		{"step", event.Low, "low  false"},
		{"to medium", event.High, "medium medium false"},
		{"to medium", event.Medium, "medium  false"},
		{"to medium", event.Low, "low  false"},
		{"else", event.High, "high  false"},
	} {
		e := sighting()
		e.Info, e.Severity = c.info, c.severity
		got := ""
		g.Take(e, func(e event.Event) { got = fmt.Sprint(e.Severity, " ", e.Suppression.Rule, " ", e.Suppression.Local) })
		if got != c.want {
			t.Errorf("%s, %v: %q, want %q", c.info, c.severity, got, c.want)
		}
	}
	if c := g.Counts(); c != (Counts{Detected: 9, Suppressed: 1, Ruled: 1, Passed: 8, Local: 1, Lowered: 3}) {
		t.Errorf("%+v", c)
	}
}

// The whitelist comes after the rules: what it takes out is a rule's hit, but
// not kept local.
func TestOrderOfTheGate(t *testing.T) {
	ignore := new(Ignore)
	if _, err := ignore.ReadList(strings.NewReader("10.0.0.1;*;*;*")); err != nil {
		t.Fatal(err)
	}
	g := New(Options{Ignore: ignore, Rules: mustCompile(t, named("here", Local, fieldCode, "*")),
		Whitelisted: func(a netip.Addr) bool { return a.String() == "10.0.0.1" || a.String() == "10.0.0.2" }})
	if got := take(g, detection(1, 0, "10.0.0.1"), detection(2, 0, "10.0.0.2"), detection(3, 0, "10.0.0.3")); got != "| | first 3 | flush" {
		t.Error(got)
	}
	if c := g.Counts(); c != (Counts{Detected: 3, Suppressed: 2, Ignored: 1, Whitelisted: 1, Passed: 1, Local: 1}) {
		t.Errorf("%+v", c)
	}
	if st := g.opt.Rules.List(start)[0]; st.Hits != 2 {
		t.Errorf("%+v", st)
	}
}

// What a rule keeps local must never be in a summary that leaves, nor the
// other way round.
func TestMarksAreNotMixed(t *testing.T) {
	g := New(Options{Window: time.Minute, Rules: mustCompile(t, named("here", Local, fieldDestinationPort, "443"))})
	events := at(0, 1, 2, 3, 4, 5)
	for i := range events {
		if i%2 == 1 {
			events[i].DstPort = 80
		}
	}
	var all []string
	out := func(e event.Event) {
		all = append(all, fmt.Sprintf("%s %v %v", text(&e), e.Suppression.Local, e.Aggregate.DstPorts))
	}
	for _, e := range events {
		g.Take(e, out)
	}
	g.Flush(out)
	if got := strings.Join(all, "; "); got != "first 1 true []; first 2 false []; summary of 1: 2x 2-4 true [443]; summary of 2: 2x 3-5 false [80]" {
		t.Error(got)
	}
}

// inbound makes a hit of a scanner on a trail.
func inbound(n int, second float64, src, trail string) event.Event {
	e := detection(n, second, src)
	e.Direction, e.Severity, e.Trail, e.Indicator, e.Info = event.Inbound, event.Low, trail, trail, "mass scanner "+trail
	return e
}

func TestInboundPerSource(t *testing.T) {
	g := New(Options{Window: time.Minute, Inbound: time.Hour})
	var last event.Event
	var all []string
	out := func(e event.Event) { last = e; all = append(all, text(&e)) }
	take := func(e event.Event) { g.Take(e, out) }
	take(inbound(1, 0, "203.0.113.1", "a"))
	take(inbound(2, 1, "203.0.113.1", "b"))
	take(inbound(3, 2, "203.0.113.2", "b")) // another source
	take(inbound(4, 3, "203.0.113.1", "a"))
	other := inbound(5, 4, "203.0.113.1", "a")
	other.Code = event.TrailUA
	take(other) // another code
	worse := inbound(6, 5, "203.0.113.1", "a")
	worse.Severity = event.Medium
	take(worse) // too severe: told by itself
	out1 := inbound(7, 6, "203.0.113.1", "c")
	out1.Direction = event.Outbound
	take(out1)
	take(inbound(8, 3599, "203.0.113.1", "c"))
	take(inbound(9, 3600, "203.0.113.1", "d"))
	want := "first 1, first 3, first 5, first 6, first 7, summary of 1: 3x 1-3599"
	if got := strings.Join(all, ", "); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if a := last.Aggregate; !slices.Equal(a.Trails, []string{"b", "a", "c"}) || a.MoreTrails != 0 || last.Trail != "b" {
		t.Errorf("%+v", a)
	}
	// A scanner that goes on is told once an hour, not less often.
	all = nil
	for s := 3601; s < 4*3600+10; s += 10 {
		take(inbound(s, float64(s), "203.0.113.1", "d"))
	}
	if len(all) != 3 || !strings.HasPrefix(all[0], "summary of 1: 361x 3600-") {
		t.Errorf("%q", all)
	}
}

func TestTrailListIsBounded(t *testing.T) {
	g := New(Options{Window: time.Minute, Inbound: 2 * time.Hour})
	var last event.Event
	out := func(e event.Event) { last = e }
	g.Take(inbound(0, 0, "203.0.113.1", "first"), out)
	for i := range 2 * 50 {
		g.Take(inbound(i, 1, "203.0.113.1", fmt.Sprint("trail ", i%50)), out)
	}
	long := strings.Repeat("x", event.MaxTrail)
	g.Take(inbound(7, 1, "203.0.113.2", long), out)
	for i := range 5 {
		g.Take(inbound(7, 1, "203.0.113.2", long[i:]), out)
	}
	held := g.Counts().Held
	g.Advance(start.Add(time.Hour-1), out)
	if last.Aggregate.Summary {
		t.Error("a summary before its time")
	}
	summaries := map[string]event.Event{}
	g.Advance(start.Add(time.Hour+time.Second), func(e event.Event) { summaries[e.Src.String()] = e })
	if a := summaries["203.0.113.1"].Aggregate; len(a.Trails) != event.MaxValues || a.MoreTrails != 2*(50-event.MaxValues) || a.Count != 100 {
		t.Errorf("%+v", a)
	}
	if a := summaries["203.0.113.2"].Aggregate; len(a.Trails) != 1 || a.MoreTrails != 4 {
		t.Errorf("%d trails, %d more", len(a.Trails), a.MoreTrails)
	}
	if c := g.Counts(); c.Held != 0 || held < 2*event.MaxTrail {
		t.Errorf("%d bytes held after all, %d before", c.Held, held)
	}
}

// TestAccountingWithRules is TestAccounting with everything that a gate knows.
func TestAccountingWithRules(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		ignore := new(Ignore)
		if _, err := ignore.ReadList(strings.NewReader("*;7;*;*\n10.0.0.0;*;*;443")); err != nil {
			t.Fatal(err)
		}
		var rules []Rule
		for i := range r.IntN(20) {
			rules = append(rules, randomRule(r, i))
		}
		g := New(Options{Window: time.Duration(r.IntN(90)) * time.Second, Inbound: time.Duration(r.IntN(2)) * time.Hour,
			Rules: mustCompile(t, rules...), Ignore: ignore, Whitelisted: func(a netip.Addr) bool { return a.String() == "10.0.0.3" }})
		var left, leftLocal, last uint64
		out := func(e event.Event) {
			left += e.Aggregate.Count
			if e.Suppression.Local {
				leftLocal += e.Aggregate.Count
			}
			if !e.Aggregate.Summary {
				last = e.Number
			}
		}
		known := map[key]bool{}
		for _, e := range stream(r, 400) {
			e.Info, e.Trail = []string{"malware", "scanner"}[r.IntN(2)], []string{"a.test", "b"}[r.IntN(2)]
			e.Direction, e.Severity = []event.Direction{event.Inbound, event.Outbound}[r.IntN(2)], event.Severity(1+r.IntN(3))
			before := g.Counts()
			g.Take(e, out)
			c := g.Counts()
			if c.Detected != c.Suppressed+c.Folded+c.Passed || c.Suppressed != c.Ignored+c.Ruled+c.Whitelisted {
				t.Fatalf("seed %d: %+v", seed, c)
			}
			if k := keyOf(&e, true); c.Suppressed == before.Suppressed && !known[k] {
				if last != e.Number {
					t.Fatalf("seed %d: the first event of a source and code was held back", seed)
				}
				known[k] = true
			}
		}
		g.Flush(out)
		c := g.Counts()
		var hits uint64
		for _, st := range g.opt.Rules.List(start) {
			hits += st.Hits
		}
		if left != c.Detected-c.Suppressed || leftLocal != c.Local || c.Held != 0 || hits < c.Ruled+c.Local+c.Lowered || hits > c.Detected {
			t.Errorf("seed %d: %d left, %d local, %d hits of %+v", seed, left, leftLocal, hits, c)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	var rules []Rule
	for i := range 5000 {
		rules = append(rules, named(fmt.Sprint("r", i), Local, fieldTrail, fmt.Sprintf("name%d.test", i)))
	}
	for name, opt := range map[string]Options{"plain": {Window: time.Minute}, "rules": {Window: time.Minute, Rules: mustCompile(b, rules...)}} {
		b.Run(name, func(b *testing.B) {
			g, e := New(opt), sighting()
			b.ReportAllocs()
			for b.Loop() {
				g.Take(e, func(event.Event) {})
			}
		})
	}
}
