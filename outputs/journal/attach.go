package journal

import (
	"errors"
	"fmt"
	"time"
)

// attach takes the lock, reads what is in the directory and gets ready to write
// there. The error says why events have to stay in memory; what could be read
// is read all the same.
func (j *Journal) attach(patience time.Duration) error {
	l, err := j.take(patience)
	if err != nil {
		return err
	}
	j.adopt(l)
	return j.prepare()
}

// take locks the directory and reads it.
func (j *Journal) take(patience time.Duration) (*loaded, error) {
	if err := j.disk.MkdirAll(j.opt.Path); err != nil {
		return nil, fmt.Errorf("cannot make the directory of the journal: %w", err)
	}
	lock, err := j.disk.Lock(j.path(lockName))
	for waited := time.Duration(0); errors.Is(err, ErrLocked) && waited < patience; waited += lockPause {
		time.Sleep(lockPause) // a process that ends lets go soon
		lock, err = j.disk.Lock(j.path(lockName))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock the journal %s: %w", j.opt.Path, err)
	}
	l, err := load(j.disk, j.opt.Path, true)
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("cannot read the journal %s: %w", j.opt.Path, err)
	}
	j.lock = lock
	return l, nil
}

const (
	lockName  = "lock"
	lockPause = 50 * time.Millisecond
)

// adopt makes what was read the journal's.
func (j *Journal) adopt(l *loaded) {
	_, total, err := j.disk.Space(j.opt.Path)
	if err != nil {
		total = 0
	}
	j.mu.Lock()
	j.sizes, j.total = j.opt.sizes(total), total
	j.segments, j.next, j.floor = l.segments, l.next, l.floor
	j.clock.now = max(j.clock.now, l.age)
	j.boot = j.disk.Boot()
	if s := l.state; s != nil && l.same && (s.clean || s.boot == j.boot && j.boot != [16]byte{}) {
		j.epoch = s.epoch
	}
	for _, s := range j.segments {
		j.written += s.end
	}
	j.state = l.slots
	for name, k := range l.cursors {
		c := j.newCursor(name, k.tally)
		c.file.slots, c.durable, c.used, c.damaged = k.slots, k.acked, k.used, k.bad
		j.cursors[name] = c
	}
	j.counts.tornBytes, j.counts.missing = l.torn, l.missing
	j.attached = true
	j.mu.Unlock()
	for _, i := range l.incidents {
		j.tell(i)
	}
}

// prepare finds out whether the directory can be written, goes on with the
// last segment if it may, and makes the spare one.
func (j *Journal) prepare() error {
	if err := j.saveState(false, true); err != nil {
		return fmt.Errorf("cannot write the journal's state: %w", err)
	}
	if err := j.resume(); err != nil {
		return fmt.Errorf("cannot write the last segment of the journal: %w", err)
	}
	sp, err := j.newSpare()
	if isFull(err) {
		j.setFull(err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot reserve room for the journal: %w", err)
	}
	j.setSpare(sp)
	return nil
}

// resume appends to the last segment, when it is whole, of this epoch, and not
// full.
func (j *Journal) resume() error {
	n := len(j.segments)
	if n == 0 {
		return nil
	}
	s := j.segments[n-1]
	if s.lost != kept || s.damaged || s.head.epoch != j.epoch || s.end >= j.sizes.segment || j.clock.now-s.head.age >= j.longest() {
		return nil
	}
	f, err := j.disk.Open(s.path, true)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err == nil {
		if err = f.Allocate(j.sizes.segment); isFull(err) {
			j.setFull(err)
			err = nil
		}
	}
	if err != nil {
		f.Close()
		return err
	}
	s.file, s.stale = f, size
	j.active = s
	return nil
}
