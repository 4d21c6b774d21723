// Package quic finds the server name in the first datagrams of a QUIC
// connection: it decrypts Initial packets, whose keys follow from the packet
// itself (RFC 9001 5.2), and reads the plain handshake of older gQUIC.
package quic

import "encoding/binary"

const (
	maxCID = 20 // bytes of a connection id, RFC 9000 17.2
	// minCID is the shortest destination id of a client's first Initial (RFC
	// 9000 7.2). Behind a Retry it may be shorter.
	minCID     = 8
	sampleSize = 16 // of cipher text, for header protection (RFC 9001 5.4.2)
	tagSize    = 16 // AEAD_AES_128_GCM
	// minInitial is the least behind the connection ids: token length, length,
	// packet number and sample.
	minInitial = 1 + 1 + 4 + sampleSize
)

// Looks says from the first bytes whether a UDP payload may start with an
// Initial packet of QUIC version 1, 2, the drafts and their kin, or be a
// packet of plain gQUIC that names its version. Payloads that begin like a
// long header of an unknown version pass when their connection ids have
// possible lengths; DNS, DTLS, STUN and RTP do not.
func Looks(b []byte) bool {
	if len(b) < 6+minInitial {
		return false
	}
	c := b[0]
	if c&0x80 == 0 {
		return c&(publicVersion|publicCID|0x40) == publicVersion|publicCID && isPlainGoogle(binary.BigEndian.Uint32(b[9:]))
	}
	version, n := binary.BigEndian.Uint32(b[1:]), int(b[5])
	kind := c & 0x30
	switch {
	case version == Version2:
		if kind != 0x10 {
			return false
		}
	case isPlainGoogle(version):
		return c&0x40 != 0
	case kind != 0 || version == 0: // version 0: Version Negotiation
		return false
	case n < minCID || c&0x40 == 0:
		// Without the fixed bit (RFC 9287) or with a short id only versions
		// that cannot be mistaken: else DNS and RTP come in here.
		if !known(version) {
			return false
		}
	}
	return n <= maxCID && len(b) >= 6+n+minInitial && int(b[6+n]) <= maxCID
}

// header is what a long header says (RFC 9000 17.2).
type header struct {
	version uint32
	initial bool
	dcid    []byte
	pn      int  // where the packet number is
	end     int  // where the packet ends
	cut     bool // it ends behind the bytes captured
}

// parse reads the long header at the start of b. ok is false for all that has
// no length: Retry, Version Negotiation, short headers, what is no QUIC.
func (h *header) parse(b []byte) (ok bool) {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return false
	}
	h.version = binary.BigEndian.Uint32(b[1:])
	kind := b[0] >> 4 & 3
	if h.version == Version2 { // RFC 9369 3.2: one up, modulo 4
		kind = (kind - 1) & 3
	}
	if h.version == 0 || kind == 3 { // Retry
		return false
	}
	h.initial = kind == 0
	at := 6 + int(b[5])
	if b[5] > maxCID || len(b) <= at || b[at] > maxCID {
		return false
	}
	h.dcid = b[6:at]
	at += 1 + int(b[at])
	if h.initial {
		token, n := varint(b, at)
		if n == 0 || token > uint64(len(b)) {
			return false
		}
		at += n + int(token)
	}
	length, n := varint(b, at)
	if n == 0 || length < 4+sampleSize || length > 1<<16 {
		return false
	}
	h.pn = at + n
	h.end = h.pn + int(length)
	h.cut = h.end > len(b)
	return true
}

// varint reads a variable-length integer (RFC 9000 16) at b[at:]; n is its
// length, 0 when b ends before it does.
func varint(b []byte, at int) (v uint64, n int) {
	if at >= len(b) {
		return 0, 0
	}
	b = b[at:]
	n = 1 << (b[0] >> 6)
	if n > len(b) {
		return 0, 0
	}
	v = uint64(b[0] & 0x3F)
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}
