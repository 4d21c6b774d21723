package trails

import "bytes"

// IsPattern says whether an unprefixed text is a regular expression over names
// by the reference's rule: it holds "]" or "." directly followed by "*" or
// "+", or a bracket class made only of letters, digits, '_', '.' and '-'.
func IsPattern(text []byte) bool {
	if bytes.IndexByte(text, '/') >= 0 {
		return false // names hold no slash
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ']', '.':
			if i+1 < len(text) && (text[i+1] == '*' || text[i+1] == '+') {
				return true
			}
		case '[':
			if n := classLength(text[i+1:]); n > 0 {
				return true
			}
		}
	}
	return false
}

// classLength gives the length of a simple bracket class behind its "[", 0 if
// it is none.
func classLength(text []byte) int {
	for i, c := range text {
		switch {
		case c == ']':
			return i
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
		default:
			return 0
		}
	}
	return 0
}
