package pattern

import (
	"bytes"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// An entry is one pattern in use.
type entry struct {
	expr     *expression
	plain    plain
	index    int32 // in the list given to Compile
	min, max int32 // bytes the whole text must have
	need     byte  // in lower case, in every match; 0 if unknown
	closed   bool  // the whole text in lower case decides (see wholes)
}

// fits checks what is cheap to know; length is that of the text before folding.
func (e *entry) fits(text []byte, length int) bool {
	if length < int(e.min) || length > int(e.max) {
		return false
	}
	c := e.need
	return c == 0 || bytes.IndexByte(text, c) >= 0 || (c >= 'a' && c <= 'z' && bytes.IndexByte(text, c&^0x20) >= 0)
}

// An edge is what must be true at an end of a plain pattern.
type edge uint8

const (
	edgeNone edge = iota
	edgeText      // the start or end of the text
	edgeWord      // a word boundary
)

// plain is a pattern that is a literal with conditions at its edges, and needs
// no regexp machine. There is none if text is empty.
type plain struct {
	text        string // in lower case if it ignores case
	ignoresCase bool
	left, right edge
}

// asPlain recognises a plain pattern.
func asPlain(parts []*syntax.Regexp) plain {
	var p plain
	if len(parts) > 0 {
		switch parts[0].Op {
		case syntax.OpBeginText:
			p.left, parts = edgeText, parts[1:]
		case syntax.OpWordBoundary:
			p.left, parts = edgeWord, parts[1:]
		}
	}
	if n := len(parts); n > 0 {
		switch parts[n-1].Op {
		case syntax.OpEndText:
			p.right, parts = edgeText, parts[:n-1]
		case syntax.OpWordBoundary:
			p.right, parts = edgeWord, parts[:n-1]
		}
	}
	var text strings.Builder
	ignores, compares := false, false
	for _, part := range parts {
		if part.Op != syntax.OpLiteral {
			return plain{}
		}
		folds := part.Flags&syntax.FoldCase != 0
		for _, r := range part.Rune {
			f := fold(r)
			switch {
			case r == utf8.RuneError, r >= utf8.RuneSelf && (folds || f != r):
				return plain{}
			case f >= 'a' && f <= 'z' && folds:
				ignores, r = true, f
			case f >= 'a' && f <= 'z':
				compares = true
			}
			text.WriteRune(r)
		}
	}
	if ignores && compares {
		return plain{}
	}
	p.text, p.ignoresCase = text.String(), ignores
	return p
}

// at says whether the pattern matches at a place where its literal stands, but
// for case.
func (p *plain) at(text []byte, start int) bool {
	end := start + len(p.text)
	if !p.ignoresCase && string(text[start:end]) != p.text {
		return false
	}
	return holds(p.left, text, start, 0) && holds(p.right, text, end, len(text))
}

func holds(e edge, text []byte, at, outer int) bool {
	switch e {
	case edgeText:
		return at == outer
	case edgeWord:
		return (at > 0 && isWord(text[at-1])) != (at < len(text) && isWord(text[at]))
	}
	return true
}

func isWord(c byte) bool {
	return c == '_' || (c >= '0' && c <= '9') || (c|0x20 >= 'a' && c|0x20 <= 'z')
}

// lower is fold for a byte.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// hasPrefix says whether text in lower case starts with literal.
func hasPrefix(text []byte, literal string) bool {
	if len(text) < len(literal) {
		return false
	}
	for i := 0; i < len(literal); i++ {
		if lower(text[i]) != literal[i] {
			return false
		}
	}
	return true
}

// lowerText is lower for a text.
func lowerText(text string) string {
	b := []byte(text)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
