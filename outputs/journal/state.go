package journal

import (
	"encoding/binary"
	"time"
)

// The file "state" says what the segments cannot say themselves.
const (
	stateName   = "state"
	stateMagic  = "THjstate"
	stateLength = 5*8 + 16 + 1
)

// saved is what is in it.
type saved struct {
	epoch uint64 // 0: the next start takes a new one
	next  uint64 // no smaller number is given any more
	floor uint64 // no segment before this number is expected
	age   time.Duration
	begun uint64   // first number of the newest segment; 0: there is none
	boot  [16]byte // of the machine, when it was written
	clean bool     // by Close
}

func (v *saved) encode() []byte {
	b := make([]byte, 0, stateLength)
	for _, n := range []uint64{v.epoch, v.next, v.floor, uint64(v.age), v.begun} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	b = append(b, v.boot[:]...)
	if v.clean {
		return append(b, 1)
	}
	return append(b, 0)
}

// same says whether writing v again is of no use.
func (v *saved) same(old *saved) bool {
	w := *v
	if v.age-old.age < time.Minute {
		w.age = old.age
	}
	return w == *old
}

func decodeState(b []byte) (v saved, ok bool) {
	if len(b) < stateLength {
		return v, false
	}
	n := binary.LittleEndian.Uint64
	v = saved{epoch: n(b), next: n(b[8:]), floor: n(b[16:]), age: time.Duration(n(b[24:])), begun: n(b[32:]),
		boot: [16]byte(b[40:56]), clean: b[56] == 1}
	return v, v.next >= 1 && v.floor >= 1 && v.floor <= v.next && v.age >= 0
}

func (j *Journal) saveState(clean, sync bool) error {
	j.evicting.Lock()
	defer j.evicting.Unlock()
	return j.writeState(clean, sync)
}

// writeState writes the file. The caller holds evicting.
func (j *Journal) writeState(clean, sync bool) error {
	j.mu.Lock()
	v := saved{epoch: j.epoch, next: j.next, floor: j.floor, age: j.clock.now, boot: j.boot, clean: clean}
	if j.down != nil {
		v.epoch = 0 // the numbers that are given now may be lost without a trace
	}
	for i := len(j.segments) - 1; i >= 0; i-- {
		if s := j.segments[i]; s.path != "" {
			v.begun = s.first
			break
		}
	}
	attached := j.attached
	j.mu.Unlock()
	if !attached {
		return nil
	}
	if j.state == nil {
		s, err := createSlots(j.disk, j.path(stateName), stateMagic, v.encode())
		if err != nil {
			if isFull(err) {
				j.setFull(err)
				return nil // tried again later; without the file the next start takes a new epoch
			}
			return err
		}
		j.state = s
		j.saved = v
	} else if !v.same(&j.saved) {
		if err := j.state.write(v.encode()); err != nil {
			return err
		}
		j.saved = v
	}
	if !sync {
		return nil
	}
	return j.state.f.Sync()
}

// saveCursors writes those that are not up to date.
func (j *Journal) saveCursors(sync bool) (err error) {
	j.mu.Lock()
	all := make([]*Cursor, 0, len(j.cursors))
	for _, c := range j.cursors {
		if !c.damaged {
			all = append(all, c)
		}
	}
	j.mu.Unlock()
	for _, c := range all {
		if e := c.save(sync); e != nil {
			err = e
		}
	}
	return err
}
