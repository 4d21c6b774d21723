package format

import (
	"strconv"
	"time"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// timeLayout is RFC 3339 in UTC with microseconds, always 27 bytes long, so
// that times compare as text.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func appendTime(dst []byte, t time.Time) []byte { return t.UTC().AppendFormat(dst, timeLayout) }

// A document is a JSON text in the making. Empty values leave their key out
// and an object that got no member leaves itself out: in ECS, absent means
// unknown. Its methods never allocate beyond growing the slice.
type document struct{ b []byte }

// comma parts a member from the one before it. A value never ends in an opening
// bracket: strings end in a quote.
func (d *document) comma() {
	switch d.b[len(d.b)-1] {
	case '{', '[', ':':
	default:
		d.b = append(d.b, ',')
	}
}

func (d *document) key(name string) {
	d.comma()
	d.b = append(d.b, '"')
	d.b = append(d.b, name...)
	d.b = append(d.b, '"', ':')
}

// object begins an object and gives the mark that closes it.
func (d *document) object(name string) int { return d.open(name, '{') }

// array begins an array and gives the mark that closes it.
func (d *document) array(name string) int { return d.open(name, '[') }

func (d *document) open(name string, bracket byte) int {
	mark := len(d.b)
	d.key(name)
	d.b = append(d.b, bracket)
	return mark
}

// close ends what open began; what stayed empty disappears.
func (d *document) close(mark int) {
	switch d.b[len(d.b)-1] {
	case '{', '[':
		d.b = d.b[:mark]
	default:
		if d.b[mark] == ',' {
			mark++
		}
		// Behind the mark stands the quoted name, which holds no bracket.
		for ; ; mark++ {
			if d.b[mark] == '{' || d.b[mark] == '[' {
				d.b = append(d.b, d.b[mark]+2) // ASCII: '{'+2 is '}', '['+2 is ']'
				return
			}
		}
	}
}

func (d *document) string(name, value string) {
	if value != "" {
		d.key(name)
		d.b = appendQuoted(d.b, value)
	}
}

func (d *document) element(value string) {
	d.comma()
	d.b = appendQuoted(d.b, value)
}

func (d *document) number(name string, value uint64) {
	if value != 0 {
		d.key(name)
		d.b = strconv.AppendUint(d.b, value, 10)
	}
}

func (d *document) time(name string, t time.Time) {
	if !t.IsZero() {
		d.key(name)
		d.b = append(appendTime(append(d.b, '"'), t), '"')
	}
}

// appendQuoted appends s as a JSON string (RFC 8259 7). There is no HTML
// escaping; each invalid byte becomes U+FFFD; U+2028 and U+2029 are escaped,
// since some readers of lines take them for line ends.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

func appendEscaped(dst []byte, s string) []byte {
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
