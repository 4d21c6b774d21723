package table

import (
	"bytes"
	"time"

	"trailhound/trails"
)

// Limits of one table.
const (
	// maxTrails keeps record numbers and offsets in 32 bits.
	maxTrails  = 1 << 27
	maxRecords = 1 << 32
	chunkSize  = 1 << 20
	// MaxKey is the longest key, in bytes.
	MaxKey = 4096
	// maxSources bounds the sources kept of one trail: provenance must not
	// grow with the number of feeds that repeat it.
	maxSources = 8
)

// Options of a build.
type Options struct {
	// Seed of the hashes. The same input and seed give the same file.
	Seed uint64
	// Now is when the sources were read: the table's age counts from it, and it
	// is the first sighting of keys that Previous does not know.
	Now time.Time
	// Previous, if not nil, hands on the first sighting of each key.
	Previous *Table
}

// A Builder collects trails and writes them as a table. It keeps one copy of
// each key in large chunks and three numbers beside it, so 1.6 million trails
// need about 80 MB. It is a trails.Collector and not safe for concurrent use.
type Builder struct {
	opt    Options
	bases  bases
	chunks [][]byte
	recs   []rec
	slots  []uint64 // tag in the upper half, record number + 1 in the lower
	prov   provenances
	counts [trails.Kinds]int
	err    error
}

// rec is a collected trail: where its key lies and what it came from. The key
// in the chunk is led by kind and length.
type rec struct {
	chunk, off uint32
	prov       uint32
}

// NewBuilder starts an empty table.
func NewBuilder(opt Options) *Builder {
	b := &Builder{opt: opt, bases: newBases(opt.Seed), slots: make([]uint64, 1<<12)}
	b.prov.init()
	return b
}

// Len is the number of distinct keys collected.
func (b *Builder) Len() int { return len(b.recs) }

// Count is the number of distinct keys of a kind.
func (b *Builder) Count(kind trails.Kind) int { return b.counts[kind] }

// Provenance interns p.
func (b *Builder) Provenance(p trails.Provenance) uint32 { return b.prov.intern(p) }

// Add takes one trail; a key added again takes the later info and reference
// and keeps the sources of both. A key that cannot be of its kind is a
// programmer's error, kept and returned when the table is written.
func (b *Builder) Add(kind trails.Kind, key []byte, prov uint32) {
	if !b.acceptable(kind, key, prov) {
		return
	}
	h := b.bases.hashKey(kind, key)
	tag := uint32(h >> 32)
	n := uint64(len(b.slots))
	pos := slotOf(tag, n)
	for b.slots[pos] != 0 {
		if s := b.slots[pos]; uint32(s>>32) == tag {
			r := &b.recs[uint32(s)-1]
			if k, old := b.key(r); k == kind && bytes.Equal(old, key) {
				r.prov = b.prov.merge(prov, r.prov)
				return
			}
		}
		if pos++; pos == n {
			pos = 0
		}
	}
	b.store(kind, key, prov)
	b.slots[pos] = uint64(tag)<<32 | uint64(len(b.recs))
	b.counts[kind]++
	if uint64(len(b.recs))*4 > n*3 {
		b.grow()
	}
}

func (b *Builder) acceptable(kind trails.Kind, key []byte, prov uint32) bool {
	bad := kind == trails.Invalid || kind >= trails.Kinds || len(key) == 0 || len(key) > MaxKey || int(prov) >= len(b.prov.list)
	switch kind {
	case trails.Address, trails.AddressPort, trails.Network:
		bad = bad || !validAddrKey(kind, key)
	}
	if bad {
		b.fail(errBadAdd(kind, len(key)))
		return false
	}
	if len(b.recs) >= maxTrails {
		b.fail(ErrTooLarge)
		return false
	}
	return true
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// store appends the key to the chunks.
func (b *Builder) store(kind trails.Kind, key []byte, prov uint32) {
	last := len(b.chunks) - 1
	if last < 0 || len(b.chunks[last])+3+len(key) > chunkSize {
		b.chunks = append(b.chunks, make([]byte, 0, chunkSize))
		last++
	}
	c := b.chunks[last]
	b.recs = append(growRecs(b.recs), rec{uint32(last), uint32(len(c)), prov})
	c = append(c, byte(kind), byte(len(key)), byte(len(key)>>8))
	b.chunks[last] = append(c, key...)
}

// growRecs makes room in steps of a quarter: doubling a large slice would
// decide the peak of a build.
func growRecs(recs []rec) []rec {
	if len(recs) < cap(recs) || cap(recs) < 1<<16 {
		return recs
	}
	bigger := make([]rec, len(recs), cap(recs)+cap(recs)/4)
	copy(bigger, recs)
	return bigger
}

func (b *Builder) key(r *rec) (trails.Kind, []byte) {
	c := b.chunks[r.chunk][r.off:]
	n := int(c[1]) | int(c[2])<<8
	return trails.Kind(c[0]), c[3 : 3+n]
}

// grow doubles the slots. A tag alone gives its home, and homes keep the order
// of tags, so the old slots are moved in one sequential pass.
func (b *Builder) grow() {
	slots := make([]uint64, 2*len(b.slots))
	for _, s := range b.slots {
		if s != 0 {
			place(slots, s)
		}
	}
	b.slots = slots
}

func place(slots []uint64, s uint64) {
	n := uint64(len(slots))
	pos := slotOf(uint32(s>>32), n)
	for slots[pos] != 0 {
		if pos++; pos == n {
			pos = 0
		}
	}
	slots[pos] = s
}
