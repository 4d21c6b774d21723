package packet

import (
	"encoding/binary"
	"net/netip"
)

// ip decodes what is known to be an IP packet, by its version.
func (p *Packet) ip(b []byte) Reason {
	if len(b) == 0 {
		return ShortIP
	}
	switch b[0] >> 4 {
	case 4:
		return p.ipv4(b)
	case 6:
		return p.ipv6(b)
	}
	return BadIPHeader
}

// ipByNibble decodes b if it looks like IP where it may as well be something
// else.
func (p *Packet) ipByNibble(b []byte) Reason {
	if len(b) > 0 && b[0]>>4 != 4 && b[0]>>4 != 6 {
		return NotIP
	}
	return p.ip(b)
}

// ipv4 decodes an IPv4 packet (RFC 791) whose version is known to be 4.
func (p *Packet) ipv4(b []byte) Reason {
	if len(b) < 20 {
		return ShortIP
	}
	head := int(b[0]&0x0f) * 4
	if head < 20 {
		return BadIPHeader
	}
	end := int(binary.BigEndian.Uint16(b[2:]))
	p.Truncated = end > len(b)
	if end < head {
		if end != 0 {
			return BadIPHeader
		}
		// Segmentation offload: the capture is taken before the network card
		// cuts the packet and writes the length.
		end = len(b)
	}
	end = min(end, len(b)) // what lies behind it is Ethernet padding
	if end < head {
		return ShortIP
	}
	p.Src = netip.AddrFrom4([4]byte(b[12:16]))
	p.Dst = netip.AddrFrom4([4]byte(b[16:20]))
	p.IP = b[:end:end]
	body := b[head:end:end]
	fragment := binary.BigEndian.Uint16(b[6:])
	p.Fragment = fragment&0x3fff == 0x2000 // more to come, offset 0
	p.Proto = b[9]
	if p.Proto == ProtoTCP && fragment&0x1fff == 0 {
		return p.tcp(body)
	}
	if fragment&0x1fff != 0 {
		p.portless(body)
		return LaterFragment
	}
	return p.transport(body)
}

// transport decodes the protocol p.Proto from the bytes behind the IP headers.
func (p *Packet) transport(b []byte) Reason {
	switch p.Proto {
	case ProtoTCP:
		return p.tcp(b)
	case ProtoUDP:
		return p.udp(b)
	}
	p.portless(b)
	return OK
}

// portless takes b whole, as the payload of a protocol without ports.
func (p *Packet) portless(b []byte) {
	p.SrcPort, p.DstPort, p.Flags = 0, 0, 0
	p.Payload = b
}

// tcp decodes a TCP segment (RFC 9293 3.1) from its first 14 bytes: ports, data
// offset and flags. The rest of the header may be missing, and a data offset
// that cannot be right costs the payload only.
func (p *Packet) tcp(b []byte) Reason {
	if len(b) < 14 {
		p.portless(b)
		return ShortTransport
	}
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.Flags = b[13]
	head := int(b[12]>>4) * 4
	if head < 20 || head > len(b) {
		head = len(b)
	}
	p.Payload = b[head:]
	return OK
}

// tinyPorts reads the ports of TCP that ends before its flags: a first fragment
// of eight bytes, the least that IP can carry (RFC 1858 3), or a segment that the
// capture cut off. It is no part of tcp, which would then be too large to be
// inlined.
func (p *Packet) tinyPorts() {
	if b := p.Payload; p.Proto == ProtoTCP && len(b) >= 4 {
		p.SrcPort = binary.BigEndian.Uint16(b)
		p.DstPort = binary.BigEndian.Uint16(b[2:])
	}
}

// udp decodes a UDP datagram (RFC 768) from its first four bytes, the ports. A
// length that cannot be right is not used: 0 is a jumbogram (RFC 2675 4), and
// the length of a first fragment is that of the whole datagram.
func (p *Packet) udp(b []byte) Reason {
	if len(b) < 4 {
		p.portless(b)
		return ShortTransport
	}
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.Flags = 0
	if len(b) < 8 {
		p.Payload = b[len(b):]
		return OK
	}
	end := int(binary.BigEndian.Uint16(b[4:]))
	if end < 8 || end > len(b) {
		end = len(b)
	}
	p.Payload = b[8:end:end]
	return OK
}
