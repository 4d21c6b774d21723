package journal

import (
	"context"
	"fmt"

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
		t := task{s: s, memory: s.memory, path: s.path, next: max(from, s.first), last: s.last, end: s.end, epoch: s.head.epoch, made: s.head.made}
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
		e.Seq, e.Epoch = rec.seq, t.epoch
		if !f(&e) {
			return false, nil
		}
	}
	return true, nil
}
