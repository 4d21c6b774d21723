package heuristic

import "encoding/binary"

// repeats knows what was seen in its second already, exactly unless more is seen
// than fits: counts would depend on the number of workers otherwise, since a
// collector may or may not have left out a repeat. Two tables take turns: when
// the present one is full, the other one is emptied and takes its place. What
// lies further back than stepBack is of no use, since keys have their second.
type repeats struct {
	bytes   int
	now     []uint64 // open addressing, a power of two of places, at most half full; 0: free
	before  []uint64
	held    int   // in now
	last    int64 // the second of the newest in before
	retired bool  // before holds something
}

// repeated says whether the board has seen the same from the same source in the
// same second of packet time.
func (n *names) repeated(b *Board, e *Evidence) bool {
	le := binary.LittleEndian
	s0, s1 := le.Uint64(e.Src[:]), le.Uint64(e.Src[8:])
	d0, d1 := le.Uint64(e.Dst[:]), le.Uint64(e.Dst[8:])
	key := fold(s0^b.opt.Seed^n.salt, s1^mix1)
	key = fold(d0^key, d1^mix2)
	key = fold(e.Item^key, uint64(floor(e.At))^mix1)
	if e.Kind == NXDomain {
		key = fold(e.Digest^key, uint64(e.SrcPort)<<32|uint64(e.DstPort)<<16|uint64(e.Flags&OverTCP)^mix2)
	} else {
		key = fold(uint64(e.Kind)^key, mix2)
	}
	return n.repeats.seen(b, key|1)
}

func (r *repeats) seen(b *Board, key uint64) bool {
	if r.now == nil {
		places := 16
		for places*2*16 <= r.bytes {
			places *= 2
		}
		r.now, r.before = make([]uint64, places), make([]uint64, places)
	}
	if has(r.before, key) {
		return true
	}
	mask := uint64(len(r.now) - 1)
	i := key >> 8 & mask
	for ; r.now[i] != 0; i = (i + 1) & mask {
		if r.now[i] == key {
			return true
		}
	}
	r.now[i] = key
	if r.held++; r.held >= len(r.now)/2 {
		if r.retired && b.now-r.last <= stepBack {
			b.counts.NameEvicted += uint64(r.held)
		}
		clear(r.before)
		r.now, r.before = r.before, r.now
		r.held, r.last, r.retired = 0, b.now, true
	}
	return false
}

func has(table []uint64, key uint64) bool {
	mask := uint64(len(table) - 1)
	i := key >> 8 & mask
	for ; table[i] != 0; i = (i + 1) & mask {
		if table[i] == key {
			return true
		}
	}
	return false
}
