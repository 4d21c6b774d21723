package main

import (
	"slices"
	"sync"
	"time"

	"trailhound/agent/config"
)

// reopenOutputs makes the outputs those of a new configuration. What did not
// change goes on untouched, and what did goes on where it was: an output's
// cursor is known by its name. All are new when the sensor goes by another name.
//
// Outputs that were not there before get their cursors first, so that what is
// detected while others are stopped is theirs, too. They deliver when those have
// ended: one of them may have had the same file.
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
	down := make(map[string]bool) // outputs that were, by name
	was := s.broken
	for _, b := range was {
		down[b.entry.Name] = true
		if b.cursor != nil {
			b.cursor.Close()
		}
	}
	there := func(name string) bool { return indexOf(s.deliveries, name) >= 0 }
	next, broken := s.openEach(c.Outputs, func(name string) bool { return !there(name) })
	s.stopEach(gone, down)
	changed, changedBroken := s.openEach(c.Outputs, func(name string) bool { return indexOf(gone, name) >= 0 })
	next, broken = append(append(next, changed...), stay...), append(broken, changedBroken...)
	place := func(name string) int {
		return slices.IndexFunc(c.Outputs, func(o config.Output) bool { return o.Name == name })
	}
	slices.SortFunc(next, func(a, b *delivery) int { return place(a.Name) - place(b.Name) })

	s.judging.Lock()
	defer s.judging.Unlock()
	for _, d := range next {
		if slices.Contains(stay, d) {
			continue
		}
		d.unproven = down[d.Name]
		if at := indexOf(gone, d.Name); at >= 0 {
			d.success = gone[at].lastSuccess()
		}
	}
	s.mu.Lock()
	s.deliveries, s.broken = next, broken
	s.mu.Unlock()
	inUse := func(name string) bool {
		return indexOf(next, name) >= 0 || slices.ContainsFunc(broken, func(b *brokenOutput) bool { return b.entry.Name == name })
	}
	for _, d := range gone {
		if !inUse(d.Name) {
			s.over(d.Name, true)
		}
	}
	for _, b := range was {
		if !inUse(b.entry.Name) {
			s.over(b.entry.Name, true)
		}
	}
	for _, d := range next {
		if !slices.Contains(stay, d) {
			go d.Run(d.ctx)
		}
	}
}

// stopEach ends loops side by side: each may wait for its receiver. It notes in
// down which of them were.
func (s *service) stopEach(list []*delivery, down map[string]bool) {
	s.judging.Lock()
	for _, d := range list {
		d.stopped = true
		down[d.Name] = d.down
	}
	s.judging.Unlock()
	var all sync.WaitGroup
	for _, d := range list {
		all.Go(func() {
			if err := d.stop(); err != nil {
				s.log.Error("output was not closed well", "output", d.Name, "error", err)
			}
		})
	}
	all.Wait()
}

// stop ends a loop. What it has not delivered stays in the journal.
func (d *delivery) stop() error {
	d.cancel()
	<-d.Done()
	err := d.Close()
	d.cursor.Close()
	return err
}

// lastSuccess is when something was last delivered to the output, over reloads.
func (d *delivery) lastSuccess() time.Time {
	if t := d.Counts().LastSuccess; !t.IsZero() {
		return t
	}
	return d.success
}

// indexOf finds an output by its name; -1: it is not there.
func indexOf(list []*delivery, name string) int {
	return slices.IndexFunc(list, func(d *delivery) bool { return d.Name == name })
}
