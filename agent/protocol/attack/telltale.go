package attack

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// telltales are words of which one stands in each text of a sinkhole.
var telltales = [...]string{"sinkhole", "zinkhole", ".sinkdns.org:80", "/sinksoft", "set-cookie: snkz=", "bots party hard"}

// Their filter has windows of four bytes, asked at every fifth byte: the
// shortest word has one wherever it starts.
const (
	taleStep  = 5
	taleSize  = 4
	taleBits  = 12
	taleWords = 1 << taleBits / 64
	taleMask  = 0xdfdfdfdf
)

type taleFilter struct {
	bits    [taleWords]uint64
	windows []taleWindow
}

type taleWindow struct {
	key    uint32
	offset int
	word   string
}

func talePlace(key uint32) uint64 { return uint64(key) * filterMul >> (64 - taleBits) }

var tales = sync.OnceValue(func() *taleFilter {
	f := new(taleFilter)
	for _, word := range telltales {
		for residue := range taleStep {
			best := residue
			for at := residue; at+taleSize <= len(word); at += taleStep {
				if weight(word[at:at+taleSize]) < weight(word[best:best+taleSize]) {
					best = at
				}
			}
			key := binary.LittleEndian.Uint32([]byte(word[best:])) & taleMask
			h := talePlace(key)
			f.bits[h>>6] |= 1 << (h & 63)
			f.windows = append(f.windows, taleWindow{key, best, word})
		}
	}
	return f
})

var (
	longS  = []byte("ſ")
	kelvin = []byte("\u212a")
)

// telltale is false for nearly all responses.
func telltale(head []byte) bool {
	f, seen := tales(), uint64(0)
	for at := 0; at < len(head); at += taleStep {
		step, all := f.skip(head[at:])
		if at, seen = at+step, seen|all; f.tells(head, at) {
			return true
		}
	}
	// What folds to an s or a k hides a word from the filter.
	return seen&beyondASCII != 0 && (bytes.Contains(head, longS) || bytes.Contains(head, kelvin))
}

// skip returns the place of the next window that the filter lets through, or
// where too little is left to ask twice, and the bits of the bytes before, but
// for each tenth: every byte of a character beyond ASCII is beyond it, and no
// such character has one only. It calls nothing, so that its loop stays in
// registers.
func (f *taleFilter) skip(text []byte) (at int, seen uint64) {
	rest := text
	for ; len(rest) >= 2*taleStep; rest = rest[2*taleStep:] {
		w, v := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint32(rest[taleStep:])
		seen |= w | uint64(v)<<8
		if h := talePlace(uint32(w) & taleMask); f.bits[h>>6%taleWords]>>(h&63)&1 != 0 {
			return len(text) - len(rest), seen
		}
		if h := talePlace(v & taleMask); f.bits[h>>6%taleWords]>>(h&63)&1 != 0 {
			return len(text) - len(rest) + taleStep, seen
		}
	}
	for _, c := range rest {
		seen |= uint64(c)
	}
	return len(text) - len(rest), seen
}

// tells reports whether a word has a window at head[at:] and stands there.
func (f *taleFilter) tells(head []byte, at int) bool {
	if len(head)-at < taleSize {
		return false
	}
	key := binary.LittleEndian.Uint32(head[at:]) & taleMask
	for i := range f.windows {
		if w := &f.windows[i]; w.key == key && at >= w.offset && stands(head, at-w.offset, w.word) {
			return true
		}
	}
	return false
}
