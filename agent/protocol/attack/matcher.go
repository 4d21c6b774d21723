package attack

import (
	"math/bits"
)

// Matcher finds the category of texts. It keeps a buffer for texts beyond
// ASCII, as large as the largest of them; one goroutine uses it at a time.
type Matcher struct {
	filter *filter
	folded []byte
	scan   scan
	places [64]int32 // what the filter lets through
}

// NewMatcher makes a matcher. All matchers share one set of rules, made by the
// first.
func NewMatcher() *Matcher {
	return &Matcher{filter: shared()}
}

// Match returns the first category that the text meets, or None. The text is
// percent-decoded; a plus is a plus here. Where it may stand for a blank, in a
// query or a form, the caller tries again with a text made so: pluses first,
// percent signs then, or %2B would become a blank as well.
func (m *Matcher) Match(text []byte) Category { return m.MatchMarked(text, true) }

// MatchMarked is Match for a caller that knows whether the text may hold one of
// the characters * $ : and @: some rules are about nothing else.
func (m *Matcher) MatchMarked(text []byte, rare bool) Category {
	if found := m.find(text, every, rare); found != 0 {
		return Category(bits.TrailingZeros16(uint16(found)))
	}
	return None
}

// Matches reports whether the text meets category c, whatever else it meets.
func (m *Matcher) Matches(text []byte, c Category) bool {
	return c != None && c < categories && m.find(text, 1<<c, true) != 0
}

// find returns categories of want that the text meets; the least of them is
// always among those returned.
func (m *Matcher) find(text []byte, want set, rare bool) set {
	s := &m.scan
	s.start(text, want)
	if !m.windows(s, beyondASCII) {
		m.folded = appendFolded(m.folded[:0], text)
		s.start(m.folded, want)
		m.windows(s, 0)
	}
	found := s.found
	if rare && s.want != 0 {
		found |= s.rest()
	}
	s.text = nil
	return found
}

// windows asks the filter at every second byte and tries the rules it names.
// It returns false as soon as a byte has a bit of high, eight bytes wide.
func (m *Matcher) windows(s *scan, high uint64) bool {
	for at := 0; at < len(s.text); {
		n, next := m.filter.collect(&m.places, s.text, at, high)
		if next < 0 {
			return false
		}
		for _, place := range m.places[:min(n, len(m.places))] {
			if s.want != 0 {
				s.window(m.filter, int(place))
			}
		}
		at = next // also when nothing is wanted: a byte beyond ASCII may follow
	}
	return true
}
