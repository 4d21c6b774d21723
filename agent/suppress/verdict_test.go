package suppress

import (
	"net/netip"
	"testing"
	"time"

	"trailhound/agent/event"
)

// TestExplain: the verdict is what Take does, and Take does the same without it.
func TestExplain(t *testing.T) {
	rules, problems := Compile([]Rule{
		{ID: "gone", Reason: "test", Action: Drop, Trail: []string{"gone.example"}},
		{ID: "down", Reason: "test", Action: Lower, To: "low", Trail: []string{"down.example"}},
		{ID: "here", Reason: "test", Action: Local, Trail: []string{"here.example"}},
	}, Scope{}, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	ignore := new(Ignore)
	ignore.add([4]string{"192.0.2.66", "*", "*", "*"})
	white := netip.MustParseAddr("198.51.100.9")
	opt := Options{Rules: rules, Ignore: ignore, Window: time.Minute, Whitelisted: func(a netip.Addr) bool { return a == white }}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	detection := func(second int, src, dst, indicator string) event.Event {
		return event.Event{ID: [16]byte{byte(second + 1)}, Time: start.Add(time.Duration(second) * time.Second), Type: event.IP, Code: event.TrailIP,
			Severity: event.High, Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), Indicator: indicator, Trail: indicator}
	}
	told, silent := New(opt), New(opt)
	for i, c := range []struct {
		e    event.Event
		want Verdict
	}{
		{detection(0, "192.0.2.1", "203.0.113.1", "a"), Verdict{Did: Passed, Severity: event.High, Aggregate: [16]byte{1}, Window: time.Minute, Ends: start.Add(time.Minute)}},
		{detection(1, "192.0.2.1", "203.0.113.2", "a"), Verdict{Did: Folded, Severity: event.High, Aggregate: [16]byte{1}, Repeats: 1, Window: time.Minute, Ends: start.Add(time.Minute)}},
		{detection(2, "192.0.2.66", "203.0.113.1", "a"), Verdict{Did: Ignored, Severity: event.High}},
		{detection(3, "192.0.2.1", "203.0.113.1", "gone.example"), Verdict{Did: Dropped, Severity: event.High, Rule: rules.all[0].rule}},
		{detection(4, "192.0.2.1", "198.51.100.9", "a"), Verdict{Did: Whitelisted, Severity: event.High, Address: white}},
		{detection(5, "192.0.2.1", "203.0.113.1", "down.example"), Verdict{Did: Passed, Severity: event.Low, Rule: rules.all[1].rule,
			Aggregate: [16]byte{6}, Window: time.Minute, Ends: start.Add(65 * time.Second)}},
		{detection(6, "192.0.2.1", "203.0.113.1", "here.example"), Verdict{Did: Passed, Severity: event.High, Local: true, Rule: rules.all[2].rule,
			Aggregate: [16]byte{7}, Window: time.Minute, Ends: start.Add(66 * time.Second)}},
		{detection(70, "192.0.2.1", "203.0.113.1", "a"), Verdict{Did: Folded, Severity: event.High, Aggregate: [16]byte{1}, Repeats: 1,
			Window: 2 * time.Minute, Ends: start.Add(3 * time.Minute)}},
	} {
		var one, other []event.Event
		got := told.Explain(c.e, func(e event.Event) { one = append(one, e) })
		silent.Take(c.e, func(e event.Event) { other = append(other, e) })
		if got.Did != c.want.Did || got.Rule.ID != c.want.Rule.ID || got.Address != c.want.Address || got.Severity != c.want.Severity || got.Local != c.want.Local ||
			got.Aggregate != c.want.Aggregate || got.Repeats != c.want.Repeats || got.Window != c.want.Window || !got.Ends.Equal(c.want.Ends) || got.Full {
			t.Errorf("%d: %+v\nwant %+v", i, got, c.want)
		}
		if len(one) != len(other) || told.Counts() != silent.Counts() {
			t.Errorf("%d: %d events out, %d without a verdict", i, len(one), len(other))
		}
	}
	if hits := rules.all[0].hits.count.Load(); hits != 2 {
		t.Errorf("%d hits of two gates", hits)
	}
}

func TestExplainWithoutWindow(t *testing.T) {
	g := New(Options{})
	if v := g.Explain(event.Event{Code: event.TrailIP}, func(event.Event) {}); v.Did != Passed || v.Full || v.Aggregate != [16]byte{} {
		t.Errorf("%+v", v)
	}
}
