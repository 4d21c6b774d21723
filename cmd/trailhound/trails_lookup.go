package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/event"
	"trailhound/agent/lint"
	"trailhound/trails"
	"trailhound/trails/starter"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

func (a *app) trailsLookupCommand() *cobra.Command {
	var paths, white []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lookup VALUE...",
		Short: "Explain what a value matches, by which rule, and where the trail comes from",
		Long: "VALUE is an address, address:port, network, name, URL (with or without scheme), path, SHA-1 or SHA-256 of a\n" +
			"certificate, or a User-Agent value written ua:VALUE. For each trail that matches, lookup prints why it is listed\n" +
			"and by whom, and what stands against an event: whitelist entries and words of the info. The events are those\n" +
			"that the sensor's own matcher raises for a packet with the value.\n\n" +
			"The exit code is 0 if any value matches a trail and 1 if none does, as with grep.",
		Example: "  trailhound trails lookup www.evil.example\n" +
			"  trailhound trails lookup 192.0.2.1:443 http://evil.example/gate.php?id=7\n" +
			"  trailhound trails lookup --trails own.txt --json 'ua:Evil Agent/1.0'",
		Args: named("value", false),
		RunE: func(_ *cobra.Command, values []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			t, _, err := a.openTrails(c, paths)
			if err != nil {
				return err
			}
			defer t.Close()
			list, err := a.openWhitelist(c, white)
			if err != nil {
				return err
			}
			return a.trailsLookup(newLookup(t, list), values, asJSON)
		},
	}
	trailsFlag(cmd, &paths)
	whitelistFlag(cmd, &white)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each value")
	return cmd
}

func (a *app) trailsLookup(l *lookup, values []string, asJSON bool) error {
	out := bufio.NewWriter(a.out)
	found := false
	for i, value := range values {
		answer := l.value(value)
		found = found || len(answer.Matches) > 0
		switch {
		case asJSON:
			if err := json.NewEncoder(out).Encode(answer); err != nil {
				return err
			}
		default:
			if i > 0 {
				fmt.Fprintln(out)
			}
			answer.print(out)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if !found {
		return errReported
	}
	return nil
}

// lookup is what values are explained with.
type lookup struct {
	t      *table.Table
	white  *whitelist.List
	prober *lint.Prober
}

func newLookup(t *table.Table, white *whitelist.List) *lookup {
	return &lookup{t: t, white: white, prober: lint.NewProber(t, white, starter.UserAgents())}
}

// answer is what is known of one value.
type answer struct {
	Value   string        `json:"value"`
	Kind    string        `json:"kind,omitempty"`
	Error   string        `json:"error,omitempty"` // why it is no value that could match
	Matches []match       `json:"matches"`
	Events  []raisedEvent `json:"events"`
	Against []string      `json:"against,omitempty"` // what holds for the value, whatever the trail
	Notes   []string      `json:"notes,omitempty"`

	tried bool // a packet was made of the value
}

// match is a trail that a value matches.
type match struct {
	Trail      string    `json:"trail"`
	Kind       string    `json:"kind"`
	Rule       string    `json:"rule"`
	Info       string    `json:"info"`
	Reference  string    `json:"reference"`
	Severity   string    `json:"severity"`
	Confidence uint8     `json:"confidence"`
	FirstSeen  time.Time `json:"first_seen"`
	Sources    []seenAt  `json:"sources"`
	Against    []string  `json:"against,omitempty"`
	ref        table.Ref
}

type seenAt struct {
	Name     string    `json:"name"`
	URLs     []string  `json:"urls,omitempty"`
	LastSeen time.Time `json:"last_seen"`
}

// raisedEvent is an event that the sensor raises for a value.
type raisedEvent struct {
	Type      string `json:"type"`
	Code      string `json:"code"`
	Trail     string `json:"trail"`
	Indicator string `json:"indicator,omitempty"`
	Info      string `json:"info"`
}

// add notes a trail, once.
func (l *lookup) add(an *answer, ref table.Ref, rule string, against ...string) {
	if ref == 0 {
		return
	}
	for _, m := range an.Matches {
		if m.ref == ref {
			return
		}
	}
	p := l.t.Provenance(ref)
	kind, key := l.t.Kind(ref), l.t.Key(ref)
	m := match{ref: ref, Trail: trails.Text(kind, key), Kind: kind.String(), Rule: rule, Info: p.Info, Reference: p.Reference,
		Severity: severityName(event.RateTrail(p.Info, p.Reference)), Confidence: event.Confidence(p.Reference, false),
		FirstSeen: l.t.FirstSeen(ref), Sources: []seenAt{}}
	for _, s := range p.Sources {
		m.Sources = append(m.Sources, seenAt{s.Name, s.URLs, s.LastSeen})
	}
	if l.white.Trail(kind, key) {
		entry, ok := l.white.Explain(m.Trail)
		if !ok {
			entry = m.Trail
		}
		m.Against = append(m.Against, fmt.Sprintf("whitelist entry %s takes the trail out", entry))
	}
	for _, text := range against {
		if text != "" {
			m.Against = append(m.Against, text)
		}
	}
	an.Matches = append(an.Matches, m)
}

// raised notes the events of a packet, each once.
func (l *lookup) raised(an *answer, events []event.Event) {
	an.tried = true
next:
	for i := range events {
		e := &events[i]
		r := raisedEvent{string(e.Type), string(e.Code), e.Trail, e.Indicator, e.Info}
		for _, have := range an.Events {
			if have == r {
				continue next
			}
		}
		an.Events = append(an.Events, r)
		if e.Kind == trails.Invalid {
			continue
		}
		// Rules that no key of the value shows, such as onion gateways.
		if kind, key, err := trails.AppendKey(nil, []byte(e.Indicator)); err == nil && kind == e.Kind {
			l.add(an, l.t.Find(kind, key), "as the matcher reads the value")
		}
	}
}

func severityName(s event.Severity) string {
	switch s {
	case event.Low:
		return "low"
	case event.Medium:
		return "medium"
	case event.High:
		return "high"
	}
	return "info"
}

func (an *answer) print(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "  %-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(w, an.Value)
	if an.Error != "" {
		line("error", "%s", an.Error)
		return
	}
	if len(an.Matches) == 0 {
		line("no trail", "matches this %s", an.Kind)
	}
	for _, m := range an.Matches {
		line("trail", "%s (%s)", m.Trail, m.Kind)
		line("rule", "%s", m.Rule)
		line("info", "%s", m.Info)
		line("reference", "%s", m.Reference)
		line("severity", "%s, confidence %d", m.Severity, m.Confidence)
		line("first seen", "%s", m.FirstSeen.Format(time.RFC3339))
		for _, s := range m.Sources {
			line("source", "%s, last seen %s", s.Name, s.LastSeen.Format(time.RFC3339))
			for _, u := range s.URLs {
				line("", "%s", u)
			}
		}
		for _, text := range m.Against {
			line("against", "%s", text)
		}
	}
	for _, text := range an.Against {
		line("against", "%s", text)
	}
	for _, e := range an.Events {
		line("event", "%s %s: %s, %s", e.Type, e.Code, e.Trail, e.Info)
	}
	for _, text := range an.Notes {
		line("note", "%s", text)
	}
	if len(an.Events) == 0 && len(an.Matches) > 0 && an.tried {
		line("event", "none")
	}
}
