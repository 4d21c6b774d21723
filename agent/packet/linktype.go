package packet

// Link types that the decoder knows, by their number in capture files
// (https://www.tcpdump.org/linktypes.html). A link type that is not listed is
// still decoded: see infer.go.
const (
	LinkNull      LinkType = 0   // BSD loopback: address family in host order
	LinkEthernet  LinkType = 1   // also 802.3
	LinkTokenRing LinkType = 6   // 802.5, source routing included
	LinkARCNET    LinkType = 7   // BSD framing
	LinkSLIP      LinkType = 8   // 16 bytes of BSD header, then IP
	LinkPPP       LinkType = 9   // with or without FF 03
	LinkFDDI      LinkType = 10  // LLC behind frame control and addresses
	LinkRaw12     LinkType = 12  // raw IP (DLT_RAW of most systems)
	LinkRaw14     LinkType = 14  // raw IP (DLT_RAW of OpenBSD)
	LinkPFSync    LinkType = 18  // only where an EtherType leads to IP
	LinkPPPSerial LinkType = 50  // PPP or Cisco HDLC, told apart by the first byte
	LinkPPPoE     LinkType = 51  // PPPoE session header first
	LinkRaw       LinkType = 101 // raw IP
	LinkCiscoHDLC LinkType = 104 // address, control, EtherType
	LinkLoop      LinkType = 108 // OpenBSD loopback: address family in network order
	LinkSLL       LinkType = 113 // Linux cooked capture
	LinkPFLog     LinkType = 117 // pf log; the header states its length
	LinkPPPPPPD   LinkType = 166 // PPP, direction in place of the address byte
	LinkPPPDir    LinkType = 204 // PPP behind a direction byte
	LinkIPv4      LinkType = 228 // raw IPv4
	LinkIPv6      LinkType = 229 // raw IPv6
	LinkSLL2      LinkType = 276 // Linux cooked capture, version 2
)

// EtherTypes that lead to IP (IEEE 802 numbers).
const (
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	etherVLAN      = 0x8100 // 802.1Q
	etherQinQ      = 0x88a8 // 802.1ad
	etherQinQOld   = 0x9100 // before 802.1ad
	etherMPLS      = 0x8847
	etherMPLSMulti = 0x8848 // multicast, or upstream-assigned labels (RFC 5332)
	etherPPPoE     = 0x8864 // session stage (RFC 2516)

	// minEtherType is the least value that is an EtherType; less is a length
	// (IEEE 802.3 3.2.6).
	minEtherType = 0x0600
)

// PPP protocol numbers that lead to IP (IANA ppp-numbers).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
	pppMPLS = 0x0281 // unicast (RFC 3032 4.3)
)
