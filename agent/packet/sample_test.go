package packet

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// unhex turns hexadecimal digits into bytes; blanks are for the reader.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "\n", "", "\t", "").Replace(s))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

func cat(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, unhex(p)...)
		case []byte:
			b = append(b, p...)
		}
	}
	return b
}

// The packets that most samples carry, written out byte by byte.
var (
	tcp4 = unhex(`45000035 0001 4000 40 06 0000 0a000001 c0000202
		c001 0050 00000001 00000002 50 18 2000 0000 0000
		474554202f20485454500d0a0d`)
	udp4 = unhex(`45000021 0001 0000 40 11 0000 0a000001 c0000202
		d000 0035 000d 0000 68656c6c6f`)
	tcp6 = unhex(`60000000 0016 06 40 20010db8000000000000000000000001 20010db8000000000000000000000002
		c001 0050 00000001 00000002 50 02 2000 0000 0000 6869`)
	macs = unhex("0200000000 02 0200000000 01")
)

// v4 and v6 put an IP header with the right length in front of body.
func v4(proto uint8, fragment uint16, body []byte) []byte {
	b := unhex("45000000 0001 0000 40 00 0000 0a000001 c0000202")
	binary.BigEndian.PutUint16(b[2:], uint16(20+len(body)))
	binary.BigEndian.PutUint16(b[6:], fragment)
	b[9] = proto
	return append(b, body...)
}

func v6(next uint8, body []byte) []byte {
	b := unhex("60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
	binary.BigEndian.PutUint16(b[4:], uint16(len(body)))
	b[6] = next
	return append(b, body...)
}

// with is b with the byte at i changed.
func with(b []byte, i int, v byte) []byte {
	b = append([]byte(nil), b...)
	b[i] = v
	return b
}

var (
	syn  = unhex("c001 0050 00000001 00000000 50 c2 2000 0000 0000")
	dns  = unhex("d000 0035 000c 0000 64617461")
	pay4 = "4745 5420 2f20 4854 5450 0d0a 0d"
)

// A sample is one frame and what must come of it.
type sample struct {
	name  string
	link  LinkType
	frame []byte
	want  Reason
	// What p must hold, unless want forbids.
	proto      uint8
	sport      uint16
	dport      uint16
	flags      uint8
	payload    string // hexadecimal
	v6         bool
	fragment   bool
	truncated  bool
	vlans      []uint16
	repetition int // decode so often before looking
}

func as4(name string, link LinkType, parts ...any) sample {
	return sample{name: name, link: link, frame: cat(append(parts, tcp4)...),
		proto: 6, sport: 0xc001, dport: 80, flags: 0x18, payload: pay4}
}

func as6(name string, link LinkType, parts ...any) sample {
	return sample{name: name, link: link, frame: cat(append(parts, tcp6)...),
		proto: 6, sport: 0xc001, dport: 80, flags: 0x02, payload: "6869", v6: true}
}

func as6ext(name string, link LinkType, parts ...any) sample {
	return sample{name: name, link: link, frame: cat(parts...), proto: 6, sport: 0xc001, dport: 80, flags: 0xc2, v6: true}
}

func bad(name string, want Reason, link LinkType, parts ...any) sample {
	return sample{name: name, link: link, want: want, frame: cat(parts...)}
}

func (s sample) tagged(ids ...uint16) sample { s.vlans = ids; return s }

func (s sample) repeated(n int) sample { s.repetition = n; return s }

// samples is every rule of the decoder at least once; the tests for truncation,
// allocation and fuzzing start from it too.
func samples() []sample {
	return append(append(linkSamples(), etherSamples()...), ipSamples()...)
}

func linkSamples() []sample {
	sll := "0000 0001 0006 020000000001 0000"
	sll2 := "0000 00000002 0001 00 06 0200000000010000"
	slip := "01 40 0000000000000000000000000000"
	snap := "aaaa03 000000"
	ring := cat("10 40", macs)
	fddi := cat("50", macs)
	pf := func(n string) string { return n + " 02 00 00" + strings.Repeat("00", 60) }
	return []sample{
		as4("null little endian", LinkNull, "02000000"),
		as4("null big endian", LinkNull, "00000002"),
		as4("null 0x23 of the reference", LinkNull, "23000000"),
		as6("null openbsd", LinkNull, "18000000"),
		as6("null freebsd", LinkNull, "1c000000"),
		as6("null darwin", LinkNull, "1e000000"),
		as6("null darwin big endian", LinkNull, "0000001e"),
		as6("null linux", LinkNull, "0a000000"),
		as6("null windows", LinkNull, "17000000"),
		bad("null appletalk", NotIP, LinkNull, "10000000", tcp4),
		bad("null 0x0202", NotIP, LinkNull, "02020000", tcp4),
		as4("loop", LinkLoop, "00000002"),
		as6("loop ipv6", LinkLoop, "00000018"),
		as4("loop with ethertype", LinkLoop, "00000800"),
		bad("loop other", NotIP, LinkLoop, "00000007", tcp4),
		as4("ethernet", LinkEthernet, macs, "0800"),
		as6("ethernet ipv6", LinkEthernet, macs, "86dd"),
		as4("token ring", LinkTokenRing, ring, snap, "0800"),
		as4("token ring source routed", LinkTokenRing, with(ring, 8, 0x82), "0630 0011 0020", snap, "0800"),
		bad("token ring odd route", NotIP, LinkTokenRing, with(ring, 8, 0x82), "0530 0011 00", snap, "0800", tcp4),
		as4("token ring ethertype only", LinkTokenRing, make([]byte, 20), "0800"),
		bad("token ring management", NotIP, LinkTokenRing, "1000", macs, snap, "0806", tcp4),
		as4("fddi", LinkFDDI, fddi, snap, "0800"),
		as6("fddi ipv6", LinkFDDI, fddi, snap, "86dd"),
		as4("fddi ethertype only", LinkFDDI, make([]byte, 19), "0800"),
		bad("fddi management", NotIP, LinkFDDI, "41", macs, snap, "0806", tcp4),
		as4("arcnet old", LinkARCNET, "0102 f0"),
		as4("arcnet", LinkARCNET, "0102 d4 00 0001"),
		as6("arcnet ipv6", LinkARCNET, "0102 c4 00 0001"),
		as4("arcnet exception", LinkARCNET, "0102 d4 ff ff ff ff 00 0001"),
		bad("arcnet later piece", NotIP, LinkARCNET, "0102 d4 02 0001", tcp4),
		bad("arcnet arp", NotIP, LinkARCNET, "0102 d5 00 0001", tcp4),
		as4("arcnet ethertype only", LinkARCNET, "00000000 0800"),
		as4("slip", LinkSLIP, slip),
		as6("slip ipv6", LinkSLIP, slip),
		as4("slip ethertype only", LinkSLIP, make([]byte, 14), "8100 0007 0800").tagged(7),
		bad("slip other", NotIP, LinkSLIP, slip, "00", tcp4),
		as4("ppp", LinkPPP, "ff03 0021"),
		as6("ppp ipv6", LinkPPP, "ff03 0057"),
		as4("ppp compressed protocol", LinkPPP, "ff03 21"),
		as4("ppp compressed address", LinkPPP, "0021"),
		as6("ppp compressed both", LinkPPP, "57"),
		as4("ppp mpls", LinkPPP, "ff03 0281 00001140"),
		as4("ppp is hdlc", LinkPPP, "0f00 0800"),
		bad("ppp lcp", NotIP, LinkPPP, "ff03 c021", tcp4),
		bad("ppp lcp odd", NotIP, LinkPPP, "fd", tcp4),
		as4("ppp serial", LinkPPPSerial, "ff03 0021"),
		as4("ppp serial hdlc", LinkPPPSerial, "0f00 0800"),
		as6("ppp serial hdlc multicast", LinkPPPSerial, "8f00 86dd"),
		as4("pppoe link", LinkPPPoE, "1100 0001 0037 0021"),
		as4("pppoe link compressed", LinkPPPoE, "1100 0001 0036 21"),
		as4("pppd", LinkPPPPPPD, "01 03 0021"),
		as4("ppp with direction", LinkPPPDir, "01 ff03 0021"),
		as4("ppp with direction, compressed", LinkPPPDir, "00 21"),
		as4("raw", LinkRaw), as6("raw ipv6", LinkRaw),
		as4("raw 12", LinkRaw12), as6("raw 12 ipv6", LinkRaw12),
		as4("raw 14", LinkRaw14), as6("raw 14 ipv6", LinkRaw14),
		as4("ipv4", LinkIPv4), as6("ipv6", LinkIPv6),
		bad("raw version 5", BadIPHeader, LinkRaw, with(tcp4, 0, 0x55)),
		as4("hdlc", LinkCiscoHDLC, "0f00 0800"),
		as6("hdlc ipv6", LinkCiscoHDLC, "8f00 86dd"),
		as4("hdlc mpls", LinkCiscoHDLC, "0f00 8847 00001140"),
		bad("hdlc slarp", NotIP, LinkCiscoHDLC, "8f00 8035", tcp4),
		as4("sll", LinkSLL, sll, "0800"),
		as4("sll vlan", LinkSLL, sll, "8100 6005 0800").tagged(5),
		as4("sll llc", LinkSLL, sll, "0004", snap, "0800"),
		bad("sll arp", NotIP, LinkSLL, sll, "0806", tcp4),
		as4("sll2", LinkSLL2, "0800", sll2),
		as6("sll2 ipv6", LinkSLL2, "86dd", sll2),
		as4("sll2 vlan", LinkSLL2, "8100", sll2, "0009 0800").tagged(9),
		as4("pflog 61", LinkPFLog, pf("3d")),
		as6("pflog 64", LinkPFLog, pf("40")),
		as4("pflog 48", LinkPFLog, "30", make([]byte, 47)),
		as4("pflog ethertype only", LinkPFLog, "01", make([]byte, 45), "0800"),
		bad("pflog no length", NotIP, LinkPFLog, make([]byte, 64), tcp4),
		as4("pfsync with ethertype", LinkPFSync, "0000 0800"),
		as4("unknown at 0", 147), as6("unknown at 6", 147, make([]byte, 6)),
		as4("unknown at 64", 147, make([]byte, 64)),
		as4("unknown, locked", 147, make([]byte, 11)).repeated(3),
		bad("unknown at 65", UnknownLink, 147, make([]byte, 65), tcp4),
		bad("unknown without ip", UnknownLink, 147, make([]byte, 200)),
	}
}

func etherSamples() []sample {
	e := macs
	pppoe := "8864 1100 0001 0037 "
	label := "00001040 "
	list := []sample{
		as4("vlan", LinkEthernet, e, "8100 e064 0800").tagged(100),
		as4("vlan 88a8", LinkEthernet, e, "88a8 0064 0800").tagged(100),
		as4("vlan 9100", LinkEthernet, e, "9100 0064 0800").tagged(100),
		as6("qinq", LinkEthernet, e, "88a8 0001 8100 0002 86dd").tagged(1, 2),
		as4("four tags", LinkEthernet, e, "88a8 0001 8100 0002 9100 0003 8100 0fff 0800").tagged(1, 2, 3, 4095),
		bad("five tags", TooManyHeaders, LinkEthernet, e, strings.Repeat("8100 0001", 5), "0800", tcp4).tagged(1, 1, 1, 1),
		as4("mpls", LinkEthernet, e, "8847 00001140"),
		as6("mpls stack", LinkEthernet, e, "8848", label, label, "00002140"),
		as4("mpls 16 deep", LinkEthernet, e, "8847", strings.Repeat(label, 15), "00001140"),
		bad("mpls 17 deep", TooManyHeaders, LinkEthernet, e, "8847", strings.Repeat(label, 16), "00001140", tcp4),
		bad("mpls pseudowire", NotIP, LinkEthernet, e, "8847 00001140 00000000", e, "0800", tcp4),
		as4("vlan mpls", LinkEthernet, e, "8100 0003 8847 00001140").tagged(3),
		as4("pppoe", LinkEthernet, e, pppoe, "0021"),
		as6("pppoe ipv6", LinkEthernet, e, pppoe, "0057"),
		as4("pppoe compressed", LinkEthernet, e, pppoe, "21"),
		as6("pppoe vlan", LinkEthernet, e, "8100 0003", pppoe, "0057").tagged(3),
		bad("pppoe lcp", NotIP, LinkEthernet, e, pppoe, "c021", tcp4),
		bad("pppoe discovery", NotIP, LinkEthernet, e, "8863 1109 0000 0000", tcp4),
		as4("snap", LinkEthernet, e, "003d aaaa03 000000 0800"),
		as4("snap 802.1h", LinkEthernet, e, "003d aaaa03 0000f8 0800"),
		as4("snap vlan", LinkEthernet, e, "0041 aaaa03 000000 8100 0004 0800").tagged(4),
		as4("vlan snap", LinkEthernet, e, "8100 0004 003d aaaa03 000000 0800").tagged(4),
		as4("llc raw ip", LinkEthernet, e, "0038 060603"),
		bad("snap in snap", NotIP, LinkEthernet, e, "0100 aaaa03 000000 0010 aaaa03 000000 0800", tcp4),
		bad("snap cisco", NotIP, LinkEthernet, e, "003d aaaa03 00000c 2000", tcp4),
		bad("spanning tree", NotIP, LinkEthernet, e, "0026 424203 0000", tcp4),
		bad("novell", NotIP, LinkEthernet, e, "0040 ffff 0040", tcp4),
		bad("arp", NotIP, LinkEthernet, e, "0806 0001 0800 0604", tcp4),
		bad("type 0800 without version", BadIPHeader, LinkEthernet, e, "0800", with(tcp4, 0, 0x05)),
		as6("type 0800 with version 6", LinkEthernet, e, "0800"),
	}
	padded := as4("padding", LinkEthernet, e, "0800")
	padded.frame = cat(padded.frame, "ffffffffffff")
	return append(list, padded)
}

func ipSamples() []sample {
	const raw = LinkRaw
	full := append([]byte(nil), tcp4...)
	ext := "0000 010400000000"[2:] // length 0 and PadN: the next header goes in front
	opt := func(next string) string { return next + ext }
	chain := func(n int) string { return strings.Repeat(opt("3c"), n-1) + opt("06") }
	s4 := func(name string, frame []byte, proto uint8, sport, dport uint16, flags uint8, payload string) sample {
		return sample{name: name, link: raw, frame: frame, proto: proto, sport: sport, dport: dport, flags: flags, payload: payload}
	}
	s6 := func(name string, next uint8, parts ...any) sample {
		return sample{name: name, link: raw, frame: v6(next, cat(parts...)), v6: true, proto: 6, sport: 0xc001, dport: 80, flags: 0xc2}
	}
	frag := func(s sample) sample { s.fragment = true; return s }
	trunc := func(s sample) sample { s.truncated = true; return s }
	reason := func(r Reason, s sample) sample { s.want = r; return s }
	zero4 := with(with(full, 2, 0), 3, 0)
	jumbo := cat("60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002",
		"0600 c204 00000020", syn, "61626364", "eeee")
	jumboCut := with(jumbo, 40+6, 0xff)
	return []sample{
		s4("udp", udp4, 17, 0xd000, 53, 0, "68656c6c6f"),
		s4("syn", v4(6, 0, syn), 6, 0xc001, 80, 0xc2, ""),
		s4("options", cat("46000038 0001 4000 40 06 0000 0a000001 c0000202 94040000", syn, "6162636465 6162636465 6162"), 6, 0xc001, 80, 0xc2, "616263646561626364656162"),
		s4("total length 0", cat(zero4, "ffff"), 6, 0xc001, 80, 0x18, pay4+"ffff"),
		bad("total length below header", BadIPHeader, raw, with(full, 3, 19)),
		bad("ihl 4", BadIPHeader, raw, with(full, 0, 0x44)),
		bad("ihl beyond total length", BadIPHeader, raw, with(with(full, 0, 0x4f), 3, 59)),
		bad("ihl beyond capture", ShortIP, raw, with(with(full, 0, 0x4f), 3, 80)[:30]),
		bad("19 bytes", ShortIP, raw, full[:19]),
		trunc(s4("truncated", full[:44], 6, 0xc001, 80, 0x18, "47455420")),
		frag(s4("first fragment", v4(17, 0x2000, cat("d000 0035 1000 0000", "6162")), 17, 0xd000, 53, 0, "6162")),
		reason(LaterFragment, s4("later fragment", v4(17, 0x2001, dns), 17, 0, 0, 0, hex.EncodeToString(dns))),
		reason(LaterFragment, s4("last fragment", v4(6, 0x0001, syn), 6, 0, 0, 0, hex.EncodeToString(syn))),
		s4("don't fragment", v4(17, 0x4000, dns), 17, 0xd000, 53, 0, "64617461"),
		s4("tcp of 14 bytes", v4(6, 0, syn[:14]), 6, 0xc001, 80, 0xc2, ""),
		reason(ShortTransport, s4("tcp of 13 bytes", v4(6, 0, syn[:13]), 6, 0xc001, 80, 0, hex.EncodeToString(syn[:13]))),
		reason(ShortTransport, s4("tcp of 4 bytes", v4(6, 0, syn[:4]), 6, 0xc001, 80, 0, hex.EncodeToString(syn[:4]))),
		reason(ShortTransport, s4("tcp of 3 bytes", v4(6, 0, syn[:3]), 6, 0, 0, 0, hex.EncodeToString(syn[:3]))),
		reason(ShortTransport, s4("tcp of no byte", v4(6, 0, nil), 6, 0, 0, 0, "")),
		reason(ShortTransport, frag(s4("tcp, tiny first fragment", v4(6, 0x2000, syn[:8]), 6, 0xc001, 80, 0, hex.EncodeToString(syn[:8])))),
		reason(ShortTransport, trunc(s4("tcp cut by the capture", v4(6, 0, syn)[:20+8], 6, 0xc001, 80, 0, hex.EncodeToString(syn[:8])))),
		reason(LaterFragment, s4("tcp flags in a later fragment", v4(6, 0x0001, syn[8:]), 6, 0, 0, 0, hex.EncodeToString(syn[8:]))),
		s4("tcp data offset 4", v4(6, 0, cat(with(syn, 12, 0x40), "6162")), 6, 0xc001, 80, 0xc2, ""),
		s4("tcp data offset beyond", v4(6, 0, cat(with(syn, 12, 0xf0), "6162")), 6, 0xc001, 80, 0xc2, ""),
		s4("tcp options", v4(6, 0, cat(with(syn, 12, 0x60), "01010101 6162")), 6, 0xc001, 80, 0xc2, "6162"),
		s4("udp of 4 bytes", v4(17, 0, dns[:4]), 17, 0xd000, 53, 0, ""),
		s4("udp of 7 bytes", v4(17, 0, dns[:7]), 17, 0xd000, 53, 0, ""),
		reason(ShortTransport, s4("udp of 3 bytes", v4(17, 0, dns[:3]), 17, 0, 0, 0, "d00000")),
		s4("udp length shorter", v4(17, 0, with(dns, 5, 10)), 17, 0xd000, 53, 0, "6461"),
		s4("udp length 8", v4(17, 0, with(dns, 5, 8)), 17, 0xd000, 53, 0, ""),
		s4("udp length 7", v4(17, 0, with(dns, 5, 7)), 17, 0xd000, 53, 0, "64617461"),
		s4("udp length 0", v4(17, 0, with(dns, 5, 0)), 17, 0xd000, 53, 0, "64617461"),
		s4("udp length longer", v4(17, 0, with(dns, 4, 9)), 17, 0xd000, 53, 0, "64617461"),
		s4("icmp", v4(1, 0, unhex("0800 0000 00010001")), 1, 0, 0, 0, "0800000000010001"),
		s4("gre", v4(47, 0, unhex("0000 0800")), 47, 0, 0, 0, "00000800"),
		s4("no body", v4(103, 0, nil), 103, 0, 0, 0, ""),

		s6("ipv6 syn", 6, syn),
		s6("hop-by-hop", 0, opt("06"), syn),
		s6("routing", 43, "0602 0201 00000000 20010db8000000000000000000000003", syn),
		s6("destination, hop-by-hop, mobility, hip, shim6", 60, opt("00"), opt("87"), opt("8b"), opt("8c"), opt("06"), syn),
		s6("nine headers", 60, chain(9), syn),
		s6("as many headers as are walked", 60, chain(maxExtensions), syn),
		reason(UnknownTransport, sample{name: "one more", link: raw, v6: true, payload: hex.EncodeToString(cat(opt("06"), syn)),
			frame: v6(60, cat(chain(maxExtensions+1), syn))}),
		frag(s6("ipv6 first fragment", 44, "0600 0001 00000001", syn)),
		reason(ShortTransport, frag(sample{name: "ipv6 tiny first fragment", link: raw, v6: true, proto: 6, sport: 0xc001, dport: 80,
			payload: hex.EncodeToString(syn[:8]), frame: v6(44, cat("0600 0001 00000001", syn[:8]))})),
		reason(ShortTransport, frag(sample{name: "ipv6 first fragment without transport", link: raw, v6: true, proto: 6,
			frame: v6(44, cat("3c00 0001 00000001", opt("06")))})),
		reason(ShortTransport, frag(sample{name: "ipv6 first fragment ends in a header", link: raw, v6: true, proto: ProtoFragment,
			payload: "0601010c00000000", frame: v6(44, unhex("3c00 0001 00000001 0601 010c 00000000"))})),
		reason(BadIPHeader, sample{name: "ipv6 atomic fragment ends in a header", link: raw, v6: true,
			frame: v6(44, unhex("3c00 0000 00000001 0601 010c 00000000"))}),
		reason(UnknownTransport, frag(trunc(sample{name: "ipv6 first fragment, header cut by capture", link: raw, v6: true, payload: "0601010c00000000",
			frame: v6(44, unhex("3c00 0001 00000001 0601 010c 00000000 00000000"))[:56]}))),
		s6("ipv6 atomic fragment", 44, "0600 0000 00000001", syn),
		frag(s6("hop-by-hop and first fragment", 0, opt("2c"), "0600 0001 00000001", syn)),
		reason(LaterFragment, sample{name: "ipv6 later fragment", link: raw, v6: true, proto: 6, payload: "6162",
			frame: v6(44, unhex("0600 0009 00000001 6162"))}),
		reason(BadIPHeader, s6("extension beyond packet", 0, "0608 010400000000", syn)),
		reason(BadIPHeader, s6("extension cut by packet", 0, "0600 0104")),
		reason(BadIPHeader, s6("extension without a byte", 0)),
		reason(UnknownTransport, trunc(sample{name: "extension cut by capture", link: raw, v6: true, payload: opt("06")[:8],
			frame: v6(0, cat(opt("06"), syn))[:44]})),
		bad("39 bytes", ShortIP, raw, tcp6[:39]),
		{name: "ah", link: raw, v6: true, proto: 51, payload: "0604000000000000", frame: v6(51, unhex("0604000000000000"))},
		{name: "esp behind destination options", link: raw, v6: true, proto: 50, payload: "01020304", frame: v6(60, cat(opt("32"), "01020304"))},
		{name: "icmpv6", link: raw, v6: true, proto: 58, payload: "8000000000010001", frame: v6(58, unhex("8000000000010001"))},
		{name: "ipv6 payload length 0", link: raw, v6: true, proto: 17, sport: 0xd000, dport: 53, payload: "64617461",
			frame: with(v6(17, dns), 5, 0)},
		{name: "ipv6 none with padding", link: raw, v6: true, proto: 59, frame: cat(v6(59, nil), "00000000")},
		{name: "ipv6 padding", link: raw, v6: true, proto: 17, sport: 0xd000, dport: 53, payload: "64617461",
			frame: cat(v6(17, dns), "eeee")},
		trunc(sample{name: "ipv6 truncated", link: raw, v6: true, proto: 17, sport: 0xd000, dport: 53, payload: "6461",
			frame: v6(17, dns)[:40+10]}),
		{name: "jumbogram", link: raw, v6: true, proto: 6, sport: 0xc001, dport: 80, flags: 0xc2, payload: "61626364",
			frame: jumbo},
		trunc(sample{name: "jumbogram truncated", link: raw, v6: true, proto: 6, sport: 0xc001, dport: 80, flags: 0xc2, payload: "61626364eeee",
			frame: jumboCut}),
		{name: "jumbogram behind Pad1", link: raw, v6: true, proto: 6, sport: 0xc001, dport: 80, flags: 0xc2, payload: "6162",
			frame: with(v6(0, cat("0601 0000000000 01 00 c204 00000026 00", syn, "6162eeee")), 5, 0)},
		{name: "jumbo option cut by its header", link: raw, v6: true, proto: 6, sport: 0xc001, dport: 80, flags: 0xc2, payload: "61626364eeee",
			frame: with(jumbo, 43, 0x40)},
		as6ext("unknown with an extension header", 147, make([]byte, 30), v6(60, cat(opt("06"), syn))),
		{name: "jumbogram without option", link: raw, v6: true, proto: 6, sport: 0xc001, dport: 80, flags: 0xc2, payload: "61626364eeee",
			frame: with(jumbo, 42, 0x1e)},
	}
}
