package tests

import (
	"testing"

	. "trailhound/tests/corpus"
)

// TestSYN holds the address rules of D 7.1.
func TestSYN(t *testing.T) {
	trails := []string{"198.51.100.53,known attacker", "198.51.100.66,botnet c2 (test)", "198.51.100.91,parking site (suspicious)",
		"66.66.66.66,malware (test)", "6.6.6.6:8443,malware (test)", "6.6.6.6,botnet c2 (test)"}
	to := func(dst string, sport, dport uint16) Frame { return eth(client, dst, Syn(sport, dport)) }
	from := func(src string, sport, dport uint16) Frame { return eth(src, client, Syn(sport, dport)) }
	runCases(t, []Case{
		{Name: "attacker as destination is not written", Trails: trails, Frames: Each(to("198.51.100.53", 50000, 443))},
		{Name: "attacker as source is", Trails: trails, Frames: Each(from("198.51.100.53", 50000, 22)),
			Events: []string{"0 198.51.100.53 50000 10.0.0.66 22 TCP IP 198.51.100.53" + attack}},
		{Name: "no fall-through to the source", Trails: append([]string{"10.0.0.66,botnet c2 (test)"}, trails...),
			Frames: Each(to("198.51.100.53", 50000, 443))},
		{Name: "no fall-through from port to address", Trails: []string{"6.6.6.6:8443,known attacker", "6.6.6.6,botnet c2 (test)"},
			Frames: Each(to("6.6.6.6", 50000, 8443))},
		{Name: "malware as source is not written", Trails: trails, Frames: Each(from("66.66.66.66", 50000, 443))},
		{Name: "malware as destination is", Trails: trails, Frames: Each(to("66.66.66.66", 50000, 443)),
			Events: []string{"0 10.0.0.66 50000 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		{Name: "parking sites on web ports only", Trails: trails,
			Frames: Each(to("198.51.100.91", 50000, 80), to("198.51.100.91", 50000, 443), to("198.51.100.91", 50000, 8080)),
			Events: []string{
				"0 10.0.0.66 50000 198.51.100.91 80 TCP IP 198.51.100.91" + parking,
				"1 10.0.0.66 50000 198.51.100.91 443 TCP IP 198.51.100.91" + parking}},
		{Name: "destination before source", Trails: trails, Frames: Each(eth("198.51.100.66", "66.66.66.66", Syn(1, 2))),
			Events: []string{"0 198.51.100.66 1 66.66.66.66 2 TCP IP 66.66.66.66" + malware}},
		{Name: "port before address", Trails: trails, Frames: Each(to("6.6.6.6", 50000, 8443), to("6.6.6.6", 50000, 8444)),
			Events: []string{
				"0 10.0.0.66 50000 6.6.6.6 8443 TCP IPORT 6.6.6.6:8443" + malware,
				"1 10.0.0.66 50000 6.6.6.6 8444 TCP IP 6.6.6.6" + botnet}},
		{Name: "source with port", Trails: []string{"198.51.100.66:31337,botnet c2 (test)"}, Frames: Each(from("198.51.100.66", 31337, 1), from("198.51.100.66", 31338, 1)),
			Events: []string{"0 198.51.100.66 31337 10.0.0.66 1 TCP IPORT 198.51.100.66:31337" + botnet}},
		{Name: "to localhost the source is not asked", Trails: trails,
			Frames: Each(eth("198.51.100.66", "127.0.0.1", Syn(1, 2)), eth("198.51.100.66", "127.0.0.2", Syn(1, 2))),
			Events: []string{"1 198.51.100.66 1 127.0.0.2 2 TCP IP 198.51.100.66" + botnet}},
		{Name: "other flags are no SYN", Trails: trails, Frames: Each(
			eth(client, "66.66.66.66", TCP(1, 2, SYN|ACK, "")), eth(client, "66.66.66.66", TCP(1, 2, SYN|FIN, "")),
			eth(client, "66.66.66.66", TCP(1, 2, SYN|RST, "")), eth(client, "66.66.66.66", TCP(1, 2, ACK, "")), eth(client, "66.66.66.66", TCP(1, 2, 0, "")))},
		// The reference keeps one slot for all flows and writes the third SYN
		// again; here each flow has its own.
		{Name: "one event per flow and second", Trails: trails,
			Frames: []Stamped{At(0, to("66.66.66.66", 1, 443)), At(0, to("6.6.6.6", 2, 443)), At(0, to("66.66.66.66", 1, 443)), At(0, to(web, 1, 443)),
				At(0, to("66.66.66.66", 1, 443)), At(0, to("66.66.66.66", 3, 443)), At(1, to("66.66.66.66", 1, 443))},
			Events: []string{
				"0 10.0.0.66 1 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"0 10.0.0.66 2 6.6.6.6 443 TCP IP 6.6.6.6" + botnet,
				"0 10.0.0.66 3 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"1 10.0.0.66 1 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		{Name: "whitelisted addresses take events out", Trails: trails, Whitelist: []string{"203.0.113.0/24"},
			Frames: Each(eth("203.0.113.5", "66.66.66.66", Syn(1, 2)), eth("203.0.113.5", resolver, UDP(50000, 53, Query(Ask("66.66.66.66.ip-adress.com"))))),
			Events: []string{"1 203.0.113.5 50000 8.8.8.8 53 UDP DNS 66.66.66.66(.ip-adress.com)" + malware}},
		{Name: "whitelisted trails match nothing", Trails: append([]string{"66.66.66.0/24,botnet c2 (test)"}, trails...), Whitelist: []string{"66.66.66.66", "6.6.6.6:8443"},
			Frames: Each(eth(client, "6.6.6.6", Syn(1, 8443))),
			Events: []string{"0 10.0.0.66 1 6.6.6.6 8443 TCP IP 6.6.6.6" + botnet}},
	})
}

// TestUDP holds the address rules of D 9.
func TestUDP(t *testing.T) {
	trails := []string{"198.51.100.53,known attacker", "198.51.100.66,botnet c2 (test)", "198.51.100.91,parking site (suspicious)", "66.66.66.66,malware (test)"}
	to := func(dst, payload string) Frame { return eth(client, dst, UDP(50000, 9999, payload)) }
	from := func(src string) Frame { return eth(src, client, UDP(9999, 50000, "x")) }
	runCases(t, []Case{
		{Name: "destination", Trails: trails, Frames: Each(to("66.66.66.66", "x")),
			Events: []string{"0 10.0.0.66 50000 66.66.66.66 9999 UDP IP 66.66.66.66" + malware}},
		{Name: "source", Trails: trails, Frames: Each(from("198.51.100.66")),
			Events: []string{"0 198.51.100.66 9999 10.0.0.66 50000 UDP IP 198.51.100.66" + botnet}},
		{Name: "attacker as destination, malware as source", Trails: trails, Frames: Each(to("198.51.100.53", "x"), from("66.66.66.66"))},
		{Name: "attacker as source", Trails: trails, Frames: Each(from("198.51.100.53")),
			Events: []string{"0 198.51.100.53 9999 10.0.0.66 50000 UDP IP 198.51.100.53" + attack}},
		{Name: "no fall-through", Trails: append([]string{"10.0.0.66,botnet c2 (test)"}, trails...), Frames: Each(to("198.51.100.53", "x"))},
		{Name: "no parking rule", Trails: trails, Frames: Each(to("198.51.100.91", "x")),
			Events: []string{"0 10.0.0.66 50000 198.51.100.91 9999 UDP IP 198.51.100.91" + parking}},
		{Name: "one event per flow and second", Trails: trails,
			Frames: []Stamped{At(0, to("66.66.66.66", "a")), At(0, to("66.66.66.66", "a")), At(0, to("66.66.66.66", "b")), At(1, to("66.66.66.66", "a"))},
			Events: []string{
				"0 10.0.0.66 50000 66.66.66.66 9999 UDP IP 66.66.66.66" + malware,
				"1 10.0.0.66 50000 66.66.66.66 9999 UDP IP 66.66.66.66" + malware}},
		{Name: "to localhost", Trails: trails, Frames: Each(eth("198.51.100.66", "127.0.0.1", UDP(1, 2, "x"))),
			Events: []string{"0 198.51.100.66 1 127.0.0.1 2 UDP IP 198.51.100.66" + botnet}},
	})
}

// TestTinyFragments holds that an address is matched whatever the fragment or
// the capture left of the transport header. The reference drops all of these.
func TestTinyFragments(t *testing.T) {
	rows := []string{"66.66.66.66,malware (test)", "6.6.6.6:8443,malware (test)", "198.51.100.53,known attacker", "198.51.100.66,botnet c2 (test)",
		"198.51.100.91,parking site (suspicious)", "192.0.2.0/24,botnet c2 (test)", "dead::beef,malware (test)", "[dead::beef]:443,malware (test)"}
	// in8 cuts a datagram into fragments of eight bytes, as scanners do.
	in8 := func(src, dst string, s Segment) (all []Frame) {
		var cuts []int
		for at := 8; at < len(s.Data); at += 8 {
			cuts = append(cuts, at)
		}
		for _, p := range Fragments(src, dst, s, cuts...) {
			all = append(all, p.Ethernet())
		}
		return all
	}
	same := func(frames ...Frame) (all []Stamped) { // in one second
		for _, f := range frames {
			all = append(all, At(0, f))
		}
		return all
	}
	syn := func(dst string, dport uint16) []Frame { return in8(client, dst, Syn(50070, dport)) }
	part := func(s Segment, n int) Segment { return Segment{Proto: s.Proto, Data: s.Data[:n]} }
	first6 := func(s Segment, extensions ...Extension) Frame {
		return IPv6("dead::1", "dead::beef", s, append(extensions, Fragment6(0, true))...).Ethernet()
	}
	whole := eth(client, "66.66.66.66", Syn(50070, 443))
	cut := func(n int) Frame { return Frame{Link: whole.Link, Data: whole.Data[:14+20+n]} }
	const found = " 10.0.0.66 50070 66.66.66.66 443 TCP IP 66.66.66.66" + malware
	reversed := syn("66.66.66.66", 443)
	reversed[0], reversed[2] = reversed[2], reversed[0]
	runCases(t, []Case{
		{Name: "one event of three fragments", Trails: rows, Frames: Each(syn("66.66.66.66", 443)...), Events: []string{"0" + found}},
		{Name: "the last one first", Trails: rows, Frames: Each(reversed...), Events: []string{"2" + found}},
		{Name: "padded by the link", Trails: rows, Frames: Each(syn("66.66.66.66", 443)[0].Trailer(string(make([]byte, 18)))), Events: []string{"0" + found}},
		{Name: "in a VLAN", Trails: rows, Frames: Each(Fragments(client, "66.66.66.66", Syn(50070, 443), 8)[0].VLAN(7).Ethernet()), Events: []string{"0" + found}},
		{Name: "once a second, with the whole SYN", Trails: rows, Frames: append(same(append(append(syn("66.66.66.66", 443), whole), syn("66.66.66.66", 443)...)...), At(1, reversed[2])),
			Events: []string{"0" + found, "1" + found}},
		{Name: "the whole SYN first", Trails: rows, Frames: same(whole, reversed[2]), Events: []string{"0" + found}},
		{Name: "address with port", Trails: rows, Frames: Each(append(syn("6.6.6.6", 8443), syn("6.6.6.6", 8444)...)...),
			Events: []string{"0 10.0.0.66 50070 6.6.6.6 8443 TCP IPORT 6.6.6.6:8443" + malware}},
		{Name: "network", Trails: rows, Frames: Each(syn("192.0.2.7", 1)[0]), Events: []string{"0 10.0.0.66 50070 192.0.2.7 1 TCP IP 192.0.2.0/24 (192.0.2.7)" + botnet}},
		{Name: "source", Trails: rows, Frames: Each(in8("198.51.100.66", client, Syn(31337, 1))...),
			Events: []string{"0 198.51.100.66 31337 10.0.0.66 1 TCP IP 198.51.100.66" + botnet}},
		{Name: "the rules of a SYN", Trails: rows, Frames: Each(syn("198.51.100.53", 443)[0], in8("66.66.66.66", client, Syn(1, 2))[0],
			syn("198.51.100.91", 8080)[0], syn("198.51.100.91", 80)[0], in8("198.51.100.66", "127.0.0.1", Syn(1, 2))[0], in8("198.51.100.53", client, Syn(1, 2))[0]),
			Events: []string{
				"3 10.0.0.66 50070 198.51.100.91 80 TCP IP 198.51.100.91" + parking,
				"5 198.51.100.53 1 10.0.0.66 2 TCP IP 198.51.100.53" + attack}},
		{Name: "the flags are not known", Trails: rows, Frames: Each(in8(client, "66.66.66.66", TCP(50070, 443, ACK, ""))[0]), Events: []string{"0" + found}},
		{Name: "flags in the first fragment", Trails: rows, Frames: Each(Fragments(client, "66.66.66.66", TCP(50070, 443, ACK, ""), 16)[0].Ethernet())},
		{Name: "not listed", Trails: rows, Frames: Each(syn(web, 443)...)},
		{Name: "whitelisted", Trails: rows, Whitelist: []string{"66.66.66.66"}, Frames: Each(syn("66.66.66.66", 443)...)},
		{Name: "UDP", Trails: rows, Frames: Each(in8(client, "66.66.66.66", UDP(50070, 9999, "some datagram"))...),
			Events: []string{"0 10.0.0.66 50070 66.66.66.66 9999 UDP IP 66.66.66.66" + malware}},
		{Name: "ICMP", Trails: rows, Frames: Each(in8(client, "66.66.66.66", ICMP(8, 0))...), Events: []string{"0 10.0.0.66 - 66.66.66.66 - ICMP IP 66.66.66.66" + malware}},
		{Name: "cut by the capture", Trails: rows, Frames: Each(cut(0), cut(3), cut(4), cut(13), cut(14)),
			Events: []string{
				"0 10.0.0.66 - 66.66.66.66 - TCP IP 66.66.66.66" + malware,
				"1 10.0.0.66 - 66.66.66.66 - TCP IP 66.66.66.66" + malware,
				"2" + found, "3" + found, "4" + found}},
		{Name: "UDP without ports", Trails: rows, Frames: Each(eth(client, "66.66.66.66", part(UDP(1, 2, ""), 3)), eth("66.66.66.66", client, part(UDP(1, 2, ""), 3))),
			Events: []string{"0 10.0.0.66 - 66.66.66.66 - UDP IP 66.66.66.66" + malware}},
		{Name: "IPv6", Trails: rows, Frames: Each(first6(part(Syn(1, 443), 8)), IPv6("dead::1", "dead::beef", Segment{Proto: 6, Data: Syn(1, 443).Data[8:]}, Fragment6(1, false)).Ethernet(),
			first6(part(Syn(1, 443), 8), HopByHop())),
			Events: []string{
				"0 dead::1 1 dead::beef 443 TCP IPORT [dead::beef]:443" + malware,
				"2 dead::1 1 dead::beef 443 TCP IPORT [dead::beef]:443" + malware}},
		// The reference, too, tells the first of these by its fragment header.
		{Name: "IPv6, the headers go on in the next fragment", Trails: rows, Frames: Each(first6(Segment{Proto: 60, Data: []byte{6, 1, 1, 12, 0, 0, 0, 0}}),
			first6(Segment{Proto: 60, Data: []byte{6, 0, 1, 4, 0, 0, 0, 0}})),
			Events: []string{
				"0 dead::1 - dead::beef - FRAGMENT IP dead::beef" + malware,
				"1 dead::1 - dead::beef - TCP IP dead::beef" + malware}},
	})
}

// TestResolver holds the addresses of DNS queries, D 10.2 step 3.
func TestResolver(t *testing.T) {
	to := func(dst, name string) Frame { return eth(client, dst, UDP(50000, 53, Query(Ask(name)))) }
	runCases(t, []Case{
		{Name: "address, no keyword counts", Trails: fixture, Frames: Each(to("198.51.100.53", "www.clean.org")),
			Events: []string{"0 10.0.0.66 50000 198.51.100.53 53 UDP IP 198.51.100.53 (www.clean.org)" + attack}},
		{Name: "address with port, the port not shown", Trails: plus("198.51.100.53:53,botnet c2 (test)"), Frames: Each(to("198.51.100.53", "www.clean.org")),
			Events: []string{"0 10.0.0.66 50000 198.51.100.53 53 UDP IPORT 198.51.100.53 (www.clean.org)" + botnet}},
		{Name: "source, without the name", Trails: plus("10.0.0.66,malware (test)"), Frames: Each(to(resolver, "www.clean.org")),
			Events: []string{"0 10.0.0.66 50000 8.8.8.8 53 UDP IP 10.0.0.66" + malware}},
		{Name: "destination before source", Trails: plus("10.0.0.66,malware (test)"), Frames: Each(to("198.51.100.53", "www.clean.org")),
			Events: []string{"0 10.0.0.66 50000 198.51.100.53 53 UDP IP 198.51.100.53 (www.clean.org)" + attack}},
		{Name: "address and name", Trails: fixture, Frames: Each(to("198.51.100.53", "evil-test-domain.com")),
			Events: []string{
				"0 10.0.0.66 50000 198.51.100.53 53 UDP IP 198.51.100.53 (evil-test-domain.com)" + attack,
				"0 10.0.0.66 50000 198.51.100.53 53 UDP DNS evil-test-domain.com" + malware}},
		{Name: "network", Trails: []string{"198.51.100.0/24,botnet c2 (test)"}, Frames: Each(to("198.51.100.53", "www.clean.org")),
			Events: []string{"0 10.0.0.66 50000 198.51.100.53 53 UDP IP 198.51.100.0/24 (198.51.100.53) (www.clean.org)" + botnet}},
		{Name: "another query on the same socket", Trails: fixture,
			Frames: []Stamped{At(0, to(resolver, "evil-test-domain.com")), At(0, to(resolver, "a.evil-test-domain.com")), At(0, to(resolver, "evil-test-domain.com"))},
			Events: []string{
				"0 10.0.0.66 50000 8.8.8.8 53 UDP DNS evil-test-domain.com" + malware,
				"0 10.0.0.66 50000 8.8.8.8 53 UDP DNS (a).evil-test-domain.com" + malware}},
		{Name: "responses raise no name", Trails: fixture,
			Frames: Each(eth(resolver, client, UDP(53, 50000, Answered(Query(Ask("evil-test-domain.com")), "192.0.2.1"))))},
	})
}

// TestOtherProtocols holds D 14.
func TestOtherProtocols(t *testing.T) {
	to := func(s Segment) Frame { return eth(client, "66.66.66.66", s) }
	event := func(second, label string) string {
		return second + " 10.0.0.66 - 66.66.66.66 - " + label + " IP 66.66.66.66" + malware
	}
	runCases(t, []Case{
		{Name: "ICMP echo requests only", Trails: fixture, Frames: Each(to(ICMP(8, 0)), to(ICMP(0, 0)), to(ICMP(3, 1)), to(ICMP(11, 0)), to(ICMP(13, 0))),
			Events: []string{event("0", "ICMP")}},
		{Name: "ICMPv6 echo requests only", Trails: fixture,
			Frames: Each(eth("dead::1", "dead::beef", ICMPv6(129, 0)), eth("dead::1", "dead::beef", ICMPv6(135, 0)), eth("dead::1", "dead::beef", ICMPv6(128, 0))),
			Events: []string{"2 dead::1 - dead::beef - ICMPV6 IP dead::beef" + malware}},
		{Name: "labels", Trails: fixture,
			Frames: Each(to(Other(2, "igmp")), to(Other(47, "\x00\x00\x08\x00gre")), to(Other(50, "esp")), to(Other(132, "sctp")), to(Other(103, "pim")), to(Other(255, "raw"))),
			Events: []string{event("0", "IGMP"), event("1", "GRE"), event("2", "ESP"), event("3", "SCTP"), event("4", "PIM"), event("5", "RAW")}},
		{Name: "protocols that are not listed", Trails: fixture, Frames: Each(to(Other(89, "ospf")), to(Other(112, "vrrp")), to(Other(200, "x")))},
		{Name: "source, and no keyword counts", Trails: fixture,
			Frames: Each(eth("66.66.66.66", client, Other(47, "gre")), eth(client, "198.51.100.53", ICMP(8, 0))),
			Events: []string{
				"0 66.66.66.66 - 10.0.0.66 - GRE IP 66.66.66.66" + malware,
				"1 10.0.0.66 - 198.51.100.53 - ICMP IP 198.51.100.53" + attack}},
		{Name: "every packet", Trails: fixture, Frames: []Stamped{At(0, to(ICMP(8, 0))), At(0, to(ICMP(8, 0)))},
			Events: []string{event("0", "ICMP"), event("0", "ICMP")}},
	})
}

// TestNetworks holds CIDR trails, which are inert in the reference.
func TestNetworks(t *testing.T) {
	rows := []string{"198.51.100.0/24,botnet c2 (test)", "198.51.100.64/26,malware (test)", "198.51.100.70,known attacker", "2001:db8:bad::/48,malware (test)"}
	runCases(t, []Case{
		{Name: "longest first, addresses before networks", Trails: rows, Frames: Each(
			eth(client, "198.51.100.7", Syn(1, 443)), eth(client, "198.51.100.65", Syn(1, 443)), eth(client, "198.51.100.70", ICMP(8, 0)), eth(client, "198.51.101.7", Syn(1, 443))),
			Events: []string{
				"0 10.0.0.66 1 198.51.100.7 443 TCP IP 198.51.100.0/24 (198.51.100.7)" + botnet,
				"1 10.0.0.66 1 198.51.100.65 443 TCP IP 198.51.100.64/26 (198.51.100.65)" + malware,
				"2 10.0.0.66 - 198.51.100.70 - ICMP IP 198.51.100.70" + attack}},
		{Name: "IPv6", Trails: rows, Frames: Each(eth("dead::1", "2001:db8:bad::5", Syn(1, 443)), eth("dead::1", "2001:db8:bae::5", Syn(1, 443))),
			Events: []string{"0 dead::1 1 2001:db8:bad::5 443 TCP IP 2001:db8:bad::0/48 (2001:db8:bad::5)" + malware}},
		{Name: "source, UDP", Trails: rows, Frames: Each(eth("198.51.100.8", client, UDP(1, 2, "x"))),
			Events: []string{"0 198.51.100.8 1 10.0.0.66 2 UDP IP 198.51.100.0/24 (198.51.100.8)" + botnet}},
		{Name: "with Host", Trails: rows, Frames: Each(eth(client, "198.51.100.7", Data(1, 80, Get("shop.org", "/")))),
			Events: []string{"0 10.0.0.66 1 198.51.100.7 80 TCP IP 198.51.100.0/24 (198.51.100.7) (shop.org)" + botnet}},
	})
}
