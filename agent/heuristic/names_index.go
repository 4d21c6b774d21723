package heuristic

import "math/bits"

// nameWays is how many places a key of a table of names may have. A table is
// several times larger than what a busy network keeps in it, so that a key
// finds one; under a flood the eight compete, and the one that is worth least
// makes room for the newest.
const nameWays = 8

// nameIndex finds the place of a key among records of a fixed number. It has no
// pointers and is never copied or grown.
type nameIndex struct {
	keys []uint64 // 0: free
	sets uint64
}

// makeIndex makes an index of about so many records, at least one set.
func makeIndex(records int) nameIndex {
	sets := max(records/nameWays, 1)
	return nameIndex{keys: make([]uint64, sets*nameWays), sets: uint64(sets)}
}

// find gives the place of a key, or -1.
func (x *nameIndex) find(key uint64) int {
	key |= 1
	first := setOf(key, x.sets)
	for i, k := range x.keys[first : first+nameWays] {
		if k == key {
			return first + i
		}
	}
	return -1
}

// place gives a key that has none a place: a free one, else that of the key
// which is worth least. Worth is 0 for what is of no use any more. Lost says
// whether the key that had it was of use; used, whether there was one.
func (x *nameIndex) place(key uint64, worth func(i int) uint64) (at int, used, lost bool) {
	key |= 1
	first := setOf(key, x.sets)
	least := ^uint64(0)
	for i, k := range x.keys[first : first+nameWays] {
		if k == 0 {
			x.keys[first+i] = key
			return first + i, false, false
		}
		if w := worth(first + i); w < least {
			at, least = first+i, w
		}
	}
	x.keys[at] = key
	return at, true, least > 0
}

// setOf gives the first place of a key's set.
func setOf(key, sets uint64) int {
	hi, _ := bits.Mul64(key, sets)
	return int(hi) * nameWays
}

// worth orders records for eviction: those with the fewest items go first, of
// equals the one that was not touched for longest.
func worth(items, age uint32) uint64 { return uint64(items)<<32 | uint64(^age) }
