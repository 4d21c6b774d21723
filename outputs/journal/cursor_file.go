package journal

import (
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The file of a cursor holds these numbers, 64 bits each, in little endian:
//
//	0   start, acknowledged, delivered, filtered, dead-lettered, evicted, quarantined
//	56  when an output last had it, nanoseconds on the journal's clock
//	64  what the last heartbeat told, a Mark: through, delivered, filtered,
//	    dead-lettered, evicted, quarantined
//
// Programs before the mark wrote the first eight, and read no more.
const (
	cursorPrefix = "cursor-"
	cursorMagic  = "THcursor"
	cursorLeast  = 8 * 8
	cursorLength = cursorLeast + 6*8
)

// cursorSlots is a cursor's file. It outlives the holders of the name.
type cursorSlots struct {
	sync.Mutex // held while the file is written; taken before the journal's mu
	*slots     // nil: not on disk
}

// save writes the cursor's file if it is not up to date. Without a disk it does
// nothing.
func (c *Cursor) save(sync bool) error {
	c.file.Lock()
	defer c.file.Unlock()
	j := c.j
	j.mu.Lock()
	current := j.attached && j.cursors[c.name] == c
	dirty, acked := c.dirty || c.file.slots == nil, c.acked
	value := c.encode()
	if current {
		c.dirty = false
	}
	durable := c.durable
	j.mu.Unlock()
	if !current || !dirty && (!sync || durable >= acked) {
		return nil
	}
	err := error(nil)
	switch {
	case c.file.slots == nil:
		c.file.slots, err = createSlots(j.disk, j.path(cursorFile(c.name)), cursorMagic, value)
	case dirty:
		err = c.file.write(value)
	}
	if err == nil && sync {
		err = c.file.f.Sync()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		c.dirty = true
		return fmt.Errorf("cannot write the cursor of output %q: %w", c.name, err)
	}
	if sync {
		c.durable = acked
	}
	return nil
}

func (c *Cursor) encode() []byte {
	b := make([]byte, 0, cursorLength)
	m := &c.mark
	for _, v := range [...]uint64{c.start, c.acked, c.delivered, c.filtered, c.dead, c.evicted, c.quar, uint64(c.used),
		m.Through, m.Delivered, m.Filtered, m.DeadLettered, m.Evicted, m.Quarantined} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// decodeTally is false when the numbers do not add up. Without a mark that can be
// true nothing counts as told: the next heartbeat tells of all.
func decodeTally(b []byte) (t tally, used time.Duration, ok bool) {
	if len(b) < cursorLeast {
		return t, 0, false
	}
	var v [cursorLength / 8]uint64
	for i := range min(len(v), len(b)/8) {
		v[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	t = newTally(v[0])
	t.acked, t.delivered, t.filtered, t.dead, t.evicted, t.quar = v[1], v[2], v[3], v[4], v[5], v[6]
	if m := (Mark{v[8], v[9], v[10], v[11], v[12], v[13]}); t.includes(m) {
		t.mark = m
	}
	return t, time.Duration(v[7]), t.acked-t.start == t.delivered+t.filtered+t.dead+t.evicted+t.quar
}

// cursorFile names a cursor's file; any name gives one that is fit for it.
func cursorFile(name string) string { return cursorPrefix + url.QueryEscape(name) }

func cursorName(file string) (string, bool) {
	escaped, ok := strings.CutPrefix(file, cursorPrefix)
	if !ok {
		return "", false
	}
	name, err := url.QueryUnescape(escaped)
	return name, err == nil && name != ""
}
