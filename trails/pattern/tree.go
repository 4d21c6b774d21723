package pattern

import (
	"regexp/syntax"
	"unicode/utf8"
)

// A parsed pattern is one that will compile.
type parsed struct {
	text       string // in the syntax of its machine
	backtracks bool
	fold       bool
	flat       []*syntax.Regexp // the parts in a row; nil if it backtracks
	min, max   int              // bytes of a match; max is unlimited if maxLength
}

// parse checks a pattern and takes it apart.
func parse(pattern string, fold bool) (parsed, error) {
	text, backtracks, err := translate(pattern)
	p := parsed{text: text, backtracks: backtracks, fold: fold, max: maxLength}
	if err != nil {
		return p, err
	}
	if backtracks {
		machine, err := compileBacktracking(text, fold)
		if err != nil {
			return p, err
		}
		if found, err := machine.MatchString(""); found || err != nil {
			return p, ErrEmptyMatch
		}
		return p, nil
	}
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(text, flags)
	if err != nil {
		return p, err
	}
	if instructions(tree) > maxInstructions {
		return p, ErrTooLarge
	}
	p.min, p.max = lengths(tree)
	if p.min == 0 {
		return p, ErrEmptyMatch
	}
	p.flat = flatten(nil, tree)
	return p, nil
}

// flatten gives the parts that follow one another, without the groups around
// them: a Set has no use for submatches.
func flatten(to []*syntax.Regexp, re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			to = flatten(to, sub)
		}
		return to
	case syntax.OpEmptyMatch:
		return to
	}
	return append(to, re)
}

const maxLength = 1 << 20

// lengths gives the bounds of a match in bytes.
func lengths(re *syntax.Regexp) (low, high int) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			a, b := runeLengths(r, re.Flags&syntax.FoldCase != 0)
			low, high = low+a, high+b
		}
	case syntax.OpCharClass:
		low, high = utf8.UTFMax, 1
		for i := 0; i+1 < len(re.Rune); i += 2 {
			low = min(low, utf8.RuneLen(re.Rune[i]))
			high = max(high, utf8.RuneLen(min(re.Rune[i+1], utf8.MaxRune)))
			if re.Rune[i] <= utf8.RuneError && utf8.RuneError <= re.Rune[i+1] {
				low = 1 // a byte that is no UTF-8 reads as U+FFFD
			}
		}
		low = max(low, 1) // the half surrogates have no length
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		low, high = 1, utf8.UTFMax
	case syntax.OpCapture:
		return lengths(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			a, b := lengths(sub)
			low, high = low+a, high+b
		}
	case syntax.OpAlternate:
		low = maxLength
		for _, sub := range re.Sub {
			a, b := lengths(sub)
			low, high = min(low, a), max(high, b)
		}
	case syntax.OpQuest:
		_, high = lengths(re.Sub[0])
	case syntax.OpStar:
		high = maxLength
	case syntax.OpPlus:
		low, _ = lengths(re.Sub[0])
		high = maxLength
	case syntax.OpRepeat:
		a, b := lengths(re.Sub[0])
		low, high = a*re.Min, b*re.Max
		if re.Max < 0 {
			high = maxLength
		}
	case syntax.OpNoMatch:
		return 1, 1
	}
	return min(low, maxLength), min(high, maxLength)
}

// runeLengths gives the bytes of a rune: "s" in a pattern that ignores case
// takes the two bytes of U+017F too.
func runeLengths(r rune, fold bool) (low, high int) {
	if r == utf8.RuneError {
		return 1, 3
	}
	if !fold {
		n := max(utf8.RuneLen(r), 1)
		return n, n
	}
	low, high = utf8.UTFMax, 1
	for _, same := range orbit(nil, r) {
		low, high = min(low, utf8.RuneLen(same)), max(high, utf8.RuneLen(same))
	}
	return max(low, 1), high
}

// instructions estimates the size of the machine.
func instructions(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min+1, re.Max)
	}
	return min(n, maxLength)
}
