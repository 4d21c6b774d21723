package retro

import (
	"time"

	"trailhound/trails"
	"trailhound/trails/table"
)

// Candidate is a trail of which a store may remember something.
type Candidate struct {
	Ref table.Ref // in the new table
	Key uint64    // Secret.Hash of its key
}

// freshPart is how many trails are looked at between two calls of take: less
// than a millisecond's work.
const freshPart = 2048

// Fresh gives the names, addresses and addresses with a port that a table lists
// and the one before did not, in parts, some of them empty; after each take may
// wait, so that other work gets its turn, and ends the search with false. Both
// tables stay open meanwhile. What it hands over is valid until take returns.
func (s Secret) Fresh(now, before *table.Table, take func([]Candidate) bool) {
	s.pick(now, func(ref table.Ref, kind trails.Kind, key []byte) bool { return before.Find(kind, key) == 0 }, take)
}

// FreshSince is Fresh for a table of which the one before is not known: it gives
// what it lists since a time. A table that does not say of anything that it was
// listed before does not know ages (table.Options.Previous): ok is false, and
// nothing is given.
func (s Secret) FreshSince(now *table.Table, since time.Time, take func([]Candidate) bool) (ok bool) {
	for ref := range now.All() {
		if ok = !now.FirstSeen(ref).After(since); ok {
			break
		}
	}
	if ok {
		s.pick(now, func(ref table.Ref, _ trails.Kind, _ []byte) bool { return now.FirstSeen(ref).After(since) }, take)
	}
	return ok
}

func (s *Secret) pick(now *table.Table, is func(table.Ref, trails.Kind, []byte) bool, take func([]Candidate) bool) {
	part := make([]Candidate, 0, freshPart)
	looked := 0
	for ref := range now.All() {
		if looked++; looked == freshPart {
			if !take(part) {
				return
			}
			part, looked = part[:0], 0
		}
		switch kind := now.Kind(ref); kind {
		case trails.Domain, trails.Address, trails.AddressPort:
			if key := now.Key(ref); is(ref, kind, key) {
				part = append(part, Candidate{ref, s.Hash(kind, key)})
			}
		}
	}
	take(part)
}
