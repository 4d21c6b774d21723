package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/dead"
	"trailhound/outputs/format"
	"trailhound/outputs/journal"
)

// delivery is an output's loop with what it holds, and the entry of the
// configuration that it was made from.
type delivery struct {
	*outputs.Delivery
	entry  *config.Output
	cursor *journal.Cursor
	ctx    context.Context
	cancel context.CancelFunc
	// success is when something was last delivered to an output of that name
	// before the reload that made this one.
	success time.Time

	// Guarded by the service's judging.
	dropped  uint64 // events lost to it ever, when it was last looked at
	lost     uint64 // of them since the loss under way began
	lostAt   time.Time
	down     bool // when it was last looked at
	unproven bool // it took the place of one that was down, and nothing is delivered yet
	stopped  bool // or about to be
}

// brokenOutput is an entry of which no output can be made. Its cursor is held,
// so that events wait for it.
type brokenOutput struct {
	entry  *config.Output
	cursor *journal.Cursor // nil: that cannot be had either
	err    error
	at     time.Time
}

func (b *brokenOutput) cursorState() (state journal.CursorState) {
	if b.cursor != nil {
		state = b.cursor.State()
	}
	return state
}

// openOutputs starts the loop of every output. One that cannot work is left
// out with a word about it: the others have to.
func (s *service) openOutputs() {
	s.deliveries, s.broken = s.openEach(s.config.Outputs, nil)
	for _, d := range s.deliveries {
		go d.Run(d.ctx)
	}
	if len(s.deliveries) == 0 {
		s.log.Warn("no output: events stay in the journal")
	}
}

// openEach makes the loops of those entries that are wanted (nil: all).
func (s *service) openEach(entries []config.Output, wanted func(name string) bool) (list []*delivery, broken []*brokenOutput) {
	for i := range entries {
		o := &entries[i]
		if wanted != nil && !wanted(o.Name) {
			continue
		}
		if !meant(o, s.id.Labels) {
			s.log.Info("output is not for this sensor, by its labels", "output", o.Name)
			continue
		}
		d, err := s.openOutput(o)
		if err == nil {
			list = append(list, d)
			continue
		}
		s.log.Error("output cannot be used", "output", o.Name, "error", err)
		b := &brokenOutput{entry: o, err: err, at: time.Now()}
		if b.cursor, err = s.journal.Cursor(o.Name, journal.CursorOptions{}); err != nil {
			s.log.Error("no events are kept for the output", "output", o.Name, "error", err)
		}
		s.broke(b)
		broken = append(broken, b)
	}
	return list, broken
}

// surroundings are what the service gives to its outputs.
func (s *service) surroundings(o *config.Output) surroundings {
	return surroundings{identity: s.id, log: s.log.With("output", o.Name), stdout: s.out,
		dial: s.own.Dialer(net.Dialer{}).DialContext, resolver: s.own.Resolver(), trails: s.trailsMade}
}

// trailsMade is when the trails in use were made.
func (s *service) trailsMade() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return time.Time{}
	}
	return s.current.Table.Created()
}

// openOutput makes the loop of an output: where its cursor is in the journal,
// it goes on.
func (s *service) openOutput(o *config.Output) (*delivery, error) {
	set, err := settingsOf(o)
	if err != nil {
		return nil, err
	}
	env := s.surroundings(o)
	out, err := newOutput(o, env)
	if err != nil {
		return nil, err
	}
	set.Remake = remaker(o, env)
	cursor, err := s.journal.Cursor(o.Name, journal.CursorOptions{})
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	id := s.id
	document := format.NewECS(id, format.ECSOptions{}).Append
	was := cursor.State()
	d := &delivery{entry: o, cursor: cursor, dropped: was.Evicted + was.Quarantined,
		Delivery: outputs.NewDelivery(o.Name, o.Type, out, cursor, set, dead.New(s.deadLetters(), o.Name, 0), document, s.log)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// deliver takes what passed the gate into the journal, from where the outputs
// read it. It runs on the gate's goroutine.
func (s *service) deliver(events []event.Event) { s.journal.Append(events) }

// closeOutputs waits until all outputs have delivered everything, or limit is
// over, and closes them and the journal. Cursors are left to the journal: what
// they have not got is what it has to keep, or to call lost.
func (s *service) closeOutputs(limit context.Context) error {
	if s.journal == nil {
		return nil
	}
	s.journal.End()
	var all []error
	for _, d := range s.deliveries {
		select {
		case <-d.Done():
		case <-limit.Done():
		}
	}
	for _, d := range s.deliveries {
		d.cancel()
	}
	for _, d := range s.deliveries {
		<-d.Done()
		if err := d.Close(); err != nil {
			all = append(all, err)
		}
	}
	type waiting struct {
		name   string
		events uint64
		why    string
	}
	var left []waiting
	for _, d := range s.deliveries {
		if n := d.State().Pending; n > 0 {
			left = append(left, waiting{d.Name, n, d.Counts().Error})
		}
	}
	for _, b := range s.broken {
		if n := b.cursorState().Pending; n > 0 {
			left = append(left, waiting{b.entry.Name, n, b.err.Error()})
		}
	}
	if err := s.journal.Close(); err != nil {
		all = append(all, fmt.Errorf("journal: %w", err))
	}
	say, what := s.log.Warn, "events wait in the journal for the next start"
	if s.journal.State().Lost > 0 {
		say, what = s.log.Error, "events that were not delivered are lost: the journal was in memory only"
	}
	for _, w := range left {
		say(what, "output", w.name, "events", w.events, "error", w.why)
	}
	return errors.Join(all...)
}
