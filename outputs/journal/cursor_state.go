package journal

import (
	"cmp"
	"slices"
	"time"
)

// CursorState says where a cursor is. At every moment
//
//	LastSeq - StartSeq = Delivered + Filtered + DeadLettered + Evicted + Quarantined + Pending
type CursorState struct {
	Name     string
	Attached bool // an output has it

	StartSeq     uint64 // of the last event before the cursor was made
	Acknowledged uint64 // all up to this is accounted for
	ReadSeq      uint64 // the last event handed out
	LastSeq      uint64 // of the journal

	Delivered, Filtered, DeadLettered uint64
	Evicted                           uint64 // given up for room or age
	Quarantined                       uint64 // damaged or missing
	Pending                           uint64

	// Told is what the last heartbeat that was delivered has told.
	Told Mark
	// Damaged: the cursor's file cannot be read. An output that takes the name
	// begins at the oldest event.
	Damaged bool

	ahead uint64 // of Evicted: behind Acknowledged

	PendingBytes int64 // about, in the journal
	// Oldest is about when the first pending event was appended; zero when
	// nothing is pending.
	Oldest time.Time
}

// State gives the state of the moment.
func (c *Cursor) State() CursorState {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	return c.state()
}

// Cursors gives the states of all cursors by name, also of those that no
// output has any more.
func (j *Journal) Cursors() []CursorState {
	j.mu.Lock()
	defer j.mu.Unlock()
	list := make([]CursorState, 0, len(j.cursors))
	for _, c := range j.cursors {
		list = append(list, c.state())
	}
	slices.SortFunc(list, func(a, b CursorState) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (c *Cursor) state() CursorState {
	j := c.j
	s := CursorState{Name: c.name, Attached: c.claimed, StartSeq: c.start, Acknowledged: c.acked, ReadSeq: c.handed, LastSeq: j.next - 1,
		Delivered: c.delivered, Filtered: c.filtered, DeadLettered: c.dead, Evicted: c.evicted, Quarantined: c.quar, Told: c.mark}
	if c.damaged {
		return s.anew(j.firstKept())
	}
	s.Pending = s.LastSeq - c.acked
	// Events that went while others are in flight are not pending any more.
	for _, g := range c.ahead {
		if g.why == evicted {
			s.ahead += g.to + 1 - g.from
			s.Evicted += g.to + 1 - g.from
			s.Pending -= g.to + 1 - g.from
		}
	}
	if s.Pending == 0 {
		return s
	}
	first := j.segmentOf(c.acked + 1)
	if first != nil {
		s.PendingBytes = j.written - first.base - segmentHead
		if c.settled.s == first {
			s.PendingBytes = j.written - first.base - c.settled.off
		}
		s.Oldest = first.head.made
	}
	s.PendingBytes = max(0, s.PendingBytes)
	switch {
	case len(c.flights) > 0:
		s.Oldest = c.flights[0].made
	case !c.unread.IsZero():
		s.Oldest = c.unread
	}
	return s
}

// anew is the state of a damaged cursor: that of the one which will take its
// place, at the oldest event.
func (s CursorState) anew(first uint64) CursorState {
	at := min(first-1, s.LastSeq)
	return CursorState{Name: s.Name, StartSeq: at, Acknowledged: at, ReadSeq: at, LastSeq: s.LastSeq, Pending: s.LastSeq - at,
		Told: Mark{Through: at}, Damaged: true}
}

// segmentOf finds the segment that covers a number, or nil. The caller holds
// mu.
func (j *Journal) segmentOf(seq uint64) *segment {
	at, _ := slices.BinarySearchFunc(j.segments, seq, func(s *segment, seq uint64) int {
		if s.last < seq {
			return -1
		}
		return 1
	})
	if at == len(j.segments) || j.segments[at].first > seq {
		return nil
	}
	return j.segments[at]
}
