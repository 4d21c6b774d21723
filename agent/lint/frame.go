package lint

import (
	"encoding/binary"
	"net/netip"

	"trailhound/agent/packet"
)

// A frame is made as raw IP, without link header: that is where matching
// starts. Checksums stay zero, as they do on hosts whose card fills them in.

// appendIP appends an IP header for n bytes of payload.
func appendIP(b []byte, src, dst netip.Addr, proto uint8, n int) []byte {
	if src.Is4() {
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(20+n))
		b = append(b, 0, 0, 0, 0, 64, proto, 0, 0)
		s, d := src.As4(), dst.As4()
		return append(append(b, s[:]...), d[:]...)
	}
	b = append(b, 0x60, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, proto, 64)
	s, d := src.As16(), dst.As16()
	return append(append(b, s[:]...), d[:]...)
}

// appendTCP appends a segment; flags and payload make it a SYN or a request.
func appendTCP(b []byte, src, dst netip.AddrPort, flags uint8, payload []byte) []byte {
	b = appendIP(b, src.Addr(), dst.Addr(), packet.ProtoTCP, 20+len(payload))
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = append(b, 0, 0, 0, 1, 0, 0, 0, 1, 5<<4, flags, 0xFF, 0xFF, 0, 0, 0, 0)
	return append(b, payload...)
}

func appendUDP(b []byte, src, dst netip.AddrPort, payload []byte) []byte {
	b = appendIP(b, src.Addr(), dst.Addr(), packet.ProtoUDP, 8+len(payload))
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(payload)))
	return append(append(b, 0, 0), payload...)
}

// appendEcho appends an echo request.
func appendEcho(b []byte, src, dst netip.Addr) []byte {
	proto, kind := uint8(packet.ProtoICMP), byte(8)
	if !src.Is4() {
		proto, kind = packet.ProtoICMPv6, 128
	}
	b = appendIP(b, src, dst, proto, 8)
	return append(b, kind, 0, 0, 0, 0, 1, 0, 1)
}

// appendQuery appends a DNS query for the A record of a name that nameFault
// has nothing against.
func appendQuery(b, name []byte) []byte {
	b = append(b, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	at := len(b)
	b = append(b, 0)
	for _, c := range name {
		if c == '.' {
			b[at] = byte(len(b) - at - 1)
			at = len(b)
			c = 0
		}
		b = append(b, c)
	}
	b[at] = byte(len(b) - at - 1)
	return append(b, 0, 0, 1, 0, 1)
}

// appendRequest appends the head of an HTTP request.
func appendRequest(b, host, target, agent []byte) []byte {
	b = append(append(append(b, "GET "...), target...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	if len(agent) > 0 {
		b = append(append(append(b, "User-Agent: "...), agent...), "\r\n"...)
	}
	return append(b, "\r\n"...)
}
