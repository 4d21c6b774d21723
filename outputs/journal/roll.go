package journal

import (
	"errors"
	"math/rand/v2"
	"time"
)

// A spare is a segment's file with its blocks allocated and not yet a name of
// its own: with it the journal goes on when the disk is full.
type spare struct {
	f     file
	stale int64 // size of what it held before
}

const spareName = "spare"

// roll ends the active segment and makes the next one, with room for n bytes.
// The caller holds writing.
func (j *Journal) roll(n int) {
	j.endActive()
	if j.memoryFull() {
		j.recover() // a full disk is no reason to lose the newest: the oldest on disk go for them
	}
	if !j.isDown() {
		err := j.rollDisk(n)
		if err == nil {
			select {
			case j.rolled <- struct{}{}: // the keeper makes the next spare
			default:
			}
			return
		}
		j.degrade(err)
	}
	j.rollMemory(n)
}

// newSegment is the next one, not yet in the list.
func (j *Journal) newSegment() *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	h := header{epoch: j.epoch, first: j.next, prevLast: j.next - 1, salt: rand.Uint64(), made: j.opt.Now().Round(0).UTC(), age: j.clock.now}
	for i := len(j.segments) - 1; i >= 0; i-- {
		if s := j.segments[i]; s.lost == kept {
			h.prevFirst, h.prevLast = s.first, s.last
			break
		} else if h.missing == kept {
			h.missing = s.lost
		}
	}
	return &segment{head: h, seed: h.seed(), first: h.first, last: h.first - 1, end: segmentHead, base: j.written, age: h.age}
}

func (j *Journal) addSegment(s *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written += segmentHead
	j.segments = append(j.segments, s)
	j.active = s
	j.renamed = true
}

// rollDisk makes the next segment from the spare one, else from new blocks,
// else from those of the oldest segment if every output has delivered it.
func (j *Journal) rollDisk(n int) error {
	sp := j.spare
	j.setSpare(nil)
	var err error
	if sp == nil {
		if err = j.makeRoom(max(j.sizes.segment, int64(segmentHead+n))); err != nil {
			return err
		}
		sp, err = j.newSpare()
	}
	if err == nil {
		err = j.startSegment(sp)
	}
	if isFull(err) {
		j.setFull(err)
		full := err
		sp, err = j.evictOldest(true, true)
		if errors.Is(err, errNothing) {
			return full
		}
		if err == nil {
			err = j.startSegment(sp)
		}
	}
	return err
}

// startSegment makes a spare the active segment.
func (j *Journal) startSegment(sp *spare) error {
	s := j.newSegment()
	s.file, s.stale, s.path = sp.f, sp.stale, j.path(segmentName(s.first))
	head := s.head.encode()
	if sp.stale > segmentHead {
		head = append(head, make([]byte, min(recordHead, sp.stale-segmentHead))...)
	}
	_, err := sp.f.WriteAt(head, 0)
	if err == nil {
		err = j.disk.Rename(j.path(spareName), s.path)
	}
	if err == nil && j.opt.Sync.always {
		err = j.disk.SyncDir(j.opt.Path)
	}
	if err != nil {
		sp.f.Close()
		j.disk.Remove(j.path(spareName))
		return err
	}
	j.addSegment(s)
	// Should the file be taken away, the next start has to know that there was
	// one: or it would give its numbers again.
	if err := j.saveState(false, false); err != nil {
		j.endActive()
		return err
	}
	return nil
}

// setSpare lets those see it who only hold mu.
func (j *Journal) setSpare(sp *spare) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.spare = sp
}

// newSpare allocates one. The error may be that the disk is full.
func (j *Journal) newSpare() (*spare, error) {
	f, err := j.disk.Create(j.path(spareName))
	if err != nil {
		return nil, err
	}
	if err := f.Allocate(j.sizes.segment); err != nil {
		f.Close()
		j.disk.Remove(j.path(spareName))
		return nil, err
	}
	return &spare{f: f}, nil
}

// endActive ends the active segment, and forgets it when it has no records.
// The caller holds writing.
func (j *Journal) endActive() {
	s := j.active
	if s == nil {
		return
	}
	j.mu.Lock()
	j.active = nil
	j.mu.Unlock()
	empty := s.last < s.first
	if s.file != nil {
		if !empty {
			s.file.Truncate(s.end) // gives back what was only allocated; nothing depends on it
		}
		s.file.Close()
		s.file = nil
	}
	if !empty {
		return
	}
	j.mu.Lock()
	j.segments = j.segments[:len(j.segments)-1]
	s.gone = true
	j.mu.Unlock()
	if s.path != "" {
		j.disk.Remove(s.path)
	}
}

// longest is how long a segment is appended to: segments go as a whole, and
// when the newest event in them is too old.
func (j *Journal) longest() time.Duration {
	if j.opt.MaxAge <= 0 {
		return longestSegment
	}
	return max(min(j.opt.MaxAge/8, longestSegment), time.Second)
}

// used is what the journal takes of the disk. The caller holds mu.
func (j *Journal) used() (n int64) {
	for _, s := range j.segments {
		n += s.size()
		if s == j.active && s.path != "" {
			n += max(0, j.sizes.segment-s.end)
		}
	}
	return n
}

// makeRoom gives up the oldest segments until n more bytes are within the
// bound. The caller holds writing.
func (j *Journal) makeRoom(n int64) error {
	for {
		j.mu.Lock()
		over := j.used()+n > j.sizes.max
		j.mu.Unlock()
		if !over {
			return nil
		}
		if _, err := j.evictOldest(false, false); err != nil {
			if errors.Is(err, errNothing) {
				return nil
			}
			return err
		}
	}
}
