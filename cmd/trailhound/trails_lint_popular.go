package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"trailhound/agent/event"
	"trailhound/agent/lint"
)

// popularLeast is the severity from which on an alert about something popular is a
// nuisance.
const popularLeast = event.Medium

// trailsLintPopular shows what ordinary traffic to popular names and addresses
// raises.
func (a *app) trailsLintPopular(f lintFlags) error {
	names, err := popularNames(f.popular)
	if err != nil {
		return err
	}
	c, err := a.load()
	if err != nil {
		return err
	}
	t, what, err := a.openTrails(c, f.trails)
	if err != nil {
		return err
	}
	defer t.Close()
	white, err := a.openWhitelist(c, f.whitelist)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.out)
	events, about := 0, make(map[string]bool)
	frames := lint.RunPopular(t, white, detectOptions(c), names, popularLeast, func(p lint.Popular) {
		events++
		about[p.Name] = true
		switch {
		case f.json:
			writePopular(out, p)
		case f.limit == 0 || events <= f.limit:
			e := &p.Event
			fmt.Fprintf(out, "%-8s %-8s %s: %s  <- %s\n", e.Severity, p.How, p.Name, e.Info, p.Blame())
		}
	})
	if !f.json {
		if n := events - f.limit; f.limit > 0 && n > 0 {
			fmt.Fprintf(out, "... and %d more\n", n)
		}
		if events > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "%s to %s: %s of medium severity or higher, about %s\n", count(uint64(frames), "packet"),
			count(uint64(len(names)), "name"), count(uint64(events), "event"), count(uint64(len(about)), "name"))
	}
	fmt.Fprintf(a.err, "checked %s\n", what)
	if err := out.Flush(); err != nil {
		return err
	}
	if f.strict && events > 0 {
		return errReported
	}
	return nil
}

func popularNames(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open list of names %q: %w", path, bare(err))
	}
	defer f.Close()
	names, err := lint.Names(f)
	if err != nil {
		return nil, fmt.Errorf("list of names %q: %w", path, bare(err))
	}
	return names, nil
}

func writePopular(w io.Writer, p lint.Popular) {
	e := &p.Event
	source := ""
	if len(e.Sources) > 0 {
		source = e.Sources[0].Name
	}
	json.NewEncoder(w).Encode(struct {
		Name      string `json:"name"`
		How       string `json:"how"`
		Severity  string `json:"severity"`
		Code      string `json:"code"`
		Trail     string `json:"trail"`
		Info      string `json:"info"`
		Indicator string `json:"indicator,omitempty"`
		Source    string `json:"source,omitempty"`
	}{p.Name, p.How, e.Severity.String(), string(e.Code), e.Trail, e.Info, e.Indicator, source}) // a bufio.Writer keeps its error until Flush
}
