// Package retro remembers for a while which names and addresses were asked for,
// so that a trail that arrives today finds who met it yesterday.
//
// Each worker has a Notebook. It notes an observable and its parent names once in
// a minute, as a keyed hash. One goroutine owns the Store, takes the notes of all
// workers, and is asked for the hashes of trails that are new. Nothing in a Store
// can be read as a name; who has its secret can ask it for one.
package retro

import (
	"net/netip"
	"time"

	"trailhound/trails"
)

// Note says that a host had to do with an observable in some minute.
type Note struct {
	Key    uint64   // Secret.Hash of the observable
	Host   [16]byte // netip.Addr.As16
	Minute uint32   // since 1970
}

// Batch is what a worker met, in order. The hashes are made by who takes it: they
// are worth more time than a packet has.
type Batch struct {
	met  []met
	text []byte // keys of trails, which met are parts of
}

// met is an observable that a host had to do with.
type met struct {
	host   [16]byte
	minute uint32
	at     uint32 // where its key begins in Batch.text
	length uint8
	kind   trails.Kind
}

// BatchSize is the most observables of a batch, batchText how much text (bytes) there
// is room for.
const (
	BatchSize = 512
	batchText = 16 << 10
)

// NewBatch makes an empty batch.
func NewBatch() *Batch { return &Batch{make([]met, 0, BatchSize), make([]byte, 0, batchText)} }

func (b *Batch) note(m *met, s *Secret) Note {
	return Note{s.Hash(m.kind, b.text[m.at:][:m.length]), m.host, m.minute}
}

// Reset empties the batch.
func (b *Batch) Reset() { b.met, b.text = b.met[:0], b.text[:0] }

// Seen is what is remembered of an observable.
type Seen struct {
	First, Last time.Time // to the minute
	// Hosts are the first that had to do with it, and the latest other one, as far
	// as their addresses are remembered.
	Hosts []netip.Addr
}

func minuteOf(at time.Time) uint32 { return uint32(at.Unix() / 60) }

func timeOf(minute uint32) time.Time { return time.Unix(int64(minute)*60, 0).UTC() }
