package heuristic

import (
	"encoding/binary"
	"math"
	"math/bits"

	"trailhound/agent/packet"
)

// Collector writes down the evidence of one worker. It is used by one goroutine.
type Collector struct {
	// Port is the slot of the interface that the present packet came from.
	Port uint16
	// Era is how often the clock was set back before the present packet, over all
	// packets of the capture; 0 live.
	Era uint32
	// Taken counts the observations, Repeated those left out because the second
	// had the same already, Dropped those for which there was no room, and those
	// whose time is none of Unix nanoseconds: before 1678 or after 2262.
	Taken, Repeated, Dropped uint64

	seed  uint64
	hand  func(*Batch) *Batch
	batch *Batch
	// seen remembers observations by their hash, which includes the second and the
	// era. Which repeats it has forgotten depends on what else the worker sees, so
	// to the board one that comes after all must change nothing, to the letter. It
	// does not as long as no window began anew in between: not within an era, and
	// live, where there are none, not before the times of the worker step back.
	seen   []uint64
	steps  uint64
	latest int64 // second, since the last step
}

// remembered is how many observations of a second a collector knows to be
// repeats, at most.
const remembered = 1 << 12

// NewCollector makes a collector. Hand is given a batch that is full, or that is
// flushed, and gives an empty one; nil means that there is no room: the batch
// stays, and what follows is dropped until there is. The seed keys the hashes:
// live, it is secret.
func NewCollector(seed uint64, hand func(*Batch) *Batch) *Collector {
	return &Collector{seed: seed, hand: hand, batch: NewBatch(), seen: make([]uint64, remembered)}
}

// Flush hands over what there is and says whether nothing is left.
func (c *Collector) Flush() bool {
	if len(c.batch.Evidence) == 0 {
		return true
	}
	next := c.hand(c.batch)
	if next == nil {
		return false
	}
	c.batch = next
	return true
}

// Pending is how many observations wait to be handed over.
func (c *Collector) Pending() int { return len(c.batch.Evidence) }

// Probe notes a packet to a port that may be part of a scan.
func (c *Collector) Probe(k Kind, f Flags, p *packet.Packet) {
	item := uint64(p.DstPort) | uint64(f)<<16
	if k == ProbeUDP {
		item |= uint64(p.SrcPort) << 24 // both ports tell what it answers
	}
	if c.repeat(k, p, item) {
		return
	}
	if e := c.next(p); e != nil {
		e.fill(k, p)
		e.Flags |= f
		e.Item, e.Port = uint64(p.DstPort), c.Port
	}
}

// Path notes a request for a path that begins with a segment.
func (c *Collector) Path(p *packet.Packet, segment []byte) {
	item := c.Hash(segment)
	if c.repeat(WebPath, p, item) {
		return
	}
	if e := c.next(p); e != nil {
		e.fill(WebPath, p)
		e.Item, e.Port = item, c.Port
	}
}

// Name notes a name, of at most 255 bytes: longer ones are none. Digest tells
// datagrams apart that say the same in one second; only NXDomain counts each.
func (c *Collector) Name(k Kind, p *packet.Packet, qtype uint16, f Flags, digest uint64, name []byte) {
	if len(name) > 255 {
		return
	}
	item := c.Hash(name)
	if k != NXDomain && c.repeat(k, p, item^uint64(f)) {
		return
	}
	if e := c.next(p); e != nil {
		e.fill(k, p)
		e.Flags |= f
		if p.Proto == packet.ProtoTCP {
			e.Flags |= OverTCP
		}
		e.Item, e.Port, e.QType, e.Digest = item, c.Port, qtype, digest
		b := c.batch
		e.text, e.length = uint32(len(b.Text)), uint8(len(name))
		b.Text = append(b.Text, name...)
	}
}

// maxSecond is the last second whose nanoseconds fit into 64 bits, less what
// windows and silences look ahead.
const maxSecond = math.MaxInt64/1_000_000_000 - 1<<16

// next gives the place for an observation; nil: there is none.
func (c *Collector) next(p *packet.Packet) *Evidence {
	if second := p.Time.Unix(); second < -maxSecond || second > maxSecond || c.batch.full() && !c.Flush() {
		c.Dropped++
		return nil
	}
	c.Taken++
	b := c.batch
	b.Evidence = b.Evidence[:len(b.Evidence)+1]
	e := &b.Evidence[len(b.Evidence)-1]
	*e = Evidence{Era: c.Era}
	return e
}

// repeat says whether the present second has had the observation, and notes it.
func (c *Collector) repeat(k Kind, p *packet.Packet, item uint64) bool {
	var h uint64
	if p.Src.Is4() {
		src, dst := p.Src.As4(), p.Dst.As4()
		h = uint64(binary.LittleEndian.Uint32(src[:]))<<32 | uint64(binary.LittleEndian.Uint32(dst[:]))
	} else {
		h = foldAddr(foldAddr(c.seed, p.Src.As16()), p.Dst.As16())
	}
	h = fold(h^c.seed^mix2, item^uint64(k)<<48^mix1)
	second := p.Time.Unix()
	if second < c.latest-stepBack {
		c.steps++
		c.latest = second
	}
	c.latest = max(c.latest, second)
	h = fold(h^uint64(second), mix2^uint64(c.Era)<<32^c.steps) | 1 // 0 is an empty place
	place := &c.seen[h>>52]
	if *place == h {
		c.Repeated++
		return true
	}
	*place = h
	return false
}

// Hash is a keyed hash of a text, the same in all collectors of a run.
func (c *Collector) Hash(text []byte) uint64 { return hash(c.seed, text) }

const (
	mix1 = 0xa0761d6478bd642f
	mix2 = 0xe7037ed1a0b428db
)

// fold multiplies to 128 bits and folds the halves onto each other.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// foldAddr mixes an address into a hash. The constants keep a factor that the
// input chooses from being 0.
func foldAddr(h uint64, a [16]byte) uint64 {
	return fold(h^binary.LittleEndian.Uint64(a[:])^mix2, binary.LittleEndian.Uint64(a[8:])^mix1)
}

func hash(seed uint64, b []byte) uint64 {
	h := seed ^ uint64(len(b))*mix2
	for len(b) > 8 {
		h = fold(h^binary.LittleEndian.Uint64(b), mix1)
		b = b[8:]
	}
	// The rest without a copy: its bytes, some of them twice.
	var rest uint64
	switch {
	case len(b) >= 4:
		rest = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<32
	case len(b) > 0:
		rest = uint64(b[0]) | uint64(b[len(b)/2])<<8 | uint64(b[len(b)-1])<<16
	}
	return fold(h^rest^mix2, mix1^h)
}
