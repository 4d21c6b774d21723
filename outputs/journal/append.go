package journal

import (
	"encoding/binary"

	"trailhound/agent/event"
	"trailhound/outputs/journal/codec"
)

// chunk is how much is encoded before it is written.
const chunk = 256 << 10

// Append gives the events their sequence numbers and epoch, in place, and
// keeps them. It returns the number of the first one, once they are written:
// to the file system, or to memory while the disk cannot be used. It never
// fails, and never waits for a reader. After End it does nothing and returns 0.
func (j *Journal) Append(events []event.Event) (first uint64) {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	first = j.next
	ended := j.ended
	j.clock.look(j.opt.Now())
	j.mu.Unlock()
	if ended {
		return 0
	}
	buf := j.buf[:0]
	done := 0 // events written
	for i := range events {
		events[i].Seq = first + uint64(i)
		start := len(buf)
		buf = j.encode(buf, &events[i])
		if start > 0 && (len(buf) > chunk || !j.fits(len(buf))) {
			j.write(buf[:start], events[done:i])
			buf, done = buf[:copy(buf, buf[start:])], i
		}
	}
	if len(buf) > 0 {
		j.write(buf, events[done:])
	}
	if cap(buf) <= 2*chunk+maxRecord {
		j.buf = buf
	}
	if j.opt.Sync.always && !j.isDown() {
		if err := j.sync(); err != nil {
			j.writeFailed(err)
		}
	}
	return first
}

// encode appends the record of an event; seal completes it.
func (j *Journal) encode(buf []byte, e *event.Event) []byte {
	var head [recordHead]byte
	start := len(buf)
	buf = append(buf, head[:]...)
	buf = codec.Append(buf, e)
	if len(buf)-start > maxRecord {
		short := shorten(e)
		buf = codec.Append(buf[:start+recordHead], &short)
		j.mu.Lock()
		j.counts.shortened++
		j.mu.Unlock()
	}
	binary.LittleEndian.PutUint32(buf[start:], uint32(len(buf)-start-recordHead))
	binary.LittleEndian.PutUint64(buf[start+8:], e.Seq)
	return buf
}

// fits says whether records of n bytes have room in the active segment.
func (j *Journal) fits(n int) bool {
	return j.active != nil && j.active.end+int64(n) <= j.limit(j.active)
}

func (j *Journal) limit(s *segment) int64 {
	if s.memory != nil {
		return int64(len(s.memory.b))
	}
	return j.sizes.segment
}

// write puts the records of events into the active segment, or into one that
// still takes them. Memory always does.
func (j *Journal) write(records []byte, events []event.Event) {
	for attempt := 0; ; attempt++ {
		s := j.room(len(records), attempt)
		now := j.clock.now // only Append and the keeper, who holds writing too, change it
		seal(records, s.seed, uint32((now - s.head.age).Milliseconds()))
		if s.memory != nil {
			s.memory.WriteAt(records, s.end)
		} else if err := j.writeDisk(s, records); err != nil {
			j.writeFailed(err)
			continue
		}
		for i := range events {
			events[i].Epoch = s.head.epoch
		}
		j.publish(s, events[len(events)-1].Seq, int64(len(records)))
		return
	}
}

// writeDisk writes records, and behind them the end mark where old bytes may
// follow: first, so that nothing old ever stands where the next record would.
func (j *Journal) writeDisk(s *segment, records []byte) error {
	if end := s.end + int64(len(records)); s.stale > end {
		var mark [recordHead]byte
		if _, err := s.file.WriteAt(mark[:min(recordHead, s.stale-end)], end); err != nil {
			return err
		}
	}
	_, err := s.file.WriteAt(records, s.end)
	return err
}

// publish lets readers see what is written.
func (j *Journal) publish(s *segment, last uint64, n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.cursors {
		if c.claimed && c.next == j.next {
			c.unread = s.head.made.Add(j.clock.now - s.head.age)
		}
	}
	j.counts.appended += last + 1 - j.next
	j.counts.writes++
	s.last, s.age = last, j.clock.now
	s.synced = false
	s.end += n
	j.written += n
	j.next = last + 1
	j.wakeAll()
}

// room gives the active segment when n bytes fit and it is not too old, else
// the next one. After some attempts that failed only memory is left.
func (j *Journal) room(n, attempt int) *segment {
	const attempts = 4
	if attempt >= attempts && !j.isDown() {
		j.degrade(errAttempts)
	}
	s := j.active
	if s != nil && (s.memory != nil) != j.isDown() {
		s = nil // the disk has gone or come back
	}
	if s != nil && s.last >= s.first && (!j.fits(n) || j.clock.now-s.head.age >= j.longest()) {
		s = nil
	}
	if s == nil {
		j.roll(n)
	}
	return j.active
}
