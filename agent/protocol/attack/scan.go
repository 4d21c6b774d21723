package attack

import "bytes"

// rule is a word that a text of its category holds, in lower case. check, if
// there is one, is asked where the word stands, at text[start:end].
type rule struct {
	word     string
	category Category
	check    func(s *scan, start, end int) bool
	next     string // for a word of three letters: what may stand behind it
}

// scan is the reading of one text.
type scan struct {
	text  []byte
	want  set // what would still change the answer
	found set
	form  bool // blanks may have been pluses
	steps int  // bytes looked at by checks, for the tests

	// What a rule that looks far ahead remembers, so that it looks once.
	call, expression, tag    ahead
	selected, cased, climbed bool // searched from the first place: later ones find no more
}

func (s *scan) start(text []byte, want set, form bool) {
	*s = scan{text: text, want: want, form: form}
}

// hit notes a category. Greater ones are of no interest from then on.
func (s *scan) hit(c Category) {
	s.found |= 1 << c
	s.want &= 1<<c - 1
}

// window tries the rules that have a window at text[at:].
func (s *scan) window(f *filter, at int) {
	key := uint64(s.text[at])
	if at+1 < len(s.text) {
		key |= uint64(s.text[at+1]) << 8
	}
	if at+2 < len(s.text) {
		key |= uint64(s.text[at+2]) << 16
	}
	key &= windowMask
	for n := f.chain[place(key)%chains]; n != 0; n = f.windows[n].next {
		w := &f.windows[n]
		s.steps++
		if w.key != uint32(key) {
			continue
		}
		r := &f.rules[w.rule]
		start := at - int(w.offset)
		if s.want.has(r.category) && s.is(start, r.word) && (r.check == nil || r.check(s, start, start+len(r.word))) {
			s.hit(r.category)
		}
	}
}

// is reports whether word, in lower case, stands at start.
func (s *scan) is(start int, word string) bool {
	if start < 0 || len(s.text)-start < len(word) {
		return false
	}
	for n, c := range []byte(s.text[start : start+len(word)]) {
		if lower(c) != word[n] {
			s.steps += n + 1
			return false
		}
	}
	s.steps += len(word)
	return true
}

// oneOf returns the end of the first of words that stands at start.
func (s *scan) oneOf(start int, words ...string) (end int, ok bool) {
	for _, word := range words {
		if s.is(start, word) {
			return start + len(word), true
		}
	}
	return start, false
}

// any reports whether the byte at i is in a class.
func (s *scan) any(i int, class uint8) bool {
	return i >= 0 && i < len(s.text) && classes[s.text[i]]&class != 0
}

// byteIs reports whether the byte at i is c, which is no letter.
func (s *scan) byteIs(i int, c byte) bool {
	return i >= 0 && i < len(s.text) && s.text[i] == c
}

// run returns the end of the run of bytes of a class from i on.
func (s *scan) run(i int, class uint8) int {
	from := i
	for i < len(s.text) && classes[s.text[i]]&class != 0 {
		i++
	}
	s.steps += i - from + 1
	return i
}

// gap returns the end of the run of bytes from i on that are no word characters.
func (s *scan) gap(i int) int {
	from := i
	for i < len(s.text) && classes[s.text[i]]&isWord == 0 {
		i++
	}
	s.steps += i - from + 1
	return i
}

// at least n bytes of a class from i on.
func (s *scan) times(i, n int, class uint8) bool {
	if len(s.text)-i < n {
		return false
	}
	for _, c := range s.text[i : i+n] {
		s.steps++
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}

// wordStart and wordEnd are checks: the word stands alone on one side.
func wordStart(s *scan, start, _ int) bool { return !s.any(start-1, isWord) }
func wordEnd(s *scan, _, end int) bool     { return !s.any(end, isWord) }

// lookFor returns where word stands first from i on; -1 if nowhere.
func (s *scan) lookFor(i int, word string) int {
	for ; i+len(word) <= len(s.text); i++ {
		s.steps++
		if lower(s.text[i]) == word[0] && s.is(i, word) {
			return i
		}
	}
	return -1
}

// lookForWord is lookFor of a word that stands alone on both sides.
func (s *scan) lookForWord(i int, word string) int {
	for {
		if i = s.lookFor(i, word); i < 0 || wordStart(s, i, 0) && wordEnd(s, 0, i+len(word)) {
			return i
		}
		i++
	}
}

// ahead finds the first of some bytes from a place on. Places that it was
// asked before are not searched again as long as they do not go back.
type ahead struct {
	from, to int // none of the bytes is in text[from:to]; text[to] is one, or the end
	asked    bool
}

func (a *ahead) find(s *scan, i int, set string) int {
	if a.asked && a.from <= i && i <= a.to {
		return a.to
	}
	n := bytes.IndexAny(s.text[min(i, len(s.text)):], set)
	if n < 0 {
		n = len(s.text) - i
	}
	s.steps += n + 1
	a.from, a.to, a.asked = i, i+n, true
	return a.to
}
