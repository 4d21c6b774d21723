package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trailhound/agent/lint"
	"trailhound/trails"
	"trailhound/trails/starter"
)

// lintFlags are the flags of trails lint.
type lintFlags struct {
	trails, whitelist []string
	popular           string
	limit             int
	strict, json      bool
}

func (a *app) trailsLintCommand() *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use:   "lint [PATH...]",
		Short: "Find the trails that can never match, and say why",
		Long: "Lint makes for every trail the packet that should match - a connection attempt, a DNS query, an HTTP request -\n" +
			"and shows it to the matcher of the sensor. Trails that raise nothing are listed by reason. A certificate cannot\n" +
			"be made from its digest: those trails are only looked up by their key.\n\n" +
			"With --popular it is the other way round: ordinary traffic to each name and address of a list is shown to the\n" +
			"matcher and to the heuristics, as configured, and events of medium severity and above are listed with what is to\n" +
			"blame for them.\n\n" +
			"Findings do not fail the command, unless with --strict.",
		Example: "  trailhound trails lint\n" +
			"  trailhound trails lint --limit 0 own.txt\n" +
			"  trailhound trails lint --strict --whitelist none trails.csv\n" +
			"  trailhound trails lint --strict --popular names.txt",
		RunE: func(_ *cobra.Command, args []string) error {
			if f.limit < 0 {
				return usagef("--limit %d is less than 0", f.limit)
			}
			f.trails = append(f.trails, args...)
			if f.popular != "" {
				return a.trailsLintPopular(f)
			}
			return a.trailsLint(f)
		},
	}
	trailsFlag(cmd, &f.trails)
	whitelistFlag(cmd, &f.whitelist)
	cmd.Flags().IntVar(&f.limit, "limit", 20, "findings shown per reason; 0: all (`number`)")
	cmd.Flags().StringVar(&f.popular, "popular", "", "list of names and addresses that must raise nothing, one a line (`file`)")
	cmd.Flags().BoolVar(&f.strict, "strict", false, "exit code 1 if there is any finding")
	cmd.Flags().BoolVar(&f.json, "json", false, "print every finding as one JSON object a line")
	return cmd
}

func (a *app) trailsLint(f lintFlags) error {
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
	g := groups{limit: f.limit, entries: make(map[string]int)}
	take := g.take
	if f.json {
		take = func(f lint.Finding) { writeFinding(out, f) }
	}
	sum := lint.Run(t, white, starter.UserAgents(), take)
	if !f.json {
		g.print(out, sum, t.Count(trails.Certificate))
	}
	fmt.Fprintf(a.err, "checked %s\n", what)
	if err := out.Flush(); err != nil {
		return err
	}
	if f.strict && sum.Findings > 0 {
		return errReported
	}
	return nil
}

func writeFinding(w io.Writer, f lint.Finding) {
	json.NewEncoder(w).Encode(struct {
		Reason string `json:"reason"`
		Kind   string `json:"kind"`
		Trail  string `json:"trail"`
		Detail string `json:"detail,omitempty"`
		Source string `json:"source,omitempty"`
	}{f.Reason.String(), f.Kind.String(), f.Trail, f.Detail, f.Source}) // a bufio.Writer keeps its error until Flush
}

// groups keeps the first findings of each reason.
type groups struct {
	limit    int
	findings [lint.Reasons][]lint.Finding
	entries  map[string]int // findings per whitelist entry
}

func (g *groups) take(f lint.Finding) {
	if g.limit == 0 || len(g.findings[f.Reason]) < g.limit {
		g.findings[f.Reason] = append(g.findings[f.Reason], f)
	}
	if f.Reason == lint.Whitelisted {
		g.entries[f.Detail]++
	}
}

func (g *groups) print(w io.Writer, sum lint.Summary, certificates int) {
	for r, list := range g.findings {
		if len(list) == 0 {
			continue
		}
		reason := lint.Reason(r)
		fmt.Fprintf(w, "%s: %s (%d)\n", reason, reason.Text(), sum.ByReason[r])
		if reason == lint.Whitelisted && len(list) < sum.ByReason[r] {
			fmt.Fprintf(w, "  most by %s\n", g.topEntries(5))
		}
		for _, f := range list {
			fmt.Fprintf(w, "  %-12s %s", f.Kind, f.Trail)
			if f.Detail != "" {
				fmt.Fprintf(w, "  <- %s", f.Detail)
			}
			if f.Source != "" {
				fmt.Fprintf(w, "  [%s]", f.Source)
			}
			fmt.Fprintln(w)
		}
		if n := sum.ByReason[r] - len(list); n > 0 {
			fmt.Fprintf(w, "  ... and %d more\n", n)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d trails: %d match, %d can never match\n", sum.Trails, sum.Sent+sum.LookedUp, sum.Findings)
	if certificates > 0 {
		fmt.Fprintf(w, "%s only looked up by key: no packet can be made from a digest\n", count(uint64(sum.LookedUp), "trail"))
	}
}

// topEntries names the whitelist entries that take out most trails.
func (g *groups) topEntries(n int) string {
	names := make([]string, 0, len(g.entries))
	for name := range g.entries {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		return cmp.Or(cmp.Compare(g.entries[y], g.entries[x]), cmp.Compare(x, y))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %d", name, g.entries[name])
	}
	return strings.Join(names[:min(n, len(names))], ", ")
}
