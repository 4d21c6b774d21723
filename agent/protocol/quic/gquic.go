package quic

import "encoding/binary"

// gQUIC before TLS: the client's first message, CHLO, is sent in clear, only
// guarded by a 12-byte hash. Up to Q043 packets have the "public header" of the
// QUIC Wire Layout Specification (Google, 2016), from Q044 on a long header;
// the frames are the same. Q050 and later encrypt their Initials.

// Bits of the first byte of a public header.
const (
	publicVersion = 0x01 // the version is there: only a client's first packets
	publicCID     = 0x08 // a connection id of 8 bytes; 0x04 of old means the same here
)

const (
	googleHash   = 12  // FNV-1a-128 cut to 96 bits
	cryptoStream = 1   // id of the stream that carries the handshake
	maxTags      = 128 // of a message: kMaxEntries of Chromium
)

// isPlainGoogle says whether the version is one of Q020 to Q049.
func isPlainGoogle(version uint32) bool {
	tens, ones := byte(version>>8), byte(version)
	return version>>16 == 'Q'<<8|'0' && tens >= '2' && tens <= '4' && ones >= '0' && ones <= '9'
}

// plainCHLO returns the handshake message that a packet of plain gQUIC begins
// with, as far as it goes, nil if there is none. plain is false when b is
// something else.
func plainCHLO(b []byte) (message []byte, plain bool) {
	if len(b) < 14 {
		return nil, false
	}
	var version uint32
	at := 0
	if b[0]&0x80 != 0 { // flags, version, lengths of the ids, id, packet number
		if version = binary.BigEndian.Uint32(b[1:]); !isPlainGoogle(version) {
			return nil, false
		}
		if b[5] != 0x50 { // nibbles: 8 bytes of destination id (3 is added), no source id
			return nil, true
		}
		at = 1 + 4 + 1 + 8 + 4
	} else { // flags, id, version, packet number
		if version = binary.BigEndian.Uint32(b[9:]); !isPlainGoogle(version) {
			return nil, false
		}
		at = 1 + 8 + 4 + [4]int{1, 2, 4, 6}[b[0]>>4&3]
	}
	number := int(version>>8&0xF)*10 + int(version&0xF)
	if at += googleHash; number <= 33 {
		at++ // private flags
	}
	if at >= len(b) {
		return nil, true
	}
	return googleStream(b[at:], number), true
}

// googleStream walks the frames of a packet to the beginning of the handshake
// stream.
func googleStream(b []byte, version int) []byte {
	for len(b) > 0 {
		kind := b[0]
		switch {
		case kind&0x80 != 0: // STREAM: 1fdooossB
			data, next, ok := streamFrame(b, version)
			if !ok || data != nil {
				return data
			}
			b = next
		case kind&0xC0 == 0x40 && version > 33:
			n := ackFrame(b)
			if n == 0 || n > len(b) {
				return nil
			}
			b = b[n:]
		case kind == framePadding || kind == googlePing:
			b = b[1:]
		default:
			return nil
		}
	}
	return nil
}

// streamFrame reads the STREAM frame at the start of b. data is nil unless it
// is the beginning of the handshake stream.
func streamFrame(b []byte, version int) (data, next []byte, ok bool) {
	kind := b[0]
	id, offset := int(kind&3)+1, int(kind>>2&7)
	if offset > 0 {
		offset++
	}
	at := 1 + id + offset
	n := at
	if kind&0x20 != 0 {
		n += 2
	}
	if n > len(b) {
		return nil, nil, false
	}
	begin := isNumber(b[1:1+id], cryptoStream, version) && isNumber(b[1+id:at], 0, version)
	next = b[n:]
	length := len(next)
	if kind&0x20 != 0 {
		if length = int(binary.BigEndian.Uint16(b[at:])); version < 39 {
			length = int(binary.LittleEndian.Uint16(b[at:]))
		}
		length = min(length, len(next)) // cut by the capture
	}
	if begin && length > 0 {
		return next[:length], nil, true
	}
	return nil, next[length:], true
}

// isNumber compares a number on the wire: big-endian from Q039 on.
func isNumber(b []byte, want byte, version int) bool {
	var got, last byte
	for i, c := range b {
		if i == len(b)-1 && version >= 39 || i == 0 && version < 39 {
			last = c
		} else {
			got |= c
		}
	}
	return got == 0 && last == want
}

// ackFrame returns the length of the ACK frame at the start of b, 0 when b ends
// before it is known: type 01nullmm, largest acknowledged, delay, blocks, and
// time stamps.
func ackFrame(b []byte) int {
	size := [4]int{1, 2, 4, 6}
	block := size[b[0]&3]
	at := 1 + size[b[0]>>2&3] + 2
	blocks := 0
	if b[0]&0x20 != 0 {
		if at >= len(b) {
			return 0
		}
		blocks = int(b[at])
		at++
	}
	at += block + blocks*(1+block)
	if at >= len(b) {
		return 0
	}
	if stamps := int(b[at]); stamps > 0 {
		at += 1 + 4 + 3*(stamps-1)
	}
	return at + 1
}

// chloServerName returns the value of the SNI tag of a CHLO, nil if it is not
// there as a whole. Tags come first, each with the end of its value; numbers
// are little-endian (QUIC Crypto, Google, 2016).
func chloServerName(b []byte) []byte {
	if len(b) < 8 || string(b[:4]) != "CHLO" {
		return nil
	}
	n := int(binary.LittleEndian.Uint16(b[4:]))
	if n > maxTags || len(b) < 8+8*n {
		return nil
	}
	values := b[8+8*n:]
	begin := uint32(0)
	for tag := b[8 : 8+8*n]; len(tag) > 0; tag = tag[8:] {
		end := binary.LittleEndian.Uint32(tag[4:])
		if end < begin || uint64(end) > uint64(len(values)) {
			return nil
		}
		if string(tag[:4]) == "SNI\x00" {
			if begin == end {
				return nil
			}
			return values[begin:end:end]
		}
		begin = end
	}
	return nil
}
