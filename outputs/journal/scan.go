package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"trailhound/agent/event"
	"trailhound/outputs/journal/codec"
)

// Scan calls f with the events from a number on, in order, until f says no,
// ctx ends, or there are no more. What is damaged it passes over. The event is
// f's only during the call; texts may be kept.
func (j *Journal) Scan(ctx context.Context, from uint64, f func(*event.Event) bool) error {
	for {
		j.mu.Lock()
		s := j.segmentOf(max(from, j.firstKept()))
		if s == nil {
			j.mu.Unlock()
			return nil
		}
		t := task{s: s, memory: s.memory, path: s.path, next: max(from, s.first), last: s.last, end: s.end}
		lost := s.lost != kept
		j.mu.Unlock()
		if !lost {
			more, err := t.scan(ctx, j.disk, f, func() bool {
				j.mu.Lock()
				defer j.mu.Unlock()
				return !s.gone
			})
			if !more || err != nil {
				return err
			}
		}
		from = t.last + 1
	}
}

// scan walks over the records of one segment. Alive says whether what was read
// is still the segment's.
func (t *task) scan(ctx context.Context, disk fileSystem, f func(*event.Event) bool, alive func() bool) (more bool, err error) {
	var w window
	if t.memory != nil {
		w.reset(t.memory)
	} else {
		r, err := disk.Open(t.path, false)
		if isMissing(err) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		defer r.Close()
		w.reset(r)
	}
	var e event.Event
	for off, next := int64(segmentHead), t.s.first; next <= t.last; {
		rec, err := w.record(off, t.end, t.s.seed)
		if err == errEnd || err == errBad {
			if !alive() {
				return true, nil
			}
			if off, err = w.find(off, t.end, t.s.seed, next, min(t.last, next+maxSkip)); err == errEnd {
				return true, nil
			}
			if err == nil {
				continue
			}
		}
		if err != nil {
			return false, fmt.Errorf("cannot read journal segment %s: %w", t.path, err)
		}
		off, next = rec.next, rec.seq+1
		if rec.seq < t.next || codec.Decode(rec.payload, &e) != nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		e.Seq, e.Epoch = rec.seq, t.s.head.epoch
		if !f(&e) {
			return false, nil
		}
	}
	return true, nil
}

// A View reads a journal's directory without changing anything, also while
// another process writes there.
type View struct {
	path    string
	disk    fileSystem
	loaded  *loaded
	cursors []CursorState
}

// OpenReadOnly looks into a directory as it is now. It needs no Close.
func OpenReadOnly(path string) (*View, error) { return view(path, system{}) }

func view(path string, disk fileSystem) (*View, error) {
	l, err := load(disk, path, false)
	if err != nil {
		return nil, fmt.Errorf("cannot read the journal %s: %w", path, err)
	}
	defer l.close()
	v := &View{path: path, disk: disk, loaded: l}
	for name, c := range l.cursors {
		if c.bad {
			continue
		}
		v.cursors = append(v.cursors, CursorState{Name: name, StartSeq: c.start, Acknowledged: c.acked, ReadSeq: c.acked, LastSeq: l.next - 1,
			Delivered: c.delivered, Filtered: c.filtered, DeadLettered: c.dead, Evicted: c.evicted, Quarantined: c.quar,
			Pending: l.next - 1 - c.acked})
	}
	slices.SortFunc(v.cursors, func(a, b CursorState) int { return cmp.Compare(a.Name, b.Name) })
	return v, nil
}

// Cursors gives the cursors by name, as they were last written.
func (v *View) Cursors() []CursorState { return v.cursors }

// State describes the journal as far as its files tell.
func (v *View) State() State {
	l := v.loaded
	s := State{Path: v.path, First: l.next, Last: l.next - 1, Segments: len(l.segments), CursorsUnused: len(l.cursors),
		Missing: l.missing, TornBytes: l.torn, Incidents: map[Kind]uint64{}}
	if l.state != nil {
		s.Epoch = l.state.epoch
	}
	for _, i := range l.incidents {
		s.Incidents[i.Kind]++
	}
	for _, g := range l.segments {
		s.Bytes += g.size()
	}
	if n := len(l.segments); n > 0 {
		s.First = l.segments[0].first
		s.Oldest, s.Newest = l.segments[0].head.made, l.segments[n-1].head.made
	}
	return s
}

// Scan is as Journal.Scan, over the directory as it is when Scan is called: what
// the other process has appended since OpenReadOnly is there too.
func (v *View) Scan(ctx context.Context, from uint64, f func(*event.Event) bool) error {
	l, err := load(v.disk, v.path, false)
	if err != nil {
		return fmt.Errorf("cannot read the journal %s: %w", v.path, err)
	}
	l.close()
	for _, s := range l.segments {
		if s.last < from || s.lost != kept {
			continue
		}
		t := task{s: s, path: s.path, next: max(from, s.first), last: s.last, end: s.end}
		more, err := t.scan(ctx, v.disk, f, func() bool { return true })
		if !more || err != nil {
			return err
		}
	}
	return nil
}
