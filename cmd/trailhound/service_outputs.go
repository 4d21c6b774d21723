package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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
	entry   *config.Output
	cursor  *journal.Cursor
	dropped uint64 // events lost to it ever, when it was last looked at
	lost    uint64 // of them since the loss under way began
	lostAt  time.Time
	ctx     context.Context
	cancel  context.CancelFunc
}

// openOutputs starts the loop of every output. One that cannot work is left
// out with a word about it: the others have to.
func (s *service) openOutputs() {
	s.deliveries = s.openEach(s.config.Outputs, nil)
	for _, d := range s.deliveries {
		go d.Run(d.ctx)
	}
	if len(s.deliveries) == 0 {
		s.log.Warn("no output: events stay in the journal")
	}
}

// openEach makes the loops of entries, keeping those that there are.
func (s *service) openEach(entries []config.Output, there []*delivery) (list []*delivery) {
	for i := range entries {
		o := &entries[i]
		if at := slices.IndexFunc(there, func(d *delivery) bool { return d.entry.Name == o.Name }); at >= 0 {
			list = append(list, there[at])
			continue
		}
		if !meant(o, s.id.Labels) {
			s.log.Info("output is not for this sensor, by its labels", "output", o.Name)
			continue
		}
		d, err := s.openOutput(o)
		if err != nil {
			s.log.Error("output cannot be used", "output", o.Name, "error", err)
			continue
		}
		list = append(list, d)
	}
	return list
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
	document := func(dst []byte, e *event.Event) []byte { return format.AppendECS(dst, e, id) }
	was := cursor.State()
	d := &delivery{entry: o, cursor: cursor, dropped: was.Evicted + was.Quarantined,
		Delivery: outputs.NewDelivery(o.Name, o.Type, out, cursor, set, dead.New(s.deadLetters(), o.Name, 0), document, s.log)}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// stop ends a loop. What it has not delivered stays in the journal.
func (d *delivery) stop() error {
	d.cancel()
	<-d.Done()
	err := d.Close()
	d.cursor.Close()
	return err
}

// deliver takes what passed the gate into the journal, from where the outputs
// read it. It runs on the gate's goroutine.
func (s *service) deliver(events []event.Event) { s.journal.Append(events) }

// reopenOutputs makes the outputs those of a new configuration. What did not
// change goes on untouched, and what did goes on where it was: an output's
// cursor is known by its name. All are new when the sensor goes by another name.
func (s *service) reopenOutputs(c *config.Config, all bool) {
	var stay, gone []*delivery
	for _, d := range s.deliveries {
		same := slices.ContainsFunc(c.Outputs, func(o config.Output) bool { return o.Name == d.entry.Name && d.entry.Equal(&o) })
		if same && !all && meant(d.entry, s.id.Labels) {
			stay = append(stay, d)
		} else {
			gone = append(gone, d)
		}
	}
	// All at once: each may wait for its receiver.
	for _, d := range gone {
		d.cancel()
	}
	for _, d := range gone {
		if err := d.stop(); err != nil {
			s.log.Error("output was not closed well", "output", d.Name, "error", err)
		}
	}
	next := s.openEach(c.Outputs, stay)
	s.mu.Lock()
	s.deliveries = next
	s.mu.Unlock()
	for _, d := range next {
		if !slices.Contains(stay, d) {
			go d.Run(d.ctx)
		}
	}
}

// closeOutputs waits until all outputs have delivered everything, or limit is
// over, and closes them and the journal.
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
		state, counts := d.State(), d.Counts()
		if state.Pending > 0 {
			s.log.Warn("events wait in the journal for the next start", "output", d.Name, "events", state.Pending, "error", counts.Error)
		}
		if err := d.stop(); err != nil {
			all = append(all, err)
		}
	}
	if err := s.journal.Close(); err != nil {
		all = append(all, fmt.Errorf("journal: %w", err))
	}
	return errors.Join(all...)
}
