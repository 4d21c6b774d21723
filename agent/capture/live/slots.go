package live

import (
	"slices"
	"time"
)

const (
	// maxSlots bounds the interfaces that a source tells apart: a host that
	// makes and deletes interfaces for years must not fill the memory.
	maxSlots = 4096
	// keepSlot is how long the slot of an interface that is gone is kept from
	// others: frames of it may still lie in a ring.
	keepSlot = time.Minute
)

// Interface says what Frame.Interface of a frame of this source is. It is right
// for links that were renamed, too. An unknown slot gives the zero Port. It
// does not allocate; any goroutine may call it.
func (s *Source) Interface(slot int) Port {
	if list := *s.slots.Load(); slot >= 0 && slot < len(list) {
		return *list[slot].port.Load()
	}
	return Port{}
}

// Tenant tells the interfaces apart that have a slot one after the other: it is
// never the same for two of them. An unknown slot gives 0. It does not allocate;
// any goroutine may call it.
func (s *Source) Tenant(slot int) uint64 {
	if list := *s.slots.Load(); slot >= 0 && slot < len(list) {
		return list[slot].tenant
	}
	return 0
}

// Reused is how many slots were given to another interface so far: as long as
// it is the same, so is each Tenant. Any goroutine may call it.
func (s *Source) Reused() uint64 { return s.reused.Load() }

// slotOf gives the slot of a frame that came from another device than the one
// before it.
func (s *Source) slotOf(r *ring, index int32) *slot {
	to := r.slot
	if to == nil {
		// A slot that was given away is no longer in the list.
		if to = s.byIndex[index]; to == nil || (*s.slots.Load())[to.number] != to {
			to = s.meet(r, index)
		}
	}
	r.index, r.last = index, to
	return to
}

// meet makes the slot of a device that was not seen before.
func (s *Source) meet(r *ring, index int32) *slot {
	p := r.link.port()
	p.Index = int(index)
	known, ok := (*s.capture.known.Load())[int(index)]
	if ok {
		p.Name = known.name
	} else {
		p.Name = r.intake.name(int(index))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.reserve(p, nil)
	// Watch publishes what it knows before it goes through the slots.
	to.skip.Store((*s.capture.known.Load())[int(index)].skip)
	for other, at := range s.byIndex {
		if at == to || (*s.slots.Load())[at.number] != at {
			delete(s.byIndex, other)
		}
	}
	if len(s.byIndex) < maxSlots {
		s.byIndex[index] = to
	}
	return to
}

// reserve gives a slot to an interface: the one it has or had, or one whose
// interface has been gone for long, or a new one. s.mu is held.
func (s *Source) reserve(p Port, of *link) *slot {
	list := *s.slots.Load()
	var free *slot
	for _, at := range list {
		had := at.port.Load()
		same := had.Name == p.Name && had.Group == p.Group && p.Name != ""
		if same && (had.Index == p.Index || !at.gone.IsZero()) {
			at.port.Store(&p)
			at.link, at.gone = of, time.Time{}
			return at
		}
		if free == nil && !at.gone.IsZero() && time.Since(at.gone) > keepSlot {
			free = at
		}
	}
	list = slices.Clone(list)
	s.tenants++
	to := &slot{number: len(list), tenant: s.tenants, link: of}
	switch {
	case free != nil:
		// A new one in its place: the old one's counters are the reader's.
		s.former.add(free.traffic())
		to.number = free.number
		list[to.number] = to
	case len(list) == maxSlots:
		return list[maxSlots-1]
	default:
		if len(list) == maxSlots-1 {
			p = Port{Name: "other", Group: p.Group}
		}
		list = append(list, to)
	}
	to.port.Store(&p)
	s.slots.Store(&list)
	if free != nil {
		s.reused.Add(1)
	}
	s.changed.Store(true)
	return to
}

// follow brings the slots of "any" up to date.
func (s *Source) follow(port Port, known map[int]seen, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range *s.slots.Load() {
		p := *at.port.Load()
		if at.link != nil || p.Index == 0 {
			continue
		}
		d, ok := known[p.Index]
		if !ok {
			s.leave(at, now)
			continue
		}
		at.gone = time.Time{}
		at.skip.Store(d.skip)
		if p.Name != d.name || p.Alias != port.Alias || p.Group != port.Group {
			p.Name, p.Alias, p.Group = d.name, port.Alias, port.Group
			at.port.Store(&p)
		}
	}
}

// abandon marks the slots of a link that was stopped.
func (s *Source) abandon(of *link, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range *s.slots.Load() {
		if at.link == of || of.any() && at.link == nil {
			s.leave(at, now)
		}
	}
}

func (s *Source) leave(at *slot, now time.Time) {
	if at.gone.IsZero() {
		at.gone = now
	}
	at.link = nil
}
