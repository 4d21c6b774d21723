package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/status"
	"trailhound/agent/suppress"
)

// gateOptions take from the configuration what the gate needs.
func (s *service) gateOptions() suppress.Options {
	return suppress.Options{Ignore: s.suppression.ignore, Rules: s.suppression.rules, Whitelisted: s.white.Addr,
		Window: s.config.Suppress.Aggregate, Inbound: s.config.Suppress.Inbound, Outcomes: s.config.Suppress.Outcomes, FollowUps: followUps(s.config)}
}

// followUps is the least severity of what has follow-ups.
func followUps(c *config.Config) event.Severity {
	for s := event.Low; s <= event.High; s++ {
		if s.String() == c.Suppress.FollowUps {
			return s
		}
	}
	return suppress.NoFollowUps
}

// mostRefusals bounds what the log says of refused rules at a time.
const mostRefusals = 20

// suppressCause is the cause of the health events about rules as a whole.
const suppressCause = "rules"

// setSuppression takes rules into use: the next gateOptions have them. Was are
// those before; nil: none. What is wrong with the rules is said here.
func (s *service) setSuppression(is *suppression) {
	s.mu.Lock()
	was := s.suppression
	s.suppression = is
	s.mu.Unlock()
	for _, w := range is.warnings {
		s.log.Warn(w)
	}
	for i, r := range is.refused {
		if i == mostRefusals {
			s.log.Error("more suppression rules are not in force", "problems", len(is.refused)-i)
			break
		}
		s.log.Error("suppression rule is not in force", "rule", r.what, "error", r.err)
	}
	n := is.refusedRules()
	info := "no suppression rule is refused any more"
	if n > 0 {
		info = fmt.Sprintf("refused, and not in force: %s", refusedNames(is.refused, 10))
	}
	s.set(event.HealthSuppressRefused, suppressCause, n > 0, info, event.Count("refused", n))
	s.sayExpired(time.Now())
	if was != nil && was.hash != is.hash {
		s.changed(suppressCause, rulesChanged(is.hash, was.hash, is.rules.Len()))
	}
}

// refusedNames names what was refused, at most most of it.
func refusedNames(list []refusal, most int) string {
	var names []string
	seen := make(map[string]bool)
	for _, r := range list {
		if !seen[r.what] {
			seen[r.what] = true
			names = append(names, r.what)
		}
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// expiries looks once a second for rules whose time is over.
func (s *service) expiries(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			s.sayExpired(now)
		case <-ctx.Done():
			return
		}
	}
}

// expiredMost bounds how many rules that expire together are told of one by
// one. The log has them all.
const expiredMost = 20

// sayExpired tells once of each rule that does nothing any more.
func (s *service) sayExpired(now time.Time) {
	s.mu.Lock()
	rules := s.suppression.rules
	s.mu.Unlock()
	list := rules.Expired(now)
	var events []event.Event
	note := func(cause, info string, n event.Measure) {
		events = append(events, event.NewHealth(now, event.HealthSuppressExpired, info,
			event.HealthFacts{State: event.Noted, Cause: cause, Measures: []event.Measure{n}}))
	}
	for i, r := range list {
		s.log.Warn(r.String(), "code", event.HealthSuppressExpired, "rule", r.ID, "expires", r.Expires)
		if i < expiredMost {
			note(r.ID, r.String(), event.Count("hits", r.Hits))
		}
	}
	if more := len(list) - expiredMost; more > 0 {
		note(suppressCause, fmt.Sprintf("%d more suppression rules are expired", more), event.Count("rules", uint64(more)))
	}
	if len(events) > 0 {
		s.tell(events)
	}
}

// showSuppression is what the status endpoint says of the rules.
func showSuppression(is *suppression, now time.Time) (out status.Suppress) {
	out = status.Suppress{Refused: is.refusedRules(), Rules: []status.Rule{}, Problems: []string{}}
	for _, r := range is.refused[:min(len(is.refused), status.MaxProblems)] {
		out.Problems = append(out.Problems, r.err.Error())
	}
	for _, r := range is.rules.List(now) {
		switch r.State {
		case suppress.Active:
			out.Active++
		case suppress.Waiting:
			out.Waiting++
		case suppress.Expired:
			out.Expired++
		case suppress.Elsewhere:
			out.Elsewhere++
		}
		// Thousands of rules must fit into an answer: long texts are cut.
		out.Rules = append(out.Rules, status.Rule{ID: r.ID, Action: r.Action, Reason: shown(r.Reason), Owner: shown(r.Owner), Created: r.Created,
			Expires: r.Expires, State: string(r.State), Hits: r.Hits, LastHit: r.LastHit, Searched: r.Searched})
	}
	return out
}
