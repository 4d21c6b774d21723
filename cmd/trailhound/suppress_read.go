package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/suppress"
)

// suppression is what a configuration says of events that are not to go out,
// read and compiled.
type suppression struct {
	rules    *suppress.Set
	ignore   *suppress.Ignore // for one gate only; nil: ignores nothing
	refused  []refusal
	warnings []string
	hash     string // of the content of rules and ignore lists; 16 hex digits
}

// refusal is one thing that is wrong with a rule, with all rules of a file, or
// with the ignore expression.
type refusal struct {
	what string // the rule's name, or where the file lies
	err  error  // names it, and where it stands; one line
}

// ruleList is the rules of a configuration and its files, in the order in which
// they decide.
type ruleList struct {
	rules   []suppress.Rule
	refused []refusal
}

func (l *ruleList) refuse(what string, err error) {
	for line := range strings.Lines(err.Error()) {
		l.refused = append(l.refused, refusal{what, errors.New(strings.TrimSuffix(line, "\n"))})
	}
}

func (l *ruleList) problems(list []suppress.Problem) {
	for _, p := range list {
		what := p.Rule
		if p.File {
			what, _, _ = strings.Cut(p.At, ":")
		}
		l.refuse(what, p)
	}
}

// readRules reads the rules. What cannot be read is refused, and costs no other
// rule.
func readRules(c *config.Config) (l ruleList) {
	for i := range c.Suppress.Rules {
		entry := &c.Suppress.Rules[i]
		r := suppress.Rule{ID: entry.Name}
		_, r.At, _ = strings.Cut(entry.String(), " at ") // "suppress.rules.NAME at FILE:LINE:COLUMN"
		if err := entry.Decode(&r); err != nil {
			l.refuse(r.ID, err)
			continue
		}
		l.rules = append(l.rules, r)
	}
	for _, path := range c.Suppress.Files {
		f, err := openRegular(path)
		if err != nil {
			l.refuse(path, fmt.Errorf("cannot read rule file %q: %w", path, bare(err)))
			continue
		}
		list, problems := suppress.ReadRules(f, path)
		f.Close()
		l.rules = append(l.rules, list...)
		l.problems(problems)
	}
	return l
}

// openSuppression reads all that a configuration suppresses by. Rules that are
// what they were in old keep their hits. What is wrong with a rule or the ignore
// expression is in the result, with all others in force; the error is about an
// ignore list, which has to be there.
func openSuppression(c *config.Config, id *event.Identity, old *suppress.Set) (*suppression, error) {
	l := readRules(c)
	s := &suppression{}
	var problems []suppress.Problem
	s.rules, problems = suppress.Compile(l.rules, suppress.Scope{Sensor: id, Networks: c.Detection.HomeNetworks}, old)
	l.problems(problems)
	sum := sha256.New()
	for i := range l.rules {
		io.WriteString(sum, l.rules[i].YAML())
	}
	err := s.openIgnore(c, &l, sum)
	s.refused = l.refused
	s.hash = hex.EncodeToString(sum.Sum(nil)[:8])
	return s, err
}

func (s *suppression) openIgnore(c *config.Config, l *ruleList, sum hash.Hash) error {
	if len(c.Suppress.Ignore) == 0 && c.Suppress.IgnoreRegex == "" {
		return nil
	}
	s.ignore = new(suppress.Ignore)
	var all []error
	for _, path := range c.Suppress.Ignore {
		report, err := s.readIgnore(path, sum)
		if err != nil {
			all = append(all, &config.Error{Key: "suppress.ignore", Problem: err.Error()})
		}
		if n := len(report.Skipped); n > 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("ignore list %s: %s without three semicolons, the first in line %d", path, count(uint64(n), "line"), report.Skipped[0]))
		}
	}
	fmt.Fprintf(sum, "\x00%s", c.Suppress.IgnoreRegex)
	if err := s.ignore.SetPattern(c.Suppress.IgnoreRegex); err != nil {
		l.refuse("suppress.ignore_regex", fmt.Errorf("suppress.ignore_regex: %w", err))
	}
	return errors.Join(all...)
}

func (s *suppression) readIgnore(path string, sum hash.Hash) (report suppress.IgnoreReport, err error) {
	f, err := openRegular(path)
	if err != nil {
		return report, fmt.Errorf("cannot read ignore list %q: %w", path, bare(err))
	}
	defer f.Close()
	fmt.Fprintf(sum, "\x00%s\x00", path)
	if report, err = s.ignore.ReadList(io.TeeReader(f, sum)); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return report, err
}

// refusedRules counts the rules and files of which something was refused.
func (s *suppression) refusedRules() (n uint64) {
	seen := make(map[string]bool)
	for _, r := range s.refused {
		if !seen[r.what] {
			seen[r.what] = true
			n++
		}
	}
	return n
}

// openSuppressionOf is openSuppression for a command: what is wrong with a rule
// is a warning.
func (a *app) openSuppressionOf(c *config.Config) (*suppression, error) {
	s, err := openSuppression(c, knownIdentity(c), nil)
	if err != nil {
		return nil, err
	}
	for _, w := range s.warnings {
		a.warn("%s", w)
	}
	for _, r := range s.refused {
		a.warn("not in force: %v", r.err)
	}
	return s, nil
}

// checkSuppression says everything that is wrong with the rules, as errors of
// the configuration.
func (a *app) checkSuppression(c *config.Config) error {
	s, err := openSuppression(c, knownIdentity(c), nil)
	all := []error{err}
	for _, r := range s.refused {
		all = append(all, &config.Error{Problem: r.err.Error()})
	}
	for _, w := range s.warnings {
		a.warn("%s", w)
	}
	return errors.Join(all...)
}
