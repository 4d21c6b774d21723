package detect

import (
	"bytes"

	"trailhound/agent/protocol/http"
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
func (c *candidates) fill(path []byte, r *http.Request) {
	c.n, c.body = 0, -1
	buf := c.buf[:0]
	first := trimSlashes(path)
	c.add(first)
	if q := bytes.IndexByte(path, '?'); q >= 0 {
		c.add(trimSlashes(path[:q]))
		if i := bytes.IndexByte(path, '='); i >= 0 {
			c.add(path[:i+1])
		}
		buf = appendValueless(buf, path)
		if bare := buf; !c.holds(bare) {
			c.add(bare)
			if bytes.Count(bare, slash) > 1 {
				c.add(bare[bytes.LastIndexByte(bare, '/'):])
			}
		}
	} else if r.HeadEnd && len(path)+1+len(r.Body) <= table.MaxKey {
		buf = append(append(buf, path...), '?')
		n := len(buf)
		buf = appendUnescaped(buf, r.Body)
		lower(buf[n:])
		c.body = c.n
		c.add(buf)
	}
	c.buf = buf
	if last := c.at(c.n - 1); bytes.Count(last, slash) > 1 {
		c.add(last[:bytes.LastIndexByte(last, '/')])
		if i := bytes.LastIndexByte(first, '/'); i >= 0 {
			name := first[i:]
			if q := bytes.IndexByte(name, '?'); q >= 0 {
				name = name[:q]
			}
			c.add(name)
		}
	}
}

func (c *candidates) holds(b []byte) bool {
	for _, have := range c.list[:c.n] {
		if bytes.Equal(have, b) {
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
// '='.
func appendValueless(dst, path []byte) []byte {
	word := false
	// Nothing before the first "=" is removed.
	if first := bytes.IndexByte(path, '='); first > 0 {
		dst = append(dst, path[:first]...)
		word = wordChar(path[first-1])
		path = path[first:]
	} else if first < 0 {
		return append(dst, path...)
	}
	for i := 0; i < len(path); i++ {
		ch := path[i]
		dst = append(dst, ch)
		if ch == '=' && word {
			for i+1 < len(path) && path[i+1] != '&' && path[i+1] != '=' {
				i++
			}
		}
		word = wordChar(ch)
	}
	return dst
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
