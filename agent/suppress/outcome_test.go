package suppress

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

// answered makes the answer to a detection.
func answered(e event.Event, second float64, o event.Outcome) event.Answer {
	e.Outcome = event.OutcomeNone
	c, _ := event.ConversationOf(&e)
	return event.Answer{Conversation: c, Time: start.Add(time.Duration(second * float64(time.Second))), Outcome: o}
}

// play runs events and answers through a gate that follows outcomes, and gives
// what left.
func play(g *Gate, steps ...any) string {
	var all []string
	out := func(e event.Event) {
		s := text(&e)
		if e.Aggregate.Count == 0 {
			s = fmt.Sprintf("follow-up of %d", e.Aggregate.ID[15])
		}
		if e.Outcome != event.OutcomeNone {
			s += " " + e.Outcome.String()
		}
		all = append(all, s)
	}
	for _, s := range steps {
		switch s := s.(type) {
		case event.Event:
			g.Take(s, out)
		case event.Answer:
			g.Answer(s, out)
		case float64:
			g.Advance(start.Add(time.Duration(s*float64(time.Second))), out)
		}
	}
	g.Flush(out)
	return strings.Join(all, ", ")
}

var anything = event.Answer{Outcome: event.Answered, Time: start}

func TestOutcomes(t *testing.T) {
	d := func(n int, second float64) event.Event { return detection(n, second, "10.0.0.1") }
	elsewhere := func(n int, second float64, dst string) event.Event {
		e := d(n, second)
		e.Dst = netip.MustParseAddr(dst)
		return e
	}
	said := func(e event.Event) event.Event { e.Outcome = event.Answered; return e }
	for _, c := range []struct {
		name  string
		steps []any
		want  string
	}{
		{"answered", []any{d(1, 0), answered(d(1, 0), 1, event.Answered)}, "first 1, follow-up of 1 answered"},
		{"refused, then answered", []any{d(1, 0), answered(d(1, 0), 1, event.Refused), answered(d(1, 0), 2, event.Answered)}, "first 1, follow-up of 1 answered"},
		{"answered, then refused", []any{d(1, 0), answered(d(1, 0), 1, event.Answered), answered(d(1, 0), 2, event.Refused)}, "first 1, follow-up of 1 answered"},
		{"nothing, at the end", []any{anything, d(1, 0)}, "first 1"},
		{"nothing in a window", []any{anything, d(1, 0), 60.}, "first 1, follow-up of 1 attempted"},
		{"nothing, ever", []any{d(1, 0), 60.}, "first 1"},
		{"the answer to another", []any{anything, d(1, 0), answered(elsewhere(2, 0, "192.0.2.2"), 1, event.Answered), 60.}, "first 1, follow-up of 1 attempted"},
		{"no longer watched", []any{anything, d(1, 0), answered(d(1, 0), 1, event.OutcomeUnknown), 60.}, "first 1"},
		{"repeats", []any{anything, d(1, 0), d(2, 1), answered(d(1, 0), 2, event.Answered), 60., 180.}, "first 1, summary of 1: 1x 1-1 answered"},
		{"repeats in vain", []any{anything, d(1, 0), d(2, 1), 60., 180.}, "first 1, summary of 1: 1x 1-1 attempted"},
		{"a repeat at the very end", []any{anything, d(1, 0), d(2, 59), 60., answered(d(2, 59), 61, event.Answered), 180.}, "first 1, summary of 1: 1x 59-59 attempted, follow-up of 1 answered"},
		{"a repeat at the very end, in vain", []any{anything, d(1, 0), d(2, 59), 60., 180.}, "first 1, summary of 1: 1x 59-59 attempted"},
		{"only at the very end", []any{anything, d(1, 0), d(2, 1), answered(d(1, 0), 2, event.Answered), d(3, 59), 60., d(4, 118), 200., 500.},
			"first 1, summary of 1: 2x 1-59 answered, summary of 1: 1x 118-118 attempted"},
		{"a beacon without a pause", []any{anything, d(1, 0), d(2, 20), d(3, 40), d(4, 58), d(5, 80), d(6, 178), 180., 500.},
			"first 1, summary of 1: 3x 20-58 attempted, summary of 1: 2x 80-178 attempted"},
		{"an answer of the window before", []any{d(1, 0), answered(d(1, 0), 1, event.Answered), d(2, 2), d(3, 70), 180., 420.},
			"first 1, summary of 1: 1x 2-2 answered, summary of 1: 1x 70-70 attempted"},
		{"an answer at the border", []any{d(1, 0), d(2, 2), answered(d(1, 0), 59.5, event.Answered), d(3, 60.2), 180.},
			"first 1, summary of 1: 1x 2-2 answered, summary of 1: 1x 60.2-60.2 attempted"},
		{"across the border", []any{d(1, 0), answered(d(1, 0), 1, event.Answered), d(2, 59.9), 60., answered(d(2, 59.9), 60.1, event.Answered), d(3, 70), 180.},
			"first 1, summary of 1: 1x 59.9-59.9 answered, summary of 1: 1x 70-70 attempted"},
		{"one of several servers", []any{anything, d(1, 0), elsewhere(2, 1, "192.0.2.2"), elsewhere(3, 1, "192.0.2.3"), answered(elsewhere(2, 1, "192.0.2.2"), 2, event.Refused), 60.},
			"first 1, summary of 1: 2x 1-1 refused"},
		{"known at once", []any{said(d(1, 0)), 60.}, "first 1 answered"},
		{"known at once, repeated", []any{said(d(1, 0)), said(d(2, 1)), 60.}, "first 1 answered, summary of 1: 1x 1-1 answered"},
		{"too late", []any{anything, d(1, 0), 60., answered(d(1, 0), 61, event.Answered)}, "first 1, follow-up of 1 attempted"},
	} {
		g := New(Options{Window: time.Minute, Outcomes: true})
		if got := play(g, c.steps...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if g.Counts().Held != 0 || g.conversations != 0 || len(g.about) != 0 || g.followed != 0 {
			t.Errorf("%s: something is left: %+v", c.name, g.Counts())
		}
		g = New(Options{Window: time.Minute})
		if got := play(g, c.steps...); strings.Contains(got, "follow-up") || strings.Contains(got, "attempted") {
			t.Errorf("%s, switched off: %s", c.name, got)
		}
	}
}

// TestManyConversations: a key is of some conversations at once, the latest. The
// others were not answered when they had the time, and else nothing is claimed.
func TestManyConversations(t *testing.T) {
	g := New(Options{Window: time.Minute, Outcomes: true})
	beacon := func(every float64) []any {
		steps := []any{anything}
		for i := range 20 {
			e := detection(i+1, float64(i)*every, "10.0.0.1")
			e.SrcPort = uint16(40000 + i)
			steps = append(steps, e)
		}
		return steps
	}
	steps := beacon(1)
	if got := play(g, append(steps, 60.)...); got != "first 1, summary of 1: 19x 1-19 attempted" {
		t.Error(got)
	}
	g = New(Options{Window: time.Minute, Outcomes: true})
	if got := play(g, append(beacon(0.5), 60.)...); got != "first 1, summary of 1: 19x 0.5-9.5 unknown" {
		t.Error(got)
	}
	g = New(Options{Window: time.Minute, Outcomes: true})
	if got := play(g, append(steps, answered(steps[20].(event.Event), 20, event.Answered), 60.)...); got != "first 1, summary of 1: 19x 1-19 answered" {
		t.Error(got)
	}
}

// TestManyKeys: no more keys wait for one conversation than there is room for, and
// nothing is claimed of the others. One answer tells all that wait.
func TestManyKeys(t *testing.T) {
	for _, window := range []time.Duration{0, time.Minute} {
		for _, outcome := range []event.Outcome{event.Answered, event.OutcomeNone} {
			g := New(Options{Window: window, Outcomes: true, FollowUps: event.Low})
			var told [event.NumOutcomes]int
			out := func(e event.Event) { told[e.Outcome]++ }
			g.Answer(anything, out)
			var e event.Event
			for i := range 20 * maxAsking {
				e = detection(i+1, 0, "10.0.0.1")
				e.SrcPort, e.Indicator, e.Severity = 7, fmt.Sprint(i), event.Medium
				g.Take(e, out)
			}
			if len(g.about) != 1 || g.conversations != maxAsking {
				t.Fatalf("%d wait", g.conversations)
			}
			want := [event.NumOutcomes]int{event.OutcomeNone: 20 * maxAsking, event.Attempted: maxVainOf}
			if outcome == event.Answered {
				g.Answer(answered(e, 1, outcome), out)
				want[event.Attempted], want[event.Answered] = 0, maxAsking
			}
			g.Advance(start.Add(time.Hour), out)
			if told != want || g.conversations != 0 || len(g.about) != 0 || g.followed != 0 {
				t.Errorf("window %v, %s: told %v, want %v, %d wait still", window, outcome, told, want, g.conversations)
			}
		}
	}
}

// TestFollowUpQuota: a burst of what came to nothing has a bounded number of
// follow-ups, by source and in all; what was answered has them all.
func TestFollowUpQuota(t *testing.T) {
	g := New(Options{Window: time.Minute, Outcomes: true, FollowUps: event.Low})
	told := map[string]int{}
	out := func(e event.Event) {
		if e.FollowUp() {
			told[e.Severity.String()+" "+e.Outcome.String()+" "+e.Src.String()]++
		}
	}
	g.Answer(anything, out)
	burst := func(n int, second float64, src string, severity event.Severity, o event.Outcome) {
		for i := range n {
			e := detection(i+1, second, src)
			e.Indicator, e.Severity = fmt.Sprint(severity, o, i), severity
			binary.BigEndian.PutUint64(e.ID[:], rand.Uint64())
			g.Take(e, out)
			if o != event.Attempted {
				g.Answer(answered(e, second, o), out)
			}
		}
	}
	burst(100, 0, "10.0.0.1", event.High, event.Attempted)
	burst(50, 0, "10.0.0.2", event.Medium, event.Refused)
	burst(100, 0, "10.0.0.3", event.Low, event.Answered)
	burst(200, 0, "10.0.0.4", event.Medium, event.Answered)
	g.Advance(start.Add(61*time.Second), out)
	want := map[string]int{"high attempted 10.0.0.1": maxVainOf, "medium refused 10.0.0.2": 50, "low answered 10.0.0.3": maxVainOf, "medium answered 10.0.0.4": 200}
	if !maps.Equal(told, want) || g.Counts().Withheld != 80 {
		t.Errorf("%v, want %v, %d withheld", told, want, g.Counts().Withheld)
	}
	clear(told)
	for i := range 2 * maxVain / 10 {
		burst(10, 300, fmt.Sprintf("10.1.%d.%d", i/250, i%250), event.High, event.Refused)
	}
	burst(10, 300, "10.0.0.1", event.High, event.Answered)
	g.Advance(start.Add(361*time.Second), out)
	sum := 0
	for _, n := range told {
		sum += n
	}
	if sum != maxVain+10 || told["high answered 10.0.0.1"] != 10 || g.Counts().Withheld != 80+maxVain || len(g.quota.by) > maxVain {
		t.Errorf("%d in all, %v", sum, g.Counts())
	}
}

// TestMissedAnswers: nothing is claimed of what may have been answered.
func TestMissedAnswers(t *testing.T) {
	g := New(Options{Window: time.Minute, Outcomes: true})
	out := func(event.Event) {}
	g.Answer(anything, out)
	g.Take(detection(1, 0, "10.0.0.1"), out)
	g.Missed()
	g.Take(detection(3, 0, "10.0.0.3"), out)
	g.Answer(event.Answer{Outcome: event.OutcomeUnknown, Time: start}, out)
	if got := play(g, detection(2, 1, "10.0.0.2"), 120.); got != "follow-up of 2 attempted" && got != "first 2, follow-up of 2 attempted" {
		t.Error(got)
	}
}

// TestFollowedBound: first events are held up to a bound of their own.
func TestFollowedBound(t *testing.T) {
	g := New(Options{Window: time.Minute, Outcomes: true})
	out := func(event.Event) {}
	for i := range MaxKeys + 10 {
		e := detection(i, 0, "10.0.0.1")
		e.Trail = strings.Repeat("x", 2000)
		e.Indicator = fmt.Sprint(i)
		e.Dst = netip.AddrFrom4([4]byte{192, byte(i >> 16), byte(i >> 8), byte(i)})
		g.Take(e, out)
	}
	if c := g.Counts(); g.followed > MaxFollowed || g.followed < MaxFollowed-10_000 || c.Keys != MaxKeys || g.held != 0 || g.conversations > maxConversations {
		t.Errorf("%d bytes followed, %d conversations, %+v", g.followed, g.conversations, c)
	}
	g.Answer(anything, out)
	g.Advance(start.Add(time.Minute), out)
	if c := g.Counts(); c.FollowUps == 0 || c.Held != 0 || c.Keys != 0 || len(g.about) != 0 {
		t.Errorf("%+v", c)
	}
}

// TestOutcomesSwitched: what is followed is let go when outcomes are switched
// off, and told when only the windows go.
func TestOutcomesSwitched(t *testing.T) {
	var all []string
	out := func(e event.Event) { all = append(all, text(&e)+" "+e.Outcome.String()) }
	e := detection(1, 0, "10.0.0.1")
	g := New(Options{Window: time.Minute, Outcomes: true})
	g.Take(e, out)
	g.Answer(answered(e, 1, event.Answered), out)
	g.Configure(Options{Window: time.Minute}, out)
	if g.Await() != 0 {
		t.Error("workers wait all the same")
	}
	g.Answer(answered(e, 1, event.Answered), out)
	g.Advance(start.Add(time.Hour), out)
	if len(all) != 1 || g.Counts().Held != 0 || len(g.about) != 0 {
		t.Errorf("%v %+v", all, g.Counts())
	}
	g = New(Options{Window: 5 * time.Second, Outcomes: true})
	g.Take(e, out)
	g.Answer(answered(e, 1, event.Answered), out)
	if g.Await() != 5*time.Second {
		t.Error(g.Await())
	}
	g.Configure(Options{Outcomes: true}, out)
	if len(all) != 3 || !strings.HasSuffix(all[2], "answered") || g.Await() != FollowUp {
		t.Errorf("%v, %v", all, g.Await())
	}
}

// TestOutcomeAfterACrash: what a checkpoint brings back goes on, and what it does
// not know is not claimed.
func TestOutcomeAfterACrash(t *testing.T) {
	out := func(event.Event) {}
	g := New(Options{Window: time.Minute, Outcomes: true})
	g.Answer(anything, out)
	for _, e := range at(0, 1) {
		g.Take(e, out)
	}
	g.Take(detection(3, 2, "10.0.0.3"), out)
	refused := detection(4, 3, "10.0.0.4")
	refused.DNS.Question = "x.test"
	g.Take(refused, out)
	a := answered(refused, 4, event.Refused)
	a.RCode, a.HasRCode, a.Answers, a.Status = 3, true, []string{"192.0.2.9"}, 7
	g.Answer(a, out)
	again := restored(t, g)
	if again.followed == 0 || again.followed >= g.followed || again.Counts().Held != again.held+again.followed {
		t.Errorf("%d bytes followed of %d", again.followed, g.followed)
	}
	var told event.Event
	same := restored(t, again) // and once more
	same.Advance(start.Add(2*time.Minute), func(e event.Event) {
		if e.FollowUp() {
			told = e
		}
	})
	if told.DNS.RCode != 3 || told.DNS.Answers[0] != "192.0.2.9" || !told.Time.Equal(refused.Time) || told.Aggregate.ID != refused.ID || same.followed != 0 {
		t.Errorf("%+v, %d bytes followed", told, same.followed)
	}
	checkpoint := g.AppendCheckpoint(nil)
	g.Advance(start.Add(2*time.Minute), func(e event.Event) {
		if e.Aggregate.ID == refused.ID && e.ID != told.ID {
			t.Error("what was told before the crash is told again under another id")
		}
	})
	const known, next = "summary of 1: 1x 1-1 unknown, follow-up of 4 refused, ", "summary of 1: 1x 70-70 attempted"
	if got := play(again, anything, 60., detection(5, 70, "10.0.0.1"), 180.); got != known+next {
		t.Error(got)
	}
	off := New(Options{Window: time.Minute})
	if err := off.Restore(bytes.NewReader(checkpoint)); err != nil || off.followed != 0 {
		t.Errorf("%v, %d bytes followed", err, off.followed)
	}
	g = New(Options{Outcomes: true})
	g.Take(refused, out)
	if n := restored(t, g).Counts().Keys; n != 0 {
		t.Errorf("%d keys of events that are not folded", n)
	}
}

// TestFollowUpsOf: what is worth a follow-up.
func TestFollowUpsOf(t *testing.T) {
	for _, c := range []struct {
		least     event.Severity
		severity  event.Severity
		direction event.Direction
		outcome   event.Outcome
		want      bool
	}{
		{event.Medium, event.Medium, event.Outbound, event.Attempted, true},
		{event.Medium, event.Medium, event.Internal, event.Refused, true},
		{event.Medium, event.High, event.Undecided, event.Answered, true},
		{event.Medium, event.Medium, event.Inbound, event.Answered, true},
		{event.Medium, event.Medium, event.Inbound, event.Refused, false},
		{event.Medium, event.High, event.Inbound, event.Attempted, false},
		{event.Medium, event.Low, event.Outbound, event.Answered, false},
		{event.Low, event.Low, event.Outbound, event.Answered, true},
		{event.High, event.Medium, event.Outbound, event.Answered, false},
		{NoFollowUps, event.High, event.Outbound, event.Answered, false},
	} {
		e := detection(1, 0, "10.0.0.1")
		e.Severity, e.Direction = c.severity, c.direction
		steps := []any{anything, e, 61.}
		if c.outcome != event.Attempted {
			steps = []any{anything, e, answered(e, 1, c.outcome), 61.}
		}
		for _, window := range []time.Duration{0, time.Minute} {
			g := New(Options{Window: window, Outcomes: true, FollowUps: c.least})
			if got := play(g, steps...); strings.Contains(got, "follow-up") != c.want || g.followed != 0 {
				t.Errorf("%+v, window %v: %s", c, window, got)
			}
			g = New(Options{Window: window, Outcomes: true, FollowUps: c.least, Hold: true})
			if got := play(g, steps...); got != "first 1 "+c.outcome.String() || g.counts.FollowUps != 0 {
				t.Errorf("%+v, window %v, held: %s", c, window, got)
			}
			// Summaries tell it all the same.
			again := e
			again.Time = again.Time.Add(500 * time.Millisecond)
			g = New(Options{Window: time.Minute, Outcomes: true, FollowUps: c.least})
			if got := play(g, append([]any{anything, e, again}, steps[2:]...)...); !strings.HasSuffix(got, c.outcome.String()) {
				t.Errorf("%+v, repeated: %s", c, got)
			}
		}
	}
}

// TestHold: first events wait for their outcome, all others behind them, and the
// order stays.
func TestHold(t *testing.T) {
	d := func(n int, second float64, src string) event.Event { return detection(n, second, src) }
	quick := d(2, 1, "10.0.0.2")
	for _, c := range []struct {
		name  string
		steps []any
		want  string
	}{
		{"answered", []any{d(1, 0, "10.0.0.1"), answered(d(1, 0, "10.0.0.1"), 1, event.Answered), 60.}, "first 1 answered"},
		{"in vain", []any{anything, d(1, 0, "10.0.0.1"), 60.}, "first 1 attempted"},
		{"not seen", []any{d(1, 0, "10.0.0.1"), 60.}, "first 1 unknown"},
		{"in vain, as far as the end", []any{anything, d(1, 0, "10.0.0.1"), 10.}, "first 1 attempted"},
		{"at the very end", []any{anything, d(1, 0, "10.0.0.1"), 2.}, "first 1 unknown"},
		{"in order", []any{anything, d(1, 0, "10.0.0.1"), quick, answered(quick, 2, event.Refused), d(3, 3, "10.0.0.2"), 61.},
			"first 1 attempted, first 2 refused, summary of 2: 1x 3-3 refused"},
		{"repeated", []any{d(1, 0, "10.0.0.1"), d(2, 1, "10.0.0.1"), answered(d(1, 0, "10.0.0.1"), 2, event.Answered), 60.}, "first 1 answered, summary of 1: 1x 1-1 answered"},
		{"a repeat at the very end", []any{d(1, 0, "10.0.0.1"), d(2, 59, "10.0.0.1"), 60., answered(d(1, 0, "10.0.0.1"), 61, event.Answered), 180.},
			"first 1 unknown, summary of 1: 1x 59-59 unknown"},
	} {
		g := New(Options{Window: time.Minute, Outcomes: true, Hold: true})
		if got := play(g, c.steps...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if n := g.Counts(); n.Held != 0 || n.Waiting != 0 || g.line.size != 0 || g.followed != 0 {
			t.Errorf("%s: something is left: %+v", c.name, n)
		}
	}
}

// TestHoldBound: what waits is bounded. What found no room has a follow-up.
func TestHoldBound(t *testing.T) {
	g := New(Options{Window: time.Minute, Outcomes: true, Hold: true})
	var left int
	out := func(e event.Event) {
		if !e.FollowUp() {
			left++
		}
	}
	first := detection(0, 0, "10.0.0.1")
	g.Take(first, out)
	const more = 80_000
	for i := range more {
		e := detection(i+1, 1, "10.0.0.1")
		e.Code, e.Trail, e.Indicator = event.ScanPort, strings.Repeat("x", 2000), fmt.Sprint(i)
		g.Take(e, out)
	}
	if g.line.size > MaxLine || left == 0 {
		t.Fatalf("%d bytes, %d left", g.line.size, left)
	}
	g.Answer(answered(first, 2, event.Answered), out)
	g.Advance(start.Add(2*time.Minute), out)
	if c := g.Counts(); left != more+1 || c.FollowUps != 1 || c.Waiting != 0 || g.line.size != 0 {
		t.Errorf("%d left, %+v", left, c)
	}
}

// TestProofHolds: that answers are seen on an interface holds for a while, and for
// no other.
func TestProofHolds(t *testing.T) {
	proof := func(on string, second int) event.Answer {
		return event.Answer{Outcome: event.Answered, Interface: on, Time: start.Add(time.Duration(second) * time.Second)}
	}
	on := func(name string, n int, second float64) event.Event {
		e := detection(n, second, "10.0.0.1")
		e.Interface = name
		return e
	}
	for _, c := range []struct {
		name  string
		steps []any
		want  string
	}{
		{"fresh", []any{proof("a", -3500), on("a", 1, 0), 60.}, "first 1, follow-up of 1 attempted"},
		{"old", []any{proof("a", -3700), on("a", 1, 0), 60.}, "first 1"},
		{"renewed", []any{proof("a", -3700), proof("a", -100), on("a", 1, 0), 60.}, "first 1, follow-up of 1 attempted"},
		{"not by an earlier one", []any{proof("a", -100), proof("a", -600), on("a", 1, 0), 60.}, "first 1, follow-up of 1 attempted"},
		{"clock set back", []any{proof("a", 90_000), proof("a", -10), on("a", 1, 0), 60.}, "first 1, follow-up of 1 attempted"},
		{"of another", []any{proof("b", -10), on("a", 1, 0), 60.}, "first 1"},
		{"on both", []any{proof("b", -10), proof("a", -10), on("a", 1, 0), on("b", 2, 1), 60.}, "first 1, summary of 1: 1x 1-1 attempted"},
		{"on one of both", []any{proof("a", -10), on("a", 1, 0), on("b", 2, 1), 60.}, "first 1, summary of 1: 1x 1-1 unknown"},
		{"by an answer", []any{on("a", 1, 0), answered(on("a", 1, 0), 1, event.Answered), on("a", 2, 70), 200., on("a", 3, 400), 2000.},
			"first 1, follow-up of 1 answered, first 2, follow-up of 2 attempted, first 3, follow-up of 3 attempted"},
	} {
		g := New(Options{Window: time.Minute, Outcomes: true})
		if got := play(g, c.steps...); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	g := New(Options{Window: time.Minute, Outcomes: true})
	for i := range 2 * maxProofs {
		g.Answer(proof(fmt.Sprint(i), i), func(event.Event) {})
	}
	if _, ok := g.proofs[fmt.Sprint(2*maxProofs-1)]; !ok || len(g.proofs) > maxProofs {
		t.Errorf("%d interfaces are remembered, the last one: %v", len(g.proofs), ok)
	}
}

// TestOutcomeAccounting plays random events and answers. The counts add up, no
// outcome is told twice for nothing, and nothing is left at the end.
func TestOutcomeAccounting(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 11))
		g := New(Options{Window: []time.Duration{0, time.Second, time.Minute}[seed%3], Outcomes: true, Inbound: time.Minute})
		var sum, summaries, followUps uint64
		var told [event.NumOutcomes]uint64
		ids := map[[16]byte]bool{}
		out := func(e event.Event) {
			if ids[e.ID] {
				t.Fatal("an id twice")
			}
			ids[e.ID] = true
			sum += e.Aggregate.Count
			told[e.Outcome]++
			if e.Aggregate.Summary && e.Aggregate.Count > 0 {
				summaries++
			}
			if e.Aggregate.Count == 0 {
				followUps++
				if !e.Aggregate.Summary || e.Outcome <= event.OutcomeUnknown || !ids[e.Aggregate.ID] {
					t.Fatalf("follow-up %+v, %s", e.Aggregate, e.Outcome)
				}
			}
		}
		events := stream(r, 2000)
		for i := range events {
			e := &events[i]
			g.Take(*e, out)
			for range r.IntN(3) {
				a := answered(events[max(0, i-r.IntN(5))], 0, pick(r, event.Answered, event.Refused, event.OutcomeUnknown))
				a.Time = e.Time.Add(time.Duration(r.IntN(2000)-500) * time.Millisecond)
				g.Answer(a, out)
			}
		}
		g.Flush(out)
		c := g.Counts()
		if told[event.OutcomeNone] = 0; told != c.Outcomes || told[event.Answered] == 0 {
			t.Errorf("outcomes %v: %+v", told, c)
		}
		if c.Detected != c.Suppressed+c.Folded+c.Passed || sum != c.Detected-c.Suppressed || summaries != c.Summaries || followUps != c.FollowUps || followUps == 0 {
			t.Errorf("sum %d, summaries %d, follow-ups %d, %+v", sum, summaries, followUps, c)
		}
		if c.Held != 0 || c.Keys != 0 || g.conversations != 0 || len(g.about) != 0 {
			t.Errorf("something is left: %+v", c)
		}
	}
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func BenchmarkOutcomes(b *testing.B) {
	for name, on := range map[string]bool{"off": false, "on": true} {
		b.Run(name, func(b *testing.B) {
			g := New(Options{Window: time.Minute, Outcomes: on})
			out := func(event.Event) {}
			events := stream(rand.New(rand.NewPCG(1, 1)), 4096)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				e := events[i&4095]
				e.Time = e.Time.Add(time.Duration(i>>12) * time.Hour)
				g.Take(e, out)
			}
		})
	}
}
