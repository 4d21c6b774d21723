package event

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
)

// SetCommunityID sets the Community ID of the event's flow, version 1 with seed 0
// (github.com/corelight/community-id-spec), by which other sensors' records of the
// same flow are found: "1:" and 28 characters of base64. Head is the beginning of
// what IP carries: type and code of ICMP and ICMPv6 and the ports of SCTP stand
// there, and in no field of the event; for other protocols it is not looked at. It
// is empty where what the spec hashes is not known: an address, a port, the type of
// a message, or the protocol behind extension headers that were not walked.
func (e *Event) SetCommunityID(head []byte) {
	var buf [32]byte
	e.CommunityID = string(appendCommunityID(buf[:0], e, head))
}

func appendCommunityID(dst []byte, e *Event, head []byte) []byte {
	from, to := e.Src, e.Dst
	if !from.IsValid() || !to.IsValid() || from.Is4() != to.Is4() {
		return dst
	}
	flow := flowOf(e, head)
	if flow.proto == 0 {
		return dst
	}
	// A message without a counterpart is a flow of its own in each direction.
	if c := from.Compare(to); !flow.oneWay && (c > 0 || c == 0 && flow.src > flow.dst) {
		from, to = to, from
		flow.src, flow.dst = flow.dst, flow.src
	}
	var buf [40]byte
	b := buf[:2] // the seed
	b = appendIP(appendIP(b, from), to)
	b = append(b, flow.proto, 0)
	if flow.ports {
		b = binary.BigEndian.AppendUint16(b, flow.src)
		b = binary.BigEndian.AppendUint16(b, flow.dst)
	}
	sum := sha1.Sum(b)
	return base64.StdEncoding.AppendEncode(append(dst, "1:"...), sum[:])
}

// flow is what the Community ID takes besides the addresses.
type flow struct {
	proto    byte // IANA number; 0: none can be told
	ports    bool
	src, dst uint16 // ports, or what stands for them
	oneWay   bool
}

func flowOf(e *Event, head []byte) flow {
	f := flow{proto: protocolNumber(e.Protocol)}
	switch f.proto {
	case 1, 58:
		if len(head) < 2 {
			return flow{}
		}
		f.ports, f.src = true, uint16(head[0])
		other, ok := counterpart(head[0])
		if f.proto == 58 {
			other, ok = counterpart6(head[0])
		}
		if f.dst = uint16(other); !ok {
			f.dst, f.oneWay = uint16(head[1]), true
		}
	case 6, 17:
		if f.ports, f.src, f.dst = true, e.SrcPort, e.DstPort; f.src == 0 || f.dst == 0 {
			return flow{}
		}
	case 132:
		if len(head) < 4 {
			return flow{}
		}
		f.ports, f.src, f.dst = true, binary.BigEndian.Uint16(head), binary.BigEndian.Uint16(head[2:])
	}
	return f
}

// counterpart is the ICMP type that answers a type, or that it answers (RFC 792,
// 950, 1256), and whether there is one.
func counterpart(icmpType uint8) (uint8, bool) {
	switch icmpType {
	case 0: // echo
		return 8, true
	case 8:
		return 0, true
	case 9: // router
		return 10, true
	case 10:
		return 9, true
	case 13, 15, 17: // timestamp, information, mask
		return icmpType + 1, true
	case 14, 16, 18:
		return icmpType - 1, true
	}
	return 0, false
}

// counterpart6 is counterpart for ICMPv6 (RFC 4443, 2710, 4861, 4620, 6275).
func counterpart6(icmpType uint8) (uint8, bool) {
	switch icmpType {
	case 128, 130, 133, 135, 139, 144: // echo, listener, router, neighbour, node information, home agent
		return icmpType + 1, true
	case 129, 131, 134, 136, 140, 145:
		return icmpType - 1, true
	}
	return 0, false
}

// protocolNumber is the IANA number of an event's protocol. The labels of
// extension headers give 0: what is behind them is not known.
func protocolNumber(label string) byte {
	switch label {
	case "ICMP":
		return 1
	case "IGMP":
		return 2
	case "IPIP":
		return 4
	case "TCP":
		return 6
	case "EGP":
		return 8
	case "PUP":
		return 12
	case "UDP":
		return 17
	case "IDP":
		return 22
	case "TP":
		return 29
	case "IPV6":
		return 41
	case "RSVP":
		return 46
	case "GRE":
		return 47
	case "ESP":
		return 50
	case "AH":
		return 51
	case "ICMPV6":
		return 58
	case "PIM":
		return 103
	case "SCTP":
		return 132
	case "UDPLITE":
		return 136
	case "RAW":
		return 255
	}
	return 0
}

func appendIP(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		v := a.As4()
		return append(b, v[:]...)
	}
	v := a.As16()
	return append(b, v[:]...)
}
