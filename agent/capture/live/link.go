package live

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"trailhound/agent/capture/device"
)

// link is one captured interface, or all of them: one ring per worker.
// Everything but as belongs to who holds Capture.change.
type link struct {
	entry  *entry               // set under Capture.mu, too
	device device.Device        // as it was seen last; no index: all of them
	as     atomic.Pointer[Port] // any goroutine
	index  int                  // never changes; 0: all
	rings  []*ring              // by worker of the crew
	slots  []*slot              // by worker of the crew; none with "any"
	skip   []int                // "any": the devices that repeat others, sorted
	wide   map[int]bool         // devices made promiscuous, by index
}

func (l *link) any() bool { return l.index == 0 }

func (l *link) port() Port { return *l.as.Load() }

// name makes the link's port anew, for its own slots, too.
func (l *link) name() {
	p := Port{Index: l.index, Name: l.device.Name, Alias: l.entry.Alias, Group: l.entry.Group}
	if l.any() {
		p.Name = Any
	}
	if old := l.as.Load(); old != nil && *old == p {
		return
	}
	l.as.Store(&p)
	for _, at := range l.slots {
		at.port.Store(&p)
	}
}

// quiet says whether what this host sends is left out.
func (l *link) quiet() bool {
	if l.entry.Outgoing != nil {
		return !*l.entry.Outgoing
	}
	return !l.any() && l.device.Loopback
}

// screen is what the options let into the link's rings.
func (l *link) screen(opt Options) screen {
	return screen{filter: opt.Filter, snaplen: uint32(opt.Snaplen), quiet: l.quiet(), any: l.any(), skip: l.skip, hatype: l.device.Hatype}
}

// openLink starts to capture a device. The link is left to the entry only when
// all is well. Its sockets are used up only when they joined a fan-out group.
func (c *Capture) openLink(l *link) (err error) {
	l.wide = make(map[int]bool)
	l.name()
	list, err := l.screen(c.opt).program()
	if err != nil {
		return err
	}
	crew := l.entry.crew
	sockets, err := c.spares.take(len(crew.sources))
	if err != nil {
		return err
	}
	joined := false
	defer func() {
		if err == nil {
			return
		}
		for _, r := range l.rings {
			r.intake.(*tap).fanned = joined
			err = errors.Join(err, r.close())
		}
	}()
	fds := make([]int, len(sockets))
	for i, s := range sockets {
		fds[i] = s.fd
	}
	if l.rings, err = c.makeRings(l, sockets); err != nil {
		return err
	}
	c.widen(l, l.device)
	for _, fd := range fds {
		if err = bind(fd, l.index, unix.ETH_P_ALL); err != nil {
			return fmt.Errorf("cannot capture interface %q: %w", l.port().Name, err)
		}
	}
	if len(fds) > 1 {
		if joined, err = fanOut(fds); err != nil {
			return fmt.Errorf("interface %q: %w", l.port().Name, err)
		}
	}
	for _, fd := range fds {
		if err = attach(fd, list); err != nil {
			return err
		}
	}
	for _, r := range l.rings {
		r.intake.(*tap).fanned = joined
	}
	c.handOver(l)
	return nil
}

// makeRings gives each socket a ring, all at once: most of the time it takes is
// the kernel's, to clear the memory. With an error every socket has been given
// back.
func (c *Capture) makeRings(l *link, sockets []spare) ([]*ring, error) {
	size := c.ringSize(len(sockets))
	rings, failed := make([]*ring, len(sockets)), make([]error, len(sockets))
	var making sync.WaitGroup
	for i, s := range sockets {
		r := &ring{link: l, worker: l.entry.crew.sources[i].worker, fd: s.fd, want: c.share, intake: &tap{fd: s.fd, born: s.born, spares: c.spares}}
		rings[i] = r
		making.Go(func() {
			if failed[i] = shut(s.fd); failed[i] == nil {
				r.mem, r.block, r.blocks, failed[i] = openRing(s.fd, size, c.opt.Snaplen, c.request)
			}
		})
	}
	making.Wait()
	err := cmp.Or(failed...)
	if err == nil {
		return rings, nil
	}
	for i, r := range rings {
		if failed[i] == nil {
			err = errors.Join(err, r.close())
		} else {
			err = errors.Join(err, c.spares.giveBack(sockets[i]))
		}
	}
	return nil, err
}

// handOver gives the rings to the sources.
func (c *Capture) handOver(l *link) {
	crew := l.entry.crew
	if !l.any() {
		for i, s := range crew.sources {
			s.mu.Lock()
			at := s.reserve(l.port(), l)
			s.mu.Unlock()
			l.slots = append(l.slots, at)
			l.rings[i].slot = at
		}
	}
	l.mark()
	c.mu.Lock()
	for _, r := range l.rings {
		c.rings = append(c.rings, r)
		r.charged = true
		c.used += r.bytes()
	}
	c.mu.Unlock()
	l.entry.links = append(l.entry.links, l)
	for i, s := range crew.sources {
		if err := s.add(l.rings[i]); err != nil {
			c.ringClosed(l.rings[i], 0)
		}
	}
	if r := l.rings[0]; r.bytes() < r.want-int64(r.block) {
		c.log.Warn("ring memory is less than planned", "interface", l.port().Name, "wanted", r.want, "got", r.bytes())
	}
}

// mark tells the link's slots what the reader skips.
func (l *link) mark() {
	var skip uint32
	if l.quiet() {
		skip = skipOutgoing
	}
	for _, at := range l.slots {
		at.skip.Store(skip)
	}
}

// ringSize is the size for each of n more rings.
func (c *Capture) ringSize(n int) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(min(c.share, (c.opt.RingTotal-c.used)/int64(n)), smallestRing(c.opt.Snaplen))
}

// cut says whether the link's device was deleted: its sockets are bound to none
// then, even if another one got its index.
func (l *link) cut() bool {
	gone := false
	l.rings[0].with(func(fd int) error {
		at, err := unix.Getsockname(fd)
		if a, ok := at.(*unix.SockaddrLinklayer); err == nil && ok {
			gone = a.Ifindex != l.index
		}
		return nil
	})
	return gone
}

// widen makes a device promiscuous, if that means anything for it and it is
// not (any more).
func (c *Capture) widen(l *link, d device.Device) {
	if d.Hatype != hatypeEther || d.Loopback || l.wide[d.Index] && d.Promiscuity > 0 || len(l.rings) == 0 {
		return
	}
	key := fmt.Sprintf("promiscuous %d", d.Index)
	err := l.rings[0].with(func(fd int) error { return promiscuous(fd, d.Index, true) })
	if err != nil {
		c.once(key, "cannot make an interface promiscuous", "interface", d.Name, "error", err)
		return
	}
	delete(c.logged, key)
	l.wide[d.Index] = true
}

// refilter attaches the filter that the options ask for.
func (c *Capture) refilter(l *link) error {
	list, err := l.screen(c.opt).program()
	if err != nil {
		return err
	}
	for _, r := range l.rings {
		err = errors.Join(err, r.with(func(fd int) error { return attach(fd, list) }))
	}
	l.mark()
	return err
}

// tryFilter has the kernel check a program, on a socket of no use.
func tryFilter(list []bpf.RawInstruction) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot check the capture filter: %w", err)
	}
	defer unix.Close(fd)
	return attach(fd, list)
}

// stopLink lets nothing more in and leaves the rings to the sources, which
// close them when they are empty.
func (c *Capture) stopLink(l *link) {
	for _, index := range slices.Collect(maps.Keys(l.wide)) {
		// Without the device there is nothing to take back.
		l.rings[0].with(func(fd int) error { return promiscuous(fd, index, false) })
	}
	l.wide = nil
	l.entry.links = slices.DeleteFunc(l.entry.links, func(o *link) bool { return o == l })
	now := time.Now()
	for i, s := range l.entry.crew.sources {
		r := l.rings[i]
		if err := r.stop(); err != nil {
			c.log.Warn("cannot stop a ring", "interface", l.port().Name, "error", err)
		}
		s.abandon(l, now)
		s.Interrupt()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range l.rings {
		c.discharge(r)
	}
}

// discharge takes a ring out of the budget. c.mu is held.
func (c *Capture) discharge(r *ring) {
	if r.charged {
		r.charged = false
		c.used -= r.bytes()
	}
}

// ringClosed closes a ring and keeps its counters. lost is what the kernel
// counted and the ring did not hold.
func (c *Capture) ringClosed(r *ring, lost uint64) {
	if err := r.close(); err != nil {
		c.log.Warn("cannot close a ring", "interface", r.link.port().Name, "error", err)
	}
	if lost > 0 {
		c.log.Warn("a ring held less than the kernel counted", "interface", r.link.port().Name, "frames", lost)
	}
	k := r.kernel()
	c.mu.Lock()
	defer c.mu.Unlock()
	at := slices.Index(c.rings, r)
	if at < 0 {
		return
	}
	c.rings = slices.Delete(c.rings, at, at+1)
	c.lost += lost
	c.discharge(r)
	if e := r.link.entry; e.exact() && slices.Contains(c.entries, e) {
		e.past[r.worker-e.crew.sources[0].worker].add(k)
	} else {
		c.past.add(k)
	}
}
