package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent"
	"trailhound/agent/config"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/suppress"
)

// trialFlags are the flags of suppress test.
type trialFlags struct {
	captures []string
	trails   []string
	journal  journalFlags
	since    string
	examples int

	after time.Time // what since means; zero: any time
}

func (a *app) suppressTestCommand() *cobra.Command {
	var f trialFlags
	cmd := &cobra.Command{
		Use:   "test RULE",
		Short: "Say which events of the past a rule would have hidden",
		Long: "Test runs a rule over the events in the journal of this host, or over what is detected in capture files, and prints\n" +
			"how many it would have hidden, with examples. RULE is the name of a rule in the configuration or its rule files, or\n" +
			"a rule file (a path with a dot or a slash; - for standard input). Nothing is changed; a sensor may be running.\n\n" +
			"The journal holds what passed the gate: what rules in force have dropped already is not in it.\n\n" +
			"Exit codes: 0 done, 1 the events cannot be read, 64 there is no such rule, 78 the rule or the configuration is wrong.",
		Example: "  trailhound suppress test lab-scanner\n" +
			"  trailhound suppress test ./rule.yaml --since 24h --examples 20\n" +
			"  trailhound suppress test ./rule.yaml --capture office.pcap",
		Args: named("rule", true),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if f.examples < 0 {
				return usagef("--examples %d is less than 0", f.examples)
			}
			if f.since != "" {
				if f.after, err = parseSince(f.since, time.Now()); err != nil {
					return err
				}
			}
			return a.suppressTest(cmd.Context(), f, args[0])
		},
	}
	cmd.Flags().StringArrayVar(&f.captures, "capture", nil, "events detected in this capture `file` instead of the journal's (repeatable)")
	cmd.Flags().StringArrayVar(&f.trails, "trails", nil, "with --capture: trails to match (`path`, repeatable; replaces the configured ones)")
	cmd.Flags().StringVar(&f.since, "since", "", "only events since a `time`: 90m, 2h, 7d before now, 2026-02-16, or 2026-02-16T08:00:00Z")
	journalFlag(cmd, &f.journal)
	cmd.Flags().IntVar(&f.examples, "examples", 5, "at most this `number` of examples, each another finding")
	return cmd
}

func (a *app) suppressTest(ctx context.Context, f trialFlags, which string) error {
	k, err := a.kept(&f.journal)
	if err != nil {
		return err
	}
	rules, err := a.rulesToTry(k.config, which)
	if err != nil {
		return err
	}
	past, what, err := a.openPast(ctx, k, f)
	if err != nil {
		return err
	}
	for i, r := range rules {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		if strings.TrimSpace(r.Reason) == "" {
			a.warn("rule %s has no reason: the sensor refuses it until it has one", r.ID)
			r.Reason = "trial"
		}
		trial, problems := suppress.Test(r, scope(k.config), past.events(f.after), f.examples)
		if len(problems) > 0 {
			return ruleErrors(problems)
		}
		if past.err != nil {
			return past.err
		}
		if err := a.printTrial(&r, &trial, what, k.id); err != nil {
			return err
		}
	}
	if past.damaged {
		return errReported
	}
	return nil
}

// rulesToTry gives the rules that a command line names: one of the
// configuration, or all of a file. A rule's name has neither dot nor slash.
func (a *app) rulesToTry(c *config.Config, which string) ([]suppress.Rule, error) {
	var r io.Reader = a.in
	name := "standard input"
	if which != "-" {
		if !strings.ContainsAny(which, "./") {
			return configuredRule(c, which)
		}
		// A pipe would wait for its writer: standard input is "-".
		if info, err := os.Stat(which); err == nil && !info.Mode().IsRegular() {
			return nil, &config.Error{File: which, Problem: "is not a regular file"}
		}
		f, err := os.Open(which)
		if err != nil {
			return nil, fmt.Errorf("cannot read rule file %q: %w", which, bare(err))
		}
		defer f.Close()
		r, name = f, which
	}
	rules, problems := suppress.ReadRules(r, name)
	if len(problems) > 0 {
		return nil, ruleErrors(problems)
	}
	if len(rules) == 0 {
		return nil, &config.Error{File: name, Problem: "no rule is in it"}
	}
	return rules, nil
}

func configuredRule(c *config.Config, name string) ([]suppress.Rule, error) {
	list := readRules(c)
	for _, r := range list.rules {
		if r.ID == name {
			return []suppress.Rule{r}, nil
		}
	}
	var all []error
	for _, r := range list.refused {
		if r.what == name {
			all = append(all, &config.Error{Problem: r.err.Error()})
		}
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return nil, usagef("the configuration has no rule %q; a rule file is named with its path: ./%s", name, name)
}

// past is where the events of a trial come from.
type past struct {
	each    func(yield func(*event.Event) bool) error
	err     error // of the last pass
	damaged bool  // a part could not be read, and that was said
}

func (p *past) events(after time.Time) iter.Seq[*event.Event] {
	return func(yield func(*event.Event) bool) {
		p.err = p.each(func(e *event.Event) bool {
			return e.Time.Before(after) || yield(e)
		})
	}
}

// openPast opens the journal, or the captures. What names them.
func (a *app) openPast(ctx context.Context, k *kept, f trialFlags) (p *past, what string, err error) {
	p = new(past)
	if len(f.captures) == 0 {
		view, err := k.open()
		if err != nil {
			return nil, "", err
		}
		p.each = func(yield func(*event.Event) bool) error { return view.Scan(ctx, 0, yield) }
		return p, "of the journal " + view.State().Path, nil
	}
	c := k.config
	t, _, err := a.openTrails(c, f.trails)
	if err != nil {
		return nil, "", err
	}
	white, err := a.openWhitelist(c, nil)
	if err != nil {
		return nil, "", err
	}
	rules := detect.NewRules(t, white, detectOptions(c))
	p.each = func(yield func(*event.Event) bool) error {
		r := &agent.Replay{Files: f.captures, Stdin: a.in, Workers: int(c.Capture.Workers), Snaplen: int(c.Capture.Snaplen), Rules: rules,
			Board: heuristic.NewBoard(rules.Board()), Gate: suppress.New(suppress.Options{Whitelisted: white.Addr}), Sink: func(e event.Event) error { yield(&e); return nil }}
		sum, err := r.Run(ctx)
		for _, d := range sum.Damaged {
			complain(a.err, d)
		}
		if sum.Fault != nil {
			complain(a.err, sum.Fault)
		}
		p.damaged = p.damaged || len(sum.Damaged) > 0 || sum.Fault != nil
		return err
	}
	return p, "in " + strings.Join(f.captures, ", "), nil
}

// did is what a rule's action would have done to events.
func did(action string) string {
	switch action {
	case suppress.Local:
		return "would have kept local"
	case suppress.Lower:
		return "would have lowered"
	}
	return "would have hidden"
}

func (a *app) printTrial(r *suppress.Rule, t *suppress.Trial, what string, id *event.Identity) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %d of %s %s", r.ID, did(r.Action), t.Matched, count(t.Events, "event"), what)
	if t.Matched > 0 {
		fmt.Fprintf(&b, " (%s), which stand for %s\nfrom %s to %s UTC", share(t.Matched, t.Events), count(t.Detections, "detection"),
			t.First.UTC().Format(time.DateTime), t.Last.UTC().Format(time.DateTime))
	}
	b.WriteByte('\n')
	if t.Summaries > 0 {
		fmt.Fprintf(&b, "%s among them: judged by the ports and the destination of the first repeat\n", summaries(t.Summaries))
	}
	if t.Elsewhere {
		b.WriteString("on this sensor it would do nothing: it is for others, by its sensors or labels\n")
	}
	if n := len(t.Examples); n > 0 {
		fmt.Fprintf(&b, "%s, each another finding:\n", count(uint64(n), "example"))
	}
	if _, err := a.out.Write(b.Bytes()); err != nil || len(t.Examples) == 0 {
		return err
	}
	p, err := a.printEvents("table", id)
	if err != nil {
		return err
	}
	for i := range t.Examples {
		p.print(&t.Examples[i])
	}
	return p.flush()
}
