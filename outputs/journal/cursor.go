package journal

import (
	"errors"
	"fmt"
	"time"
)

// A Cursor is the place of one output in the journal. Read, Rewind and Close
// are for one goroutine, the others for any. After Close it does nothing.
type Cursor struct {
	j    *Journal
	name string
	more chan struct{} // there may be something to read
	file *cursorSlots
	reader

	// What follows is guarded by the journal's mu.
	tally
	claimed  bool
	next     uint64        // the number to read next
	handed   uint64        // the last number handed out
	ahead    []gap         // beyond acked, in order
	flights  []flight      // handed out and not acknowledged
	told     Gap           // lost since the last Read returned
	moves    uint64        // how often next was changed by others than Read
	settled  spot          // at or before the first record not acknowledged
	unread   time.Time     // about when the next unread event was appended; zero: see the segment
	used     time.Duration // on the journal's clock
	untold   uint64        // evicted while no output had the cursor
	dirty    bool
	durable  uint64 // what of acked is synced
	damaged  bool   // the file could not be read
	released bool
}

// A gap is a range of numbers that a cursor does not get.
type gap struct {
	from, to uint64
	why      reason
}

// A flight is a batch that was read and not yet acknowledged.
type flight struct {
	first, last uint64
	made        time.Time
	end         spot
}

// A spot is where a record begins.
type spot struct {
	s   *segment
	off int64
	seq uint64 // of the first record there or behind
}

// Sums say what became of the events of one step of a cursor.
type Sums struct {
	Delivered, Filtered, DeadLettered uint64
	// Told is what a heartbeat among the delivered ones has told the receiver:
	// the next one goes on from there. Zero: there was none.
	Told Mark
}

// A Gap says how many events a cursor passed over because they are not there.
type Gap struct {
	Evicted     uint64 // given up for room or age before they were read
	Quarantined uint64 // damaged or missing
}

// CursorOptions are for a name that the journal does not know yet.
type CursorOptions struct {
	FromStart bool // at the oldest event; else at the end
}

// Errors of Journal.Cursor.
var (
	ErrInUse = errors.New("cursor is in use")
	ErrName  = errors.New("cursor name must have 1 to 64 bytes")
)

// maxName bounds the name of a cursor (bytes).
const maxName = 64

// Cursor gives the cursor of that name: where it was, or for a new name at the
// end. A name is one cursor at a time, until it is closed.
func (j *Journal) Cursor(name string, opt CursorOptions) (*Cursor, error) {
	if name == "" || len(name) > maxName {
		return nil, fmt.Errorf("%w: %q", ErrName, name)
	}
	j.mu.Lock()
	c := j.cursors[name]
	if c != nil && c.claimed {
		j.mu.Unlock()
		return nil, fmt.Errorf("%w: %q", ErrInUse, name)
	}
	if c == nil || c.damaged {
		at := j.next - 1
		if opt.FromStart || c != nil {
			at = j.firstKept() - 1
		}
		c = j.newCursor(name, newTally(at))
		j.cursors[name] = c
	} else {
		// One cursor at a time: what the last holder still has is of no use.
		old := c
		c = j.newCursor(name, old.tally)
		c.file, c.durable, c.untold, c.settled = old.file, old.durable, old.untold, old.settled
		j.cursors[name] = c
	}
	c.claimed, c.dirty, c.used = true, true, j.clock.now
	untold := c.untold
	c.untold = 0
	j.mu.Unlock()
	if untold > 0 {
		j.tell(Incident{Kind: Evicted, Output: name, Events: untold})
	}
	if err := c.save(true); err != nil {
		j.slotsFailed(err)
	}
	return c, nil
}

// newCursor makes one with nothing in flight. The caller holds mu.
func (j *Journal) newCursor(name string, t tally) *Cursor {
	c := &Cursor{j: j, name: name, more: make(chan struct{}, 1), file: &cursorSlots{}, tally: t}
	c.rewind()
	return c
}

// Close gives the name back. What is in flight is read again by the next
// holder.
func (c *Cursor) Close() {
	c.j.mu.Lock()
	if c.released {
		c.j.mu.Unlock()
		return
	}
	defer c.reader.close()
	c.released, c.claimed = true, false
	c.rewind()
	c.dirty, c.used = true, c.j.clock.now
	c.wake()
	c.j.mu.Unlock()
	if err := c.save(false); err != nil {
		c.j.slotsFailed(err)
	}
}

// Name is the output's.
func (c *Cursor) Name() string { return c.name }

func (c *Cursor) wake() {
	select {
	case c.more <- struct{}{}:
	default:
	}
}

// Rewind lets the next Read begin behind what is acknowledged. Batches that
// are in flight are forgotten: they must not be acknowledged any more.
func (c *Cursor) Rewind() {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	if c.released {
		return
	}
	c.rewind()
	c.wake()
}

func (c *Cursor) rewind() {
	c.ahead, c.flights, c.told = nil, nil, Gap{}
	c.handed, c.next = c.acked, c.acked+1
	c.unread = time.Time{}
	c.moves++
	if first := c.j.firstKept(); c.next < first {
		c.lose(c.next, first-1, evicted)
	}
}

// lose passes over what of a range was not read yet, and says how much that
// was. The caller holds the journal's mu.
func (c *Cursor) lose(from, to uint64, why reason) uint64 {
	from = max(from, c.next)
	if from > to {
		return 0
	}
	n := to + 1 - from
	if k := len(c.ahead); k > 0 && c.ahead[k-1].why == why && c.ahead[k-1].to+1 == from {
		c.ahead[k-1].to = to
	} else {
		c.ahead = append(c.ahead, gap{from, to, why})
	}
	if why == evicted {
		c.told.Evicted += n
	} else {
		c.told.Quarantined += n
	}
	c.next = to + 1
	c.moves++
	c.pass()
	return n
}

// pass moves what is acknowledged over the gaps that follow it.
func (c *Cursor) pass() {
	for len(c.ahead) > 0 && c.ahead[0].from <= c.acked+1 {
		c.take(c.ahead[0])
		c.ahead = c.ahead[1:]
	}
	if len(c.ahead) == 0 {
		c.ahead = nil
	}
	c.handed = max(c.handed, c.acked)
}

// take counts a gap that is passed.
func (c *Cursor) take(g gap) {
	if g.why == evicted {
		c.evicted += g.to + 1 - g.from
	} else {
		c.quar += g.to + 1 - g.from
	}
	c.acked = max(c.acked, g.to)
	c.dirty = true
}

// Advance acknowledges all events up to a sequence number that was handed out,
// and says what became of those since the last Advance; gaps between them are
// the journal's matter. The place is written before Advance returns: it is
// exact after the process is killed, and synced by the journal's policy.
func (c *Cursor) Advance(through uint64, sums Sums) {
	c.j.mu.Lock()
	if c.released {
		c.j.mu.Unlock()
		return
	}
	if through > c.handed || through < c.acked {
		defer c.j.mu.Unlock()
		panic(fmt.Sprintf("BUG: cursor %q cannot advance to %d: it is at %d and has read to %d", c.name, through, c.acked, c.handed))
	}
	if m := sums.Told; m != (Mark{}) && (m.Through > through || m.Through < c.mark.Through) {
		defer c.j.mu.Unlock()
		panic(fmt.Sprintf("BUG: cursor %q advances to %d with a heartbeat that told of what is up to %d, after one up to %d", c.name, through, m.Through, c.mark.Through))
	}
	owed := through - c.acked
	for _, g := range c.ahead {
		if g.from <= through {
			owed -= g.to + 1 - g.from
		}
	}
	if sum := sums.Delivered + sums.Filtered + sums.DeadLettered; sum != owed {
		defer c.j.mu.Unlock()
		panic(fmt.Sprintf("BUG: cursor %q advances from %d to %d over %d events, but %d are accounted for", c.name, c.acked, through, owed, sum))
	}
	for len(c.ahead) > 0 && c.ahead[0].from <= through {
		c.take(c.ahead[0])
		c.ahead = c.ahead[1:]
	}
	c.acked = max(c.acked, through)
	c.delivered += sums.Delivered
	c.filtered += sums.Filtered
	c.dead += sums.DeadLettered
	if sums.Told != (Mark{}) {
		c.mark = sums.Told
	}
	c.used = c.j.clock.now
	c.dirty = true
	c.pass()
	landed := 0
	for landed < len(c.flights) && c.flights[landed].last <= through {
		c.settled = c.flights[landed].end
		landed++
	}
	c.flights = c.flights[:copy(c.flights, c.flights[landed:])]
	always := c.j.opt.Sync.always
	c.j.mu.Unlock()
	if err := c.save(always); err != nil {
		c.j.slotsFailed(err)
	}
}
