package live

import (
	"slices"

	"trailhound/agent/capture/device"
)

// Snapshot is the state of a capture at one time.
type Snapshot struct {
	Rings      []Ring
	Interfaces []Seen
	Links      []Link
	// Missing are the interfaces that are to be captured and are not.
	Missing []Missing
	// RestartNeeded names those of them that are there, but for which no spare
	// socket is left.
	RestartNeeded []string
	Spare         int // spare sockets left
	// Closed is the sum of what the kernel counted of rings that are not in
	// Rings: of interfaces that were deleted or taken out.
	Closed Kernel
	// Former is the sum of what was seen of interfaces that are not in
	// Interfaces any more.
	Former  Traffic
	Damaged uint64 // frames that could not be read from the ring
	Lost    uint64 // frames that the kernel counted but that never came out of a ring
}

// Ring is one ring.
type Ring struct {
	Group     string // as configured
	Worker    int    // place of its source in Capture.Sources
	Interface string // Any for all
	Alias     string
	Index     int // interface index; 0: all
	Block     int // bytes
	Blocks    int
	Bytes     int64 // what the kernel gave
	Wanted    int64 // what was planned
	Retire    int   // milliseconds after which a block is handed over that is not full
	Draining  bool  // nothing comes in any more
	// Kernel is since the capture began, also over former rings of an interface
	// that is given by name.
	Kernel
}

// Seen is what one worker saw of one interface.
type Seen struct {
	Worker int // place of its source in Capture.Sources
	Port
	Traffic
}

// Link is the state of an interface that is captured, or that Any would
// capture.
type Link struct {
	Port
	Up          bool // switched on, and able to pass frames
	Promiscuous bool // made so by this capture
	Repeats     bool // skipped, because another one shows the same frames
}

// Missing is an interface that is not captured.
type Missing struct {
	Interface string // name or pattern
	Reason    string
	Restart   bool // it can be captured only after a restart
}

// Snapshot reads the state. Any goroutine may call it at any time; it costs one
// system call per ring and the packet path nothing.
func (c *Capture) Snapshot() Snapshot {
	c.mu.Lock()
	rings := slices.Clone(c.rings)
	s := Snapshot{Missing: slices.Clone(c.waiting), Links: slices.Clone(c.links), Closed: c.past, Lost: c.lost}
	rows := make([]Ring, len(rings))
	counted := make(map[*Kernel]bool)
	for i, r := range rings {
		p := r.link.port()
		rows[i] = Ring{Group: p.Group, Worker: r.worker, Interface: p.Name, Alias: p.Alias, Index: p.Index, Block: r.block, Blocks: r.blocks,
			Bytes: r.bytes(), Wanted: r.want, Retire: int(retireAfter.Milliseconds()), Draining: r.stopped.Load() != 0}
		if e := r.link.entry; e.exact() && slices.Contains(c.entries, e) {
			if past := &e.past[r.worker-e.crew.sources[0].worker]; !counted[past] {
				counted[past] = true
				rows[i].Kernel = *past
			}
		}
	}
	for _, e := range c.entries {
		for i := range e.past {
			if !counted[&e.past[i]] {
				s.Closed.add(e.past[i])
			}
		}
	}
	c.mu.Unlock()

	for i, r := range rings {
		rows[i].Kernel.add(r.kernel())
	}
	s.Rings = rows
	for _, m := range s.Missing {
		if m.Restart {
			s.RestartNeeded = append(s.RestartNeeded, m.Interface)
		}
	}
	s.Spare = c.spares.left()
	for _, source := range c.sources {
		source.mu.Lock()
		s.Former.add(source.former)
		list := *source.slots.Load()
		source.mu.Unlock()
		for _, at := range list {
			s.Interfaces = append(s.Interfaces, Seen{Worker: source.worker, Port: *at.port.Load(), Traffic: at.traffic()})
		}
		s.Damaged += source.damaged.Load()
	}
	return s
}

// describe keeps how the links look for Snapshot.
func (c *Capture) describe(list []device.Device) {
	var links []Link
	for _, e := range c.entries {
		for _, l := range e.links {
			if !l.any() {
				links = append(links, Link{Port: l.port(), Up: l.device.Up && l.device.Running, Promiscuous: l.wide[l.index]})
				continue
			}
			known := *c.known.Load()
			for _, d := range list {
				p := l.port()
				p.Index, p.Name = d.Index, d.Name
				links = append(links, Link{Port: p, Up: d.Up && d.Running, Promiscuous: l.wide[d.Index], Repeats: known[d.Index].skip&skipAll != 0})
			}
		}
	}
	c.mu.Lock()
	c.links = links
	c.mu.Unlock()
}
