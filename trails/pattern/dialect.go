package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A dialect turns the syntax of Python's re into that of package regexp. What
// Python refuses and Go takes (flags in the middle, \Q, (?<name>) is refused
// here, so that a list means the same in both.
type dialect struct {
	in         string
	at         int
	out        strings.Builder
	names      map[string]bool
	backtracks bool // needs look-around, atomic groups or back-references
}

// translate gives the pattern in Go's syntax and says whether it needs a
// backtracking machine, in which case it is in the syntax of regexp2.
func translate(pattern string) (text string, backtracks bool, err error) {
	d := dialect{in: pattern}
	d.out.Grow(len(pattern) + 8)
	for d.at < len(d.in) {
		switch c := d.in[d.at]; c {
		case '\\':
			err = d.escape(false)
		case '[':
			err = d.class()
		case '(':
			err = d.group()
		case '*', '+', '?':
			d.take(1)
			d.quantified()
		case '{':
			d.repeat()
		default:
			d.take(1)
		}
		if err != nil {
			return "", false, err
		}
	}
	return d.out.String(), d.backtracks, nil
}

// take copies n bytes.
func (d *dialect) take(n int) {
	d.out.WriteString(d.in[d.at : d.at+n])
	d.at += n
}

func (d *dialect) peek(n int) byte {
	if d.at+n < len(d.in) {
		return d.in[d.at+n]
	}
	return 0
}

// quantified follows a quantifier: "?" makes it lazy, "+" possessive. Go has
// no possessive ones. Taken as greedy, they match the same texts and some
// more.
func (d *dialect) quantified() {
	switch d.peek(0) {
	case '?':
		d.take(1)
	case '+':
		d.at++
	}
}

// repeat takes {m}, {m,}, {,n} and {m,n}; any other brace is itself. Go does
// not know {,n}.
func (d *dialect) repeat() {
	end := strings.IndexByte(d.in[d.at:], '}')
	if end < 2 || strings.Trim(d.in[d.at+1:d.at+end], "0123456789,") != "" ||
		strings.Count(d.in[d.at:d.at+end], ",") > 1 {
		d.out.WriteString(`\{`)
		d.at++
		return
	}
	if d.peek(1) == ',' {
		d.out.WriteString("{0")
		d.at++
		end--
	}
	d.take(end + 1)
	d.quantified()
}

// class takes a bracket class. Python has no POSIX classes: a "[" inside is
// itself.
func (d *dialect) class() error {
	d.take(1)
	if d.peek(0) == '^' {
		d.take(1)
	}
	for first := true; d.at < len(d.in); first = false {
		switch c := d.in[d.at]; {
		case c == ']' && first:
			d.out.WriteString(`\]`)
			d.at++
		case c == ']':
			d.take(1)
			return nil
		case c == '[':
			d.out.WriteString(`\[`)
			d.at++
		case c == '\\':
			if err := d.escape(true); err != nil {
				return err
			}
		default:
			d.take(1)
		}
	}
	return ErrTruncated
}

// escape takes a backslash and what belongs to it.
func (d *dialect) escape(inClass bool) error {
	switch c := d.peek(1); {
	case d.at+1 == len(d.in):
		return ErrTruncated
	case c == 'Z' && !inClass:
		d.out.WriteString(`\z`)
		d.at += 2
	case c == 'b' && inClass:
		d.out.WriteString(`\x08`)
		d.at += 2
	case c >= '0' && c <= '9':
		return d.number(inClass)
	case c == 'x':
		return d.code(2)
	case c == 'u':
		return d.code(4)
	case c == 'U':
		return d.code(8)
	case strings.IndexByte("dDsSwWafnrtv", c) >= 0, strings.IndexByte("AbBz", c) >= 0 && !inClass:
		d.take(2)
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return fmt.Errorf("%w: \\%c", ErrEscape, c)
	case c >= utf8.RuneSelf:
		d.at++ // Go takes no escaped letters, and they need none
		_, n := utf8.DecodeRuneInString(d.in[d.at:])
		d.take(n)
	default:
		d.take(2)
	}
	return nil
}

// number takes \0, \012, \123 (octal) and \1 (a back-reference).
func (d *dialect) number(inClass bool) error {
	n, value := 0, 0
	for n < 3 && d.peek(1+n) >= '0' && d.peek(1+n) <= '7' {
		value = value*8 + int(d.peek(1+n)-'0')
		n++
	}
	if n == 3 || (d.peek(1) == '0' && n > 0) || (inClass && n > 0) {
		if value > 0xFF {
			return ErrEscape
		}
		fmt.Fprintf(&d.out, `\x%02x`, value)
		d.at += 1 + n
		return nil
	}
	if inClass {
		return ErrEscape
	}
	d.backtracks = true
	if c := d.peek(2); c >= '0' && c <= '9' {
		d.take(1)
	}
	d.take(2)
	return nil
}

// code takes \xhh, \uhhhh or \Uhhhhhhhh and writes the rune itself.
func (d *dialect) code(digits int) error {
	if d.at+2+digits > len(d.in) {
		return ErrTruncated
	}
	var value rune
	for _, c := range []byte(d.in[d.at+2 : d.at+2+digits]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return ErrEscape
		}
		value = value<<4 | rune(c)
	}
	d.at += 2 + digits
	switch {
	case value < utf8.RuneSelf:
		fmt.Fprintf(&d.out, `\x%02x`, value)
	case !utf8.ValidRune(value):
		return ErrEscape
	default:
		d.out.WriteRune(value)
	}
	return nil
}
