package main

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"trailhound/agent/detect"
)

// explainer prints an explanation for people, a section at a time.
type explainer struct {
	w *bufio.Writer
}

func (p *explainer) section(name string) { fmt.Fprintf(p.w, "\n%s\n", name) }

func (p *explainer) line(name, format string, args ...any) {
	text := fmt.Sprintf("  %-20s %s", name, fmt.Sprintf(format, args...))
	fmt.Fprintln(p.w, strings.TrimRight(text, " "))
}

// more is a line that belongs to the one above.
func (p *explainer) more(format string, args ...any) { p.line("", format, args...) }

// printExplained prints it; trails says what was matched against.
func printExplained(w *bufio.Writer, x *explained, trails string) {
	p := &explainer{w}
	d := &x.Decoded
	fmt.Fprintf(w, "packet %d of %s, %s, %s captured", x.Packet, x.Capture, x.Time.UTC().Format("2006-01-02 15:04:05.000000 UTC"), count(uint64(d.Captured), "byte"))
	if d.Length > d.Captured {
		fmt.Fprintf(w, " of %d", d.Length)
	}
	fmt.Fprintf(w, "\nagainst %s; before it %s, %s, %s\n", trails, count(x.Before.Packets, "packet"), count(x.Before.Events, "event"),
		count(x.Before.Evidence, "piece")+" of evidence")
	p.decoded(d)
	if len(x.Read) > 0 {
		p.section("read")
		for i := range x.Read {
			p.step(&x.Read[i])
		}
	}
	p.section("looked up")
	for i := range x.Steps {
		p.step(&x.Steps[i])
	}
	if x.More > 0 {
		p.more("and %d more steps", x.More)
	}
	for _, text := range x.Notes {
		p.line("note", "%s", text)
	}
	if len(x.Steps)+len(x.Notes) == 0 {
		p.line("nothing", "")
	}
	p.section("events")
	for i := range x.Events {
		p.event(&x.Events[i])
	}
	if len(x.Events) == 0 {
		p.line("none", "")
	}
	if len(x.Answers) > 0 {
		p.section("answers to earlier events")
	}
	for i := range x.Answers {
		c := &x.Answers[i]
		p.line(c.Outcome, "%s to %s, %s", c.Client, addressed(c.Server, c.Port), joined(c.Protocol, c.Question))
	}
	p.section("evidence")
	for i := range x.Evidence {
		p.observed(&x.Evidence[i])
	}
	if len(x.Evidence) == 0 {
		p.line("none", "")
	}
}

func (p *explainer) decoded(d *explainedDecoded) {
	p.section("decoded")
	link := d.Link
	for _, id := range d.VLANs {
		link += ", VLAN " + strconv.Itoa(int(id))
	}
	p.line("link", "%s", link)
	if d.Src != "" {
		p.line("from", "%s", addressed(d.Src, d.SrcPort))
		p.line("to", "%s", addressed(d.Dst, d.DstPort))
		protocol := d.Protocol
		if d.Flags != "" && d.Outcome == "ok" {
			protocol += ", flags " + d.Flags
		}
		if d.Fragment {
			protocol += ", first fragment"
		}
		p.line("protocol", "%s", protocol)
		payload := count(uint64(d.Payload), "byte")
		if d.Kind != "" {
			payload += ", seen as " + d.Kind
		}
		if d.Truncated {
			payload += ", cut off by the capture"
		}
		p.line("payload", "%s", payload)
	}
	if d.Why != "" {
		p.line("outcome", "%s: %s", d.Outcome, d.Why)
	}
}

func addressed(a string, port uint16) string {
	if port == 0 {
		return a
	}
	return a + " port " + strconv.Itoa(int(port))
}

func (p *explainer) step(s *detect.Step) {
	if s.Result == detect.ResultRead {
		p.line(s.What, "%s", joined(s.Text, s.Why))
		return
	}
	text := string(s.Result)
	switch {
	case s.Result == detect.ResultNoted:
		text = s.Why
	case s.Why != "":
		text += ": " + s.Why
	}
	p.line(s.What, "%s", joined(s.Text, text))
	if l := s.Trail; l != nil {
		text := fmt.Sprintf("trail %s (%s): %s, %s", l.Text, l.Kind, l.Info, l.Reference)
		if len(l.Sources) > 0 {
			text += "; in " + strings.Join(l.Sources, ", ")
		}
		p.more("%s", text)
	}
}

// joined puts what is known of a text behind it.
func joined(text, known string) string {
	switch {
	case text == "":
		return known
	case known == "":
		return text
	}
	return text + " - " + known
}

func (p *explainer) event(e *explainedEvent) {
	p.line(e.Code, "%s, %s", e.Trail, e.Info)
	p.more("%s, %s, confidence %d, %s, id %s", e.Type, e.Severity, e.Confidence, e.Direction, e.ID)
	g := &e.Gate
	text := g.Did
	switch {
	case g.Address != "":
		text += fmt.Sprintf(": the whitelist's entry %s has %s", g.Entry, g.Address)
	case g.Rule != "":
		text += fmt.Sprintf(", rule %s (%s)", g.Rule, g.Reason)
	}
	if g.Severity != e.Severity {
		text += ", lowered to " + g.Severity
	}
	if g.Local {
		text += ", goes to no receiver"
	}
	if g.Full {
		text += ", not followed: there was no room"
	}
	if g.Aggregate != "" {
		if g.Did == "folded" {
			text += fmt.Sprintf(" into aggregate %s as repeat %d", g.Aggregate, g.Repeats)
		} else {
			text += ", first of aggregate " + g.Aggregate
		}
		text += fmt.Sprintf(", whose window of %s ends %s", seconds(g.Window), g.Ends.UTC().Format(time.TimeOnly))
	}
	p.line("  gate", "%s", text)
}

func (p *explainer) observed(o *explainedObserve) {
	p.line(o.Kind, "%s", o.Name)
	for i := range o.Heuristics {
		s := &o.Heuristics[i]
		text := fmt.Sprintf("%s: %s %s, threshold %s", s.Key, number(s.After), s.Counts, number(s.Threshold))
		if s.Window > 0 {
			text = fmt.Sprintf("%s: %s %s in %s, %s before it, threshold %s", s.Key, number(s.After), s.Counts, seconds(s.Window), number(s.Before), number(s.Threshold))
		}
		if s.After < s.Before && raised(o.Found, s.Code) {
			text += ", which was reported: it begins anew"
		}
		if !s.Silent.IsZero() {
			text += ", silent until " + s.Silent.UTC().Format(time.TimeOnly)
		}
		if s.Note != "" {
			text += " - " + s.Note
		}
		p.line("  "+s.Code, "%s", text)
	}
	if len(o.Heuristics) == 0 {
		p.more("counts for nothing")
	}
	for i := range o.Found {
		p.line("  raised", "%s, above, id %s", o.Found[i].Code, o.Found[i].ID)
	}
}

func raised(list []explainedEvent, code string) bool {
	return slices.ContainsFunc(list, func(e explainedEvent) bool { return e.Code == code })
}

func seconds(s float64) string { return time.Duration(s * float64(time.Second)).String() }

// number shows a count as such, and a measure with two digits behind the point.
func number(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
