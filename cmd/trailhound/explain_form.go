package main

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/google/uuid"

	"trailhound/agent"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/suppress"
	"trailhound/trails"
	"trailhound/trails/whitelist"
)

// explained is an explanation as it is printed, with --json as it stands.
type explained struct {
	Capture  string             `json:"capture"`
	Packet   uint64             `json:"packet"`
	Time     time.Time          `json:"time"`
	Before   explainedBefore    `json:"before"`
	Decoded  explainedDecoded   `json:"decoded"`
	Read     []detect.Step      `json:"read"`
	Steps    []detect.Step      `json:"steps"`
	More     int                `json:"steps_left_out,omitempty"`
	Notes    []string           `json:"notes,omitempty"`
	Events   []explainedEvent   `json:"events"`            // with what evidence found
	Answers  []explainedAnswer  `json:"answers,omitempty"` // to what earlier events are about
	Evidence []explainedObserve `json:"evidence"`
}

type explainedBefore struct {
	Packets  uint64 `json:"packets"`
	Events   uint64 `json:"events"`
	Evidence uint64 `json:"evidence"`
}

type explainedDecoded struct {
	Outcome   string   `json:"outcome"` // as in metrics: ok, not_ip ...
	Why       string   `json:"why,omitempty"`
	Link      string   `json:"link"`
	Captured  int      `json:"captured"`
	Length    int      `json:"length"`
	VLANs     []uint16 `json:"vlans,omitempty"`
	Src       string   `json:"source_ip,omitempty"`
	SrcPort   uint16   `json:"source_port,omitempty"`
	Dst       string   `json:"destination_ip,omitempty"`
	DstPort   uint16   `json:"destination_port,omitempty"`
	Protocol  string   `json:"protocol,omitempty"`
	Flags     string   `json:"tcp_flags,omitempty"`
	Fragment  bool     `json:"first_fragment,omitempty"`
	Truncated bool     `json:"truncated,omitempty"`
	Payload   int      `json:"payload,omitempty"`
	Kind      string   `json:"kind,omitempty"`
}

type explainedEvent struct {
	ID         string        `json:"id"`
	Code       string        `json:"code"`
	Type       string        `json:"type"`
	Severity   string        `json:"severity"`
	Confidence uint8         `json:"confidence"`
	Direction  string        `json:"direction"`
	Trail      string        `json:"trail"`
	Observable string        `json:"observable"`
	Indicator  string        `json:"indicator,omitempty"`
	Info       string        `json:"info"`
	Reference  string        `json:"reference"`
	Sources    []string      `json:"sources,omitempty"`
	Gate       explainedGate `json:"gate"`
}

type explainedGate struct {
	Did       string    `json:"did"`
	Rule      string    `json:"rule,omitempty"`
	Reason    string    `json:"reason,omitempty"`  // of the rule
	Address   string    `json:"address,omitempty"` // that the whitelist has
	Entry     string    `json:"entry,omitempty"`   // by which
	Severity  string    `json:"severity"`          // after a rule may have lowered it
	Local     bool      `json:"local,omitempty"`
	Aggregate string    `json:"aggregate,omitempty"`
	Repeats   uint64    `json:"repeats,omitempty"`
	Window    float64   `json:"window_seconds,omitempty"`
	Ends      time.Time `json:"window_ends,omitzero"`
	Full      bool      `json:"not_followed,omitempty"`
}

type explainedAnswer struct {
	Client   string `json:"client"`
	Server   string `json:"server"`
	Port     uint16 `json:"port,omitempty"`
	Protocol string `json:"protocol"`
	Question string `json:"question,omitempty"`
	Outcome  string `json:"outcome"`
}

type explainedObserve struct {
	Kind       string              `json:"kind"`
	Name       string              `json:"name,omitempty"`
	Heuristics []explainedStanding `json:"heuristics"`
	Found      []explainedEvent    `json:"found"`
}

type explainedStanding struct {
	Code      string    `json:"code"`
	Key       string    `json:"key"`
	Counts    string    `json:"counts"`
	Before    float64   `json:"before"`
	After     float64   `json:"after"`
	Threshold float64   `json:"threshold"`
	Window    float64   `json:"window_seconds,omitempty"`
	Silent    time.Time `json:"silent_until,omitzero"`
	Note      string    `json:"note,omitempty"`
}

func explainedOf(x *agent.Explanation, file string, white *whitelist.List) *explained {
	d := &x.Decoded
	v := &explained{Capture: file, Packet: d.Number, Time: d.Time, Before: explainedBefore(x.Before), More: x.Trace.More,
		Read: []detect.Step{}, Steps: []detect.Step{}, Events: eventsOf(x.Raised, white), Evidence: []explainedObserve{},
		Decoded: explainedDecoded{Outcome: d.Reason.String(), Why: d.ReasonText(), Link: d.LinkText(), Captured: d.Captured, Length: d.Length, VLANs: d.VLANs}}
	if d.Src.IsValid() {
		e := &v.Decoded
		e.Src, e.Dst, e.SrcPort, e.DstPort = trails.AddrText(d.Src), trails.AddrText(d.Dst), d.SrcPort, d.DstPort
		e.Protocol, e.Fragment, e.Truncated, e.Payload, e.Kind = d.ProtoText(), d.Fragment, d.Truncated, d.Payload, d.Kind
		if e.Protocol == "TCP" {
			e.Flags = d.FlagsText()
		}
	}
	for _, s := range x.Trace.Steps {
		if s.Result == detect.ResultRead {
			v.Read = append(v.Read, s)
		} else {
			v.Steps = append(v.Steps, s)
		}
	}
	note := func(text string) { v.Notes = append(v.Notes, text) }
	if text := d.Unmatched(); text != "" {
		note(text)
	}
	if x.Repeated > 0 {
		note(count(x.Repeated, "observation") + " of the packet gave no evidence: the same was seen in this second before")
	}
	if x.Dropped > 0 {
		note(count(x.Dropped, "observation") + " of the packet gave no evidence: there was no room, or its time is beyond the year 2262")
	}
	if x.Summaries > 0 {
		note("the packet's time ended windows of aggregation: " + summaries(x.Summaries) + " of earlier events went out before its own")
	}
	for i := range x.Answers {
		c := &x.Answers[i].Conversation
		v.Answers = append(v.Answers, explainedAnswer{trails.AddrText(c.Client), trails.AddrText(c.Server), c.Port, c.Protocol, c.Question, x.Answers[i].Outcome.String()})
	}
	for i := range x.Evidence {
		o := observedOf(&x.Evidence[i], white)
		v.Evidence, v.Events = append(v.Evidence, o), append(v.Events, o.Found...)
	}
	return v
}

func observedOf(o *agent.Observed, white *whitelist.List) explainedObserve {
	name := cleaned(o.Name)
	if o.Evidence.Kind == heuristic.ProbeTCP || o.Evidence.Kind == heuristic.ProbeUDP {
		name = "port " + strconv.Itoa(int(o.DstPort))
	}
	v := explainedObserve{Kind: o.Kind.String(), Name: name, Heuristics: []explainedStanding{}, Found: eventsOf(o.Found, white)}
	for i := range o.Before { // After has the same keys
		s, after := &o.Before[i], heuristic.Standing{}
		if i < len(o.After) {
			after = o.After[i]
		}
		v.Heuristics = append(v.Heuristics, explainedStanding{Code: string(s.Code), Key: cleaned(s.Key), Counts: s.Counts, Before: s.Value, After: after.Value,
			Threshold: s.Threshold, Window: s.Window.Seconds(), Silent: after.Silent, Note: s.Note})
	}
	return v
}

func cleaned(text string) string {
	text, _ = event.Clean([]byte(text), event.MaxEvidence)
	return text
}

func eventsOf(list []agent.Judged, white *whitelist.List) []explainedEvent {
	all := make([]explainedEvent, len(list))
	for i := range list {
		e := &list[i]
		all[i] = explainedEvent{ID: uuid.UUID(e.ID).String(), Code: string(e.Code), Type: string(e.Type), Severity: severityName(e.Severity),
			Confidence: e.Confidence, Direction: string(e.Direction), Trail: e.Trail, Observable: e.Observable, Indicator: e.Indicator,
			Info: e.Info, Reference: e.Reference, Gate: gateOf(&e.Gate, white)}
		for _, s := range e.Sources {
			all[i].Sources = append(all[i].Sources, s.Name)
		}
	}
	return all
}

func gateOf(v *suppress.Verdict, white *whitelist.List) explainedGate {
	g := explainedGate{Did: string(v.Did), Rule: v.Rule.ID, Reason: v.Rule.Reason, Severity: severityName(v.Severity), Local: v.Local,
		Repeats: v.Repeats, Window: v.Window.Seconds(), Ends: v.Ends, Full: v.Full}
	if v.Address != (netip.Addr{}) {
		g.Address = trails.AddrText(v.Address)
		g.Entry, _ = white.Explain(g.Address)
	}
	if v.Aggregate != [16]byte{} {
		g.Aggregate = uuid.UUID(v.Aggregate).String()
	}
	return g
}
