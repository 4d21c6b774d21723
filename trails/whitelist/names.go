package whitelist

import (
	"encoding/binary"
	"math/bits"
)

// maxName bounds a listed name, the limit of RFC 1035 in its text form.
const maxName = 253

// names is a set of lower-case names that answers for everything below them.
//
// Nearly every question is a miss on every parent, so a filter of bits stands
// in front of the map: a parent is hashed by its length, its first and its
// last eight bytes only, which costs the same for long and short ones. What
// the filter lets through by accident the map decides.
type names struct {
	set    map[string]string // to itself, so that a hit gives a lasting string
	filter []uint64
	shift  uint // of a hash, to index the filter's bits
}

func newNames(list []string) names {
	n := names{set: make(map[string]string, len(list))}
	size := max(bits.Len(uint(len(list)*32)), 9) // 16 to 32 bits per name
	n.filter, n.shift = make([]uint64, 1<<(size-6)), uint(64-size)
	for _, name := range list {
		n.set[name] = name
		bit := hash([]byte(name)) >> n.shift
		n.filter[bit>>6] |= 1 << (bit & 63)
	}
	return n
}

// has says whether a lower-case name itself is in the set.
func (n *names) has(name []byte) bool {
	_, ok := n.set[string(name)]
	return ok
}

func (n *names) may(suffix []byte) bool {
	bit := hash(suffix) >> n.shift
	return n.filter[bit>>6]>>(bit&63)&1 != 0
}

// find gives the entry that a text's leading name is or lies below, the
// nearest if there are several.
func (n *names) find(text []byte) (string, bool) {
	if len(n.set) == 0 {
		return "", false
	}
	var dots [16]uint8
	end, count, upper := 0, 0, false
	for end < len(text) {
		c := class[text[end]]
		if c != 1 {
			if c == 0 {
				break
			}
			if c == 2 {
				upper = true
			} else {
				dots[count&15] = uint8(end)
				count++
			}
		}
		end++
	}
	name := text[:end]
	for len(name) > 0 && name[len(name)-1] == '.' {
		name = name[:len(name)-1] // a rooted name
	}
	if !upper && len(name) <= maxName {
		if count <= len(dots) && len(name) == end {
			return n.jump(name, dots[:count])
		}
		return n.walk(name)
	}
	// No entry is longer than maxName: of a longer text only its end counts,
	// and the label it is cut in is not looked at.
	var buf [maxName + 1]byte
	cut := len(name) > len(buf)
	if cut {
		name = name[len(name)-len(buf):]
	}
	lower := buf[:len(name)]
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	if cut {
		for len(lower) > 0 && lower[0] != '.' {
			lower = lower[1:]
		}
		if len(lower) > 0 {
			lower = lower[1:]
		}
	}
	return n.walk(lower)
}

// jump is walk for a name whose dots are known.
func (n *names) jump(name []byte, dots []uint8) (string, bool) {
	if len(name) == 0 {
		return "", false
	}
	if n.may(name) {
		if s, ok := n.set[string(name)]; ok {
			return s, true
		}
	}
	for _, dot := range dots {
		if suffix := name[int(dot)+1:]; n.may(suffix) {
			if s, ok := n.set[string(suffix)]; ok {
				return s, true
			}
		}
	}
	return "", false
}

func (n *names) walk(name []byte) (string, bool) {
	if len(name) == 0 {
		return "", false
	}
	if n.may(name) {
		if s, ok := n.set[string(name)]; ok {
			return s, true
		}
	}
	for i, c := range name {
		if c == '.' && n.may(name[i+1:]) {
			if s, ok := n.set[string(name[i+1:])]; ok {
				return s, true
			}
		}
	}
	return "", false
}

// hash mixes the length and both ends of a name.
func hash(b []byte) uint64 {
	var first, last uint64
	switch n := len(b); {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		first = uint64(b[0]) | uint64(b[n>>1])<<8 | uint64(b[n-1])<<16
	}
	hi, lo := bits.Mul64(first^0x9e3779b97f4a7c15, last^uint64(len(b))*0xd6e8feb86659fd93^0xa0761d6478bd642f)
	return (hi ^ lo) * 0x9e3779b97f4a7c15
}

// class tells the bytes of a name apart: letters, digits, '-' and '_' 1,
// capital letters 2, dots 3, all others 0.
var class = func() (t [256]byte) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-':
			t[c] = 1
		case c == '.':
			t[c] = 3
		case c >= 'A' && c <= 'Z':
			t[c] = 2
		}
	}
	return t
}()
