package lint

import (
	"regexp/syntax"
	"strings"
)

// maxSample bounds a sample text.
const maxSample = 1024

// sampler makes texts that an expression matches. Each variant takes other
// alternatives, repeats and characters where there is a choice.
type sampler struct {
	variant int
	fits    func(r rune) bool // characters that the observable can carry
	out     []rune
}

// sample gives one text for an expression. Anchors need nothing, since the text
// is the whole observable; word boundaries are left to luck and the variants.
func sample(re *syntax.Regexp, variant int, fits func(rune) bool) (string, bool) {
	s := sampler{variant: variant, fits: fits}
	if !s.walk(re) || len(s.out) == 0 {
		return "", false
	}
	return string(s.out), true
}

// choice spreads the variants over the places where there is one.
func (s *sampler) choice(n int) int { return (s.variant + s.variant*len(s.out)%7) % n }

func (s *sampler) walk(re *syntax.Regexp) bool {
	if len(s.out) > maxSample {
		return false
	}
	switch re.Op {
	case syntax.OpNoMatch:
		return false
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if r >= 'A' && r <= 'Z' && re.Flags&syntax.FoldCase != 0 {
				r |= 0x20
			}
			s.out = append(s.out, r)
		}
	case syntax.OpCharClass:
		return s.class(re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		s.out = append(s.out, rune('a'+s.choice(26)))
	case syntax.OpCapture:
		return s.walk(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !s.walk(sub) {
				return false
			}
		}
	case syntax.OpAlternate:
		return s.alternate(re.Sub)
	case syntax.OpStar, syntax.OpQuest:
		return s.repeat(re.Sub[0], s.variant%2)
	case syntax.OpPlus:
		return s.repeat(re.Sub[0], 1+s.variant%3)
	case syntax.OpRepeat:
		n := re.Min
		if s.variant > 0 && (re.Max < 0 || re.Max > n) {
			n++
		}
		return s.repeat(re.Sub[0], n)
	}
	return true // anchors, boundaries, nothing
}

func (s *sampler) repeat(re *syntax.Regexp, n int) bool {
	for range n {
		if !s.walk(re) {
			return false
		}
	}
	return true
}

// alternate takes the alternative of the variant, else the next that works.
func (s *sampler) alternate(list []*syntax.Regexp) bool {
	at, first := len(s.out), s.choice(len(list))
	for i := range list {
		s.out = s.out[:at]
		if s.walk(list[(first+i)%len(list)]) {
			return true
		}
	}
	return false
}

// class takes one of the characters that the observable can carry.
func (s *sampler) class(ranges []rune) bool {
	skip, first := s.choice(26), rune(-1)
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1] && r < 0x80; r++ {
			if !s.fits(r) {
				continue
			}
			if first < 0 {
				first = r
			}
			if skip == 0 {
				s.out = append(s.out, r)
				return true
			}
			skip--
		}
	}
	if first < 0 {
		return false
	}
	s.out = append(s.out, first)
	return true
}

// parseExpression reads an expression in the dialect of lists as far as
// samples need it: \Z is the end, possessive quantifiers are greedy ones. What
// looks around is left out of the text: the sample is tried, not trusted.
func parseExpression(text string, flags syntax.Flags) (*syntax.Regexp, error) {
	text = strings.NewReplacer(`\\`, `\\`, `\Z`, `\z`, `++`, `+`, `*+`, `*`, `?+`, `?`, `}+`, `}`).Replace(text)
	return syntax.Parse(dropLooks(text), flags|syntax.Perl)
}

// dropLooks cuts look-around groups out.
func dropLooks(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if n := lookLength(text[i:]); n > 0 {
			i += n
			continue
		}
		if text[i] == '\\' && i+1 < len(text) {
			out.WriteByte(text[i])
			i++
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

func lookLength(text string) int {
	if !strings.HasPrefix(text, "(?=") && !strings.HasPrefix(text, "(?!") && !strings.HasPrefix(text, "(?<=") && !strings.HasPrefix(text, "(?<!") {
		return 0
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
