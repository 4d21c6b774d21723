package suppress

import (
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/netip"
	"slices"
	"time"

	"trailhound/agent/event"
)

// A checkpoint holds the open windows of a gate: which keys are followed, and
// what was folded and not told yet. After a crash a gate that takes it over
// tells what the lost one would have told, but for the repeats since; a summary
// that both told has the same id. It never takes the place of a first event:
// keys that came since are not in it. Of an outcome it has what was known: what
// was not is not claimed any more, since answers may have come in between.
// Events that are followed one by one, for want of windows, are not in it: theirs
// is told once it is known.
//
//	magic and version   8 bytes
//	length of the body  4 bytes, big endian
//	CRC-32C of the body 4 bytes, big endian
//	body                the clock, the number of windows, the windows
const checkpointMagic = "THGATE\x00\x03" // version 2: without what is known of outcomes

// MaxCheckpoint bounds a checkpoint (bytes). Windows beyond it are left out.
const MaxCheckpoint = 96 << 20

// checkpointMemory bounds what a checkpoint may grow to when it is read.
const checkpointMemory = 4 * MaxBytes

const checkpointHeader = 16

// ErrCheckpoint is the error of a checkpoint that is damaged or of another
// version.
var ErrCheckpoint = errors.New("not a checkpoint of this version, or a damaged one")

func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// AppendCheckpoint appends a checkpoint of the gate as it is now.
func (g *Gate) AppendCheckpoint(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, checkpointMagic...)
	dst = append(dst, make([]byte, 8)...)
	c := codec{out: dst}
	g.clock(&c)
	// The number comes first and is known last.
	number, windows := len(c.out), uint32(0)
	c.out = append(c.out, 0, 0, 0, 0)
	for _, open := range g.due {
		if open.single {
			continue
		}
		before := len(c.out)
		open.pass(&c)
		if len(c.out)-at > MaxCheckpoint {
			c.out = c.out[:before]
			break
		}
		windows++
	}
	binary.BigEndian.PutUint32(c.out[number:], windows)
	body := c.out[at+checkpointHeader:]
	binary.BigEndian.PutUint32(c.out[at+8:], uint32(len(body)))
	binary.BigEndian.PutUint32(c.out[at+12:], castagnoli(body))
	return c.out
}

// Restore takes over the windows of a checkpoint. The gate must be new; on an
// error it stays as it is. Windows that have ended by now close with the next
// event or Advance.
func (g *Gate) Restore(r io.Reader) error {
	if len(g.keys) > 0 {
		return errors.New("BUG: the gate is in use")
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxCheckpoint+1))
	if err != nil {
		return fmt.Errorf("cannot read checkpoint: %w", err)
	}
	if len(data) < checkpointHeader || len(data) > MaxCheckpoint || string(data[:8]) != checkpointMagic {
		return ErrCheckpoint
	}
	body := data[checkpointHeader:]
	if int64(binary.BigEndian.Uint32(data[8:])) != int64(len(body)) || binary.BigEndian.Uint32(data[12:]) != castagnoli(body) {
		return ErrCheckpoint
	}
	return g.restore(body)
}

func (g *Gate) restore(body []byte) error {
	c := codec{reading: true, in: body, left: checkpointMemory}
	fresh := New(g.opt)
	fresh.clock(&c)
	var windows [4]byte
	c.bytes(windows[:])
	for range binary.BigEndian.Uint32(windows[:]) {
		open := new(group)
		if open.pass(&c); c.bad || !fresh.adopt(open) {
			return ErrCheckpoint
		}
	}
	if c.bad || len(c.in) > 0 {
		return ErrCheckpoint
	}
	g.counts.Restored += fresh.counts.Restored
	g.keys, g.due, g.now, g.held, g.followed = fresh.keys, fresh.due, fresh.now, fresh.held, fresh.followed
	return nil
}

// clock passes the gate's clock, to the nanosecond: windows end by it.
func (g *Gate) clock(c *codec) { passMoment(c, &g.now) }

// passMoment passes a time that may come from a clock and be finer than those
// of events.
func passMoment(c *codec, p *time.Time) {
	c.time(p)
	rest := uint32(p.Nanosecond() % 1000)
	number(c, &rest)
	c.check(rest < 1000)
	if c.reading && !p.IsZero() {
		*p = p.Add(time.Duration(rest))
	}
}

// pass passes one window.
func (o *group) pass(c *codec) {
	c.bytes(o.key[:])
	c.bytes(o.id[:])
	window := uint64(o.window)
	number(c, &window)
	o.window = time.Duration(window)
	passMoment(c, &o.start)
	number(c, &o.number)
	c.flag(&o.many)
	o.outcome.pass(c)
	folded := o.fold.agg.Count > 0
	c.flag(&folded)
	if !folded {
		return
	}
	if !c.reading {
		e := o.fold.summary(o.id)
		c.event(&e)
		return
	}
	e := new(event.Event)
	if c.event(e); c.bad {
		return
	}
	o.fold.agg = e.Aggregate
	o.fold.agg.ID, e.Aggregate = [16]byte{}, event.Aggregate{Count: 1}
	o.fold.first, o.fold.size = e, e.Size()
	for _, t := range o.fold.agg.Trails {
		o.fold.size += 16 + len(t)
	}
}

// pass passes what is known of an outcome: the answer, and the first event when it
// is to be told with that.
func (o *outcome) pass(c *codec) {
	passMoment(c, &o.asked)
	if c.reading { // the gate that is written goes on as it was
		o.since = o.asked
	}
	known := o.answer.Outcome > event.OutcomeUnknown
	if c.flag(&known); !known {
		return
	}
	a := &o.answer
	number(c, &a.Outcome)
	c.check(a.Outcome > event.OutcomeUnknown && a.Outcome < event.NumOutcomes)
	passMoment(c, &a.Time)
	number(c, &a.RCode)
	c.flag(&a.HasRCode)
	list(c, &a.Answers, event.MaxAnswers, 16, func(s *string) { chars(c, s) })
	number(c, &a.Status)
	held := o.first != nil
	if c.flag(&held); !held {
		return
	}
	if c.reading {
		o.first = new(event.Event)
	}
	c.event(o.first)
}

// adopt opens a window that was read, if it can be one of this gate.
func (g *Gate) adopt(o *group) bool {
	a := &o.fold.agg
	switch _, twice := g.keys[o.key]; {
	case twice, len(g.keys) >= MaxKeys, o.window <= 0, o.window > MaxWindow, o.start.After(g.now):
		return false
	case o.outcome.first != nil && (o.outcome.first.ID != o.id || o.outcome.answer.Outcome <= event.OutcomeUnknown):
		return false
	case o.fold.first != nil && (a.Count == 0 || !a.Summary || a.First.After(a.Last) ||
		!slices.IsSorted(a.SrcPorts) || !slices.IsSorted(a.DstPorts) || !slices.IsSortedFunc(a.Dsts, netip.Addr.Compare)):
		return false
	}
	if g.held += o.fold.size; g.held > MaxBytes {
		return false
	}
	if r := &o.outcome; r.first != nil {
		if r.size = r.first.Size(); !g.opt.Outcomes || g.followed+r.size > MaxFollowed {
			r.first, r.size = nil, 0
		}
		g.followed += r.size
	}
	o.outcome.lost = true
	g.counts.Restored += a.Count
	g.keys[o.key] = o
	heap.Push(&g.due, o)
	return true
}
