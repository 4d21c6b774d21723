package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// tailFlags are the flags of journal tail.
type tailFlags struct {
	*journalFlags
	selectFlags
	follow bool
	number int
	all    bool // no number was given, and --since says where to begin
	every  time.Duration
}

// tailEvery is how often --follow looks for new events.
const tailEvery = 500 * time.Millisecond

func (a *app) journalTailCommand(shared *journalFlags) *cobra.Command {
	f := tailFlags{journalFlags: shared, every: tailEvery}
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show the newest events, and with -f those that come",
		Long: "Tail shows the last events of the journal that fit the filters, health events too. With --since it shows all of them\n" +
			"since then, unless -n is given as well.",
		Example: "  trailhound journal tail -f\n" +
			"  trailhound journal tail -n 100 --severity high\n" +
			"  trailhound journal tail --since 2h --code 'trail.*' --format json | jq .",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.all = f.since != "" && !cmd.Flags().Changed("lines")
			return a.journalTail(cmd.Context(), f)
		},
	}
	cmd.Flags().BoolVarP(&f.follow, "follow", "f", false, "go on with what comes, until interrupted")
	cmd.Flags().IntVarP(&f.number, "lines", "n", 10, "show the last `N` events")
	cmd.Flags().StringVar(&f.format, "format", "", formatUsage()+" (default table on a terminal, else csv)")
	f.selectFlags.add(cmd)
	return cmd
}

func (a *app) journalTail(ctx context.Context, f tailFlags) error {
	if f.number < 0 {
		return usagef("-n: %d is no number of events", f.number)
	}
	if err := checkFormat(f.format); err != nil {
		return err
	}
	which, err := f.parse(time.Now())
	if err != nil {
		return err
	}
	k, err := a.kept(f.journalFlags)
	if err != nil {
		return err
	}
	v, err := k.open()
	if err != nil {
		return err
	}
	p, err := a.printEvents(f.format, k.id)
	if err != nil {
		return err
	}
	t := &tail{kept: k, which: which, printer: p, next: v.State().First}
	if !f.all {
		if t.next, err = lastOf(ctx, v, which, f.number); err != nil {
			return err
		}
	}
	if err := t.show(ctx, v); err != nil || !f.follow {
		return err
	}
	return t.follow(ctx, f.every)
}

// tail is what is shown so far.
type tail struct {
	*kept
	which   selection
	printer *eventPrinter
	next    uint64 // the number to show next
}

// show writes what there is from the next number on.
func (t *tail) show(ctx context.Context, v *journal.View) error {
	err := v.Scan(ctx, t.next, func(e *event.Event) bool {
		t.next = e.Seq + 1
		return !t.which.pass(e) || t.printer.print(e)
	})
	if flushErr := t.printer.flush(); flushErr != nil {
		return flushErr
	}
	return err
}

// follow looks for more now and then. A journal that was made anew meanwhile
// counts from one again.
func (t *tail) follow(ctx context.Context, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		v, err := journal.OpenReadOnly(t.path)
		if err != nil {
			return err
		}
		s := v.State()
		if s.Last+1 < t.next {
			t.next = s.First
		}
		if s.Last < t.next {
			continue
		}
		if err := t.show(ctx, v); err != nil {
			return err
		}
	}
}

// lastOf gives the number from which on there are the last n events that fit.
// It looks from the end in growing pieces, so that most of a large journal is
// not read.
func lastOf(ctx context.Context, v *journal.View, which selection, n int) (from uint64, err error) {
	s := v.State()
	if n == 0 || s.Last < s.First {
		return s.Last + 1, nil
	}
	least := uint64(n)
	end := s.Last // of what is not looked at yet
	for size := max(least, 1024); ; size *= 4 {
		begin := s.First
		if end-s.First >= size {
			begin = end - size + 1
		}
		var at []uint64
		err := v.Scan(ctx, begin, func(e *event.Event) bool {
			if e.Seq <= end && which.pass(e) {
				at = append(at, e.Seq)
			}
			return e.Seq < end
		})
		if err != nil {
			return 0, err
		}
		if uint64(len(at)) >= least {
			return at[uint64(len(at))-least], nil
		}
		if begin == s.First {
			return s.First, nil
		}
		least -= uint64(len(at))
		end = begin - 1
	}
}
