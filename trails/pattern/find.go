package pattern

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Find gives the leftmost match of all patterns; of several that start there,
// that of the earliest pattern. This is what one alternation of all patterns
// in their order gives. The index is that in the list given to Compile; text
// is matched at text[start:end].
func (s *Set) Find(text []byte) (index, start, end int, ok bool) {
	if len(text) == 0 || len(s.entries) == 0 {
		return 0, 0, 0, false
	}
	if !isASCII(text) && (bytes.Contains(text, []byte(string(longS))) || bytes.Contains(text, []byte(string(kelvin)))) {
		return s.findFolded(text)
	}
	if !s.visit(text, len(text), nil) {
		return 0, 0, 0, false
	}
	return s.collect(text, text)
}

// findFolded is for the rare text with a letter outside of ASCII that equals
// an ASCII letter when case is ignored. Candidates are found in a text that
// has the ASCII letter instead; expressions see the text as it is.
func (s *Set) findFolded(text []byte) (index, start, end int, ok bool) {
	folded := bytes.ReplaceAll(text, []byte(string(longS)), []byte("s"))
	folded = bytes.ReplaceAll(folded, []byte(string(kelvin)), []byte("k"))
	return s.collect(text, folded)
}

// collect gathers all candidates and gives the best match among them.
func (s *Set) collect(text, folded []byte) (index, start, end int, ok bool) {
	m := matches{best: -1, folded: len(text) != len(folded)}
	var marks [128]uint64
	m.marks = marks[:]
	if n := len(s.entries); n > 64*len(marks) {
		m.marks = make([]uint64, (n+63)/64)
	}
	s.visit(folded, len(text), &m)
	s.run(text, &m)
	if m.best < 0 {
		return 0, 0, 0, false
	}
	return int(s.entries[m.best].index), m.start, m.end, true
}

// matches are what visit found in a text.
type matches struct {
	best       int // entry of the best match so far, -1 if there is none
	start, end int
	marks      []uint64 // one bit for each entry whose expression must be run
	folded     bool     // the text visited is not the text to be matched
}

// offer takes a match.
func (m *matches) offer(entry, start, end int) {
	if m.best < 0 || start < m.start || (start == m.start && entry < m.best) {
		m.best, m.start, m.end = entry, start, end
	}
}

func (m *matches) mark(entry int) { m.marks[entry>>6] |= 1 << (entry & 63) }

// visit looks for all candidates in a text; length is that of the text before
// folding. Without m it stops at the first and says whether there is one.
func (s *Set) visit(text []byte, length int, m *matches) bool {
	four := firstFour(text)
	for i, list := 0, s.heads.at(text); i < len(list); i++ {
		h := &list[i]
		if four&h.mask != h.key || !hasPrefix(text, h.text) || !s.admit(int(h.entry), text, 0, length, m) {
			continue
		}
		if m == nil {
			return true
		}
	}
	for _, id := range s.whole.find(text) {
		if m == nil {
			return true
		}
		if s.entries[id].closed && !m.folded {
			m.offer(int(id), 0, len(text))
		} else {
			m.mark(int(id))
		}
	}
	for _, id := range s.always {
		e := &s.entries[id]
		if !e.fits(text, length) {
			continue
		}
		if m == nil {
			return true
		}
		m.mark(int(id))
	}
	w := &s.windows
	for i := w.next(text, 0); i >= 0; i = w.next(text, i+1) {
		for _, ref := range w.at(text, i) {
			a := &w.atoms[ref]
			start := i - int(a.at)
			if start < 0 || !hasPrefix(text[start:], a.text) || !s.admit(int(a.entry), text, start, length, m) {
				continue
			}
			if m == nil {
				return true
			}
		}
	}
	return false
}

// admit takes an entry whose literal stands at start, unless its other
// conditions fail.
func (s *Set) admit(id int, text []byte, start, length int, m *matches) bool {
	e := &s.entries[id]
	if !e.fits(text, length) {
		return false
	}
	if e.plain.text == "" || (m != nil && m.folded) {
		if m != nil {
			m.mark(id)
		}
		return true
	}
	if !e.plain.at(text, start) {
		return false
	}
	if m != nil {
		m.offer(id, start, start+len(e.plain.text))
	}
	return true
}

// run runs the marked expressions in order.
func (s *Set) run(text []byte, m *matches) {
	for i, word := range m.marks {
		for ; word != 0; word &= word - 1 {
			id := i<<6 + bits.TrailingZeros64(word)
			if m.best >= 0 && m.start == 0 && m.best < id {
				return // nothing that follows can be better
			}
			if start, end, ok := s.entries[id].expr.find(text); ok {
				m.offer(id, start, end)
			}
		}
	}
}

func isASCII(text []byte) bool {
	for len(text) >= 8 {
		if binary.LittleEndian.Uint64(text)&0x8080808080808080 != 0 {
			return false
		}
		text = text[8:]
	}
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
