package tls

import "encoding/binary"

const (
	typeClientHello = 1  // RFC 8446 4
	extServerName   = 0  // RFC 6066 3
	extALPN         = 16 // RFC 7301 3.1
	nameHost        = 0  // NameType host_name, RFC 6066 3
)

// Hello is what a ClientHello offers. Keep one and reuse it: it holds the
// buffer for messages split over records. The slices are valid until the next
// Parse or until the bytes parsed change, whichever is first.
type Hello struct {
	// ServerName is the first host_name of the server_name extension as on the
	// wire, nil when there is none (or not yet: see Complete). It is any bytes
	// up to 64 KiB; HostName says whether it is a name.
	ServerName []byte
	// Version is legacy_version: 0x0303 in TLS 1.3 too.
	Version uint16
	// CipherSuites is the list offered, two bytes each.
	CipherSuites []byte
	// Extensions is the extension list as far as it is present: type and
	// length of two bytes each, then the data, again and again. With Version
	// and CipherSuites it is all that JA3 and JA4 are made of.
	Extensions []byte
	// ALPN is the protocol list of the ALPN extension: length of one byte,
	// then the protocol, again and again.
	ALPN []byte
	// Complete is false when the message goes on behind the bytes given. What
	// was found before the end is right all the same.
	Complete bool

	scratch [maxGather]byte
}

func (h *Hello) reset() {
	h.ServerName, h.CipherSuites, h.Extensions, h.ALPN = nil, nil, nil, nil
	h.Version, h.Complete = 0, false
}

// Parse reads a TCP payload that starts with a handshake record. It says
// whether that is a ClientHello or the beginning of one; the SSL 2.0 compatible
// form (RFC 5246 E.2), which has no server name, is not.
func (h *Hello) Parse(b []byte) bool {
	if !Looks(b) {
		h.reset()
		return false
	}
	r := records{rest: b}
	if !r.more() { // the record header alone
		h.reset()
		return true
	}
	if len(r.rest) == 0 || len(r.data) >= 4 && 4+uint24(r.data[1:]) <= len(r.data) {
		return h.ParseHandshake(r.data)
	}
	n := r.fill(h.scratch[:4])
	if n == 4 {
		n += r.fill(h.scratch[4:min(4+uint24(h.scratch[1:]), maxGather)])
	}
	return h.ParseHandshake(h.scratch[:n])
}

// ParseHandshake reads a ClientHello without records around it, as QUIC
// carries it in CRYPTO frames (RFC 9001 4). It says whether b is one or the
// beginning of one.
func (h *Hello) ParseHandshake(b []byte) bool {
	h.reset()
	if len(b) == 0 || b[0] != typeClientHello {
		return false
	}
	if len(b) < 4 {
		return true
	}
	n, body := uint24(b[1:]), b[4:]
	if n <= len(body) {
		body, h.Complete = body[:n], true
	}
	if !h.parseBody(body) {
		h.reset()
		return false
	}
	return true
}

// parseBody reads struct ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2). Where
// the bytes end early the message is at fault only if it was all there.
func (h *Hello) parseBody(b []byte) bool {
	if len(b) >= 1 && b[0] != 3 { // legacy_version: SSL 3.0 and all of TLS
		return false
	}
	if len(b) < 2+32+1 { // version, random, length of the session id
		return !h.Complete
	}
	h.Version = binary.BigEndian.Uint16(b)
	n := int(b[34])
	if b = b[35:]; n > 32 {
		return false
	}
	if len(b) < n+2 {
		return !h.Complete
	}
	b = b[n:]
	n = int(binary.BigEndian.Uint16(b))
	if b = b[2:]; n == 0 || n%2 != 0 {
		return false
	}
	if len(b) < n+1 {
		return !h.Complete
	}
	h.CipherSuites, b = b[:n:n], b[n:]
	n = int(b[0])
	if b = b[1:]; n == 0 {
		return false
	}
	if len(b) < n {
		return !h.Complete
	}
	if b = b[n:]; len(b) < 2 { // no extensions: right before TLS 1.3
		return true
	}
	n = int(binary.BigEndian.Uint16(b))
	b = b[2:]
	n = min(n, len(b))
	h.Extensions = b[:n:n]
	h.parseExtensions(h.Extensions)
	return true
}

func (h *Hello) parseExtensions(b []byte) {
	for len(b) >= 4 {
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		n = min(n, len(b)) // the last one may be cut short
		switch kind {
		case extServerName:
			if h.ServerName == nil {
				h.ServerName = hostEntry(b[:n])
			}
		case extALPN:
			if n >= 2 && h.ALPN == nil {
				if list := b[2:n:n]; int(binary.BigEndian.Uint16(b)) == len(list) {
					h.ALPN = list
				}
			}
		}
		b = b[n:]
	}
}

// hostEntry returns the first host_name of a ServerNameList (RFC 6066 3), nil
// if none is whole: half a name is another name.
func hostEntry(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	b = b[:min(n, len(b))]
	for len(b) >= 3 {
		kind, n := b[0], int(binary.BigEndian.Uint16(b[1:]))
		b = b[3:]
		if n > len(b) {
			return nil
		}
		if kind == nameHost && n > 0 {
			return b[:n:n]
		}
		b = b[n:]
	}
	return nil
}
