package attack

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
)

// The filter knows three-byte windows that stand in the words of the rules. It
// is asked at every second byte of a text only, so each word has two windows
// in it: one at an even offset, for where the word starts at an even place,
// one at an odd offset.
const (
	windowMask = 0xdfdfdf // three bytes, letters folded (and others: a word is compared whole afterwards)
	filterBits = 15
	filterMul  = 0x9e3779b97f4a7c15 // golden ratio: spreads windows over the bits

	beyondASCII = 0x8080808080808080
	filterWords = 1 << filterBits / 64
	chains      = 1 << 9
)

// window is where a rule's word could be: its offset in the word may be -1,
// when the byte before the word belongs to the window.
type window struct {
	key    uint32
	rule   uint8
	offset int8
	next   uint16 // in the chain, 0 at its end
}

type filter struct {
	bits    [filterWords]uint64
	chain   [chains]uint16
	windows []window
	rules   []rule
}

// place is the bit of a window.
func place(key uint64) uint64 { return key * filterMul >> (64 - filterBits) }

// shared is the filter of all rules, made at first use.
var shared = sync.OnceValue(func() *filter {
	f := &filter{windows: make([]window, 1, 1024)} // 0 is no window
	for _, part := range [][]rule{sqlRules, markupRules, leakageRules, commandRules, fileRules, scannerRules, resolverRules} {
		f.rules = append(f.rules, part...)
	}
	for n, r := range f.rules {
		f.add(uint8(n), r)
	}
	return f
})

// add enters the two windows of a rule's word, the rarest ones.
func (f *filter) add(n uint8, r rule) {
	switch {
	case len(r.word) > 3:
		for parity := range 2 {
			best := parity
			for at := parity; at+3 <= len(r.word); at += 2 {
				if weight(r.word[at:at+3]) < weight(r.word[best:best+3]) {
					best = at
				}
			}
			f.enter(n, r.word[best:best+3], best)
		}
	case len(r.word) == 3: // a whole word: behind no word character, or before one of those that may follow
		f.enter(n, r.word, 0)
		if r.next != "" {
			for _, c := range []byte(r.next) {
				f.enter(n, r.word[1:]+string(c), 1)
			}
			return
		}
		f.behind(n, r.word[:2])
	default: // a whole word of two letters
		for c := range 128 {
			if classes[c]&isWord == 0 {
				f.enter(n, r.word+string(rune(c)), 0)
			}
		}
		f.behind(n, r.word)
	}
}

// behind enters two letters behind each byte that is no word character.
func (f *filter) behind(n uint8, letters string) {
	for c := range 128 {
		if classes[c]&isWord == 0 {
			f.enter(n, string(rune(c))+letters, -1)
		}
	}
}

func (f *filter) enter(n uint8, text string, offset int) {
	key := (uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16) & windowMask
	h := place(key)
	f.bits[h>>6] |= 1 << (h & 63)
	head := &f.chain[h%chains]
	for at := *head; at != 0; at = f.windows[at].next {
		if w := f.windows[at]; w.key == uint32(key) && w.rule == n && int(w.offset) == offset {
			return // bytes that fold to the same
		}
	}
	f.windows = append(f.windows, window{key: uint32(key), rule: n, offset: int8(offset), next: *head})
	*head = uint16(len(f.windows) - 1)
}

// collect writes down the places from text[at:] on that may be windows, as
// many as there is room for, and returns how many and where to go on: the end
// when nothing is left, -1 when a byte has a bit of high, eight bytes wide.
// It calls nothing, so that its loop stays in registers.
func (f *filter) collect(places *[64]int32, text []byte, at int, high uint64) (n, next int) {
	rest := text[at:]
	for ; len(rest) >= 8; rest = rest[6:] {
		w := binary.LittleEndian.Uint64(rest)
		if w&high != 0 {
			return n, -1
		}
		if h := place(uint64(uint32(w)) & windowMask); f.bits[h>>6%filterWords]>>(h&63)&1 != 0 {
			places[n&63] = int32(len(text) - len(rest))
			n++
		}
		if h := place(uint64(binary.LittleEndian.Uint32(rest[2:])) & windowMask); f.bits[h>>6%filterWords]>>(h&63)&1 != 0 {
			places[n&63] = int32(len(text) - len(rest) + 2)
			n++
		}
		if h := place(uint64(binary.LittleEndian.Uint32(rest[4:])) & windowMask); f.bits[h>>6%filterWords]>>(h&63)&1 != 0 {
			places[n&63] = int32(len(text) - len(rest) + 4)
			n++
		}
		if n > len(places)-4 {
			return n, len(text) - len(rest) + 6
		}
	}
	var w uint64 // the last bytes, zeros behind them; at most four windows
	for i := len(rest) - 1; i >= 0; i-- {
		w = w<<8 | uint64(rest[i])
	}
	if w&high != 0 {
		return n, -1
	}
	for i := 0; i < len(rest); i += 2 {
		if h := place(w & windowMask); f.bits[h>>6%filterWords]>>(h&63)&1 != 0 {
			places[n&63] = int32(len(text) - len(rest) + i)
			n++
		}
		w >>= 16
	}
	return n, len(text)
}

// common are windows of rules' words that stand in many harmless requests.
var common = strings.Fields("ing end nd= p:/ :// //i hp: id= cid ti= en= um= or= ack ect for .ph php exe .ex bin /bi in/ win in. ini /et etc tc/ 123 " +
	"ale ert cur ime url tel com omp mpa www ../ erv ser ver con nfi pro ase cat rom ons ont ion tio ran ans get pas hos sys sid use dat sel ele " +
	"uni nsi inf dro rop ord mod ate chm out _in _se _st e_s e_e")

// weight says how often a window stands in harmless requests, roughly.
func weight(window string) (sum int) {
	const often = "zqjxkvwyfbgpmhudclrnisoate" // letters, the rarest first
	if slices.Contains(common, window) {
		return 100
	}
	for _, c := range []byte(window) {
		switch {
		case c >= 'a' && c <= 'z':
			for n := range len(often) {
				if often[n] == c {
					sum += n
				}
			}
		case c >= '0' && c <= '9':
			sum += 12
		case c == '/', c == '.', c == '=', c == '-', c == '_', c == ' ':
			sum += 14
		}
	}
	return sum
}
