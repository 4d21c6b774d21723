package attack

import (
	"unicode"
	"unicode/utf8"
)

// Classes of bytes. In a folded text they are those of characters.
const (
	isWord   = 1 << iota // \w
	isDigit              // \d
	isSpace              // \s
	isAlnum              // ASCII letter or digit
	isHex                // hexadecimal digit
	isLocal              // may stand before the @ of an e-mail address
	isDomain             // may stand behind it
)

// What stands for the characters beyond ASCII in a folded text. No rule names
// the byte of a vertical tab or of a control character, so they are free.
const (
	foldedWord  = 0x80
	foldedDigit = 0x81
	foldedSpace = '\v'
	foldedOther = 0x01
)

// classes gives the classes of each byte. A byte beyond ASCII has none before
// folding.
var classes = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = isWord | isDigit | isAlnum | isHex | isLocal | isDomain
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] = isWord | isAlnum | isLocal | isDomain
		if c <= 'f' {
			t[c] |= isHex
		}
		t[c-'a'+'A'] = t[c]
	}
	for _, c := range "\t\n\v\f\r " {
		t[c] = isSpace
	}
	t['_'] = isWord | isLocal
	t['+'] = isLocal
	t['.'], t['-'] = isLocal|isDomain, isLocal|isDomain
	t[foldedWord] = isWord
	t[foldedDigit] = isWord | isDigit
	return t
}()

// wide gives the characters beyond ASCII that make up words though they are
// neither letters, marks, digits nor connectors: letters by annotation
// (Other_Alphabetic of the category So), letter numbers and joiners.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x200c, Hi: 0x200d, Stride: 1}, {Lo: 0x24b6, Hi: 0x24e9, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x1f130, Hi: 0x1f149, Stride: 1}, {Lo: 0x1f150, Hi: 0x1f169, Stride: 1}, {Lo: 0x1f170, Hi: 0x1f189, Stride: 1}},
}

// lower folds ASCII letters.
func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// appendFolded appends one byte per character of text: ASCII as it is, the two
// characters beyond it that fold to ASCII letters as those, all others by class.
func appendFolded(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			dst = append(dst, text[i])
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		dst = append(dst, foldRune(r))
		i += size
	}
	return dst
}

func foldRune(r rune) byte {
	switch {
	case r == utf8.RuneError:
		return foldedOther
	case r == 'ſ':
		return 's'
	case r == '\u212a': // the Kelvin sign
		return 'k'
	case unicode.Is(unicode.Nd, r):
		return foldedDigit
	case unicode.IsLetter(r), unicode.IsMark(r), unicode.In(r, unicode.Nl, unicode.Pc, wide):
		return foldedWord
	case unicode.IsSpace(r):
		return foldedSpace
	}
	return foldedOther
}
