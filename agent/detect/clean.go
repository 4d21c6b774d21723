package detect

import "hash/maphash"

// clean remembers texts that raised nothing, so that a name asked for again,
// or the same browser's next request, costs one hash. It holds 64-bit hashes
// with a seed that nobody outside the process knows: one in 2^64 texts would
// be taken for another. It belongs to one generation of rules.
type clean struct {
	seed  maphash.Seed
	slots []uint64 // by the low bits of the hash; a newer text takes the place
}

// newClean makes room for n texts, a power of two. 0 remembers nothing.
func newClean(n int) clean { return clean{maphash.MakeSeed(), make([]uint64, n)} }

// hash is never 0, which marks an empty slot.
func (c *clean) hash(b []byte) uint64 { return maphash.Bytes(c.seed, b) | 1<<63 }

func (c *clean) has(h uint64) bool {
	return len(c.slots) > 0 && c.slots[h&uint64(len(c.slots)-1)] == h
}

func (c *clean) add(h uint64) {
	if len(c.slots) > 0 {
		c.slots[h&uint64(len(c.slots)-1)] = h
	}
}

func (c *clean) reset() { clear(c.slots) }
