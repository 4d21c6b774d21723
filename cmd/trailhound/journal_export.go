package main

import (
	"context"

	"github.com/spf13/cobra"

	"trailhound/agent/event"
)

// exportFlags are the flags of journal export.
type exportFlags struct {
	*journalFlags
	from, to uint64
	dead     string // an output's name: its dead letters
	retry    bool
	ranged   bool // from or to was given
}

func (a *app) journalExportCommand(shared *journalFlags) *cobra.Command {
	f := exportFlags{journalFlags: shared}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write all events of the journal, or the dead letters of an output",
		Long: "Export writes the events from one sequence number to another, oldest first. Numbers without an event (given up,\n" +
			"damaged, missing) are counted on standard error. The exit code is 1 when a segment cannot be read in full.\n\n" +
			"With --dead it writes the events that an output's receiver refused for good, as JSON lines with time and reason\n" +
			"unless --format says otherwise; with --retry the running sensor sends them again instead.",
		Example: "  trailhound journal export --format json | gzip > events.ndjson.gz\n" +
			"  trailhound journal export --from 100000 --to 100999\n" +
			"  trailhound journal export --dead siem | jq -r .reason | sort | uniq -c\n" +
			"  trailhound journal export --dead siem --retry",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.ranged = cmd.Flags().Changed("from") || cmd.Flags().Changed("to")
			return a.journalExport(cmd.Context(), f)
		},
	}
	cmd.Flags().Uint64Var(&f.from, "from", 0, "the first sequence `number` (default the oldest)")
	cmd.Flags().Uint64Var(&f.to, "to", 0, "the last sequence `number` (default the newest)")
	cmd.Flags().StringVar(&f.format, "format", "", formatUsage()+" (default table on a terminal, else csv; dead letters: JSON lines with the reason)")
	cmd.Flags().StringVar(&f.dead, "dead", "", "the dead letters of this `output`")
	cmd.Flags().BoolVar(&f.retry, "retry", false, "with --dead: have the running sensor send them again")
	return cmd
}

// check refuses flags that do not go together.
func (f *exportFlags) check() error {
	switch {
	case f.dead != "" && f.ranged:
		return usagef("--from and --to are of the journal, not of dead letters")
	case f.retry && f.dead == "":
		return usagef("--retry needs --dead NAME: only what was refused is sent again")
	case f.retry && f.format != "":
		return usagef("--retry writes no events: leave --format out")
	case f.to != 0 && f.from > f.to:
		return usagef("--from %d is behind --to %d", f.from, f.to)
	}
	return checkFormat(f.format)
}

func (a *app) journalExport(ctx context.Context, f exportFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	k, err := a.kept(f.journalFlags)
	if err != nil {
		return err
	}
	switch {
	case f.retry:
		return a.retryDead(k, f.dead)
	case f.dead != "":
		return a.exportDead(k, f)
	}
	return a.exportEvents(ctx, k, f)
}

func (a *app) exportEvents(ctx context.Context, k *kept, f exportFlags) error {
	v, err := k.open()
	if err != nil {
		return err
	}
	p, err := a.printEvents(f.format, k.id)
	if err != nil {
		return err
	}
	// The bounds are those of now: a sensor that runs appends meanwhile, and
	// gives up its oldest events.
	s := v.State()
	from, to := max(f.from, s.First), s.Last
	if f.to != 0 {
		to = min(f.to, s.Last)
	}
	var n uint64
	if from <= to {
		err = v.Scan(ctx, from, func(e *event.Event) bool {
			if e.Seq > to {
				return false
			}
			n++
			return p.print(e) && e.Seq < to
		})
	}
	if flushErr := p.flush(); flushErr != nil {
		return flushErr
	}
	if err != nil {
		return err
	}
	if f.from != 0 && f.from < s.First {
		a.warn("events before %d are no longer kept", s.First)
	}
	if f.to > s.Last {
		a.warn("the newest event is %d", s.Last)
	}
	if from <= to && n < to+1-from {
		a.warn("%s from %d to %d: %s, damaged or given up", count(n, "event"), from, to, count(to+1-from-n, "number")+" without one")
		return readable(v, n == 0)
	}
	return nil
}
