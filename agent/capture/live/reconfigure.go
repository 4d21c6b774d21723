package live

import (
	"errors"
	"fmt"
	"slices"

	"trailhound/agent/capture/device"
)

// Reconfigure takes other options: interfaces that come and go, their alias,
// whether outgoing frames are captured, the filter and the snaplen. Rings that
// stay lose nothing, and new ones are opened before old ones are closed: from
// named interfaces to Any, a frame may be in both. New interfaces are read by the
// sources there are: those of their group, else of the group with the fewest
// interfaces.
//
// Options that need a restart (workers, ring memory, spare sockets, the group
// of an interface, a snaplen that blocks do not hold), interfaces that are not
// there and a filter that the kernel refuses are an error, and nothing changes.
// An interface for which no socket is left is no error: Snapshot has it.
func (c *Capture) Reconfigure(opt Options) error {
	opt, err := opt.complete()
	if err != nil {
		return err
	}
	c.change.Lock()
	defer c.change.Unlock()
	if c.isClosed() {
		return errClosed
	}
	if c.request == nil {
		return restartNeeded("a feed")
	}
	if err := c.takes(opt); err != nil {
		return err
	}
	list, err := device.List()
	if err != nil {
		return fmt.Errorf("cannot list the interfaces: %w", err)
	}
	next, err := c.nextEntries(opt.Interfaces)
	if err != nil {
		return err
	}
	if err := c.checkThere(next, list); err != nil {
		return err
	}
	if err := checkFilters(opt, next, list); err != nil {
		return err
	}

	c.opt.Interfaces, c.opt.Filter, c.opt.Snaplen = opt.Interfaces, opt.Filter, opt.Snaplen
	leaving := slices.DeleteFunc(slices.Clone(c.entries), func(e *entry) bool { return slices.Contains(next, e) })
	for i, e := range next {
		e.Alias, e.Optional, e.Outgoing = opt.Interfaces[i].Alias, opt.Interfaces[i].Optional, opt.Interfaces[i].Outgoing
	}
	c.mu.Lock()
	c.entries = next
	for _, e := range leaving {
		for i := range e.past {
			c.past.add(e.past[i])
		}
	}
	c.mu.Unlock()
	var failed error
	for _, e := range slices.Concat(next, leaving) {
		for _, l := range e.links {
			failed = errors.Join(failed, c.refilter(l))
		}
	}
	if err := c.reconcile(list, leaving, false); err != nil {
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, c.spares.refill())
}

// takes says which of the options need a restart.
func (c *Capture) takes(opt Options) error {
	switch {
	case opt.Workers != c.workers:
		return restartNeeded("the number of workers")
	case opt.RingTotal != c.asked:
		return restartNeeded("the size of the ring memory")
	case opt.Spare != c.spares.want:
		return restartNeeded("the number of spare sockets")
	}
	for _, r := range c.openRings() {
		if smallestBlock(opt.Snaplen) > r.block {
			return restartNeeded(fmt.Sprintf("the snaplen, to more than a block of %d bytes holds,", r.block))
		}
	}
	return nil
}

// nextEntries gives the entries for other interfaces: those there are, and new
// ones. They are not changed yet.
func (c *Capture) nextEntries(interfaces []Interface) ([]*entry, error) {
	next := make([]*entry, len(interfaces))
	load := make(map[*crew]int)
	for i, want := range interfaces {
		for _, e := range c.entries {
			if e.Name != want.Name {
				continue
			}
			if e.Group != want.Group {
				return nil, restartNeeded(fmt.Sprintf("the group of interface %q", e.Name))
			}
			next[i] = e
			load[e.crew]++
		}
	}
	for i, want := range interfaces {
		if next[i] != nil {
			continue
		}
		var to *crew
		for _, e := range next {
			if e != nil && want.Group != "" && e.Group == want.Group {
				to = e.crew
			}
		}
		for _, w := range c.crews {
			if want.Group != "" && w.group == want.Group && to == nil {
				to = w
			}
		}
		if to == nil {
			to = slices.MinFunc(c.crews, func(a, b *crew) int { return load[a] - load[b] })
		}
		next[i] = newEntry(want, to)
		load[to]++
	}
	return next, nil
}

// checkFilters has the kernel check the filters that the options ask for.
func checkFilters(opt Options, next []*entry, list []device.Device) error {
	try := func(e *entry, d device.Device) error {
		i := *e
		for _, o := range opt.Interfaces {
			if o.Name == e.Name {
				i.Interface = o
			}
		}
		program, err := (&link{entry: &i, index: d.Index, device: d}).screen(opt).program()
		if err != nil {
			return err
		}
		return tryFilter(program)
	}
	chosen := choose(next, list)
	for _, e := range next {
		if e.any() {
			if err := try(e, device.Device{}); err != nil {
				return err
			}
		}
		for _, d := range chosen[e] {
			if err := try(e, d); err != nil {
				return err
			}
		}
	}
	return nil
}
