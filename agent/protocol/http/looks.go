// Package http reads the heads of HTTP/1.x requests and responses (RFC 9112)
// out of TCP segments, without regard to the port.
//
// Each segment (or the first bytes of a conversation put back together) stands
// alone. Request and Response are reused and point into the segment, so
// reading allocates nothing. The grammar is as wide as that of the most
// lenient servers: what one of them may answer has to be seen. HTTP/2 is
// recognised by its preface and left alone.
package http

import (
	"bytes"
	"encoding/binary"
)

// Class is what a segment may start with.
type Class uint8

// The classes of a segment.
const (
	None         Class = iota
	RequestLike        // text: Request.Parse decides
	ResponseLike       // "HTTP": Response.Parse decides
)

// text is 1 for printable ASCII and for what may stand between or before words.
var text = func() (t [256]uint8) {
	for c := ' '; c <= '~'; c++ {
		t[c] = 1
	}
	t['\t'], t['\r'], t['\n'] = 1, 1, 1
	return t
}()

const (
	wordHTTP = 'H'<<24 | 'T'<<16 | 'T'<<8 | 'P'
	wordPRI  = 'P'<<24 | 'R'<<16 | 'I'<<8 | ' '
)

// Looks says by its first four bytes what a segment may start with. Binary
// protocols and the HTTP/2 preface are None; text of any kind may be a request,
// since any word may be its method, and Parse refuses it at the end of its
// first line. Shorter segments are judged by what they have.
func Looks(b []byte) Class {
	if len(b) == 0 || text[b[0]] == 0 { // most binary payloads; small enough to be inlined
		return None
	}
	return looks(b)
}

func looks(b []byte) Class {
	if len(b) < 4 {
		return looksShort(b)
	}
	if text[b[1]]&text[b[2]]&text[b[3]] == 0 {
		return None
	}
	switch binary.BigEndian.Uint32(b) {
	case wordHTTP:
		if len(b) == 4 || b[4] == '/' {
			return ResponseLike
		}
	case wordPRI:
		if preface(b) {
			return None
		}
	}
	if b[0] == '\r' || b[0] == '\n' {
		if rest := b[padding(b):]; bytes.HasPrefix(rest, httpSlash) {
			return ResponseLike
		}
	}
	return RequestLike
}

func looksShort(b []byte) Class {
	for _, c := range b {
		if text[c] == 0 {
			return None
		}
	}
	return RequestLike
}

// preface reports whether b starts with the first line of the HTTP/2
// connection preface (RFC 9113 3.4), as far as it goes.
func preface(b []byte) bool {
	const line = "PRI * HTTP/2.0\r\n"
	n := min(len(b), len(line))
	return string(b[:n]) == line[:n]
}
