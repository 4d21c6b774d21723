package corpus

// Link types by their number in capture files.
const (
	LinkNull     = 0
	LinkEthernet = 1
	LinkPPP      = 9
	LinkRaw      = 101
	LinkHDLC     = 104
	LinkSLL      = 113
	LinkIPv4     = 228
	LinkSLL2     = 276
)

// Frame is a packet in the framing of a link.
type Frame struct {
	Link uint16
	Data []byte
}

var macs = []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}

// tagged puts a header and the EtherType of what follows in front.
func (p Packet) tagged(etherType uint16, head ...byte) Packet {
	return Packet{etherType, join(head, be.AppendUint16(nil, p.EtherType), p.Data)}
}

// VLAN puts an 802.1Q tag in front; several make 802.1Q in 802.1Q.
func (p Packet) VLAN(id uint16) Packet { return p.tagged(EtherVLAN, byte(id>>8), byte(id)) }

// QinQ puts an 802.1ad service tag in front.
func (p Packet) QinQ(id uint16) Packet { return p.tagged(EtherQinQ, byte(id>>8), byte(id)) }

// MPLS puts a stack of labels in front, outermost first.
func (p Packet) MPLS(labels ...uint32) Packet {
	var stack []byte
	for i, l := range labels {
		entry := l<<12 | 64
		if i == len(labels)-1 {
			entry |= 1 << 8 // bottom of stack
		}
		stack = be.AppendUint32(stack, entry)
	}
	return Packet{EtherMPLS, append(stack, p.Data...)}
}

// pppNumber is the PPP protocol number of a packet.
func (p Packet) pppNumber() uint16 {
	switch p.EtherType {
	case EtherIPv6:
		return 0x0057
	case EtherMPLS:
		return 0x0281
	}
	return 0x0021
}

// PPPoE puts a PPPoE session header and a PPP protocol number in front, the
// latter in one byte when compressed.
func (p Packet) PPPoE(compressed bool) Packet {
	ppp := be.AppendUint16(nil, p.pppNumber())
	if compressed {
		ppp = ppp[1:]
	}
	ppp = append(ppp, p.Data...)
	return Packet{EtherPPPoE, join([]byte{0x11, 0, 0, 1}, sized16(ppp))}
}

// Ethernet frames the packet, padded to the 60 bytes that the wire asks for.
func (p Packet) Ethernet() Frame {
	b := join(macs, be.AppendUint16(nil, p.EtherType), p.Data)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return Frame{LinkEthernet, b}
}

// SNAP frames the packet as 802.3 with LLC and SNAP.
func (p Packet) SNAP() Frame {
	llc := join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be.AppendUint16(nil, p.EtherType), p.Data)
	return Frame{LinkEthernet, join(macs, sized16(llc))}
}

// SLL frames the packet as Linux cooked capture does.
func (p Packet) SLL() Frame {
	head := []byte{0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0}
	return Frame{LinkSLL, join(head, be.AppendUint16(nil, p.EtherType), p.Data)}
}

// SLL2 frames the packet as version 2 of Linux cooked capture does.
func (p Packet) SLL2() Frame {
	head := []byte{0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0}
	return Frame{LinkSLL2, join(be.AppendUint16(nil, p.EtherType), head, p.Data)}
}

// Raw has no link header.
func (p Packet) Raw() Frame { return Frame{LinkRaw, p.Data} }

// RawIPv4 has no link header either, under the link type of IPv4 alone.
func (p Packet) RawIPv4() Frame { return Frame{LinkIPv4, p.Data} }

// Null frames the packet as BSD loopback does, with an address family in the
// byte order of little-endian hosts.
func (p Packet) Null(family uint8) Frame {
	return Frame{LinkNull, join([]byte{family, 0, 0, 0}, p.Data)}
}

// PPP frames the packet with or without address and control bytes.
func (p Packet) PPP(address bool) Frame {
	b := join(be.AppendUint16(nil, p.pppNumber()), p.Data)
	if address {
		b = join([]byte{0xff, 3}, b)
	}
	return Frame{LinkPPP, b}
}

// HDLC frames the packet as Cisco routers do.
func (p Packet) HDLC() Frame {
	return Frame{LinkHDLC, join([]byte{0x0f, 0}, be.AppendUint16(nil, p.EtherType), p.Data)}
}

// Trailer appends bytes behind the packet that belong to the link only.
func (f Frame) Trailer(b string) Frame { return Frame{f.Link, append(join(f.Data), b...)} }
