package suppress

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"trailhound/agent/event"
)

// MaxRules bounds a set. Rules beyond it are refused.
const MaxRules = 50_000

// Problem is what is wrong with a rule, which is left out for it.
type Problem struct {
	Rule string // its id
	File bool   // it is wrong with a whole file, not with one rule
	At   string // where it is written; empty: unknown
	Err  error
}

// Error names the rule.
func (p Problem) Error() string {
	at := ""
	if p.At != "" {
		at = p.At + ": "
	}
	if p.File {
		return fmt.Sprintf("%ssuppression rules: %v", at, p.Err)
	}
	return fmt.Sprintf("%ssuppression rule %q: %v", at, p.Rule, p.Err)
}

// Unwrap gives the reason.
func (p Problem) Unwrap() error { return p.Err }

// compiled is a rule that was read. Of it, only the hits change.
type compiled struct {
	rule       Rule
	action     action
	to         event.Severity // Info: by one step
	expires    time.Time      // zero: never
	window     *window        // nil: always
	conditions []condition    // the cheap ones first
	elsewhere  bool           // for other sensors only
	hits       *hits
}

// action is what a rule does; the lower ones win.
type action uint8

const (
	drop action = iota
	local
	lower
)

// hits outlive a reload when the rule's content does.
type hits struct {
	count atomic.Uint64
	last  atomic.Int64 // time of the event in microseconds; 0: none
	told  atomic.Bool  // that it has expired
}

// matches says whether the rule holds for an event at its time.
func (c *compiled) matches(v *view) bool {
	for i := range c.conditions {
		if !c.conditions[i].holds(v) {
			return false
		}
	}
	return (c.expires.IsZero() || v.e.Time.Before(c.expires)) && (c.window == nil || c.window.holds(v.e.Time))
}

// compile reads a rule. All its problems are reported.
func (r *Rule) compile(scope *Scope) (*compiled, []error) {
	c := &compiled{rule: *r, hits: new(hits)}
	var errs []error
	bad := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if !isID(r.ID) {
		bad(errors.New("name: want 1 to 64 letters, digits, - and _"))
	}
	if strings.TrimSpace(r.Reason) == "" {
		bad(errors.New("reason: missing: whoever meets the rule later must know why it is there"))
	}
	bad(c.readAction())
	bad(c.readTimes())
	if r.Schedule != nil {
		w, problems := r.Schedule.read()
		c.window, errs = &w, append(errs, problems...)
	}
	here, problems := r.isHere(scope)
	c.elsewhere, errs = !here, append(errs, problems...)
	there := *scope
	there.elsewhere = c.elsewhere && len(problems) == 0
	for f := range fieldLabel {
		if values := *r.values(f); len(values) > 0 {
			cond, problems := readCondition(f, values, &there)
			c.conditions, errs = append(c.conditions, cond), append(errs, problems...)
		}
	}
	if r.universal(c.conditions) {
		bad(errors.New(`holds for every event: give it a source, trail, code or the like; code: ["*"] says that this is meant`))
	}
	slices.SortStableFunc(c.conditions, func(a, b condition) int { return cost(a.field) - cost(b.field) })
	return c, errs
}

// cost orders what a rule looks at: numbers before texts.
func cost(f field) int {
	switch f {
	case fieldPort, fieldSourcePort, fieldDestinationPort, fieldVLAN:
		return 0
	case fieldCode, fieldType:
		return 1
	case fieldSource, fieldDestination, fieldNetwork:
		return 2
	}
	return 3
}

func (c *compiled) readAction() error {
	switch c.rule.Action {
	case Drop:
		c.action = drop
	case Local:
		c.action = local
	case Lower:
		c.action = lower
	case "":
		return errors.New("action: missing: want drop, local or lower")
	default:
		return fmt.Errorf("action: %q is not drop, local or lower", clip(c.rule.Action))
	}
	switch c.rule.To {
	case "":
	case event.Low.String():
		c.to = event.Low
	case event.Medium.String():
		c.to = event.Medium
	default:
		return fmt.Errorf("to: %q is not low or medium", clip(c.rule.To))
	}
	if c.rule.To != "" && c.action != lower {
		return errors.New("to: only an action lower has it")
	}
	return nil
}

func (c *compiled) readTimes() error {
	created, _, err := readTime(c.rule.Created)
	if err != nil {
		return fmt.Errorf("created: %w", err)
	}
	if c.expires, err = c.rule.until(); err != nil {
		return fmt.Errorf("expires: %w", err)
	}
	if c.rule.Created != "" && c.rule.Expires != "" && !created.Before(c.expires) {
		return errors.New("expires: before it was created")
	}
	return nil
}

// isID holds for what may be an entry's name in a configuration.
func isID(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}
