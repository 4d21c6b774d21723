package detect

import (
	"bytes"

	"trailhound/agent/protocol/http"
	"trailhound/trails"
	"trailhound/trails/table"
)

// candidates are the texts that a path is looked up as (D 12.7), in order.
type candidates struct {
	list [8][]byte
	n    int
	body int // which of them holds the body; -1: none
	buf  []byte
}

func (c *candidates) at(i int) []byte { return c.list[i] }

func (c *candidates) add(b []byte) {
	c.list[c.n] = b
	c.n++
}

// fill lists the candidates of a path in canonical form:
//
//  1. the path without trailing slashes
//  2. with a query: the part before it; up to the first "="; every value
//     removed; of that, if it is deeper than one level, the last segment
//  3. without a query, when the head's end was captured: path, "?", body
//  4. the parent directory of the last one; the last segment of the first
func (c *candidates) fill(path []byte, marks trails.Marks, r *http.Request) {
	c.n, c.body = 0, -1
	buf := c.buf[:0]
	first := trimSlashes(path)
	c.add(first)
	q := -1
	if marks&trails.MarkQuery != 0 {
		q = bytes.IndexByte(path, '?')
	}
	if q >= 0 {
		c.add(trimSlashes(path[:q]))
		bare, known := path, len(first) == len(path)
		if marks&trails.MarkEquals != 0 {
			if i := bytes.IndexByte(path, '='); i >= 0 {
				c.add(path[:i+1])
				buf = appendValueless(buf, path, i)
				bare, known = buf, c.holds(buf)
			}
		}
		if !known {
			c.add(bare)
			if i := deep(bare); i >= 0 {
				c.add(bare[i:]) // which has no parent
			}
			c.buf = buf
			return
		}
	} else if r.HeadEnd && len(path)+1+len(r.Body) <= table.MaxKey {
		buf = append(append(buf, path...), '?')
		if n := len(buf); len(r.Body) > 0 {
			buf = appendUnescaped(buf, r.Body)
			lower(buf[n:])
		}
		c.body = c.n
		c.add(buf)
	}
	c.buf = buf
	last := c.at(c.n - 1)
	if i := deep(last); i >= 0 {
		c.add(last[:i])
		if i := bytes.LastIndexByte(first, '/'); i >= 0 {
			name := first[i:]
			if q >= i && q < len(first) {
				name = first[i:q]
			}
			c.add(name)
		}
	}
}

// deep gives the place of the last slash if there is another one before it; else
// -1.
func deep(b []byte) int {
	i := bytes.LastIndexByte(b, '/')
	if i <= 0 || b[0] != '/' && bytes.IndexByte(b[:i], '/') < 0 {
		return -1
	}
	return i
}

func (c *candidates) holds(b []byte) bool {
	for _, have := range c.list[:c.n] {
		if len(have) == len(b) && bytes.Equal(have, b) {
			return true
		}
	}
	return false
}

func trimSlashes(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == '/' {
		b = b[:len(b)-1]
	}
	return b
}

// appendValueless appends a path with the values of its parameters removed:
// behind each run of word characters and "=", everything up to the next '&' or
// '='. The first "=" is at a place that is given; nothing before it is removed.
func appendValueless(dst, path []byte, first int) []byte {
	at := len(dst)
	dst = append(dst, path...)
	out, n := dst[at:], first
	word := first > 0 && wordChar(path[first-1])
	for i := first; i < len(path); i++ {
		ch := path[i]
		out[n] = ch
		n++
		if ch == '=' && word {
			for i+1 < len(path) && path[i+1] != '&' && path[i+1] != '=' {
				i++
			}
		}
		word = wordChar(ch)
	}
	return dst[:at+n]
}

// appendUnescaped appends b with its percent escapes decoded; broken ones stay
// as they are.
func appendUnescaped(dst, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '%')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i]...)
		b = b[i:]
		if len(b) > 2 && unhex(b[1]) < 16 && unhex(b[2]) < 16 {
			dst = append(dst, unhex(b[1])<<4|unhex(b[2]))
			b = b[3:]
		} else {
			dst = append(dst, '%')
			b = b[1:]
		}
	}
}

func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xFF
}

func lower(b []byte) {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
}
