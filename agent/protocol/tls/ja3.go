package tls

import (
	"encoding/binary"
	"strconv"
)

const (
	extGroups     = 10 // supported_groups, RFC 8422 5.1.1
	extPoints     = 11 // ec_point_formats, RFC 8422 5.1.2
	extSignatures = 13 // signature_algorithms, RFC 8446 4.2.3
	extVersions   = 43 // supported_versions, RFC 8446 4.2.1
)

// grease says whether a value is one of those that clients send so that servers
// learn to pass over what they do not know (RFC 8701). Fingerprints leave them
// out, since clients draw them by lot.
func grease(v uint16) bool { return v&0x0F0F == 0x0A0A && v>>8 == v&0xFF }

// AppendJA3 appends the JA3 string of a ClientHello ("769,47-53,0-10-11,23-24,0":
// version, cipher suites, extensions, groups and point formats as they were
// offered; github.com/salesforce/ja3). The fingerprint is its MD5. Nothing is
// appended unless the message is there as a whole and its lists are sound: what
// is cut off would be another client's.
func AppendJA3(dst []byte, h *Hello) []byte {
	if !h.Complete || !h.sound() {
		return dst
	}
	dst = strconv.AppendUint(dst, uint64(h.Version), 10)
	dst = appendDecimals(append(dst, ','), h.CipherSuites)
	dst = append(dst, ',')
	var groups, points []byte
	first := true
	for e := (extensions{h.Extensions}); e.more(); {
		kind, data := e.next()
		switch kind {
		case extGroups:
			groups = list16(data)
		case extPoints:
			points = list8(data)
		}
		if !grease(kind) {
			if !first {
				dst = append(dst, '-')
			}
			first = false
			dst = strconv.AppendUint(dst, uint64(kind), 10)
		}
	}
	dst = appendDecimals(append(dst, ','), groups)
	dst = append(dst, ',')
	for i, p := range points {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = strconv.AppendUint(dst, uint64(p), 10)
	}
	return dst
}

// appendDecimals appends numbers of two bytes each, joined by hyphens.
func appendDecimals(dst, list []byte) []byte {
	first := true
	for ; len(list) >= 2; list = list[2:] {
		v := binary.BigEndian.Uint16(list)
		if grease(v) {
			continue
		}
		if !first {
			dst = append(dst, '-')
		}
		first = false
		dst = strconv.AppendUint(dst, uint64(v), 10)
	}
	return dst
}

// extensions steps through an extension list.
type extensions struct{ rest []byte }

// more says whether there is a whole extension.
func (e *extensions) more() bool {
	return len(e.rest) >= 4 && 4+int(binary.BigEndian.Uint16(e.rest[2:])) <= len(e.rest)
}

// next takes the next extension; only when there is one more.
func (e *extensions) next() (kind uint16, data []byte) {
	n := 4 + int(binary.BigEndian.Uint16(e.rest[2:]))
	kind, data = binary.BigEndian.Uint16(e.rest), e.rest[4:n]
	e.rest = e.rest[n:]
	return kind, data
}

// sound says whether the extension list ends with an extension.
func (h *Hello) sound() bool {
	e := extensions{h.Extensions}
	for e.more() {
		e.next()
	}
	return len(e.rest) == 0
}

// list16 is what a length of two bytes announces, as far as it is there.
func list16(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(b))
	return b[2:min(2+n, len(b))]
}

// list8 is list16 with a length of one byte.
func list8(b []byte) []byte {
	if len(b) < 1 {
		return nil
	}
	return b[1:min(1+int(b[0]), len(b))]
}
