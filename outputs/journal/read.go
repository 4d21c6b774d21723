package journal

import (
	"context"
	"fmt"
	"io"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/journal/codec"
)

// A reader is where a cursor is in the files. Only the goroutine that reads
// uses it.
type reader struct {
	window
	in       *segment
	file     io.Closer // of in; nil: in memory
	off      int64     // of the record with number at, or of one before it
	at       uint64
	failures int // in a row, at this place
	front    Gap // what was lost in front of the batch that was read last
}

// patience is how often a place that cannot be read is tried: then what the
// segment still has is lost.
const patience = 3

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	r.in, r.file = nil, nil
	r.window.r, r.window.n = nil, 0
}

// Read gives the events that follow the last Read: at most maxEvents, and no
// more than maxBytes of the journal unless one event has more; 0 is no limit.
// It waits until there is one, or ctx ends. The batch is the caller's. What was
// lost in front of it is in gap, and accounted for already; it is given also
// with an error. After End, io.EOF comes when everything was read. Any other
// error is of the disk: the next Read tries again.
func (c *Cursor) Read(ctx context.Context, maxEvents, maxBytes int) (batch []event.Event, gap Gap, err error) {
	for {
		batch, wait, err := c.read(maxEvents, maxBytes)
		if len(batch) == 0 && err == nil && wait {
			select {
			case <-c.more:
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if len(batch) > 0 {
			return batch, c.front, nil
		}
		if err != nil {
			return nil, c.takeGap(), err
		}
	}
}

func (c *Cursor) takeGap() Gap {
	c.j.mu.Lock()
	defer c.j.mu.Unlock()
	g := c.told
	c.told = Gap{}
	return g
}

// A task is what one look into the files is for: the numbers from next to last
// in a segment whose records end at end.
type task struct {
	s          *segment
	memory     *memoryFile
	path       string
	next, last uint64
	end        int64
	moves      uint64
	settled    spot
	epoch      uint64    // of the segment's head, which changes when one in memory goes to disk
	made       time.Time // the same
	release    bool      // the file that is open has gone
}

// read makes one look. No batch and no error: look again, after waiting if wait
// is set.
func (c *Cursor) read(maxEvents, maxBytes int) (batch []event.Event, wait bool, err error) {
	t, wait, err := c.task()
	if t.s == nil {
		if err != nil || t.release {
			c.reader.close()
		}
		return nil, wait, err
	}
	found, err := c.look(&t, maxEvents, maxBytes)
	if err != nil {
		return nil, false, c.unreadable(&t, err)
	}
	return c.publish(&t, found), false, nil
}

// task says what to read next.
func (c *Cursor) task() (t task, wait bool, err error) {
	j := c.j
	j.mu.Lock()
	defer j.mu.Unlock()
	t.release = c.reader.in != nil && c.reader.in.gone
	if j.closed || c.released {
		return t, false, io.EOF
	}
	if c.next >= j.next {
		if j.ended {
			return t, false, io.EOF
		}
		return t, true, nil
	}
	s := j.segmentOf(c.next)
	switch {
	case s == nil: // cannot be: the list has no holes
		c.lose(c.next, j.firstKept()-1, evicted)
		return t, false, nil
	case s.lost != kept:
		c.lose(c.next, s.last, s.lost)
		return t, false, nil
	}
	return task{s: s, memory: s.memory, path: s.path, next: c.next, last: s.last, end: s.end, epoch: s.head.epoch, made: s.head.made, moves: c.moves, settled: c.settled}, false, nil
}

// found is what a look gave.
type found struct {
	batch  []event.Event
	made   time.Time // when the first of them was appended
	lastly time.Time // and the last
	end    spot
	gapTo  uint64 // not 0: no batch, but the numbers to here are lost
}

// look reads records of one segment, until the batch is full, the records end,
// or there is damage.
func (c *Cursor) look(t *task, maxEvents, maxBytes int) (f found, err error) {
	if err := c.position(t); err != nil {
		return f, err
	}
	room := t.last + 1 - t.next
	if maxEvents > 0 {
		room = min(room, uint64(maxEvents))
	}
	size := int64(0)
	for next := t.next; next <= t.last && room > 0; {
		rec, err := c.record(c.off, t.end, t.s.seed)
		switch {
		case err == errEnd || err == errBad || err == nil && rec.seq > next:
			if len(f.batch) > 0 {
				return f, nil
			}
			return c.pastDamage(t, rec, err)
		case err != nil:
			if len(f.batch) > 0 {
				return f, nil
			}
			return f, err
		case rec.seq < next:
			c.off, c.at = rec.next, rec.seq+1
			continue
		}
		size += rec.next - c.off
		if maxBytes > 0 && size > int64(maxBytes) && len(f.batch) > 0 {
			break
		}
		if f.batch == nil {
			f.batch = make([]event.Event, 0, min(room, 4096))
		}
		f.batch = append(f.batch, event.Event{})
		e := &f.batch[len(f.batch)-1]
		if err := codec.Decode(rec.payload, e); err != nil {
			f.batch = f.batch[:len(f.batch)-1]
			if len(f.batch) == 0 {
				f.gapTo = next
			}
			return f, nil
		}
		e.Seq, e.Epoch = next, t.epoch
		f.lastly = t.made.Add(time.Duration(rec.stamp) * time.Millisecond)
		if len(f.batch) == 1 {
			f.made = f.lastly
		}
		c.off, c.at = rec.next, next+1
		f.end = spot{t.s, c.off, c.at}
		next++
		room--
		if maxBytes > 0 && size >= int64(maxBytes) {
			break
		}
	}
	return f, nil
}

// position opens the segment and finds a place at or before the task's first
// number.
func (c *Cursor) position(t *task) error {
	r := &c.reader
	if r.in != t.s || r.at > t.next || (r.file == nil) != (t.memory != nil) {
		r.close()
		if t.memory != nil {
			r.window.reset(t.memory)
		} else {
			f, err := c.j.disk.Open(t.path, false)
			if err != nil {
				return err
			}
			r.window.reset(f)
			r.file = f
		}
		r.in, r.off, r.at, r.failures = t.s, segmentHead, t.s.first, 0
	}
	if s := t.settled; s.s == t.s && s.seq <= t.next && s.seq > r.at {
		r.off, r.at = s.off, s.seq
	}
	return nil
}

// pastDamage finds where records go on after the place that the reader is at.
func (c *Cursor) pastDamage(t *task, rec record, err error) (f found, _ error) {
	if err == nil {
		f.gapTo = rec.seq - 1
		if rec.seq > t.last {
			f.gapTo = t.last
		}
		return f, nil
	}
	off, err := c.find(c.off, t.end, t.s.seed, t.next, t.last)
	if err == errEnd {
		f.gapTo = t.last
		return f, nil
	}
	if err != nil {
		return f, err
	}
	rec, err = c.record(off, t.end, t.s.seed)
	if err != nil {
		return f, err
	}
	c.off, c.at = off, rec.seq
	f.gapTo = rec.seq - 1
	return f, nil
}

// publish makes what was found the cursor's, unless the segment went in the
// meantime: then what was read may be anything.
func (c *Cursor) publish(t *task, f found) []event.Event {
	j := c.j
	j.mu.Lock()
	if t.s.gone || c.moves != t.moves {
		j.mu.Unlock()
		c.reader.close()
		return nil
	}
	c.failures = 0
	if f.gapTo >= t.next && f.gapTo != 0 {
		rename := c.damage(t, f)
		j.mu.Unlock()
		if rename {
			j.tellDamage(t.s, Incident{Kind: Damaged, Path: t.path, First: t.next, Last: f.gapTo, Events: f.gapTo + 1 - t.next})
		}
		return nil
	}
	defer j.mu.Unlock()
	n := uint64(len(f.batch))
	if n == 0 {
		return nil
	}
	// What is lost from now on is behind the batch.
	c.front, c.told = c.told, Gap{}
	c.handed = t.next + n - 1
	c.next = c.handed + 1
	c.unread = f.lastly
	if k := len(c.flights); k >= maxFlights {
		c.flights[k-1].last, c.flights[k-1].end = c.handed, f.end
	} else {
		c.flights = append(c.flights, flight{first: t.next, last: c.handed, made: f.made, end: f.end})
	}
	return f.batch
}

// maxFlights bounds what is remembered of batches in flight.
const maxFlights = 1024

// damage counts a gap, and says whether it is the first that anybody met in
// the segment. The caller holds mu.
func (c *Cursor) damage(t *task, f found) (first bool) {
	c.lose(t.next, f.gapTo, quarantined)
	c.j.counts.quarantined += t.s.count(t.next, f.gapTo)
	first = !t.s.damaged
	t.s.damaged = true
	return first
}

// tellDamage gives a segment with damage its other name, so that a person finds
// it. It stays part of the journal: what is whole in it is still delivered.
func (j *Journal) tellDamage(s *segment, i Incident) {
	j.mu.Lock()
	if s.path != "" && !s.gone && s != j.active {
		to := s.path + damagedSuffix
		if j.disk.Rename(s.path, to) == nil {
			s.path = to
			j.renamed = true
		}
	}
	i.Path = s.path
	j.mu.Unlock()
	j.tell(i)
}

// unreadable is called when a file could not be opened or read. A file that is
// not there, or fails again and again, is given up.
func (c *Cursor) unreadable(t *task, err error) error {
	j := c.j
	j.mu.Lock()
	if t.s.gone || c.moves != t.moves || t.s.path != t.path {
		j.mu.Unlock()
		c.reader.close()
		return nil
	}
	short := isShort(err)
	if !short {
		c.failures++
	}
	if short || !isMissing(err) && c.failures < patience {
		j.mu.Unlock()
		return fmt.Errorf("cannot read journal segment %s: %w", t.path, err)
	}
	c.failures = 0
	n := t.last + 1 - t.next
	c.lose(t.next, t.last, quarantined)
	first := !t.s.damaged
	t.s.damaged = true
	i := Incident{Kind: Damaged, Path: t.path, First: t.next, Last: t.last, Events: n, Err: err}
	if isMissing(err) {
		i.Kind = Missing
		j.counts.missing += t.s.count(t.next, t.last)
	} else {
		j.counts.quarantined += t.s.count(t.next, t.last)
	}
	j.mu.Unlock()
	c.reader.close()
	if first {
		j.tell(i)
	}
	return nil
}
