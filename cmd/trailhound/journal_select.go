package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/event"
	"trailhound/outputs"
)

// selectFlags say which events are shown.
type selectFlags struct {
	codes    []string
	severity string
	since    string
}

func (f *selectFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.codes, "code", nil, "only events with this `code` or pattern, such as trail.* (repeatable)")
	cmd.Flags().StringVar(&f.severity, "severity", "", "only events of at least this `severity`: low, medium, high")
	cmd.Flags().StringVar(&f.since, "since", "", "only events since a `time`: 90m, 2h, 7d before now, 2026-02-16, or 2026-02-16T08:00:00Z")
}

// selection is what the flags mean.
type selection struct {
	filter outputs.Filter
	since  time.Time // zero: any
}

func (f *selectFlags) parse(now time.Time) (s selection, err error) {
	s.filter.Codes = f.codes
	if err := s.filter.CheckPatterns(); err != nil {
		return s, usagef("--code: %v", err)
	}
	switch f.severity {
	case "", "info":
	case "low":
		s.filter.Severity = event.Low
	case "medium":
		s.filter.Severity = event.Medium
	case "high":
		s.filter.Severity = event.High
	default:
		return s, usagef("--severity: %q is none of low, medium, high", f.severity)
	}
	if f.since == "" {
		return s, nil
	}
	if s.since, err = parseSince(f.since, now); err != nil {
		return s, err
	}
	return s, nil
}

// parseSince reads a time, or how long before now.
func parseSince(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	unit, number := time.Duration(1), text
	if days, ok := strings.CutSuffix(text, "d"); ok {
		unit, number = 24, days+"h"
	}
	d, err := time.ParseDuration(number)
	if err != nil || d < 0 || d > maxSince/unit {
		return time.Time{}, usagef("--since: %q is neither a duration such as 2h nor a time such as 2026-02-16T08:00:00Z", text)
	}
	return now.Add(-d * unit), nil
}

// maxSince is more than any journal goes back.
const maxSince = 100 * 365 * 24 * time.Hour

// pass says whether an event is shown.
func (s *selection) pass(e *event.Event) bool {
	return !e.Time.Before(s.since) && s.filter.Pass(e)
}
