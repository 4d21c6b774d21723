package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"trailhound/agent/event"
)

// A View reads a journal's directory without changing anything, also while
// another process writes there.
type View struct {
	path    string
	disk    fileSystem
	loaded  *loaded
	cursors []CursorState
	damaged uint64
}

// OpenReadOnly looks into a directory as it is now. It needs no Close.
func OpenReadOnly(path string) (*View, error) { return view(path, system{}) }

func view(path string, disk fileSystem) (*View, error) {
	l, err := look(path, disk)
	if err != nil {
		return nil, err
	}
	v := &View{path: path, disk: disk, loaded: l}
	for name, c := range l.cursors {
		v.cursors = append(v.cursors, c.state(name, l))
	}
	slices.SortFunc(v.cursors, func(a, b CursorState) int { return cmp.Compare(a.Name, b.Name) })
	return v, nil
}

// look loads a directory that another process may be changing at this moment.
// What seems wrong is looked at again: it may have been under way.
func look(path string, disk fileSystem) (l *loaded, err error) {
	const looks = 3
	for range looks {
		if l, err = load(disk, path, false); err != nil {
			return nil, fmt.Errorf("cannot read the journal %s: %w", path, err)
		}
		l.close()
		if len(l.incidents) == 0 && !l.behind {
			break
		}
	}
	return l, nil
}

// state is what the next start would make of the cursor.
func (c *loadedCursor) state(name string, l *loaded) CursorState {
	s := CursorState{Name: name, StartSeq: c.start, Acknowledged: c.acked, LastSeq: l.next - 1, Delivered: c.delivered, Filtered: c.filtered,
		DeadLettered: c.dead, Evicted: c.evicted, Quarantined: c.quar, Told: c.mark}
	first := l.next
	if len(l.segments) > 0 {
		first = l.segments[0].first
	}
	if c.bad {
		return s.anew(first)
	}
	if first > c.acked+1 {
		s.Acknowledged = first - 1
		s.Evicted += s.Acknowledged - c.acked
	}
	s.ReadSeq, s.Pending = s.Acknowledged, s.LastSeq-s.Acknowledged
	return s
}

// Cursors gives the cursors by name: of each what was last written, and what went
// since. A damaged one is there, too.
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

// Unreadable counts the segments whose files are there, but of which no event can
// be read.
func (v *View) Unreadable() (n int) {
	for _, s := range v.loaded.segments {
		if s.lost != kept && s.path != "" {
			n++
		}
	}
	return n
}

// Scan is as Journal.Scan, over the directory as it is when Scan is called: what
// the other process has appended since OpenReadOnly is there too.
func (v *View) Scan(ctx context.Context, from uint64, f func(*event.Event) bool) error {
	l, err := look(v.path, v.disk)
	if err != nil {
		return err
	}
	for _, s := range l.segments {
		if s.last < from || s.lost != kept {
			continue
		}
		t := task{s: s, path: s.path, next: max(from, s.first), last: s.last, end: s.end, epoch: s.head.epoch, made: s.head.made}
		next, missing := t.next, uint64(0)
		more, err := t.scan(ctx, v.disk, func(e *event.Event) bool {
			missing += e.Seq - next
			next = e.Seq + 1
			return f(e)
		}, func() bool { return true })
		if more {
			missing += t.last + 1 - next
		}
		if missing > 0 && v.has(s) {
			v.damaged += missing
		}
		if !more || err != nil {
			return err
		}
	}
	return nil
}

// has says whether a segment is still part of the journal. What was missing in
// one that has gone meanwhile is given up, not damaged.
func (v *View) has(s *segment) bool {
	l, err := look(v.path, v.disk)
	return err == nil && slices.ContainsFunc(l.segments, func(g *segment) bool {
		return g.first == s.first && g.lost == kept && g.head.epoch == s.head.epoch
	})
}

// Damaged counts the numbers that Scan found no event for in segments that are
// there.
func (v *View) Damaged() uint64 { return v.damaged }
