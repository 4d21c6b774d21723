package format

import "sort"

// within appends a record of at most size bytes; 0 is no limit. write appends it
// with the values that are cut first bounded to most characters, the others to
// rest. What fits is found by bisection: a record that is too large is rare, and
// as much of it as possible should arrive.
func within(dst []byte, size int, write func(dst []byte, most, rest int) []byte) (out []byte, cut, ok bool) {
	at := len(dst)
	dst = write(dst, uncut, uncut)
	if size <= 0 || len(dst)-at <= size {
		return dst, false, true
	}
	fits := func(most, rest int) bool {
		dst = write(dst[:at], most, rest)
		return len(dst)-at <= size
	}
	// No value is longer than the limit in characters that CEF has for it.
	most := sort.Search(cefCustom, func(n int) bool { return !fits(n+1, uncut) })
	if fits(most, uncut) {
		return dst, true, true
	}
	rest := sort.Search(cefText, func(n int) bool { return !fits(0, n+1) })
	if fits(0, rest) {
		return dst, true, true
	}
	return dst[:at], true, false
}
