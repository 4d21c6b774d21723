package attack

// Matcher finds the category of texts. It keeps a buffer for texts beyond
// ASCII, as large as the largest of them; one goroutine uses it at a time.
type Matcher struct {
	filter  *filter
	omitted set // categories that are not tried
	folded  []byte
	scan    scan
	places  [64]int32 // what the filter lets through
}

// NewMatcher makes a matcher. All matchers share one set of rules, made by the
// first.
func NewMatcher() *Matcher {
	return &Matcher{filter: shared()}
}

// Omit makes the categories that are not tried from now on these: a text has the first
// of the others that it meets.
func (m *Matcher) Omit(list ...Category) {
	m.omitted = 0
	for _, c := range list {
		m.omitted |= 1 << c
	}
}

// Omitted returns the first category that the text would meet, were it tried. Form is
// said of a text as MatchForm wants it.
func (m *Matcher) Omitted(text []byte, form bool) Category {
	return m.find(text, m.omitted, true, form).least()
}

// Match returns the first category that the text meets, or None. The text is
// percent-decoded; a plus is a plus here.
func (m *Matcher) Match(text []byte) Category { return m.MatchMarked(text, true) }

// MatchMarked is Match for a caller that knows whether the text may hold one of
// the characters * $ : and @: some rules are about nothing else.
func (m *Matcher) MatchMarked(text []byte, rare bool) Category {
	return m.find(text, every&^m.omitted, rare, false).least()
}

// MatchForm is Match for a text whose pluses were made blanks, which they stand for in
// a query or a form. Words that people search for are written that way, too, so rules
// that hold for ordinary sentences are tighter here.
func (m *Matcher) MatchForm(text []byte) Category {
	return m.find(text, every&^m.omitted, true, true).least()
}

// Matches reports whether the text meets category c, whatever else it meets.
func (m *Matcher) Matches(text []byte, c Category) bool {
	return c != None && c < categories && m.find(text, 1<<c, true, false) != 0
}

// find returns categories of want that the text meets; the least of them is
// always among those returned.
func (m *Matcher) find(text []byte, want set, rare, form bool) set {
	s := &m.scan
	s.start(text, want, form)
	if !m.windows(s, beyondASCII) {
		m.folded = appendFolded(m.folded[:0], text)
		s.start(m.folded, want, form)
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
