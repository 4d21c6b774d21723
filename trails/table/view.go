package table

import (
	"encoding/binary"
	"iter"
	"time"

	"trailhound/trails"
)

// Kind gives the kind of a trail.
func (t *Table) Kind(r Ref) trails.Kind {
	kind, _, _ := t.record(r)
	return kind
}

// Key gives the key of a trail; it points into the table.
func (t *Table) Key(r Ref) []byte {
	_, key, _ := t.record(r)
	return key
}

// FirstSeen is when the trail was first read, to the minute.
func (t *Table) FirstSeen(r Ref) time.Time {
	_, _, age, _, _, ok := t.recordAt(uint64(r) - 1)
	if !ok {
		return time.Time{}
	}
	return t.Created().Add(-time.Duration(min(age, 1<<26)) * time.Minute)
}

// Info gives a trail's info and reference; they point into the table.
func (t *Table) Info(r Ref) (info, reference []byte) {
	b := t.tuple(r)
	i, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, nil
	}
	j, _ := binary.Uvarint(b[n:])
	return t.text(i), t.text(j)
}

// tuple gives the numbers of a trail's provenance.
func (t *Table) tuple(r Ref) []byte {
	_, prov, _, _, _, ok := t.recordAt(uint64(r) - 1)
	if !ok || prov >= uint64(t.head.provenances) {
		return nil
	}
	lo, hi := le.Uint32(t.provOffs[4*prov:]), le.Uint32(t.provOffs[4*prov+4:])
	if lo > hi || uint64(hi) > uint64(len(t.tuples)) {
		return nil
	}
	return t.tuples[lo:hi]
}

func (t *Table) text(n uint64) []byte {
	if n >= uint64(len(t.strOffs)/4-1) {
		return nil
	}
	lo, hi := le.Uint32(t.strOffs[4*n:]), le.Uint32(t.strOffs[4*n+4:])
	if lo > hi || uint64(hi) > uint64(len(t.strings)) {
		return nil
	}
	return t.strings[lo:hi]
}

// Provenance gives everything that is known of a trail's origin. It allocates.
func (t *Table) Provenance(r Ref) (p trails.Provenance) {
	b := t.tuple(r)
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			b = nil
			return 0
		}
		b = b[n:]
		return v
	}
	p.Info, p.Reference = string(t.text(next())), string(t.text(next()))
	for range min(next(), maxSources) {
		s := trails.Source{}
		if n := next(); n < uint64(len(t.sources)/12) {
			e := t.sources[12*n:]
			s.Name = string(t.text(uint64(le.Uint32(e))))
			s.LastSeen = time.Unix(int64(le.Uint64(e[4:])), 0).UTC()
		}
		for range min(next(), uint64(len(b))+1) {
			s.URLs = append(s.URLs, string(t.text(next())))
		}
		p.Sources = append(p.Sources, s)
	}
	return p
}

// All gives every trail in the order in which they were collected. It stops at
// the first damaged record.
func (t *Table) All() iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for off := uint64(0); off < uint64(len(t.records)); {
			_, _, _, _, next, ok := t.recordAt(off)
			if !ok || !yield(Ref(off+1)) {
				return
			}
			off = next
		}
	}
}

// Expressions gives the trails of kind Pattern and UserAgent in the order in
// which they were collected, without reading further into the table.
func (t *Table) Expressions() iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for r := range t.All() {
			if !leads(t.Kind(r)) || !yield(r) {
				return
			}
		}
	}
}
