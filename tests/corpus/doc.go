// Package corpus makes captures: small builders of frames that fit into each
// other, capture files of either format, and the cases that the tests replay.
//
// A payload goes into a Segment (TCP, UDP, ICMP ...), a segment into a Packet
// (IPv4, IPv6), a packet through any number of wrappings (VLAN, MPLS, PPPoE)
// into a frame of a link type. Checksums and lengths are right unless a test
// spoils them. The builders share no code with the decoder, so that an error
// in one does not hide behind the same error in the other.
package corpus

import (
	"encoding/binary"
	"net/netip"
)

var be = binary.BigEndian

// addr reads an address that a test wrote down.
func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// sum is the Internet checksum (RFC 1071) of the parts put together; parts of
// odd length must come last.
func sum(parts ...[]byte) uint16 {
	var s uint32
	for _, p := range parts {
		for len(p) > 1 {
			s += uint32(be.Uint16(p))
			p = p[2:]
		}
		if len(p) == 1 {
			s += uint32(p[0]) << 8
		}
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// join puts byte strings together in new memory.
func join(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// sized8 and sized16 put the length in front.
func sized8(b ...[]byte) []byte {
	v := join(b...)
	return append([]byte{byte(len(v))}, v...)
}

func sized16(b ...[]byte) []byte {
	v := join(b...)
	return append(be.AppendUint16(nil, uint16(len(v))), v...)
}

func sized24(b ...[]byte) []byte {
	v := join(b...)
	return append([]byte{byte(len(v) >> 16), byte(len(v) >> 8), byte(len(v))}, v...)
}
