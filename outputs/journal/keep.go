package journal

import (
	"errors"
	"fmt"
	"time"
)

// keep does what need not be done by the appender: syncing, bounds, the spare
// segment, and trying a disk that failed.
func (j *Journal) keep() {
	defer close(j.kept)
	every := j.round()
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-t.C:
			j.tick()
		case <-j.rolled:
			if now := j.round(); now != every {
				every = now
				t.Reset(every)
			}
			j.keepBounds()
		}
	}
}

// round is the time between two ticks.
func (j *Journal) round() time.Duration {
	if policy, _ := j.policy(); policy.every > 0 {
		return min(time.Second, policy.every)
	}
	return time.Second
}

// tick is one round of the keeper.
func (j *Journal) tick() {
	j.writing.Lock()
	j.mu.Lock()
	now := j.clock.look(j.opt.Now())
	down, due := j.down, j.retry.due(now)
	j.mu.Unlock()
	if down != nil && due && j.opt.Path != "" {
		if err := j.recover(); err != nil {
			j.mu.Lock()
			j.down = err
			j.retry.failed(now)
			j.mu.Unlock()
			j.opt.Log.Debug("the journal's disk still fails", "error", err)
		}
	}
	j.writing.Unlock()
	if j.isDown() {
		j.saveSlots(false) // the disk may refuse new files and still take these
		return
	}
	policy, _ := j.policy()
	sync := policy.always || policy.every > 0 && now-j.synced >= policy.every-time.Millisecond
	if sync {
		j.synced = now
		if err := j.sync(); err != nil {
			j.writing.Lock()
			j.writeFailed(err)
			j.writing.Unlock()
		}
	}
	j.keepBounds()
	j.saveSlots(sync)
	j.expire(now)
}

// keepBounds gives up what is too old or too much, and makes the spare segment.
func (j *Journal) keepBounds() {
	if j.isDown() {
		return
	}
	err := j.keepAge()
	if err == nil {
		err = j.keepFree()
	}
	if err == nil {
		err = j.keepSpare()
	}
	if err != nil && !errors.Is(err, errNothing) {
		j.slotsFailed(err)
	}
}

// keepAge gives up segments whose newest event is more than MaxAge older than
// the newest of all.
func (j *Journal) keepAge() error {
	for {
		j.mu.Lock()
		old := false
		if n := len(j.segments); n > 1 && j.opt.MaxAge > 0 {
			newest := j.segments[n-1].age
			for _, s := range j.segments[:n-1] {
				if s.path != "" {
					old = newest-s.age > j.opt.MaxAge
					break
				}
			}
		}
		j.mu.Unlock()
		if !old {
			return nil
		}
		if _, err := j.evictOldest(false, false); err != nil {
			return err
		}
	}
}

// keepFree gives up segments while the file system has less free than MinFree.
func (j *Journal) keepFree() error {
	const atOnce = 8 // a file system may be slow to count what it gets back
	for range atOnce {
		free, _, err := j.disk.Space(j.opt.Path)
		j.mu.Lock()
		least := j.sizes.free
		j.mu.Unlock()
		if err != nil || free >= least {
			return nil
		}
		if _, err := j.evictOldest(false, false); err != nil {
			return err
		}
	}
	return nil
}

// keepSpare makes the spare segment, within the bound.
func (j *Journal) keepSpare() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	reserve := j.sizes.segment
	if err := j.makeRoom(reserve); err != nil {
		return err
	}
	if j.spare != nil {
		return nil
	}
	sp, err := j.newSpare()
	if isFull(err) {
		j.setFull(err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot reserve room for the journal: %w", err)
	}
	j.mu.Lock()
	j.spare = sp
	was := j.full
	j.full = false
	j.mu.Unlock()
	if was {
		j.tell(Incident{Kind: Full, Phase: Recovered, Path: j.opt.Path})
	}
	return nil
}

// saveSlots writes cursors and state that are not up to date.
func (j *Journal) saveSlots(sync bool) {
	err := j.saveCursors(sync)
	if e := j.saveState(false, false); err == nil {
		err = e
	}
	if err != nil {
		j.slotsFailed(err)
		return
	}
	j.mu.Lock()
	was := j.failing
	j.failing = false
	j.mu.Unlock()
	if was {
		j.tell(Incident{Kind: WriteFailed, Phase: Recovered, Path: j.opt.Path})
	}
}

// slotsFailed tells that something beside the segments could not be written.
// It is tried again with each tick.
func (j *Journal) slotsFailed(err error) {
	if isFull(err) {
		j.setFull(err)
		return
	}
	j.mu.Lock()
	was := j.failing || j.down != nil
	j.failing = true
	j.mu.Unlock()
	if !was {
		j.tell(Incident{Kind: WriteFailed, Phase: Raised, Path: j.opt.Path, Err: err})
	}
}

func (j *Journal) setFull(err error) {
	j.mu.Lock()
	was := j.full
	j.full = true
	j.mu.Unlock()
	if !was {
		j.tell(Incident{Kind: Full, Phase: Raised, Path: j.opt.Path, Err: err})
	}
}

// expire removes the cursors of outputs that are gone for MaxAge.
func (j *Journal) expire(now time.Duration) {
	_, maxAge := j.policy()
	if maxAge <= 0 {
		return
	}
	j.mu.Lock()
	var old []*Cursor
	for name, c := range j.cursors {
		if c.claimed {
			c.used = now
		} else if now-c.used > maxAge {
			old = append(old, c)
			delete(j.cursors, name)
		}
	}
	j.mu.Unlock()
	for _, c := range old {
		c.file.Lock()
		if c.file.slots != nil {
			c.file.f.Close()
			c.file.slots = nil
		}
		c.file.Unlock()
		j.mu.Lock()
		if j.cursors[c.name] == nil { // else an output has just taken the name, and the file is its own
			j.disk.Remove(j.path(cursorFile(c.name)))
		}
		j.mu.Unlock()
		j.opt.Log.Info("cursor of an output that is gone is removed", "output", c.name)
	}
}
