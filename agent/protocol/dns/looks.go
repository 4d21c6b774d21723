package dns

import "encoding/binary"

const (
	minQuestion = 5  // root name, type, class
	minRecord   = 11 // root name, type, class, TTL, length
	// maxQuestions bounds the questions of a message on a port that is not DNS's
	// own. mDNS browsers ask some dozen names at once.
	maxQuestions = 64
)

// Looks says whether the payload of a datagram (or what TCPMessage returned) is
// a DNS message, whatever its port. It wants a standard query or response with
// plausible flags, counts that fit the size, and questions that are whole and
// of a known class; a response without questions (mDNS) needs a first record of
// that kind. Empty responses, updates, notifications and NetBIOS names are not
// DNS messages to it. On port 53 there is no need to ask: Parse takes more.
func Looks(b []byte) bool {
	// Text never passes the opcode test, and most binary protocols have more
	// than a dozen in bytes 4 and 5.
	return len(b) >= headerSize+minQuestion && b[2]&0x78 == 0 &&
		b[4] == 0 && b[5] <= maxQuestions && plausible(b)
}

func plausible(b []byte) bool {
	if b[2]&0x80 == 0 && (b[3]&0x8F != 0 || b[5] == 0) {
		return false // a query has neither RA nor a response code, but a question
	}
	questions := int(b[5])
	answers := int(binary.BigEndian.Uint16(b[6:]))
	others := int(binary.BigEndian.Uint16(b[8:])) + int(binary.BigEndian.Uint16(b[10:]))
	if headerSize+questions*minQuestion+(answers+others)*minRecord > len(b) {
		return false
	}
	if questions == 0 {
		return answers > 0 && plausibleRecord(b)
	}
	if netbios(b[headerSize:]) {
		return false
	}
	off := headerSize
	for range questions {
		if !clean(b, off) {
			return false
		}
		off = skip(b, off)
		if off < 0 || len(b)-off < 4 || !plausibleType(b[off:]) {
			return false
		}
		off += 4
	}
	return true
}

func plausibleRecord(b []byte) bool {
	off := skip(b, headerSize)
	if off < 0 || len(b)-off < 10 || !clean(b, headerSize) || !plausibleType(b[off:]) {
		return false
	}
	return int(binary.BigEndian.Uint16(b[off+8:])) <= len(b)-off-10
}

// plausibleType tests type and class: IN, CH, HS, NONE or ANY.
func plausibleType(b []byte) bool {
	if b[0]|b[1] == 0 {
		return false
	}
	switch binary.BigEndian.Uint16(b[2:]) & ClassMask {
	case ClassIN, 3, 4, 254, 255:
		return true
	}
	return false
}

// clean reports whether the labels of the name at b[off:] hold no control
// characters. A pointer must lead into the part behind the header.
func clean(b []byte, off int) bool {
	for off < len(b) {
		size := int(b[off])
		if size >= 0xC0 {
			return off+1 < len(b) && int(binary.BigEndian.Uint16(b[off:]))&0x3FFF >= headerSize
		}
		if size == 0 {
			return true
		}
		off++
		if size > maxLabel || size > len(b)-off {
			return false
		}
		for _, c := range b[off : off+size] {
			if c < ' ' || c == 0x7F {
				return false
			}
		}
		off += size
	}
	return false
}

// TCPMessage takes the first message off a TCP segment that starts with the
// two-byte length of one (RFC 1035 4.2.2); rest is what follows it, maybe
// further messages. It reports false when the message does not lie in the
// segment whole or the length is less than a header.
func TCPMessage(b []byte) (msg, rest []byte, ok bool) {
	if len(b) < 2+headerSize {
		return nil, b, false
	}
	end := 2 + int(binary.BigEndian.Uint16(b))
	if end < 2+headerSize || end > len(b) {
		return nil, b, false
	}
	return b[2:end:end], b[end:], true
}
