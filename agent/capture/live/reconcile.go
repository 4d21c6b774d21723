package live

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/capture/device"
)

// plan divides the ring memory. It sets the budget to what there is.
func (c *Capture) plan(list []device.Device) error {
	limited := "" // by what
	for _, of := range []struct {
		what string
		room func() int64
	}{{"memory", available}, {addressSpaceName, addressSpace}} {
		if free := of.room(); free > 0 && c.opt.RingTotal > free/2 {
			c.log.Warn("ring memory is limited to half of what is available", "wanted", c.opt.RingTotal, "limit", free/2, "of", of.what)
			c.opt.RingTotal, limited = free/2, of.what
		}
	}
	links, later := 0, true
	chosen := choose(c.entries, list)
	for _, e := range c.entries {
		switch {
		case e.any():
			links, later = 1, false
		case e.exact():
			links++
		default:
			links += len(chosen[e])
		}
	}
	rings := max(links, 1) * c.workers
	c.share = share(c.opt.RingTotal, rings, later)
	if err := tooSmall(c.opt.RingTotal, rings, later, c.opt.Snaplen); err != nil {
		if limited != "" {
			err = fmt.Errorf("%w; it is limited to half of the available %s", err, limited)
		}
		return err
	}
	return nil
}

// reconcile makes what is captured equal to what is to be captured of the
// devices there are. What is new is opened before what is no longer wanted is
// closed. leaving are entries that were taken out. strict: what cannot be
// captured is an error; else it is noted and tried again.
func (c *Capture) reconcile(list []device.Device, leaving []*entry, strict bool) error {
	c.dropGone(list, leaving)
	var missing []Missing
	chosen := choose(c.entries, list)
	for _, e := range c.entries {
		if e.any() {
			m, err := c.followAny(e, list)
			if err != nil && strict {
				return err
			}
			missing = append(missing, m...)
			continue
		}
		for _, d := range chosen[e] {
			l := c.linkOf(d, e, leaving)
			if l != nil {
				c.followLink(l, d)
				continue
			}
			if err := c.openLink(&link{entry: e, index: d.Index, device: d}); err != nil {
				if strict && !passing(err) {
					return err
				}
				missing = append(missing, c.miss(d.Name, err))
				continue
			}
			if !strict {
				c.log.Info("interface is captured now", "interface", d.Name)
			}
		}
		if len(chosen[e]) == 0 {
			missing = append(missing, Missing{Interface: e.Name, Reason: "it is not there"})
			if strict {
				c.log.Warn("interface is not there; waiting for it", "interface", e.Name)
			}
		}
	}
	c.dropUnwanted(chosen, leaving)
	c.forget(missing)
	c.mu.Lock()
	c.waiting = missing
	c.mu.Unlock()
	c.describe(list)
	return nil
}

// passing says whether an error may go away by itself: the device was deleted
// meanwhile, or it is down and cannot join a fan-out group yet.
func passing(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENETDOWN) || errors.Is(err, errFanDown)
}

// dropGone stops links whose device was deleted.
func (c *Capture) dropGone(list []device.Device, leaving []*entry) {
	for _, e := range slices.Concat(c.entries, leaving) {
		for _, l := range slices.Clone(e.links) {
			there := slices.ContainsFunc(list, func(d device.Device) bool { return d.Index == l.index })
			if !l.any() && (!there || l.cut()) {
				c.log.Warn("interface was deleted", "interface", l.port().Name)
				c.stopLink(l)
			}
		}
	}
}

// dropUnwanted stops links that no entry asks for.
func (c *Capture) dropUnwanted(chosen map[*entry][]device.Device, leaving []*entry) {
	for _, e := range slices.Concat(c.entries, leaving) {
		for _, l := range slices.Clone(e.links) {
			wanted := l.any() && !slices.Contains(leaving, e) ||
				slices.ContainsFunc(chosen[e], func(d device.Device) bool { return d.Index == l.index })
			if !wanted {
				c.log.Info("interface is no longer captured", "interface", l.port().Name)
				c.stopLink(l)
			}
		}
	}
}

// linkOf finds the link of a device. One of another entry is moved, so that its
// rings go on, if the same sources read it.
func (c *Capture) linkOf(d device.Device, to *entry, leaving []*entry) *link {
	for _, e := range slices.Concat(c.entries, leaving) {
		for _, l := range e.links {
			if l.index != d.Index || e.crew != to.crew {
				continue
			}
			if e != to {
				e.links = slices.DeleteFunc(e.links, func(o *link) bool { return o == l })
				to.links = append(to.links, l)
				c.mu.Lock()
				l.entry = to
				c.mu.Unlock()
			}
			return l
		}
	}
	return nil
}

// followLink takes over how a captured device looks now.
func (c *Capture) followLink(l *link, d device.Device) {
	was := l.device
	l.device = d
	if was.Name != d.Name {
		c.log.Warn("interface was renamed", "interface", was.Name, "now", d.Name)
	}
	if up := d.Up && d.Running; up != (was.Up && was.Running) {
		c.log.Info("interface changed", "interface", d.Name, "up", up)
	}
	l.name()
	c.widen(l, d)
}

// followAny opens the sockets for all devices if they are not, and takes over
// which there are.
func (c *Capture) followAny(e *entry, list []device.Device) ([]Missing, error) {
	repeats := device.Uppers(list, func(int) bool { return true })
	known := make(map[int]seen, len(list))
	quiet := e.Outgoing != nil && !*e.Outgoing
	for _, d := range list {
		s := seen{name: d.Name}
		if repeats[d.Index] {
			s.skip = skipAll
		} else if d.Loopback || quiet {
			s.skip = skipOutgoing
		}
		known[d.Index] = s
	}
	c.known.Store(&known)
	skip := slices.Sorted(maps.Keys(repeats))
	var l *link
	if len(e.links) > 0 {
		l = e.links[0]
		if !slices.Equal(l.skip, skip) {
			l.skip = skip
			if err := c.refilter(l); err != nil {
				c.once("skip", "cannot tell the kernel which interfaces to skip", "error", err)
			}
		}
		l.name()
	} else {
		l = &link{entry: e, skip: skip}
		if err := c.openLink(l); err != nil {
			return []Missing{c.miss(Any, err)}, err
		}
	}
	for _, s := range e.crew.sources {
		s.follow(l.port(), known, time.Now())
	}
	for index := range l.wide {
		if s, ok := known[index]; !ok || s.skip&skipAll != 0 {
			delete(l.wide, index)
			l.rings[0].with(func(fd int) error { return promiscuous(fd, index, false) })
		}
	}
	for _, d := range list {
		if known[d.Index].skip&skipAll == 0 {
			c.widen(l, d)
		}
	}
	return nil, nil
}

// miss notes why an interface is not captured.
func (c *Capture) miss(name string, err error) Missing {
	m := Missing{Interface: name, Reason: err.Error(), Restart: errors.Is(err, errNoSpare)}
	if m.Restart {
		c.once("missing "+name, "interface is there, but can be captured only after a restart", "interface", name, "error", err)
	} else {
		c.once("missing "+name, "interface cannot be captured", "interface", name, "error", err)
	}
	return m
}

// once logs what it did not log of this key before.
func (c *Capture) once(key, text string, args ...any) {
	said := fmt.Sprint(append([]any{text}, args...)...)
	if c.logged[key] != said {
		c.logged[key] = said
		c.log.Warn(text, args...)
	}
}

// forget lets what is no longer missing be logged again.
func (c *Capture) forget(missing []Missing) {
	maps.DeleteFunc(c.logged, func(key, _ string) bool {
		return len(key) > 8 && key[:8] == "missing " && !slices.ContainsFunc(missing, func(m Missing) bool { return m.Interface == key[8:] })
	})
}
