package suppress

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"trailhound/agent/event"
)

// Set is a compiled list of rules. It does not change but for its hits, so any
// number of goroutines may use it. The nil Set has no rules.
//
// Of several rules that hold for an event the one with the strongest action
// decides, drop before local before lower; among equals the first in the list.
type Set struct {
	all   []*compiled // in the order of the list
	rules []*compiled // those for this sensor, in the order in which they decide
	index index
}

// Compile makes a set. A rule with a problem is left out and reported, with all
// that is wrong with it; the others are in force. A rule whose content is that
// of the rule with the same id in old goes on with its hits.
func Compile(rules []Rule, scope Scope, old *Set) (*Set, []Problem) {
	s := &Set{}
	var problems []Problem
	known := make(map[string]*compiled)
	if old != nil {
		for _, c := range old.all {
			known[c.rule.ID] = c
		}
	}
	if len(rules) > MaxRules {
		problems = append(problems, Problem{Rule: rules[MaxRules].ID, At: rules[MaxRules].At,
			Err: fmt.Errorf("more than %d rules: this one and the %d behind it are left out", MaxRules, len(rules)-MaxRules-1)})
		rules = rules[:MaxRules]
	}
	used := make(map[string]bool, len(rules))
	for i := range rules {
		r := &rules[i]
		c, errs := r.compile(&scope)
		if used[r.ID] {
			errs = append(errs, errors.New("name: another rule has it"))
		}
		used[r.ID] = true
		for _, err := range errs {
			problems = append(problems, Problem{Rule: r.ID, At: r.At, Err: err})
		}
		if len(errs) > 0 {
			continue
		}
		if before := known[r.ID]; before != nil && same(&before.rule, r) {
			c.hits = before.hits
		}
		s.all = append(s.all, c)
		if !c.elsewhere {
			s.rules = append(s.rules, c)
		}
	}
	slices.SortStableFunc(s.rules, func(a, b *compiled) int { return cmp.Compare(a.action, b.action) })
	s.index.build(s.rules)
	return s, problems
}

// same says whether two rules have the same content.
func same(a, b *Rule) bool {
	x, y := *a, *b
	x.At, y.At = "", ""
	return reflect.DeepEqual(x, y)
}

// Len is the number of rules in force on this sensor.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.rules)
}

// Match gives the rule that decides about an event; false: none does. It
// counts no hit.
func (s *Set) Match(e *event.Event) (Rule, bool) {
	if c := s.decide(e); c != nil {
		return c.rule, true
	}
	return Rule{}, false
}

// decide gives the rule that decides; nil: none.
func (s *Set) decide(e *event.Event) *compiled {
	if s.Len() == 0 {
		return nil
	}
	v := newView(e)
	best := len(s.rules)
	s.index.candidates(&v, func(list []int32) {
		for _, i := range list {
			if int(i) >= best {
				return // lists rise
			}
			if s.rules[i].matches(&v) {
				best = int(i)
				return
			}
		}
	})
	if best == len(s.rules) {
		return nil
	}
	return s.rules[best]
}

// hit counts an event that the rule decided about.
func (c *compiled) hit(t time.Time) {
	c.hits.count.Add(1)
	for us := t.UnixMicro(); ; {
		last := c.hits.last.Load()
		if us <= last || c.hits.last.CompareAndSwap(last, us) {
			return
		}
	}
}

// mark changes the event as the rule says, and says whether it did.
func (c *compiled) mark(e *event.Event) bool {
	if c.action == lower {
		to := c.to
		if to == event.Info { // by one step
			to = max(e.Severity, event.Medium) - 1
		}
		if to >= e.Severity {
			return false
		}
		e.Severity = to
	}
	e.Suppression = event.Suppression{Rule: c.rule.ID, Local: c.action == local}
	return true
}
