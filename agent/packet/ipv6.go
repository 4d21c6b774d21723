package packet

import (
	"encoding/binary"
	"net/netip"
)

// maxExtensions bounds the walk over IPv6 extension headers. RFC 8200 4.1 knows
// six kinds, one of which may occur twice, but hosts walk as many as there are:
// these are more than a packet of 1500 bytes has room for, and a walk is short
// for its bytes.
const maxExtensions = 256

// IPv6 extension headers that are walked (IANA ipv6-parameters). ESP and AH are
// not: they are the packet's protocol, and have a label.
const (
	extHopByHop    = 0
	extRouting     = 43
	extFragment    = ProtoFragment
	extNone        = 59
	extDestination = 60
	extMobility    = 135
	extHIP         = 139
	extShim6       = 140
)

// ipv6 decodes an IPv6 packet (RFC 8200) whose version is known to be 6.
func (p *Packet) ipv6(b []byte) Reason {
	if len(b) < 40 {
		return ShortIP
	}
	proto := b[6]
	stated := ipv6Stated(b)
	p.Truncated = stated > uint64(len(b))
	end := int(min(stated, uint64(len(b))))
	p.Src = netip.AddrFrom16([16]byte(b[8:24]))
	p.Dst = netip.AddrFrom16([16]byte(b[24:40]))
	p.IP = b[:end:end]
	p.Fragment = false
	body := b[40:end:end]

	for n := 0; ; n++ {
		size := 8
		switch proto {
		case extHopByHop, extRouting, extDestination, extMobility, extHIP, extShim6:
			if len(body) >= 2 {
				size = (int(body[1]) + 1) * 8
			}
		case extFragment:
		default:
			p.Proto = proto
			return p.transport(body)
		}
		if n == maxExtensions {
			return p.unknown(body)
		}
		if size > len(body) {
			switch {
			case p.Truncated:
				return p.unknown(body)
			case p.Fragment:
				// The rest of the headers is in the next fragment. Hosts should drop
				// that (RFC 7112 5); those that are older put it together.
				p.Proto = ProtoFragment
				p.portless(body)
				return ShortTransport
			}
			return BadIPHeader
		}
		next := body[0]
		if proto == extFragment {
			f := binary.BigEndian.Uint16(body[2:])
			if f&0xfff8 != 0 {
				p.Proto = next
				p.portless(body[size:])
				return LaterFragment
			}
			// Offset 0 and no more to come is a whole packet (RFC 6946).
			p.Fragment = f&1 != 0
		}
		proto, body = next, body[size:]
	}
}

// unknown takes b whole, as what a header that is not walked begins with.
func (p *Packet) unknown(b []byte) Reason {
	p.Proto = ProtoUnknown
	p.portless(b)
	return UnknownTransport
}

// ipv6Stated gives the length of the packet from its header on, as the headers
// state it; where they state none, that is the length of b. b has 40 bytes.
func ipv6Stated(b []byte) uint64 {
	if n := binary.BigEndian.Uint16(b[4:]); n != 0 {
		return 40 + uint64(n)
	}
	switch b[6] {
	case extNone:
		return 40 // the one packet of payload length 0 that means it
	case extHopByHop:
		if n := jumboLength(b[40:]); n != 0 {
			return 40 + uint64(n)
		}
	}
	return uint64(len(b)) // segmentation offload, or BIG TCP without the option
}

// jumboLength finds the jumbo payload option (RFC 2675 2) in the hop-by-hop
// header that b begins with, and gives its length, or 0.
func jumboLength(b []byte) uint32 {
	if len(b) < 8 {
		return 0
	}
	options := b[2:min((int(b[1])+1)*8, len(b))]
	for len(options) >= 2 {
		if options[0] == 0 { // Pad1 has no length
			options = options[1:]
			continue
		}
		size := 2 + int(options[1])
		if size > len(options) {
			break
		}
		if options[0] == 0xc2 && size == 6 {
			return binary.BigEndian.Uint32(options[2:])
		}
		options = options[size:]
	}
	return 0
}
