package trails

// Marks say which characters a path may hold, so that who reads it need not
// search for each of them: one that is not set is certain, one that is set may be
// of a part that was cut off since.
type Marks uint16

// The marks.
const (
	MarkSlash   Marks = 1 << iota
	MarkDot           // must be next to MarkSlash
	MarkPercent       // an escape, also one that canonical form made
	MarkPlus
	MarkQuery  // '?'
	MarkEquals // '='
	markEscape // what canonical form escapes
	MarkRare   // one of * $ : @ #
	// These are of the path before slashes were collapsed.
	MarkSlashes  // "//"
	MarkSlashDot // "/."
)

// canon gives for each byte its canonical form in the low half and the marks in
// the high half.
var canon = func() (t [256]uint16) {
	marks := map[byte]Marks{'/': MarkSlash, '.': MarkDot, '%': MarkPercent, '+': MarkPlus, '?': MarkQuery, '=': MarkEquals,
		' ': markEscape, '*': MarkRare, '$': MarkRare, ':': MarkRare, '@': MarkRare, '#': MarkRare}
	for n := range t {
		c := byte(n)
		m := marks[c]
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c >= 0x80:
			m |= markEscape
		}
		t[n] = uint16(m)<<8 | uint16(c)
	}
	return t
}()

// AppendPath appends the canonical form of a request target's path and query:
// lower case, each run of slashes one slash, blanks and bytes above 0x7F
// percent-encoded. What compile stores and what match looks up both went
// through it.
func AppendPath(dst, path []byte) []byte {
	dst, _ = AppendPathMarks(dst, path)
	return dst
}

// AppendPathMarks is AppendPath, and says what the path holds.
func AppendPathMarks(dst, path []byte) ([]byte, Marks) {
	const slash, dot = uint16(MarkSlash) << 8, uint16(MarkDot) << 8
	at := len(dst)
	dst = append(dst, path...)
	out := dst[at:]
	var all, pairs, last uint16 // last: whether the byte before was a slash
	for i, c := range out {
		v := canon[c]
		out[i] = byte(v)
		all |= v
		pairs |= v & (last | last<<1)
		last = v & slash
	}
	marks := Marks(all >> 8)
	if pairs&dot != 0 {
		marks |= MarkSlashDot
	}
	if pairs&slash != 0 {
		marks |= MarkSlashes
	}
	if marks&(markEscape|MarkSlashes) == 0 { // the rule: as long as it was
		return dst, marks
	}
	if marks&markEscape != 0 {
		marks |= MarkPercent
	}
	return appendPathSlow(dst[:at], path), marks
}

// appendPathSlow is AppendPath for a path that changes its length.
func appendPathSlow(dst, path []byte) []byte {
	slash := false
	for _, c := range path {
		v := canon[c]
		switch {
		case c == '/' && slash:
			continue
		case v&(uint16(markEscape)<<8) != 0:
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, byte(v))
		}
		slash = c == '/'
	}
	return dst
}
