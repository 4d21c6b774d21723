package suppress

import (
	"net/netip"
	"time"

	"trailhound/agent/event"
)

// Did is what a gate did with an event.
type Did string

// What a gate does.
const (
	Passed      Did = "passed"      // it went out by itself
	Folded      Did = "folded"      // it became part of a summary, which goes out when the window closes
	Ignored     Did = "ignored"     // suppressed by suppress.ignore or suppress.ignore_regex
	Dropped     Did = "dropped"     // suppressed by Rule
	Whitelisted Did = "whitelisted" // suppressed by the whitelist, which has Address
)

// Verdict is what a gate did with one event, and why.
type Verdict struct {
	Did Did
	// Rule is the one that decided about the event: it dropped it, kept it local
	// or lowered it. Empty: none.
	Rule     Rule
	Address  netip.Addr     // of Whitelisted
	Severity event.Severity // after a rule may have lowered it
	Local    bool           // it goes to no receiver
	// Aggregate is the id of the aggregate that the event began or was folded
	// into, which its first event gave it; zero: none. Repeats is how many the
	// present summary of it holds, Ends when that is due, Window how long its
	// window is.
	Aggregate [16]byte
	Repeats   uint64
	Window    time.Duration
	Ends      time.Time
	// Full says that the event went out by itself because there was no room to
	// follow it.
	Full bool
}

// Explain is Take that says what it did.
func (g *Gate) Explain(e event.Event, out func(event.Event)) (v Verdict) {
	// Take would count the rule's hit; Match does not.
	rule, ruled := g.opt.Rules.Match(&e)
	before := g.counts
	g.Take(e, out)
	now := g.counts
	switch {
	case now.Ignored > before.Ignored:
		return Verdict{Did: Ignored, Severity: e.Severity}
	case now.Ruled > before.Ruled:
		return Verdict{Did: Dropped, Rule: rule, Severity: e.Severity}
	case now.Whitelisted > before.Whitelisted:
		v = Verdict{Did: Whitelisted, Address: e.Src, Severity: e.Severity}
		if !g.opt.Whitelisted(e.Src) {
			v.Address = e.Dst
		}
		return v
	case now.Folded > before.Folded:
		v.Did = Folded
	default:
		v.Did, v.Full = Passed, now.Unkeyed > before.Unkeyed
	}
	if c := g.opt.Rules.decide(&e); ruled && c != nil && c.mark(&e) { // as Take marked its own
		v.Rule, v.Local = rule, e.Suppression.Local
	}
	v.Severity = e.Severity
	if g.opt.Window <= 0 {
		return v
	}
	if open, ok := g.keys[keyOf(&e, g.opt.Inbound > 0 && e.Direction == event.Inbound && e.Severity == event.Low)]; ok {
		v.Aggregate, v.Repeats, v.Window, v.Ends = open.id, open.fold.agg.Count, open.window, open.end()
	}
	return v
}
