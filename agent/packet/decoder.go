package packet

import (
	"encoding/binary"
	"net/netip"
)

// A Decoder turns frames into Packets. The zero value is ready. It is not safe
// for concurrent use: each worker has its own.
type Decoder struct {
	// Counts says how many frames ended with each Reason.
	Counts [NumReasons]uint64

	guesses [4]guess // one for each link type that is being inferred
	oldest  uint8    // the next of them to be given up
}

// Decode fills p from frame, all but Time and Number, and says whether it
// worked. p.Frame is frame, and p's other slices point into it; with OK neither
// IP nor Payload is nil. With any other reason than OK, LaterFragment,
// ShortTransport and UnknownTransport nothing but p.Frame and the VLAN ids is
// set.
func (d *Decoder) Decode(link LinkType, frame []byte, p *Packet) Reason {
	p.Frame = frame
	p.VLANs = [4]uint16{}
	p.VLAN = 0
	var r Reason
	// Nearly every frame of nearly every network is this one.
	if link == LinkEthernet && len(frame) >= 14+20 && binary.BigEndian.Uint16(frame[12:]) == etherIPv4 && frame[14]>>4 == 4 {
		r = p.ipv4(frame[14:])
	} else {
		r = d.decodeLink(link, frame, p)
	}
	if r != OK {
		p.settle(r)
	}
	d.Counts[r]++
	return r
}

// settle leaves of a packet that was not decoded what its reason promises.
func (p *Packet) settle(r Reason) {
	switch r {
	case LaterFragment, UnknownTransport:
	case ShortTransport:
		p.tinyPorts()
	default:
		p.clear()
	}
}

// clear drops what the previous frame, or an attempt that failed, left behind.
func (p *Packet) clear() {
	p.Src, p.Dst = netip.Addr{}, netip.Addr{}
	p.Proto, p.Flags = 0, 0
	p.SrcPort, p.DstPort = 0, 0
	p.Fragment, p.Truncated = false, false
	p.IP, p.Payload = nil, nil
}

// decodeLink reads the link header and goes on with IP.
func (d *Decoder) decodeLink(link LinkType, frame []byte, p *Packet) Reason {
	if r := p.known(link, frame); r != UnknownLink {
		return r
	}
	return d.infer(link, frame, p)
}

// known is decodeLink for the link types whose headers are known: what it gives
// depends on the frame alone. Of all others it says UnknownLink.
func (p *Packet) known(link LinkType, frame []byte) Reason {
	switch link {
	case LinkEthernet:
		return p.typed(frame, 14)
	case LinkRaw, LinkRaw12, LinkRaw14, LinkIPv4, LinkIPv6:
		return p.ip(frame)
	case LinkSLL:
		return p.typed(frame, 16)
	case LinkSLL2:
		if len(frame) < 20 {
			return ShortLink
		}
		return p.etherType(binary.BigEndian.Uint16(frame), frame[20:])
	case LinkNull:
		return p.family(frame)
	case LinkPPP, LinkPPPSerial:
		return p.pppOrHDLC(frame)
	case LinkPPPPPPD, LinkPPPDir:
		return p.pppDirected(frame)
	case LinkPPPoE:
		return p.pppoe(frame)
	case LinkCiscoHDLC:
		return p.typed(frame, 4)
	case LinkLoop:
		return p.orTyped(p.family(frame), frame, 4)
	case LinkPFSync:
		return p.typed(frame, 4)
	case LinkSLIP:
		return p.orTyped(p.slip(frame), frame, 16)
	case LinkPFLog:
		return p.orTyped(p.pflog(frame), frame, 48)
	case LinkTokenRing:
		return p.orTyped(p.tokenRing(frame), frame, 22)
	case LinkFDDI:
		return p.orTyped(p.fddi(frame), frame, 21)
	case LinkARCNET:
		return p.orTyped(p.arcnet(frame), frame, 6)
	}
	return UnknownLink
}

// typed reads a link header of n bytes whose last two are an EtherType.
func (p *Packet) typed(frame []byte, n int) Reason {
	if len(frame) < n {
		return ShortLink
	}
	return p.etherType(binary.BigEndian.Uint16(frame[n-2:]), frame[n:])
}

// orTyped tries typed when the link type's own header, read before with result
// r, did not lead to IP. Some drivers and converters write an EtherType there
// for link types that have none, and the reference reads nothing else. The
// first attempt's reason stands when both fail.
func (p *Packet) orTyped(r Reason, frame []byte, n int) Reason {
	if r.addressed() {
		return r
	}
	if len(frame) < n || binary.BigEndian.Uint16(frame[n-2:]) < minEtherType {
		return r
	}
	tags, count := p.VLANs, p.VLAN
	p.VLANs, p.VLAN = [4]uint16{}, 0
	if second := p.typed(frame, n); second.addressed() {
		return second
	}
	p.VLANs, p.VLAN = tags, count
	return r
}
