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
