// Package packet turns a captured frame into addresses, ports and payload.
//
// A Decoder fills one reused Packet with slices into the frame. It never
// copies, never allocates and never panics, whatever the frame holds: every
// length of a header is checked against what was captured.
package packet

import (
	"net/netip"
	"time"
)

// IP protocol numbers that the sensor treats by name (IANA protocol-numbers).
const (
	ProtoICMP   = 1
	ProtoTCP    = 6
	ProtoUDP    = 17
	ProtoICMPv6 = 58
	// ProtoFragment is the IPv6 fragment header: the protocol of a first fragment
	// that ends before the headers do, so that what it carries is not known.
	ProtoFragment = 44
	// ProtoUnknown stands for what lies behind extension headers that were not
	// walked to their end. It is the number of the hop-by-hop options, which are
	// no protocol of a packet.
	ProtoUnknown = 0
)

// TCP flags (RFC 9293 3.1; ECN flags RFC 3168).
const (
	FlagFIN = 1 << iota
	FlagSYN
	FlagRST
	FlagPSH
	FlagACK
	FlagURG
	FlagECE
	FlagCWR
)

// LinkType is a link type as capture files number it (LINKTYPE_*).
type LinkType uint16

// Packet is one decoded frame. All slices point into Frame and are valid only
// as long as the frame is.
type Packet struct {
	Frame  []byte    // the captured frame, link header first
	Time   time.Time // when it was captured, UTC
	Number uint64    // its number in the capture, from 1

	Src, Dst netip.Addr // never zoned; IPv4 as 4 bytes
	// Proto is the protocol behind the last IPv6 extension header that was
	// walked, or the IPv4 protocol.
	Proto            uint8
	SrcPort, DstPort uint16 // TCP and UDP only, else 0; with ShortTransport, those of TCP if they are there
	Flags            uint8  // TCP flags, else 0
	// Fragment is true for the first fragment of a fragmented datagram (later
	// ones are not decoded).
	Fragment bool
	// Truncated is true when the frame was captured shorter than the IP header
	// says the packet is.
	Truncated bool

	VLANs [4]uint16 // VLAN ids, outermost first
	VLAN  uint8     // how many of them are set

	IP      []byte // the IP packet, from its header to its stated end
	Payload []byte // what TCP or UDP carries, else what IP carries, to its stated end
}

// Outer puts a VLAN id in front of those that were found in the frame: the one
// of a tag that was stripped before the frame was captured. The innermost id is
// lost when there is no room.
func (p *Packet) Outer(id uint16) {
	copy(p.VLANs[1:], p.VLANs[:])
	p.VLANs[0] = id
	p.VLAN = min(p.VLAN+1, uint8(len(p.VLANs)))
}
