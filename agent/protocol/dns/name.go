package dns

import (
	"bytes"
	"encoding/binary"
)

// MaxName bounds the text of a name in bytes. The wire form is bounded to 255
// octets (RFC 1035 2.3.4), which is 253 of text when nothing needs an escape.
const MaxName = 255

const (
	maxWire  = 255
	maxLabel = 63
	// maxJumps bounds the compression pointers of one name. Pointers may lead
	// forward, as dissectors and some stub resolvers take them, so their
	// direction does not end a loop. Real names have one or two.
	maxJumps = 32
)

// lower is the text of a label byte, 0 for the three that need an escape.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = byte(c) | 0x20
	}
	t['.'], t['\\'] = 0, 0
	return t
}()

// name is the text of one name. Text is gathered with a dot behind each label.
type name struct {
	n   int
	cut bool
	buf [MaxName + 1]byte
}

func (t *name) text() ([]byte, bool) {
	return t.buf[:max(t.n-1, 0)], t.cut
}

// read gathers the name at b[off:] and returns the offset behind it, -1 when it
// is malformed or not wholly captured.
func (t *name) read(b []byte, off int) int {
	t.n, t.cut = 0, false
	end, wire, jumps := -1, 1, 0
	for uint(off) < uint(len(b)) {
		size := int(b[off])
		if size == 0 {
			if end < 0 {
				end = off + 1
			}
			return end
		}
		if size > maxLabel {
			// 01 and 10 in the top bits are label types that were given up (RFC 6891 5).
			if size < 0xC0 || off+1 >= len(b) || jumps == maxJumps {
				return -1
			}
			if end < 0 {
				end = off + 2
			}
			jumps++
			off = int(binary.BigEndian.Uint16(b[off:])) & 0x3FFF
			continue
		}
		off++
		if wire += size + 1; wire > maxWire || size > len(b)-off {
			return -1
		}
		t.label(b[off : off+size])
		off += size
	}
	return -1
}

// label appends one label and its dot.
func (t *name) label(label []byte) {
	if t.n+len(label) >= len(t.buf) {
		t.escape(label)
		return
	}
	dst := t.buf[t.n : t.n+len(label)+1]
	for i, c := range label {
		c = lower[c]
		if c == 0 {
			t.escape(label)
			return
		}
		dst[i] = c
	}
	dst[len(label)] = '.'
	t.n += len(dst)
}

// escape appends a label that needs escapes, or that no longer fits behind
// such labels. Labels in front make room: what tells names apart for a matcher
// stands at the end. One label always fits: 63 bytes are at most 252 of text.
func (t *name) escape(label []byte) {
	need := len(label) + 1
	for _, c := range label {
		switch c {
		case 0:
			need += 3
		case '.', '\\':
			need++
		}
	}
	from := 0
	for t.n-from+need > len(t.buf) {
		from += firstLabel(t.buf[from:t.n])
		t.cut = true
	}
	t.n = copy(t.buf[:], t.buf[from:t.n])
	for _, c := range label {
		switch c {
		case 0:
			t.n += copy(t.buf[t.n:], `\000`)
			continue
		case '.', '\\':
			t.buf[t.n] = '\\'
			t.buf[t.n+1] = c
			t.n += 2
			continue
		}
		t.buf[t.n] = lower[c]
		t.n++
	}
	t.buf[t.n] = '.'
	t.n++
}

// firstLabel returns the size of the first label in text, its dot included.
func firstLabel(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++ // what follows is part of the label, digits of \000 included
		case '.':
			return i + 1
		}
	}
	return len(text)
}

// netbios reports whether the question name at b is a NetBIOS name in its
// first-level encoding (RFC 1001 14.1): 16 bytes as 32 letters from A to P.
// NetBIOS name service shares the DNS format.
func netbios(b []byte) bool {
	if len(b) < 34 || b[0] != 32 {
		return false
	}
	return bytes.IndexFunc(b[1:33], func(c rune) bool { return c < 'A' || c > 'P' }) < 0
}
