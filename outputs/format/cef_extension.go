package format

import (
	"net/netip"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
)

// An extension is the part of a CEF record behind the header: key=value with a
// single space between.
type extension struct {
	b          []byte
	start      int
	most, rest int // characters of a value: of those cut first, of the others
}

// uncut is no limit.
const uncut = 1 << 30

// key makes room once and not for each part: a record has forty keys.
func (x *extension) key(name string) {
	i := len(x.b)
	b := slices.Grow(x.b, len(name)+2)[:i+len(name)+2]
	if i > x.start {
		b[i] = ' '
		i++
	}
	i += copy(b[i:], name)
	b[i] = '='
	x.b = b[:i+1]
}

func (x *extension) text(name, value string, limit int) {
	if limit = min(limit, x.rest); value != "" && limit > 0 {
		x.key(name)
		x.b = appendCEFValue(x.b, value, limit)
	}
}

// long is text that is cut before others are.
func (x *extension) long(name, value string, limit int) {
	if limit = min(limit, x.most); value != "" && limit > 0 {
		x.key(name)
		x.b = appendCEFValue(x.b, value, limit)
	}
}

func (x *extension) number(name string, n uint64) {
	if n != 0 {
		x.key(name)
		x.b = strconv.AppendUint(x.b, n, 10)
	}
}

func (x *extension) time(name string, t time.Time) {
	if !t.IsZero() {
		x.key(name)
		x.b = strconv.AppendInt(x.b, t.UnixMilli(), 10)
	}
}

func (x *extension) addr(name string, a netip.Addr) {
	if a.IsValid() {
		x.key(name)
		x.b = a.AppendTo(x.b)
	}
}

func (x *extension) id(name string, id [16]byte) {
	if id != ([16]byte{}) {
		x.key(name)
		x.b = event.AppendID(x.b, id)
	}
}

// label begins a custom field whose value the caller appends.
func (x *extension) label(name, label string) {
	i, n := len(x.b), 2*len(name)+len(label)+len(" Label= =")
	b := slices.Grow(x.b, n)[:i+n]
	if i > x.start {
		b[i] = ' '
		i++
	}
	i += copy(b[i:], name)
	i += copy(b[i:], "Label=")
	i += copy(b[i:], label)
	b[i] = ' '
	i++
	i += copy(b[i:], name)
	b[i] = '='
	x.b = b[:i+1]
}

func (x *extension) custom(name, label, value string) {
	if limit := min(cefCustom, x.most); value != "" && limit > 0 {
		x.label(name, label)
		x.b = appendCEFValue(x.b, value, limit)
	}
}

// whole is custom for a value of which a part says nothing. Like dates it goes
// before a text is cut that is not among those cut first.
func (x *extension) whole(name, label, value string) {
	if value != "" && x.rest == uncut {
		x.label(name, label)
		x.b = appendCEFValue(x.b, value, cefCustom)
	}
}

func (x *extension) date(name, label string, t time.Time) {
	if !t.IsZero() && x.rest == uncut {
		x.label(name, label)
		x.b = strconv.AppendInt(x.b, t.UnixMilli(), 10)
	}
}

// address6 repeats an IPv6 address in the field that the format has for it:
// src and dst are documented as IPv4, though receivers take both.
func (x *extension) address6(a netip.Addr, name, label string) {
	if a.Is6() && x.rest > 0 {
		x.label(name, label)
		x.b = a.AppendTo(x.b)
	}
}

// ports and addrs write lists with commas between, in whole elements.
func (x *extension) ports(name, label string, list []uint16) {
	x.elements(name, label, len(list), ',', func(i int) { x.b = strconv.AppendUint(x.b, uint64(list[i]), 10) })
}

func (x *extension) addrs(name, label string, list []netip.Addr) {
	x.elements(name, label, len(list), ',', func(i int) { x.b = list[i].AppendTo(x.b) })
}

// elements writes n elements, as many as the limit has room for; an element may
// write nothing.
func (x *extension) elements(name, label string, n int, between byte, add func(i int)) {
	mark := len(x.b)
	x.label(name, label)
	start := len(x.b)
	for i := range n {
		at := len(x.b)
		if at > start {
			x.b = append(x.b, between)
		}
		before := len(x.b)
		add(i)
		if len(x.b) == before {
			x.b = x.b[:at]
		}
		if len(x.b)-start > min(cefCustom, x.most) {
			x.b = x.b[:at]
			break
		}
	}
	if len(x.b) == start {
		x.b = x.b[:mark]
	}
}

// appendCEFValue appends an extension value of at most limit characters:
// backslash and equals sign escaped, never the pipe; a line break is \n or \r.
func appendCEFValue(dst []byte, s string, limit int) []byte {
	return appendCEFText(dst, s, limit, '=', true)
}

// appendCEFHeader appends a header field of at most limit characters: backslash
// and pipe escaped, never the equals sign; a line break is a space.
func appendCEFHeader(dst []byte, s string, limit int) []byte {
	return appendCEFText(dst, s, limit, '|', false)
}

// appendCEFText leaves out controls other than line breaks and TAB (a space), and
// turns each invalid byte into U+FFFD.
func appendCEFText(dst []byte, s string, limit int, special byte, breaks bool) []byte {
	for i, n := 0, 0; i < len(s) && n < limit; {
		start := i
		for i < len(s) && n < limit && s[i] >= 0x20 && s[i] < 0x7F && s[i] != '\\' && s[i] != special {
			i++
			n++
		}
		dst = append(dst, s[start:i]...)
		if i == len(s) || n == limit {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			i += size
			if r >= 0xA0 {
				dst = utf8.AppendRune(dst, r)
				n++
			}
			continue
		}
		i++
		switch {
		case c == '\n' && breaks:
			dst = append(dst, '\\', 'n')
		case c == '\r' && breaks:
			dst = append(dst, '\\', 'r')
		case c == '\n' || c == '\r' || c == '\t':
			dst = append(dst, ' ')
		case c < 0x20 || c == 0x7F:
			continue
		default: // backslash and special
			dst = append(dst, '\\', c)
		}
		n++
	}
	return dst
}
