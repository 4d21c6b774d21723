package journal

import (
	"errors"
	"fmt"
	"io"
)

// A memoryFile is a segment that could not be written to disk. It has the same
// bytes as the file would.
type memoryFile struct{ b []byte }

func (m *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(b, m.b[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (m *memoryFile) WriteAt(b []byte, off int64) (int, error) { return copy(m.b[off:], b), nil }

var errAttempts = errors.New("every write failed")

// writeFailed is called when writing or syncing failed. The active segment ends
// where the last good write ended; what comes next goes to another file when
// it is room that lacks, and to memory otherwise. The caller holds writing.
func (j *Journal) writeFailed(err error) {
	if s := j.active; s != nil && s.memory == nil {
		s.file.Truncate(s.end) // what a write has left must not be taken for records
		s.synced = false
		j.endActive()
	}
	if isFull(err) {
		j.setFull(err)
		return
	}
	j.degrade(err)
}

// degrade turns to memory. The caller holds writing, or is the only one to
// know the journal.
func (j *Journal) degrade(err error) {
	j.mu.Lock()
	was := j.down
	j.down = err
	if was == nil {
		j.downed = j.opt.Now()
		j.retry = backoff{}
		// Should the process end now, the disk knows nothing of the numbers that
		// are given in memory: they must not be of its epoch.
		j.epoch = newEpoch()
	}
	j.retry.failed(j.clock.now)
	j.mu.Unlock()
	if was != nil {
		return
	}
	j.endActive()
	j.tell(Incident{Kind: InMemory, Phase: Raised, Path: j.opt.Path, Err: err})
}

// memoryUsed gives what segments in memory take, and the oldest of them. The
// caller holds writing.
func (j *Journal) memoryUsed() (used int64, oldest *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.memory == nil {
			continue
		}
		used += int64(len(s.memory.b))
		if oldest == nil {
			oldest = s
		}
	}
	return used, oldest
}

// memoryFull says whether there is no room for another segment in memory while
// nothing but room is wrong with the disk.
func (j *Journal) memoryFull() bool {
	used, _ := j.memoryUsed()
	j.mu.Lock()
	defer j.mu.Unlock()
	return isFull(j.down) && used+j.sizes.memPart > j.sizes.memory
}

// rollMemory makes a segment in memory, and room for it by giving up the
// oldest one there. The caller holds writing.
func (j *Journal) rollMemory(n int) {
	for {
		used, oldest := j.memoryUsed()
		if oldest == nil || used+j.sizes.memPart <= j.sizes.memory {
			break
		}
		j.giveUp(oldest)
	}
	s := j.newSegment()
	s.memory, s.synced = &memoryFile{b: make([]byte, max(j.sizes.memPart, int64(segmentHead+n)))}, true
	copy(s.memory.b, s.head.encode())
	j.addSegment(s)
}

// recover puts what is in memory on disk, in order, and turns to the disk
// again. After an error nothing is lost: what got there is there, the rest
// stays in memory. The caller holds writing.
func (j *Journal) recover() error {
	if j.lock == nil {
		if err := j.attachLater(); err != nil {
			return err
		}
	}
	if j.foreign {
		return errForeign
	}
	if j.active != nil && j.active.memory != nil {
		j.endActive()
	}
	for {
		s, prev := j.firstInMemory()
		if s == nil {
			break
		}
		if err := j.moveToDisk(s, prev); err != nil {
			return err
		}
	}
	if err := j.saveState(false, true); err != nil {
		return err
	}
	if err := j.saveCursors(true); err != nil {
		return err
	}
	j.mu.Lock()
	j.down = nil
	j.retry = backoff{}
	j.mu.Unlock()
	j.tell(Incident{Kind: InMemory, Phase: Recovered, Path: j.opt.Path})
	return nil
}

// firstInMemory also gives the segment with records before it.
func (j *Journal) firstInMemory() (s, prev *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if s.memory != nil {
			return s, prev
		}
		if s.lost == kept {
			prev = s
		}
	}
	return nil, nil
}

// moveToDisk writes one segment. What lies between it and the one before was
// given up for want of room. On a full disk it takes the place of the oldest
// segment there: of one that every output has delivered, or of any one when
// memory is full too.
func (j *Journal) moveToDisk(s, prev *segment) error {
	h := s.head
	h.missing, h.prevFirst, h.prevLast = evicted, 0, h.first-1
	if prev != nil {
		h.prevFirst, h.prevLast = prev.first, prev.last
	}
	if err := j.makeRoom(s.end); err != nil {
		return err
	}
	from := j.path(segmentName(s.first))
	f, err := j.disk.Create(from)
	if err == nil {
		err = j.fill(f, from, s, &h)
	}
	if isFull(err) {
		j.disk.Remove(from)
		full := err
		var sp *spare
		if sp, err = j.evictOldest(true, !j.memoryFull()); errors.Is(err, errNothing) {
			return full
		}
		if err == nil {
			err = j.fill(sp.f, j.path(spareName), s, &h)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot write events from memory to %s: %w", from, err)
	}
	return nil
}

// fill writes a segment of memory to a file, which gets its name.
func (j *Journal) fill(f file, from string, s *segment, h *header) error {
	_, err := f.WriteAt(h.encode(), 0)
	if err == nil {
		_, err = f.WriteAt(s.memory.b[segmentHead:s.end], segmentHead)
	}
	if err == nil {
		err = f.Truncate(s.end) // it may be a longer one, used again
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	path := j.path(segmentName(s.first))
	if err == nil && from != path {
		err = j.disk.Rename(from, path)
	}
	if err == nil {
		err = j.disk.SyncDir(j.opt.Path)
	}
	if err != nil {
		j.disk.Remove(from)
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	s.head, s.path, s.memory, s.synced = *h, path, nil, true
	return nil
}

// stranded counts what is in memory and not delivered by all.
func (j *Journal) stranded() (n uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	acked := j.next - 1
	for _, c := range j.cursors {
		if c.claimed {
			acked = min(acked, c.acked)
		}
	}
	for _, s := range j.segments {
		if s.memory != nil && s.last > acked {
			n += s.last - max(acked, s.first-1)
		}
	}
	return n
}
