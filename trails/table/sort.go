package table

import "bytes"

// finish sorts what was collected and lets one record stand for each key.
func (b *Builder) finish() {
	if b.sorted != nil {
		return
	}
	b.sorted = make([]uint64, b.n)
	for i := range b.sorted {
		b.sorted[i] = b.rec(i).hash&^0xFFFFFFFF | uint64(i)
	}
	sortByTag(b.sorted)
	for from := 0; from < len(b.sorted); {
		to := from + 1
		for to < len(b.sorted) && b.sorted[to]>>32 == b.sorted[from]>>32 {
			to++
		}
		if to > from+1 {
			b.unite(b.sorted[from:to])
		}
		from = to
	}
	kept := b.sorted[:0]
	for _, s := range b.sorted {
		if r := b.rec(int(uint32(s))); r.prov != dropped {
			kept = append(kept, s)
		}
	}
	b.sorted = kept
	for i := range b.n { // in the order of memory
		if r := b.rec(i); r.prov != dropped {
			kind, _ := b.key(r)
			b.counts[kind]++
		}
	}
}

// unite merges the records of one tag that have the same key into the first of
// them. The records are in the order in which they were added.
func (b *Builder) unite(same []uint64) {
	for i := range same {
		first := b.rec(int(uint32(same[i])))
		if first.prov == dropped {
			continue
		}
		kind, key := b.key(first)
		for _, s := range same[i+1:] {
			r := b.rec(int(uint32(s)))
			if r.prov == dropped {
				continue
			}
			if k, other := b.key(r); k == kind && bytes.Equal(other, key) {
				first.prov = b.prov.merge(r.prov, first.prov)
				r.prov = dropped
			}
		}
	}
}

// sortByTag sorts by the upper halves, least significant digit first, and
// keeps the order of equal ones.
func sortByTag(list []uint64) {
	const bits = 11
	from, to := list, make([]uint64, len(list))
	for shift := 32; shift < 64; shift += bits {
		var starts [1 << bits]int
		for _, v := range from {
			starts[v>>shift&(1<<bits-1)]++
		}
		sum := 0
		for i, n := range starts {
			starts[i] = sum
			sum += n
		}
		for _, v := range from {
			d := v >> shift & (1<<bits - 1)
			to[starts[d]] = v
			starts[d]++
		}
		from, to = to, from
	}
	copy(list, from) // three passes: the result lies in the second list
}

// place puts a slot at its home or behind it. Homes keep the order of tags, so
// placing a sorted list is one sequential pass.
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
