package packet

import "encoding/binary"

// maxLabels bounds the walk over an MPLS label stack. Deep stacks in use (with
// segment routing, entropy and service labels) stay below ten.
const maxLabels = 16

// etherType goes on behind an EtherType or 802.3 length t: b is what follows
// it. Tags are collected, which bounds the loop.
func (p *Packet) etherType(t uint16, b []byte) Reason {
	snap := false
	for {
		switch t {
		case etherIPv4, etherIPv6:
			// The version nibble decides, as in the reference: translators are
			// known to leave the other family's EtherType in place.
			return p.ip(b)
		case etherVLAN, etherQinQ, etherQinQOld:
			if len(b) < 4 {
				return ShortLink
			}
			if int(p.VLAN) == len(p.VLANs) {
				return TooManyHeaders
			}
			p.VLANs[p.VLAN] = binary.BigEndian.Uint16(b) & 0x0fff
			p.VLAN++
			t, b = binary.BigEndian.Uint16(b[2:]), b[4:]
			continue
		case etherMPLS, etherMPLSMulti:
			return p.mpls(b)
		case etherPPPoE:
			return p.pppoe(b)
		}
		if t >= minEtherType || snap {
			return NotIP
		}
		// An 802.3 length, or the LLC mark of a Linux cooked header (0x0004).
		// The length itself is not needed: IP states its own.
		if isRawIP(b) {
			return p.ip(b[3:])
		}
		var r Reason
		if t, b, r = snapType(b); r != OK {
			return r
		}
		snap = true
	}
}

// llc reads an 802.2 LLC header where the link type promises one.
func (p *Packet) llc(b []byte) Reason {
	return p.etherType(0, b)
}

// isRawIP says whether b is an LLC header with the service access point of IP
// itself (RFC 948).
func isRawIP(b []byte) bool {
	return len(b) >= 3 && b[0] == 0x06 && b[1] == 0x06 && b[2] == 0x03
}

// snapType reads an LLC and SNAP header (RFC 1042) and gives the EtherType and
// what follows it. Of the organisations, those count whose protocol numbers are
// EtherTypes: 00-00-00 and 00-00-F8 (802.1H bridge tunnels).
func snapType(b []byte) (uint16, []byte, Reason) {
	if len(b) < 3 {
		return 0, nil, ShortLink
	}
	if b[0] != 0xaa || b[1] != 0xaa || b[2] != 0x03 {
		return 0, nil, NotIP
	}
	if len(b) < 8 {
		return 0, nil, ShortLink
	}
	if b[3] != 0 || b[4] != 0 || b[5] != 0 && b[5] != 0xf8 {
		return 0, nil, NotIP
	}
	return binary.BigEndian.Uint16(b[6:]), b[8:], OK
}

// mpls walks a label stack to its bottom (RFC 3032). What follows does not say
// what it is: a version nibble of 4 or 6 is IP, anything else is left alone.
func (p *Packet) mpls(b []byte) Reason {
	for range maxLabels {
		if len(b) < 4 {
			return ShortLink
		}
		bottom := b[2]&1 != 0
		b = b[4:]
		if bottom {
			return p.ipByNibble(b)
		}
	}
	return TooManyHeaders
}

// pppoe reads a PPPoE session header (RFC 2516). Its length is not needed.
func (p *Packet) pppoe(b []byte) Reason {
	if len(b) < 6 {
		return ShortLink
	}
	return p.ppp(b[6:])
}

// ppp reads a PPP header: address and control if they are there (RFC 1662), the
// protocol in two bytes or compressed to one, which is then odd (RFC 1661 6.5).
func (p *Packet) ppp(b []byte) Reason {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	if len(b) == 0 {
		return ShortLink
	}
	proto, n := uint16(b[0]), 1
	if b[0]&1 == 0 {
		if len(b) < 2 {
			return ShortLink
		}
		proto, n = binary.BigEndian.Uint16(b), 2
	}
	switch proto {
	case pppIPv4, pppIPv6:
		return p.ip(b[n:])
	case pppMPLS:
		return p.mpls(b[n:])
	}
	return NotIP
}
