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
)

// Note says that a host had to do with an observable in some minute.
type Note struct {
	Key    uint64   // Secret.Hash of the observable
	Host   [16]byte // netip.Addr.As16
	Minute uint32   // since 1970
}

// Batch is notes in the order of a worker's packets.
type Batch struct{ Notes []Note }

// BatchSize is the most notes of a batch.
const BatchSize = 512

// NewBatch makes an empty batch.
func NewBatch() *Batch { return &Batch{make([]Note, 0, BatchSize)} }

// Seen is what is remembered of an observable.
type Seen struct {
	First, Last time.Time // to the minute
	// Hosts are the first that had to do with it, and the latest other one, as far
	// as their addresses are remembered.
	Hosts []netip.Addr
}

func minuteOf(at time.Time) uint32 { return uint32(at.Unix() / 60) }

func timeOf(minute uint32) time.Time { return time.Unix(int64(minute)*60, 0).UTC() }
