package pattern

import "slices"

// heads are literals that stand at the start of the text, by their first byte.
type heads struct {
	list   []head
	bounds [257]uint16 // list[bounds[c]:bounds[c+1]] starts with c
}

// A head is compared by its first four bytes, and then as a whole.
type head struct {
	key, mask uint32
	entry     uint16
	text      string // in lower case
}

func (h *heads) add(id uint16, text string) {
	x := head{entry: id, text: text}
	for i := range min(4, len(text)) {
		x.key |= uint32(text[i]|0x20) << (8 * i)
		x.mask |= 0xFF << (8 * i)
	}
	h.list = append(h.list, x)
}

func (h *heads) finish() {
	slices.SortStableFunc(h.list, func(a, b head) int { return int(a.text[0]) - int(b.text[0]) })
	for _, x := range h.list {
		h.bounds[int(x.text[0])+1]++
	}
	for c := range 256 {
		h.bounds[c+1] += h.bounds[c]
	}
}

// at gives the heads that may start with the first byte of a text.
func (h *heads) at(text []byte) []head {
	c := int(lower(text[0]))
	return h.list[h.bounds[c]:h.bounds[c+1]]
}

// firstFour gives the first four bytes in the form of head.key.
func firstFour(text []byte) uint32 {
	if len(text) >= 4 {
		return (uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24) | 0x20202020
	}
	x := uint32(0)
	for i, c := range text {
		x |= uint32(c|0x20) << (8 * i)
	}
	return x
}
