// Package tls reads what a TLS handshake says in clear text: the server name
// of a ClientHello and, up to TLS 1.2, the certificates of the server.
//
// The parsers are stateless and see one piece of a connection at a time: the
// payload of a TCP segment, or the first bytes of a conversation put back
// together. They never allocate; results point into the bytes given or, where
// a message is split over records, into a buffer of the parser.
package tls

import "encoding/binary"

const (
	recordHeader    = 5    // type, version, length (RFC 8446 5.1)
	recordHandshake = 0x16 // content type handshake
	// maxGather bounds a message, or one certificate, that has to be put
	// together because it is split over records: one record's worth of plain
	// text (RFC 8446 5.1). Messages in one piece have no bound.
	maxGather = 1 << 14
)

// Looks says by the first bytes whether a TCP payload starts with a TLS
// handshake record: SSL 3.0 to TLS 1.3 as record versions.
func Looks(b []byte) bool {
	return len(b) >= 3 && b[0] == recordHandshake && b[1] == 3 && b[2] <= 4
}

// records reads the handshake records of a segment as one stream of bytes,
// for messages may share records and may be split over them (RFC 8446 5.1).
type records struct {
	data []byte // what is left of the record being read
	rest []byte // the records behind it
}

// more says whether there is a byte to read, and moves to the next record when
// needed. Anything but a handshake record ends the stream: behind a
// ChangeCipherSpec all is encrypted.
func (r *records) more() bool {
	for len(r.data) == 0 {
		if len(r.rest) < recordHeader || !Looks(r.rest) {
			r.rest = nil
			return false
		}
		n := int(binary.BigEndian.Uint16(r.rest[3:]))
		body := r.rest[recordHeader:]
		n = min(n, len(body)) // cut short by the end of the segment
		r.data, r.rest = body[:n], body[n:]
	}
	return true
}

// fill copies bytes of the stream to dst and says how many there were.
func (r *records) fill(dst []byte) (n int) {
	for n < len(dst) && r.more() {
		c := copy(dst[n:], r.data)
		r.data = r.data[c:]
		n += c
	}
	return n
}

// take returns the next n bytes: in place when they lie in one record, else
// gathered in scratch. ok is false when the stream or scratch is too short.
func (r *records) take(n int, scratch []byte) (p []byte, ok bool) {
	if !r.more() {
		return nil, false
	}
	if n <= len(r.data) {
		p, r.data = r.data[:n:n], r.data[n:]
		return p, true
	}
	if n > len(scratch) {
		return nil, false
	}
	return scratch[:n], r.fill(scratch[:n]) == n
}

// skip passes over n bytes.
func (r *records) skip(n int) bool {
	for n > 0 {
		if !r.more() {
			return false
		}
		c := min(n, len(r.data))
		r.data = r.data[c:]
		n -= c
	}
	return true
}

// uint24 is the length of handshake messages and certificates.
func uint24(b []byte) int {
	_ = b[2]
	return int(b[0])<<16 | int(b[1])<<8 | int(b[2])
}
