package packet

// Label gives the name that an event about an IP protocol without ports
// carries, in the reference's wording, and "" for a protocol that raises none.
// TCP and UDP have no label: they are matched by their own rules.
func Label(proto uint8) string {
	switch proto {
	case 0:
		return "IP"
	case ProtoICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case 4:
		return "IPIP"
	case 8:
		return "EGP"
	case 12:
		return "PUP"
	case 22:
		return "IDP"
	case 29:
		return "TP"
	case 41:
		return "IPV6"
	case 43:
		return "ROUTING"
	case ProtoFragment:
		return "FRAGMENT"
	case 46:
		return "RSVP"
	case 47:
		return "GRE"
	case 50:
		return "ESP"
	case 51:
		return "AH"
	case ProtoICMPv6:
		return "ICMPV6"
	case 59:
		return "NONE"
	case 60:
		return "DSTOPTS"
	case 103:
		return "PIM"
	case 132:
		return "SCTP"
	case 136:
		return "UDPLITE"
	case 255:
		return "RAW"
	}
	return ""
}
