package filter

import "slices"

// A fact is what earlier tests have said about a load. It is only known if the
// load has been done, so that what is left out for a fact's sake could not have
// ended the program.
type fact struct {
	load load
	// one: the number is one of these; nil: any from low to high, both
	// included, but none of not.
	one       []uint32
	low, high uint32
	not       []uint32
}

// Bounds of what is remembered; forgetting is never wrong.
const (
	maxFacts  = 16
	maxValues = 8 // of one and of not
)

// holds says what a test gives for a number.
func (t test) holds(number uint32) bool {
	switch t.op {
	case equal:
		return number == t.value
	case greater:
		return number > t.value
	}
	return number >= t.value
}

// says tells whether the fact decides a test.
func (f *fact) says(t test) (value, known bool) {
	if f.one != nil {
		value = t.holds(f.one[0])
		for _, number := range f.one[1:] {
			if t.holds(number) != value {
				return false, false
			}
		}
		return value, true
	}
	if t.op == equal {
		return false, f.excludes(t.value)
	}
	value = t.holds(f.low)
	return value, value == t.holds(f.high)
}

// learn narrows the fact down by the outcome of a test. An outcome that cannot
// be teaches nothing: nothing will run behind it.
func (f *fact) learn(t test, outcome bool) {
	switch {
	case t.op == equal && outcome:
		f.one = []uint32{t.value}
	case f.one != nil:
		var left []uint32
		for _, number := range f.one {
			if t.holds(number) == outcome {
				left = append(left, number)
			}
		}
		if left != nil {
			f.one = left
		}
	case t.op == equal:
		if len(f.not) < maxValues {
			f.not = append(slices.Clip(f.not), t.value)
		}
	case outcome && t.op == greater:
		f.low = max(f.low, saturated(t.value, 1))
	case outcome:
		f.low = max(f.low, t.value)
	case t.op == greater:
		f.high = min(f.high, t.value)
	default:
		f.high = min(f.high, saturated(t.value, -1))
	}
}

// saturated is v+d for d of 1 or -1, but v at the end of the range.
func saturated(v uint32, d int64) uint32 {
	return uint32(min(max(int64(v)+d, 0), 1<<32-1))
}

func (f *fact) excludes(v uint32) bool {
	if f.one != nil {
		return !slices.Contains(f.one, v)
	}
	return v < f.low || v > f.high || slices.Contains(f.not, v)
}

// span is the least and the greatest number there may be.
func (f *fact) span() (low, high uint32) {
	if f.one != nil {
		return slices.Min(f.one), slices.Max(f.one)
	}
	return f.low, f.high
}

// meet is what is known if one of two facts is true.
func (f *fact) meet(g *fact) fact {
	m := fact{load: f.load}
	if f.one != nil && g.one != nil {
		m.one = slices.Clone(f.one)
		for _, v := range g.one {
			if !slices.Contains(m.one, v) {
				m.one = append(m.one, v)
			}
		}
		if len(m.one) <= maxValues {
			return m
		}
		m.one = nil
	}
	low1, high1 := f.span()
	low2, high2 := g.span()
	m.low, m.high = min(low1, low2), max(high1, high2)
	for _, v := range slices.Concat(f.not, g.not) {
		if f.excludes(v) && g.excludes(v) && !slices.Contains(m.not, v) && len(m.not) < maxValues {
			m.not = append(m.not, v)
		}
	}
	return m
}

// facts are what is known at a place of the program. They are not changed in
// place.
type facts []fact

func (f facts) about(l load) *fact {
	for i := range f {
		if f[i].load == l {
			return &f[i]
		}
	}
	return nil
}

func (f facts) decides(t test) (value, known bool) {
	if about := f.about(t.load); about != nil {
		return about.says(t)
	}
	return false, false
}

// after is what is known after the outcome of a test.
func (f facts) after(t test, outcome bool) facts {
	next := make(facts, len(f), len(f)+1)
	copy(next, f)
	about := next.about(t.load)
	if about == nil {
		if len(next) == maxFacts {
			next = slices.Delete(next, 0, 1)
		}
		next = append(next, fact{load: t.load, high: ^uint32(0)})
		about = &next[len(next)-1]
	}
	about.learn(t, outcome)
	return next
}

// meet is what is known where two ways come together.
func (f facts) meet(g facts) facts {
	var both facts
	for i := range f {
		if other := g.about(f[i].load); other != nil {
			both = append(both, f[i].meet(other))
		}
	}
	return both
}
