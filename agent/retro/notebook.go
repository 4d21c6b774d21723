package retro

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"time"

	"trailhound/trails"
)

// Notebook writes down what one worker meets. It is used by one goroutine.
type Notebook struct {
	// Taken counts the notes, Dropped those for which there was no room.
	Taken, Dropped uint64

	hand  func(*Batch) *Batch
	batch *Batch
	seed  maphash.Seed
	mix   uint64
	// known is what has been noted, by the upper bits of its hash: the hash with
	// the minute, in one of two places. What others pushed out is noted twice, which
	// is no harm.
	known *[1 << knownBits][2]uint64
}

const knownBits = 14

// maxParents bounds the names that are noted for one name: the name itself and
// the shortest of its parents, which are those that get listed.
const maxParents = 16

// NewNotebook makes a notebook. Hand is given a batch that is full, or that is
// flushed, and gives an empty one; nil means that there is no room: the batch
// stays, and what follows is dropped until there is.
func NewNotebook(hand func(*Batch) *Batch) *Notebook {
	return &Notebook{hand: hand, batch: NewBatch(), seed: maphash.MakeSeed(), mix: rand.Uint64(), known: new([1 << knownBits][2]uint64)}
}

// Flush hands over what there is and says whether nothing is left.
func (n *Notebook) Flush() bool {
	if len(n.batch.met) == 0 {
		return true
	}
	next := n.hand(n.batch)
	if next == nil {
		return false
	}
	n.batch = next
	return true
}

// fresh says whether something has not been met in a minute, and notes that it
// has. A minute is odd times a constant away from the next, so that no two of one
// hash are alike.
func (n *Notebook) fresh(h uint64, minute uint32) bool {
	place := &n.known[h>>(64-knownBits)]
	h += uint64(minute) * mix1
	if place[0] == h || place[1] == h {
		return false
	}
	place[0], place[1] = h, place[0]
	return true
}

// FreshName says whether a name has not been met in this minute. It is given by
// a hash that is not to be guessed; whose does not matter, as long as it is always
// the same one.
func (n *Notebook) FreshName(hash uint64, at time.Time) bool {
	return n.fresh(bits.ReverseBytes64(hash), minuteOf(at))
}

// Name notes a lower-case name of at most 255 bytes that is fresh, and its parents
// unless it is to stand for itself.
func (n *Notebook) Name(name []byte, at time.Time, host netip.Addr, alone bool) {
	m := met{host: host.As16(), minute: minuteOf(at), kind: trails.Domain}
	parents := 0
	if !alone {
		parents = min(bytes.Count(name, dot), maxParents)
	}
	room := n.room(1+parents, len(name))
	if room {
		m.at = uint32(len(n.batch.text))
		n.batch.text = append(n.batch.text, name...)
	}
	n.note(m, 0, len(name), room)
	for i := len(name) - 1; i > 0 && parents > 0; i-- {
		if name[i] != '.' {
			continue
		}
		parents--
		if n.fresh(maphash.Bytes(n.seed, name[i+1:]), m.minute) {
			n.note(m, i+1, len(name), room)
		}
	}
}

var dot = []byte(".")

// FreshEndpoint says whether an address with a port has not been met in this
// minute.
func (n *Notebook) FreshEndpoint(a netip.Addr, port uint16, at time.Time) bool {
	return n.fresh(n.hash(a, uint64(port)|1<<16), minuteOf(at))
}

// Endpoint notes an address with a port that is fresh, and the address.
func (n *Notebook) Endpoint(a netip.Addr, port uint16, at time.Time, host netip.Addr) {
	m := met{host: host.As16(), minute: minuteOf(at), kind: trails.Address}
	room, size := n.room(2, 16+2), a.BitLen()/8
	if room {
		m.at = uint32(len(n.batch.text))
		n.batch.text = binary.BigEndian.AppendUint16(appendAddr(n.batch.text, a), port)
	}
	if n.fresh(n.hash(a, 0), m.minute) {
		n.note(m, 0, size, room)
	}
	m.kind = trails.AddressPort
	n.note(m, 0, size+2, room)
}

// room says whether the batch has room for so many notes and so much text, or has
// after it was handed over.
func (n *Notebook) room(notes, text int) bool {
	b := n.batch
	return len(b.met)+notes <= cap(b.met) && len(b.text)+text <= cap(b.text) || n.Flush()
}

// note notes what lies at a part of the text that m names the beginning of.
func (n *Notebook) note(m met, from, to int, room bool) {
	if !room {
		n.Dropped++
		return
	}
	n.Taken++
	m.at, m.length = m.at+uint32(from), uint8(to-from)
	n.batch.met = append(n.batch.met, m)
}

// Odd constants with well mixed bits.
const (
	mix1 = 0xa0761d6478bd642f
	mix2 = 0xe7037ed1a0b428db
)

// hash is a fast one, for known alone.
func (n *Notebook) hash(a netip.Addr, extra uint64) uint64 {
	if a.Is4() {
		b := a.As4()
		return fold(n.mix^(uint64(binary.LittleEndian.Uint32(b[:]))|extra<<32), mix2)
	}
	b := a.As16()
	h := fold(n.mix^extra^mix2, binary.LittleEndian.Uint64(b[:])^mix1)
	return fold(h^mix1, binary.LittleEndian.Uint64(b[8:])^mix2)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
