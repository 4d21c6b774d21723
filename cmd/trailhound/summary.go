package main

import (
	"fmt"
	"time"

	"trailhound/agent"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/suppress"
)

// printSummary says on standard error what a replay came to.
func (a *app) printSummary(s agent.Summary, g suppress.Counts, trails string, took time.Duration) {
	p := func(name, text string, args ...any) {
		fmt.Fprintf(a.err, "%-9s %s\n", name, fmt.Sprintf(text, args...))
	}
	p("trails", "%s", trails)
	packets := fmt.Sprintf("%s in %s", count(s.Packets, "packet"), took.Round(time.Millisecond))
	if !s.First.IsZero() {
		packets += fmt.Sprintf(", captured %s to %s", s.First.UTC().Format(time.DateTime), s.Last.UTC().Format(time.DateTime))
	}
	p("packets", "%s", packets)
	if n := s.Undecoded(); n > 0 {
		p("passed by", "%s without a match%s", count(n, "packet"), passedBy(&s.Traffic))
	}
	if s.Crowded > 0 {
		p("crowded", "%s not raised: their packets had raised the most a packet may", count(s.Crowded, "event"))
	}
	if e := s.Evidence.Dropped + s.Board.ScanEvicted + s.Board.NameEvicted + s.Board.Refused; e > 0 {
		p("bounded", "%s of evidence dropped, %s gave way for want of memory, %d refused: detection.memory", count(s.Evidence.Dropped, "piece"),
			count(s.Board.ScanEvicted+s.Board.NameEvicted, "key"), s.Board.Refused)
	}
	if text := mutedBy(&s); text != "" {
		p("muted", "%s", text)
	}
	suppressed := fmt.Sprintf("%d whitelisted", g.Whitelisted)
	if g.Ruled > 0 {
		suppressed += fmt.Sprintf(", %d dropped by rules", g.Ruled)
	}
	if g.Ignored > 0 {
		suppressed += fmt.Sprintf(", %d ignored", g.Ignored)
	}
	folded := summaries(g.Summaries)
	if g.FollowUps > 0 {
		folded += ", " + count(g.FollowUps, "follow-up")
	}
	if g.Withheld > 0 {
		folded += fmt.Sprintf(" (%d withheld)", g.Withheld)
	}
	p("events", "%d detected, %s, %d folded into %s, %d shown", g.Detected, suppressed, g.Folded, folded, g.Passed+g.Summaries+g.FollowUps)
	o := &g.Outcomes
	if told := o[event.Answered] + o[event.Refused] + o[event.Attempted] + o[event.OutcomeUnknown]; told > 0 {
		p("outcomes", "%s", outcomesText(o[event.Answered], o[event.Refused], o[event.Attempted], o[event.OutcomeUnknown]))
	}
}

// mutedBy lists what roles of hosts excused: "3 by detection.roles: 2 resolver, 1 nat".
func mutedBy(s *agent.Summary) (text string) {
	all := uint64(0)
	for role := range event.Role(event.NumRoles) {
		if n := s.Muted[role] + s.Board.Muted[role]; n > 0 {
			all += n
			text += fmt.Sprintf(", %d %s", n, role)
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%d by detection.roles: %s", all, text[2:])
}

// passedBy lists why packets were not decoded: ", 3 not_ip, 1 short_link".
func passedBy(t *agent.Traffic) (text string) {
	for reason := packet.OK + 1; int(reason) < packet.NumReasons; reason++ {
		if n := t.Decode[reason]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, reason)
		}
	}
	return text
}

// outcomesText says how many events told which outcome.
func outcomesText(answered, refused, attempted, unknown uint64) string {
	return fmt.Sprintf("%d answered, %d refused, %d attempted, %d unknown", answered, refused, attempted, unknown)
}

func summaries(n uint64) string {
	if n == 1 {
		return "1 summary"
	}
	return fmt.Sprintf("%d summaries", n)
}

func count(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
