package journal

import (
	"context"
	"errors"
	"fmt"
	"io"

	"trailhound/agent/event"
)

// errForeign: the directory came within reach late, and it holds another
// journal's numbers.
var errForeign = errors.New("the directory holds an older journal: what is in memory joins it when the process ends")

// attachLater tries a directory that was out of reach at the start. An empty
// one becomes this journal's. One with events of its own cannot: its numbers
// are not the ones that this process has given. It stays locked, and gets what
// is in memory at the end.
func (j *Journal) attachLater() error {
	l, err := j.take(0)
	if err != nil {
		return err
	}
	j.mu.Lock()
	virgin := len(l.segments) == 0 && len(l.cursors) == 0 && (l.state == nil || l.state.next == 1)
	if virgin {
		l.segments, l.next, l.floor, l.cursors = j.segments, j.next, 1, nil
		if l.slots != nil {
			l.slots.f.Close()
			l.slots, l.state = nil, nil
		}
		if len(j.segments) > 0 {
			l.floor = j.segments[0].first
		} else {
			l.floor = j.next
		}
		j.written = 0
	}
	j.foreign = !virgin
	epoch := j.epoch
	j.mu.Unlock()
	if !virgin {
		l.close()
		return errForeign
	}
	j.adopt(l)
	j.mu.Lock()
	j.epoch = epoch
	j.mu.Unlock()
	return nil
}

func (l *loaded) close() {
	if l.slots != nil {
		l.slots.f.Close()
	}
	for _, c := range l.cursors {
		if c.slots != nil {
			c.slots.f.Close()
		}
	}
}

// handOver gives what is in memory, and not delivered by every output, to the
// journal in the directory, which gives it new numbers. The caller holds
// writing; nobody reads any more.
func (j *Journal) handOver() error {
	if !j.foreign || j.stranded() == 0 {
		return nil
	}
	j.lock.Close()
	j.lock = nil
	heir := open(Options{Path: j.opt.Path, MaxSize: j.opt.MaxSize, MaxAge: j.opt.MaxAge, MinFree: j.opt.MinFree, Sync: j.opt.Sync,
		Log: j.opt.Log, Now: j.opt.Now}, j.disk, 0)
	if heir.isDown() {
		return errors.Join(errForeign, heir.Close())
	}
	from := j.next
	var errs []error
	for name, c := range j.cursors {
		if !c.claimed {
			continue
		}
		from = min(from, c.acked+1)
		_, err := heir.Cursor(name, CursorOptions{})
		errs = append(errs, err)
	}
	var batch []event.Event
	give := func() {
		heir.Append(batch)
		j.counts.handedOver += uint64(len(batch))
		batch = batch[:0]
	}
	errs = append(errs, j.Scan(context.Background(), from, func(e *event.Event) bool {
		batch = append(batch, *e)
		if len(batch) == 256 {
			give()
		}
		return true
	}))
	give()
	for _, c := range j.cursors {
		c.acked = j.next - 1 // theirs is the other journal's matter now
	}
	errs = append(errs, heir.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot hand events over to the journal %s: %w", j.opt.Path, err)
	}
	return nil
}

// closeFiles lets go of everything.
func (j *Journal) closeFiles() {
	var open []io.Closer
	if j.active != nil && j.active.file != nil {
		open = append(open, j.active.file)
	}
	if j.spare != nil {
		open = append(open, j.spare.f)
	}
	j.evicting.Lock()
	if j.state != nil {
		open = append(open, j.state.f)
		j.state = nil
	}
	j.evicting.Unlock()
	j.mu.Lock()
	j.attached = false
	all := make([]*Cursor, 0, len(j.cursors))
	for _, c := range j.cursors {
		all = append(all, c)
	}
	j.mu.Unlock()
	for _, c := range all {
		c.file.Lock()
		if c.file.slots != nil {
			open = append(open, c.file.f)
			c.file.slots = nil
		}
		c.file.Unlock()
	}
	if j.lock != nil {
		open = append(open, j.lock) // last: what is written is written
	}
	for _, f := range open {
		f.Close()
	}
	j.setSpare(nil)
	j.mu.Lock()
	j.active = nil
	j.mu.Unlock()
	j.lock = nil
}
