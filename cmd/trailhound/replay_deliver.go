package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/dead"
	"trailhound/outputs/format"
	"trailhound/outputs/journal"
	"trailhound/trails/table"
)

// deliverFlags are the flags of replay that are about delivery.
type deliverFlags struct {
	on      bool
	to      []string
	journal string
	wait    time.Duration
}

func (f *deliverFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.on, "deliver", false, "deliver the events to the configured outputs, through a journal, and wait until they have them")
	cmd.Flags().StringArrayVar(&f.to, "to", nil, "with --deliver: only to the output of this `name` (repeatable)")
	cmd.Flags().StringVar(&f.journal, "journal", "", "with --deliver: keep the journal in this `directory`, and go on with what waits there (default a temporary one)")
	cmd.Flags().DurationVar(&f.wait, "wait", 10*time.Minute, "with --deliver: how long to wait for the outputs after the last capture")
}

// check refuses flags that do not go together.
func (f *deliverFlags) check(cmd *cobra.Command) error {
	for _, name := range []string{"to", "journal", "wait"} {
		if !f.on && cmd.Flags().Changed(name) {
			return usagef("--%s needs --deliver", name)
		}
	}
	for _, name := range []string{"format", "output"} {
		if f.on && cmd.Flags().Changed(name) {
			return usagef("--deliver sends the events to the configured outputs: leave --%s out (--to names outputs)", name)
		}
	}
	if f.wait < 0 {
		return usagef("--wait: %v is no time to wait", f.wait)
	}
	return nil
}

// deliverer takes the events of a replay to the configured outputs.
type deliverer struct {
	*app
	ctx     context.Context
	flags   deliverFlags
	dir     string // of the journal
	journal *journal.Journal
	loops   []*deliverLoop
	screen  *progressLine
	batch   []event.Event
	bound   int64     // bytes that may wait for the slowest output
	started time.Time // when there was something to deliver; zero: not yet
	kept    bool      // the journal stays
	closing error
}

// deliverLoop is the loop of one output.
type deliverLoop struct {
	*outputs.Delivery
	cursor   *journal.Cursor
	before   journal.CursorState // when it was opened
	stop     context.CancelFunc
	finished chan struct{}
	ended    time.Time // valid once finished is closed

	// Of the replay that waits for it.
	since   time.Time // no event was settled since; zero: it is not behind
	settled uint64    // events, then
	left    bool      // it is not waited for any more
}

// openDeliverer opens the journal and the outputs, whose loops run from then on.
func (a *app) openDeliverer(ctx context.Context, c *config.Config, f replayFlags, t *table.Table) (d *deliverer, err error) {
	id := knownIdentity(c)
	entries, err := chosenOutputs(c, f.deliver.to, id)
	if err != nil {
		return nil, err
	}
	d = &deliverer{app: a, ctx: ctx, flags: f.deliver, screen: a.progress(f.quiet), dir: f.deliver.journal, kept: f.deliver.journal != "",
		batch: make([]event.Event, 0, writeBatch)}
	defer func() {
		if err != nil {
			d.abort()
		}
	}()
	if err := d.openJournal(c); err != nil {
		return d, err
	}
	env := surroundings{identity: id, log: newLog(d.screen, false, "text", logQuiet), stdout: a.out, trails: t.Created}
	for _, o := range entries {
		if err := d.open(o, env); err != nil {
			return d, err
		}
	}
	if slices.ContainsFunc(d.loops, func(l *deliverLoop) bool { return l.before.Pending > 0 }) {
		d.started = time.Now()
	}
	for _, l := range d.loops {
		var run context.Context
		run, l.stop = context.WithCancel(context.Background()) // ended by close, in order
		go func() {
			l.Run(run)
			l.ended = time.Now()
			close(l.finished)
		}()
	}
	d.screen.run(d.progressText)
	return d, nil
}

// chosenOutputs gives the entries that are delivered to.
func chosenOutputs(c *config.Config, to []string, id *event.Identity) (list []*config.Output, err error) {
	var known []string
	for i := range c.Outputs {
		o := &c.Outputs[i]
		known = append(known, o.Name)
		if slices.Contains(to, o.Name) || len(to) == 0 && meant(o, id.Labels) {
			list = append(list, o)
		}
	}
	for _, name := range to {
		if !slices.Contains(known, name) {
			return nil, usagef("--to: there is no output %q: use one of %s", name, strings.Join(known, ", "))
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no output is configured: there is nowhere to deliver to")
	}
	return list, nil
}

// openJournal opens a journal of the replay's own. It bounds it as the
// configuration says, and never gives up events for the sake of free space: the
// replay waits instead.
func (d *deliverer) openJournal(c *config.Config) (err error) {
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "trailhound-replay-*"); err != nil {
			return fmt.Errorf("cannot make a journal: %w", err)
		}
	} else if sameDirectory(d.dir, journalPath(c, c.State)) {
		return usagef("--journal: %q is the sensor's own journal", d.dir)
	}
	opt := journalOptions(c, c.State)
	opt.Path, opt.MaxAge, opt.MinFree, opt.Sync = d.dir, 0, -1, journal.Never()
	opt.Incident = d.incident
	d.journal = journal.Open(opt)
	s := d.journal.State()
	if s.Degraded != nil {
		return fmt.Errorf("cannot keep the journal in %q: %w", d.dir, s.Degraded)
	}
	d.bound = s.MaxSize / 2
	return nil
}

func sameDirectory(a, b string) bool {
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}

// open makes the loop of an output.
func (d *deliverer) open(o *config.Output, env surroundings) error {
	set, err := settingsOf(o)
	if err != nil {
		return err
	}
	set.MaxRate = 0
	id := env.identity
	log := env.log
	env.log = log.With("output", o.Name)
	out, err := newOutput(o, env)
	if err != nil {
		return err
	}
	set.Remake = remaker(o, env)
	cursor, err := d.journal.Cursor(o.Name, journal.CursorOptions{FromStart: true})
	if err != nil {
		return errors.Join(err, out.Close())
	}
	document := format.NewECS(id, format.ECSOptions{}).Append
	letters := dead.New(filepath.Join(d.dir, deadLettersName), o.Name, 0)
	d.loops = append(d.loops, &deliverLoop{cursor: cursor, before: cursor.State(), stop: func() {}, finished: make(chan struct{}),
		Delivery: outputs.NewDelivery(o.Name, o.Type, out, cursor, set, letters, document, log)})
	return nil
}

// take is the sink of the replay.
func (d *deliverer) take(e event.Event) error {
	d.batch = append(d.batch, e)
	if len(d.batch) < cap(d.batch) {
		return nil
	}
	d.flush()
	return d.hold()
}

// flush puts what is gathered into the journal.
func (d *deliverer) flush() {
	if len(d.batch) == 0 {
		return
	}
	if d.started.IsZero() {
		d.started = time.Now()
	}
	d.journal.Append(d.batch)
	clear(d.batch)
	d.batch = d.batch[:0]
}

// hold waits while more is in the journal than it may keep: reading captures is
// faster than any receiver. An output that takes nothing for as long as --wait
// is not waited for any more; the journal gives up its oldest events where it
// must.
func (d *deliverer) hold() error {
	var tick *time.Ticker
	for {
		behind := false
		for _, l := range d.loops {
			behind = d.behind(l) || behind
		}
		if !behind {
			return d.ctx.Err()
		}
		if tick == nil {
			tick = time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
		}
		select {
		case <-tick.C:
		case <-d.ctx.Done():
			return d.ctx.Err()
		}
	}
}

// behind says whether the replay has to wait for an output.
func (d *deliverer) behind(l *deliverLoop) bool {
	s := l.State()
	if s.PendingBytes <= d.bound {
		l.since = time.Time{}
		return false
	}
	settled := s.Delivered + s.Filtered + s.DeadLettered
	switch {
	case l.since.IsZero() || settled != l.settled:
		l.since, l.settled, l.left = time.Now(), settled, false
	case !l.left && time.Since(l.since) >= d.flags.wait:
		l.left = true
		d.screen.say("output %s has taken nothing for %v: its oldest events are given up where the journal is full", l.Name, d.flags.wait)
	}
	return !l.left
}

// close waits until all outputs have everything, or --wait is over, and lets go
// of them. After a run that was broken off it does not wait.
func (d *deliverer) close(good bool) error {
	if good {
		d.flush()
	}
	d.journal.End()
	limit, cancel := context.WithTimeout(d.ctx, d.flags.wait)
	defer cancel()
	if !good {
		cancel()
	}
	for _, l := range d.loops {
		select {
		case <-l.finished:
		case <-limit.Done():
		}
	}
	d.screen.end()
	var all []error
	for _, l := range d.loops {
		l.stop()
	}
	for _, l := range d.loops {
		<-l.finished
		all = append(all, l.Close())
	}
	d.closing = errors.Join(append(all, d.journal.Close())...)
	return d.ctx.Err()
}

// abort lets go of what was opened before the loops ran.
func (d *deliverer) abort() {
	for _, l := range d.loops {
		l.Close()
	}
	if d.journal != nil {
		d.journal.Close()
	}
	if !d.kept && d.dir != "" {
		os.RemoveAll(d.dir)
	}
}
