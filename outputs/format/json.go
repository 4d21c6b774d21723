package format

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
)

const hexDigits = "0123456789abcdef"

// timeLayout is RFC 3339 in UTC with microseconds, always 27 bytes long, so
// that times compare as text.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// appendTime appends a time in timeLayout. Package time takes four times as long,
// and a document has up to five of them.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, timeLayout)
	}
	hour, minute, second := t.Clock()
	micro := t.Nanosecond() / 1000
	dst = append(dst, timeLayout...)
	b := dst[len(dst)-len(timeLayout):]
	digits(b[0:], year/100)
	digits(b[2:], year%100)
	digits(b[5:], int(month))
	digits(b[8:], day)
	digits(b[11:], hour)
	digits(b[14:], minute)
	digits(b[17:], second)
	digits(b[20:], micro/10000)
	digits(b[22:], micro/100%100)
	digits(b[24:], micro%100)
	return dst
}

// digits writes a number from 0 to 99 in two digits.
func digits(b []byte, n int) {
	b[0], b[1] = '0'+byte(n/10), '0'+byte(n%10)
}

// A document is a JSON text in the making. Empty values leave their key out
// and an object that got no member leaves itself out: in ECS, absent means
// unknown. Its methods never allocate beyond growing the slice.
type document struct {
	b        []byte
	src, dst text // of the event
	// The distinct addresses among its DNS answers: they are there twice.
	addresses [event.MaxAnswers]netip.Addr
	resolved  int
}

// A text is where the text of an address stands in a document: it is there up
// to seven times. The zero text is not there yet.
type text struct{ from, to int }

// ip appends the text of an address in RFC 5952 form, without quotes.
func (d *document) ip(a netip.Addr, t *text) {
	if t.to > 0 {
		d.b = append(d.b, d.b[t.from:t.to]...)
		return
	}
	t.from = len(d.b)
	d.b = a.WithZone("").AppendTo(d.b)
	t.to = len(d.b)
}

// comma parts a member from the one before it. A value never ends in an opening
// bracket: strings end in a quote.
func (d *document) comma() { d.b = appendComma(d.b) }

func appendComma(b []byte) []byte {
	if c := b[len(b)-1]; c == '{' || c == '[' || c == ':' {
		return b
	}
	return append(b, ',')
}

// raw writes members that are the same in every event, as they are.
func (d *document) raw(members string) { d.b = append(appendComma(d.b), members...) }

func (d *document) key(name string) { d.b = appendKey(d.b, name) }

// appendKey appends `,"name":`. It makes room once and not for each part: a
// document has seventy keys.
func appendKey(b []byte, name string) []byte {
	i := len(b)
	b = slices.Grow(b, len(name)+4)[:i+len(name)+4]
	if c := b[i-1]; c != '{' && c != '[' && c != ':' {
		b[i] = ','
		i++
	}
	b[i] = '"'
	i++
	i += copy(b[i:], name)
	b[i], b[i+1] = '"', ':'
	return b[:i+2]
}

// object begins an object and gives the mark that closes it.
func (d *document) object(name string) (mark int) {
	mark = len(d.b) << 1
	d.b = append(appendKey(d.b, name), '{')
	return mark
}

// array begins an array and gives the mark that closes it.
func (d *document) array(name string) (mark int) {
	mark = len(d.b)<<1 | 1
	d.b = append(appendKey(d.b, name), '[')
	return mark
}

// close ends what object or array began; what stayed empty disappears.
// The mark is where it began, and in the lowest bit whether it is an array.
func (d *document) close(mark int) {
	switch c := d.b[len(d.b)-1]; {
	case c == '{' || c == '[':
		d.b = d.b[:mark>>1]
	case mark&1 != 0:
		d.b = append(d.b, ']')
	default:
		d.b = append(d.b, '}')
	}
}

func (d *document) string(name, value string) {
	if value == "" {
		return
	}
	if isPlain(value) {
		d.b = appendPair(d.b, name, value)
	} else {
		d.b = appendQuoted(appendKey(d.b, name), value)
	}
}

// word is string for a value out of this program's own vocabulary, in which
// nothing needs escaping.
func (d *document) word(name, value string) {
	if value != "" {
		d.b = appendPair(d.b, name, value)
	}
}

// appendPair appends `,"name":"value"`, the value as it is.
func appendPair(b []byte, name, value string) []byte {
	i, n := len(b), len(name)+len(value)+6
	b = slices.Grow(b, n)[:i+n]
	if c := b[i-1]; c != '{' && c != '[' && c != ':' {
		b[i] = ','
		i++
	}
	b[i] = '"'
	i++
	i += copy(b[i:], name)
	b[i], b[i+1], b[i+2] = '"', ':', '"'
	i += 3
	i += copy(b[i:], value)
	b[i] = '"'
	return b[:i+1]
}

func (d *document) element(value string) { d.b = appendQuoted(appendComma(d.b), value) }

func (d *document) number(name string, value uint64) {
	if value != 0 {
		d.b = strconv.AppendUint(appendKey(d.b, name), value, 10)
	}
}

func (d *document) time(name string, t time.Time) {
	if !t.IsZero() {
		d.b = append(appendTime(append(appendKey(d.b, name), '"'), t), '"')
	}
}

// appendQuoted appends s as a JSON string (RFC 8259 7). There is no HTML
// escaping; each invalid byte becomes U+FFFD; U+2028 and U+2029 are escaped,
// since some readers of lines take them for line ends.
func appendQuoted(dst []byte, s string) []byte {
	if !isPlain(s) {
		return append(appendEscaped(append(dst, '"'), s), '"')
	}
	i := len(dst)
	dst = slices.Grow(dst, len(s)+2)[:i+len(s)+2]
	dst[i] = '"'
	copy(dst[i+1:], s)
	dst[i+1+len(s)] = '"'
	return dst
}

func appendEscaped(dst []byte, s string) []byte {
	if isPlain(s) {
		return append(dst, s...)
	}
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(append(dst, s[start:i]...), "\uFFFD"...)
			start = i + n
		case r == '\u2028' || r == '\u2029':
			dst = append(append(dst, s[start:i]...), `\u202`...)
			dst = append(dst, hexDigits[r&15])
			start = i + n
		}
		i += n
	}
	return append(dst, s[start:]...)
}

// isPlain says that nothing in s needs escaping: all is ASCII and neither
// control, quote nor backslash. It may say false of text that needs none.
func isPlain(s string) bool {
	n := len(s)
	if n >= 8 {
		for i := 0; i+8 < n; i += 8 {
			if special(word64(s[i : i+8])) {
				return false
			}
		}
		return !special(word64(s[n-8:]))
	}
	// The same with fewer bytes: they may overlap.
	const spaces = 0x2020202020202020
	switch {
	case n >= 4:
		return !special(uint64(word32(s)) | uint64(word32(s[n-4:]))<<32)
	case n > 0:
		return !special(spaces&^0xffffff | uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16)
	}
	return true
}

func word64(s string) uint64 { return uint64(word32(s)) | uint64(word32(s[4:]))<<32 }

func word32(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// special says whether one of eight bytes needs escaping: a byte below n borrows
// from its highest bit when n is taken away.
func special(w uint64) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := w^'"'*ones, w^'\\'*ones
	return (w|(w-0x20*ones)|(quote-ones)|(backslash-ones))&high != 0
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
