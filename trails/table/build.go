package table

import (
	"time"

	"trailhound/trails"
)

// Limits of one table.
const (
	// maxTrails keeps record numbers and offsets in 32 bits.
	maxTrails  = 1 << 27
	maxRecords = 1 << 32
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

// A Builder collects trails and writes them as a table. Collecting appends
// only: one copy of each key in large chunks, and its hash, place and
// provenance beside it. What is listed twice is found afterwards, by sorting
// the hashes, so that no step of a build jumps about in memory; 1.6 million
// trails need about 100 MB and half a second. It is a trails.Collector and not
// safe for concurrent use.
type Builder struct {
	opt    Options
	bases  bases
	chunks [][]byte
	recs   [][]rec
	n      int
	prov   provenances
	counts [trails.Kinds]int
	sorted []uint64 // once finished: tag in the upper half, record in the lower, by tag
	err    error
}

// rec is a collected trail: its hash, where its key lies, and what it came
// from. The key in the chunk is led by kind and length.
type rec struct {
	hash uint64
	at   uint32 // chunk and offset; once written, the offset in the file
	prov uint32
}

const (
	chunkLog = 20 // of a chunk of keys, in bytes
	blockLog = 14 // of a block of recs
	chunkCap = 1 << chunkLog
	blockCap = 1 << blockLog
	// dropped is the provenance of a record that another one stands for.
	dropped = ^uint32(0)
)

// NewBuilder starts an empty table.
func NewBuilder(opt Options) *Builder {
	b := &Builder{opt: opt, bases: newBases(opt.Seed)}
	b.prov.init()
	return b
}

// Len is the number of distinct keys collected. It ends the collecting.
func (b *Builder) Len() int {
	b.finish()
	return len(b.sorted)
}

// Count is the number of distinct keys of a kind. It ends the collecting.
func (b *Builder) Count(kind trails.Kind) int {
	b.finish()
	return b.counts[kind]
}

// Provenance interns p.
func (b *Builder) Provenance(p trails.Provenance) uint32 { return b.prov.intern(p) }

// Add takes one trail; a key added again takes the later info and reference
// and keeps the sources of both. A key that cannot be of its kind is a
// programmer's error, kept and returned when the table is written.
func (b *Builder) Add(kind trails.Kind, key []byte, prov uint32) {
	if !b.acceptable(kind, key, prov) {
		return
	}
	last := len(b.chunks) - 1
	if last < 0 || len(b.chunks[last])+3+len(key) > chunkCap {
		b.chunks = append(b.chunks, make([]byte, 0, chunkCap))
		last++
	}
	c := b.chunks[last]
	if b.n&(blockCap-1) == 0 {
		b.recs = append(b.recs, make([]rec, blockCap))
	}
	*b.rec(b.n) = rec{b.bases.hashKey(kind, key), uint32(last<<chunkLog | len(c)), prov}
	b.n++
	c = append(c, byte(kind), byte(len(key)), byte(len(key)>>8))
	b.chunks[last] = append(c, key...)
}

func (b *Builder) acceptable(kind trails.Kind, key []byte, prov uint32) bool {
	bad := kind == trails.Invalid || kind >= trails.Kinds || len(key) == 0 || len(key) > MaxKey || int(prov) >= len(b.prov.list)
	switch kind {
	case trails.Address, trails.AddressPort, trails.Network:
		bad = bad || !validAddrKey(kind, key)
	}
	switch {
	case bad:
		b.fail(errBadAdd(kind, len(key)))
	case b.sorted != nil:
		b.fail(errLateAdd)
	case b.n >= maxTrails || len(b.chunks) >= 1<<(32-chunkLog)-1:
		b.fail(ErrTooLarge)
	default:
		return true
	}
	return false
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *Builder) rec(i int) *rec { return &b.recs[i>>blockLog][i&(blockCap-1)] }

func (b *Builder) key(r *rec) (trails.Kind, []byte) {
	c := b.chunks[r.at>>chunkLog][r.at&(chunkCap-1):]
	n := int(c[1]) | int(c[2])<<8
	return trails.Kind(c[0]), c[3 : 3+n]
}
