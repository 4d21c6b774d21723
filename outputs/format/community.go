package format

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"net/netip"

	"trailhound/agent/event"
)

// appendCommunityID appends the flow's Community ID, version 1 with seed 0
// (corelight/community-id-spec), by which other sensors' records of the same
// flow are found. Without ports, where the protocol has them, there is none.
func appendCommunityID(dst []byte, e *event.Event) []byte {
	if !e.Src.IsValid() || !e.Dst.IsValid() || e.Src.Is4() != e.Dst.Is4() {
		return dst
	}
	sport, dport := e.SrcPort, e.DstPort
	proto, ports := protocolNumber(e.Protocol)
	switch {
	case proto == 0:
		return dst
	case e.Protocol == "ICMP":
		sport, dport = 8, 0 // an echo request and its counterpart: no other type raises an event
	case e.Protocol == "ICMPV6":
		sport, dport = 128, 129
	case ports && (sport == 0 || dport == 0):
		return dst
	}
	low, high := e.Src, e.Dst
	if c := low.Compare(high); c > 0 || c == 0 && sport > dport {
		low, high = high, low
		sport, dport = dport, sport
	}
	var buf [40]byte
	b := buf[:2] // the seed
	b = appendIP(appendIP(b, low), high)
	b = append(b, proto, 0)
	if ports {
		b = binary.BigEndian.AppendUint16(b, sport)
		b = binary.BigEndian.AppendUint16(b, dport)
	}
	sum := sha1.Sum(b)
	return base64.StdEncoding.AppendEncode(append(dst, "1:"...), sum[:])
}

// protocolNumber is the IANA number of a label of the reference, and whether
// the Community ID of that protocol takes ports. Labels for which no flow can
// be told apart (SCTP without its ports, the pseudo protocols) give 0.
func protocolNumber(label string) (number byte, ports bool) {
	switch label {
	case "ICMP":
		return 1, true
	case "IGMP":
		return 2, false
	case "IPIP":
		return 4, false
	case "TCP":
		return 6, true
	case "UDP":
		return 17, true
	case "IPV6":
		return 41, false
	case "RSVP":
		return 46, false
	case "GRE":
		return 47, false
	case "ESP":
		return 50, false
	case "AH":
		return 51, false
	case "ICMPV6":
		return 58, true
	case "PIM":
		return 103, false
	}
	return 0, false
}

func appendIP(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		v := a.As4()
		return append(b, v[:]...)
	}
	v := a.As16()
	return append(b, v[:]...)
}
