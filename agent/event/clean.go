package event

import "unicode/utf8"

// TruncatedMark ends a text that was cut to its limit.
const TruncatedMark = "…[truncated]"

// Clean makes text from the network fit for an event: valid UTF-8 (each wrong
// byte becomes U+FFFD), CR, LF and TAB become a space, all other controls (C0,
// DEL, C1) are dropped, and no more than limit bytes remain, cut between runes
// with TruncatedMark inside the limit. It says whether it cut. A limit below
// the mark's length leaves the mark out.
func Clean(b []byte, limit int) (text string, truncated bool) {
	if len(b) <= limit && isClean(b) {
		return string(b), false
	}
	limit = max(limit, 0)
	mark := TruncatedMark
	if limit < len(mark) {
		mark = ""
	}
	room := limit - len(mark)
	out := make([]byte, 0, min(len(b)+utf8.UTFMax, limit))
	fit := 0 // how much of out would still leave room for the mark
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		i += n
		switch {
		case r == '\r' || r == '\n' || r == '\t' || r == 0x2028 || r == 0x2029:
			r = ' '
		case r < 0x20 || r >= 0x7F && r < 0xA0 || invisible(r):
			continue
		}
		if len(out)+utf8.RuneLen(r) > limit {
			return string(append(out[:fit], mark...)), true
		}
		out = utf8.AppendRune(out, r)
		if len(out) <= room {
			fit = len(out)
		}
	}
	return string(out), false
}

// isClean says whether Clean would change nothing but the length.
func isClean(b []byte) bool {
	for i, c := range b {
		if c < 0x20 || c == 0x7F {
			return false
		}
		if c >= 0x80 {
			return isCleanText(b[i:])
		}
	}
	return true
}

func isCleanText(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r == utf8.RuneError && n == 1 || r == 0x2028 || r == 0x2029 || invisible(r) {
			return false
		}
		i += n
	}
	return true
}

// invisible says whether a character only changes how others are shown: the
// marks and overrides of direction, which make a terminal or a web page show
// another text than the one that is there, and the byte order mark.
func invisible(r rune) bool {
	return r == 0x061C || r == 0x200E || r == 0x200F || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF
}
