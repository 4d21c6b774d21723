package pattern

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// windows find the places of a text where one of many literals may stand.
//
// Every literal is known by one window of three bytes in it. A bitmap over the
// hashes of all windows answers "no" for nearly every place of a text; no
// question waits for the answer to another.
// Where the bitmap says "perhaps", an exact table of windows leads to the
// literals.
//
// In hashes each byte has bit 0x20 set, which makes letters lower case and
// confuses some others; the comparison of the literal is exact.
type windows struct {
	bitmap    *bitmap
	slots     []slot // by hash, linear probing; a power of two, half empty at least
	slotShift uint32
	refs      []uint32 // atoms by window
	atoms     []atom
}

// An atom is a literal of a pattern.
type atom struct {
	text  string // in lower case
	at    int32  // of its window
	entry uint16
}

type slot struct {
	window     uint32 // 0 is empty
	first, end uint32 // of refs
}

const (
	hashFactor = 2654435761 // 2^32 by the golden ratio: Knuth's multiplicative hash
	lowerEight = 0x2020202020202020
)

// trigram packs three bytes for hashing.
func trigram(a, b, c byte) uint32 {
	return uint32(a|0x20) | uint32(b|0x20)<<8 | uint32(c|0x20)<<16
}

// A bitmap holds hashes of windows. Its size is fixed, which keeps bounds
// checks out of the loop; with 2,000 windows in it fewer than one place in a
// hundred is looked at for nothing.
type bitmap [1 << (bitmapBits - 6)]uint64

const bitmapBits = 18

// has says whether a window, the low three bytes of x, may be in the bitmap.
func (b *bitmap) has(x uint32) bool {
	h := (x & 0xFFFFFF) * hashFactor
	return b[h>>(32-bitmapBits+6)]&(1<<(h>>(32-bitmapBits)&63)) != 0
}

func (b *bitmap) add(window uint32) {
	h := window * hashFactor
	b[h>>(32-bitmapBits+6)] |= 1 << (h >> (32 - bitmapBits) & 63)
}

func newWindows(atoms []atom) windows {
	if len(atoms) == 0 {
		return windows{}
	}
	w := windows{atoms: slices.Clip(atoms)}
	type pair struct{ window, atom uint32 }
	pairs := make([]pair, 0, len(atoms))
	for i, a := range atoms {
		if len(a.text) > 2 {
			pairs = append(pairs, pair{trigram(a.text[a.at], a.text[a.at+1], a.text[a.at+2]), uint32(i)})
			continue
		}
		for c := range 256 {
			if c&0x20 != 0 { // any byte may follow two; behind the end it is 0
				pairs = append(pairs, pair{trigram(a.text[0], a.text[1], byte(c)), uint32(i)})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.window != b.window {
			return int(a.window) - int(b.window)
		}
		return int(a.atom) - int(b.atom)
	})
	w.bitmap = new(bitmap)
	w.slotShift = 32 - uint32(max(bits.Len(uint(len(pairs)))+1, 4))
	w.slots = make([]slot, 1<<(32-w.slotShift))
	w.refs = make([]uint32, 0, len(pairs))
	for i := 0; i < len(pairs); {
		s := slot{window: pairs[i].window, first: uint32(i)}
		for ; i < len(pairs) && pairs[i].window == s.window; i++ {
			w.refs = append(w.refs, pairs[i].atom)
		}
		s.end = uint32(i)
		w.bitmap.add(s.window)
		at := s.window * hashFactor >> w.slotShift
		for w.slots[at].window != 0 {
			at = (at + 1) & uint32(len(w.slots)-1)
		}
		w.slots[at] = s
	}
	return w
}

// next gives the first place, from one on, where a window may stand; -1 if
// there is none. Bytes behind the end of the text count as zero.
func (w *windows) next(text []byte, from int) int {
	if w.bitmap == nil {
		return -1
	}
	bitmap := w.bitmap
	for i := from; i+2 <= len(text); i += 6 {
		var x uint64
		if i+8 <= len(text) {
			x = binary.LittleEndian.Uint64(text[i:])
		} else {
			x = lastBytes(text, i)
		}
		x |= lowerEight
		at := 0
		switch {
		case bitmap.has(uint32(x)):
			at = i
		case bitmap.has(uint32(x >> 8)):
			at = i + 1
		case bitmap.has(uint32(x >> 16)):
			at = i + 2
		case bitmap.has(uint32(x >> 24)):
			at = i + 3
		case bitmap.has(uint32(x >> 32)):
			at = i + 4
		case bitmap.has(uint32(x >> 40)):
			at = i + 5
		default:
			continue
		}
		if at+2 <= len(text) {
			return at
		}
	}
	return -1
}

// lastBytes gives the bytes from i on, fewer than eight, with zeros behind.
func lastBytes(text []byte, i int) uint64 {
	if left := len(text) - i; len(text) >= 8 {
		return binary.LittleEndian.Uint64(text[len(text)-8:]) >> (64 - 8*left)
	}
	x := uint64(0)
	for j, c := range text[i:] {
		x |= uint64(c) << (8 * j)
	}
	return x
}

// at gives the atoms whose window stands at a place.
func (w *windows) at(text []byte, i int) []uint32 {
	c := byte(0)
	if i+2 < len(text) {
		c = text[i+2]
	}
	key := trigram(text[i], text[i+1], c)
	mask := uint32(len(w.slots) - 1)
	for at := key * hashFactor >> w.slotShift; ; at = (at + 1) & mask {
		switch s := &w.slots[at]; s.window {
		case key:
			return w.refs[s.first:s.end]
		case 0:
			return nil
		}
	}
}
