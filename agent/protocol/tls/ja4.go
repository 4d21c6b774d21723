package tls

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// The transports of a ClientHello, as JA4 begins with them.
const (
	OverTCP  = 't'
	OverQUIC = 'q'
)

// maxListed bounds each list that goes into a JA4. Clients offer about a hundred
// values at most; sorting many more would be work for an attacker's benefit.
const maxListed = 256

// AppendJA4 appends the JA4 fingerprint of a ClientHello
// ("t13d1516h2_8daaf6152771_e5627efa2ab1": transport, version, whether a name is
// asked for, the numbers of cipher suites and extensions, the first protocol;
// the hash of the sorted cipher suites; that of the sorted extensions and the
// signature algorithms; github.com/FoxIO-LLC/ja4, technical_details/JA4.md).
// Nothing is appended unless the message is there as a whole, its lists are
// sound, and none of them holds more than 256 values.
func AppendJA4(dst []byte, h *Hello, transport byte) []byte {
	if !h.Complete || len(h.CipherSuites) > 2*maxListed {
		return dst
	}
	var ciphers, kinds [maxListed]uint16
	nc, nk, counted := 0, 0, 0
	for list := h.CipherSuites; len(list) >= 2; list = list[2:] {
		if v := binary.BigEndian.Uint16(list); !grease(v) {
			ciphers[nc] = v
			nc++
		}
	}
	version, name := h.Version, byte('i')
	var signatures []byte
	e := extensions{h.Extensions}
	for e.more() {
		kind, data := e.next()
		if grease(kind) {
			continue
		}
		counted++
		switch kind {
		case extServerName:
			name = 'd'
			continue
		case extALPN:
			continue
		case extSignatures:
			signatures = list16(data)
		case extVersions:
			version = highest(list8(data), version)
		}
		if nk == maxListed {
			return dst
		}
		kinds[nk] = kind
		nk++
	}
	if len(e.rest) > 0 || len(signatures) > 2*maxListed {
		return dst
	}
	dst = append(append(dst, transport), versionMark(version)...)
	dst = appendCount(append(dst, name), nc)
	dst = appendCount(dst, counted)
	first, last := h.protocolMark()
	dst = append(dst, first, last, '_')

	var text [2 * 5 * maxListed]byte
	slices.Sort(ciphers[:nc])
	dst = appendHash(dst, appendHex(text[:0], ciphers[:nc]))
	slices.Sort(kinds[:nk])
	t := appendHex(text[:0], kinds[:nk])
	if nk > 0 {
		mark := byte('_')
		for ; len(signatures) >= 2; signatures = signatures[2:] {
			if v := binary.BigEndian.Uint16(signatures); !grease(v) {
				t = appendHex16(append(t, mark), v)
				mark = ','
			}
		}
	}
	return appendHash(append(dst, '_'), t)
}

// highest is the highest version of a supported_versions list; legacy if there
// is none.
func highest(list []byte, legacy uint16) uint16 {
	top, any := uint16(0), false
	for ; len(list) >= 2; list = list[2:] {
		if v := binary.BigEndian.Uint16(list); !grease(v) {
			top, any = max(top, v), true
		}
	}
	if !any {
		return legacy
	}
	return top
}

func versionMark(v uint16) string {
	switch v {
	case 0x0304:
		return "13"
	case 0x0303:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case 0x0002:
		return "s2"
	}
	return "00"
}

// protocolMark gives the first and the last character of the first protocol, or
// of its hexadecimal form when one of them is no letter or digit.
func (h *Hello) protocolMark() (first, last byte) {
	p := list8(h.ALPN)
	if len(p) == 0 {
		return '0', '0'
	}
	first, last = p[0], p[len(p)-1]
	if alphanumeric(first) && alphanumeric(last) {
		return first, last
	}
	const digits = "0123456789abcdef"
	return digits[first>>4], digits[last&15]
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

// appendCount appends a number of two digits.
func appendCount(dst []byte, n int) []byte {
	n = min(n, 99)
	return append(dst, '0'+byte(n/10), '0'+byte(n%10))
}

func appendHex(dst []byte, list []uint16) []byte {
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendHex16(dst, v)
	}
	return dst
}

func appendHex16(dst []byte, v uint16) []byte {
	return hex.AppendEncode(dst, []byte{byte(v >> 8), byte(v)})
}

// appendHash appends the first twelve digits of the SHA-256 of a list; zeros for
// one without any.
func appendHash(dst, list []byte) []byte {
	if len(list) == 0 {
		return append(dst, "000000000000"...)
	}
	sum := sha256.Sum256(list)
	return hex.AppendEncode(dst, sum[:6])
}
