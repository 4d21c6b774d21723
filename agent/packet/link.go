package packet

import "encoding/binary"

// family reads the address family in front of a BSD loopback packet. Its byte
// order is the capturing host's, and AF_INET6 differs by system, so both orders
// and every value are taken; the version nibble of IP has the last word.
func (p *Packet) family(frame []byte) Reason {
	if len(frame) < 4 {
		return ShortLink
	}
	v := binary.LittleEndian.Uint32(frame)
	if v > 0xff {
		v = binary.BigEndian.Uint32(frame)
	}
	switch v {
	case 2, // AF_INET everywhere
		10,   // AF_INET6 of Linux
		23,   // of Windows
		24,   // of NetBSD, OpenBSD and Npcap
		28,   // of FreeBSD
		30,   // of Darwin
		0x23: // taken by the reference
		return p.ip(frame[4:])
	}
	return NotIP
}

// pppOrHDLC tells PPP from Cisco HDLC by the first byte, the address: 0F is
// unicast and 8F multicast in HDLC; neither begins a PPP protocol number.
func (p *Packet) pppOrHDLC(frame []byte) Reason {
	if len(frame) >= 2 && (frame[0] == 0x0f || frame[0] == 0x8f) && frame[1] == 0 {
		return p.typed(frame, 4)
	}
	return p.ppp(frame)
}

// pppDirected reads PPP behind a byte that says sent or received. pppd's
// variant puts it in place of the address, so the control byte may be left.
func (p *Packet) pppDirected(frame []byte) Reason {
	if len(frame) < 2 {
		return ShortLink
	}
	if frame[1] == 0x03 {
		return p.ppp(frame[2:])
	}
	return p.ppp(frame[1:])
}

// slip skips the 16 bytes that BSD puts in front: direction, and the compressed
// header as it was on the line. What follows is decompressed.
func (p *Packet) slip(frame []byte) Reason {
	if len(frame) < 16 {
		return ShortLink
	}
	return p.ipByNibble(frame[16:])
}

// pflog skips a pf log header. Its first byte is its length without padding;
// IP begins at the next multiple of four.
func (p *Packet) pflog(frame []byte) Reason {
	if len(frame) == 0 {
		return ShortLink
	}
	n := (int(frame[0]) + 3) &^ 3
	if n < 4 {
		return NotIP
	}
	if len(frame) < n {
		return ShortLink
	}
	return p.ipByNibble(frame[n:])
}

// tokenRing reads an 802.5 header: access control, frame control, two
// addresses, and routing information when the source's first bit says so.
func (p *Packet) tokenRing(frame []byte) Reason {
	if len(frame) < 14 {
		return ShortLink
	}
	if frame[1]&0xc0 != 0x40 { // not an LLC frame
		return NotIP
	}
	n := 14
	if frame[8]&0x80 != 0 {
		if len(frame) < 16 {
			return ShortLink
		}
		rif := int(frame[14] & 0x1f)
		if rif < 2 || rif%2 != 0 {
			return NotIP
		}
		n += rif
	}
	if len(frame) < n {
		return ShortLink
	}
	return p.llc(frame[n:])
}

// fddi reads an FDDI header: frame control and two addresses.
func (p *Packet) fddi(frame []byte) Reason {
	if len(frame) < 13 {
		return ShortLink
	}
	if frame[0]&0xf0 != 0x50 { // not an asynchronous LLC frame
		return NotIP
	}
	return p.llc(frame[13:])
}

// arcnet reads a BSD ARCNET header: source, destination, protocol. The newer
// protocols (RFC 1201, RFC 2497) have a split flag and a sequence number behind
// it; of a split packet, only the first piece begins with IP.
func (p *Packet) arcnet(frame []byte) Reason {
	if len(frame) < 3 {
		return ShortLink
	}
	switch frame[2] {
	case 0xf0: // IP (RFC 1051)
		return p.ipByNibble(frame[3:])
	case 0xd4, 0xc4: // IP, IPv6
	default:
		return NotIP
	}
	n := 3
	if len(frame) > n && frame[n] == 0xff { // exception packet: four bytes of padding
		n += 4
	}
	if len(frame) < n+3 {
		return ShortLink
	}
	if split := frame[n]; split != 0 && split&1 == 0 {
		return NotIP
	}
	return p.ipByNibble(frame[n+3:])
}
