package pattern

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// Bounds for the texts one part of a pattern may stand for.
const (
	maxProduct = 64   // texts made by joining parts that each have several
	maxUnion   = 1024 // texts of an alternation
	maxBytes   = 8192 // bytes of all texts together
	maxParts   = 8    // parts in a row looked at together
)

// words are all texts that a part of a pattern can match, in lower case as
// fold makes it. The expression may compare case: closed says whether it does
// not, so that a text is matched if and only if its lower case is listed.
type words struct {
	list   []string
	closed bool
}

// fold gives the rune that stands for r in literals: ASCII lower case, and the
// two letters outside of ASCII that are equal to an ASCII letter when case is
// ignored. The texts searched are treated the same.
func fold(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r | 0x20
	case r == longS:
		return 's'
	case r == kelvin:
		return 'k'
	}
	return r
}

const (
	longS  = '\u017F' // small letter long s
	kelvin = '\u212A' // Kelvin sign
)

// orbit appends r and all that equal it when case is ignored.
func orbit(to []rune, r rune) []rune {
	to = append(to, r)
	for same := unicode.SimpleFold(r); same != r; same = unicode.SimpleFold(same) {
		to = append(to, same)
	}
	return to
}

// exact gives all texts that re can match; false if there are too many or they
// are no literals.
func exact(re *syntax.Regexp) (words, bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return words{[]string{""}, true}, true
	case syntax.OpLiteral:
		text, closed, n := literalPrefix(re)
		return words{[]string{text}, closed}, n == len(re.Rune)
	case syntax.OpCharClass:
		return classWords(re.Rune)
	case syntax.OpCapture:
		return exact(re.Sub[0])
	case syntax.OpConcat:
		all := words{[]string{""}, true}
		for _, sub := range re.Sub {
			w, ok := exact(sub)
			if ok {
				all, ok = join(all, w)
			}
			if !ok {
				return words{}, false
			}
		}
		return all, true
	case syntax.OpAlternate:
		var all words
		all.closed = true
		for _, sub := range re.Sub {
			w, ok := exact(sub)
			if ok {
				all, ok = union(all, w)
			}
			if !ok {
				return words{}, false
			}
		}
		return all, true
	case syntax.OpQuest:
		w, ok := exact(re.Sub[0])
		if !ok {
			return words{}, false
		}
		return union(w, words{[]string{""}, true})
	case syntax.OpRepeat:
		return repeated(re)
	}
	return words{}, false
}

func repeated(re *syntax.Regexp) (words, bool) {
	w, ok := exact(re.Sub[0])
	if !ok || re.Max < 0 {
		return words{}, false
	}
	power := words{[]string{""}, true}
	all := words{closed: true}
	for n := 0; n <= re.Max; n++ {
		if n >= re.Min {
			if all, ok = union(all, power); !ok {
				return words{}, false
			}
		}
		if n < re.Max {
			if power, ok = join(power, w); !ok {
				return words{}, false
			}
		}
	}
	return all, true
}

// literalPrefix gives the folded text of a literal up to the first rune that
// cannot be searched as bytes, whether it ignores case, and the runes taken.
func literalPrefix(re *syntax.Regexp) (text string, closed bool, runes int) {
	ignoresCase := re.Flags&syntax.FoldCase != 0
	closed = true
	buf := make([]byte, 0, len(re.Rune)+utf8.UTFMax)
	for _, r := range re.Rune {
		f := fold(r)
		// U+FFFD matches any byte that is no UTF-8.
		if r == utf8.RuneError || (ignoresCase && f >= utf8.RuneSelf) {
			return string(buf), closed, runes
		}
		if !ignoresCase && ((f >= 'a' && f <= 'z') || f != r) {
			closed = false
		}
		buf = utf8.AppendRune(buf, f)
		runes++
	}
	return string(buf), closed, runes
}

func classWords(ranges []rune) (words, bool) {
	w := words{closed: true}
	var seen [2]map[rune]bool // folded runes, met in lower case or as themselves, and in upper case
	seen[0], seen[1] = map[rune]bool{}, map[rune]bool{}
	total := 0
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i] <= utf8.RuneError && utf8.RuneError <= ranges[i+1] {
			return words{}, false
		}
		if total += int(ranges[i+1]-ranges[i]) + 1; total > 2*maxProduct {
			return words{}, false
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			f := fold(r)
			if !seen[0][f] && !seen[1][f] {
				w.list = append(w.list, string(f))
			}
			if r >= 'A' && r <= 'Z' {
				seen[1][f] = true
			} else if f == r {
				seen[0][f] = true
			}
		}
	}
	for _, s := range w.list {
		if c := s[0]; c >= 'a' && c <= 'z' && !(seen[0][rune(c)] && seen[1][rune(c)]) {
			w.closed = false
		}
	}
	return w, len(w.list) > 0 && len(w.list) <= maxProduct
}

// join gives every text of a followed by every text of b.
func join(a, b words) (words, bool) {
	n := len(a.list) * len(b.list)
	if n > maxProduct && len(a.list) != 1 && len(b.list) != 1 {
		return words{}, false
	}
	if size(a.list)*len(b.list)+size(b.list)*len(a.list) > maxBytes {
		return words{}, false
	}
	out := words{make([]string, 0, n), a.closed && b.closed}
	for _, x := range a.list {
		for _, y := range b.list {
			out.list = append(out.list, x+y)
		}
	}
	return out, true
}

func union(a, b words) (words, bool) {
	if len(a.list)+len(b.list) > maxUnion || size(a.list)+size(b.list) > maxBytes {
		return words{}, false
	}
	out := words{append(a.list[:len(a.list):len(a.list)], b.list...), a.closed && b.closed}
	return out, true
}

func size(list []string) int {
	n := 0
	for _, s := range list {
		n += len(s)
	}
	return n
}
