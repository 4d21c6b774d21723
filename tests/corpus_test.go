package tests

import (
	"fmt"
	"testing"

	. "trailhound/tests/corpus"
)

// TestCorpus replays the project's own renditions of the reference's cases.
func TestCorpus(t *testing.T) {
	syn := func(sport, dport uint16, dst string) Frame { return eth(client, dst, Syn(sport, dport)) }
	cases := []Case{
		{Name: "ip_trails", Trails: fixture, Frames: Each(
			syn(50002, 443, "66.66.66.66"), syn(50003, 8443, "6.6.6.6"), eth("198.51.100.66", client, Syn(31337, 50004))),
			Events: []string{
				"0 10.0.0.66 50002 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"1 10.0.0.66 50003 6.6.6.6 8443 TCP IPORT 6.6.6.6:8443" + malware,
				"2 198.51.100.66 31337 10.0.0.66 50004 TCP IP 198.51.100.66" + botnet}},
		{Name: "duplicate_syn", Trails: fixture, Frames: []Stamped{
			At(0, syn(50001, 443, "66.66.66.66")), At(0, syn(50001, 443, "66.66.66.66")), At(0, syn(50001, 443, "66.66.66.66")),
			At(0, syn(50001, 443, "66.66.66.66")), At(0, syn(50001, 443, "66.66.66.66")), At(10, syn(50001, 443, "66.66.66.66")),
			At(11, syn(50001, 443, "66.66.66.66")), At(12, syn(50001, 443, "66.66.66.66"))},
			Events: []string{
				"0 10.0.0.66 50001 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"10 10.0.0.66 50001 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"11 10.0.0.66 50001 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"12 10.0.0.66 50001 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		queries("dns_queries", fixture,
			[2]string{"evil-test-domain.com", "evil-test-domain.com" + malware},
			[2]string{"www.evil-parent.com", "(www).evil-parent.com" + malware},
			[2]string{"badsite.onion.to", "badsite.onion(.to)" + malware},
			[2]string{"evilname.ip-adress.com", "evilname(.ip-adress.com)" + malware},
			[2]string{"dga1234.wildcard-test.com", "dga1234.wildcard-test.com" + malware},
			[2]string{"www.clean.org", ""}),
		{Name: "http_trails", Trails: fixture, Frames: Each(
			eth(client, "203.0.113.10", Data(50030, 80, Get("victim.example", "/malicious-login.php"))),
			eth(client, "203.0.113.44", Data(50031, 80, Get("hostcheck.example", "/"))),
			eth(client, "203.0.113.11", Data(50032, 80, Get("evil-url.example", "/bad/path")))),
			Events: []string{
				"0 10.0.0.66 50030 203.0.113.10 80 TCP URL (victim.example)/malicious-login.php" + malware,
				"1 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (hostcheck.example)" + malware,
				"2 10.0.0.66 50032 203.0.113.11 80 TCP URL evil-url.example/bad/path" + malware}},
		{Name: "tls_sni", Trails: fixture, Frames: Each(
			eth(client, "203.0.113.30", Data(50400, 443, Record(ClientHello("tls-evil.example")))),
			eth(client, "203.0.113.31", Data(50401, 443, Record(ClientHello("tls-clean.example"))))),
			Events: []string{"0 10.0.0.66 50400 203.0.113.30 443 TCP DNS tls-evil.example" + malware}},
		{Name: "vlan", Trails: fixture, Frames: Each(
			IP(client, "66.66.66.66", Syn(50060, 443)).VLAN(100).Ethernet(),
			IP(client, resolver, UDP(50061, 53, Query(Ask("evil-test-domain.com")))).VLAN(100).Ethernet(),
			IP(client, "66.66.66.66", Syn(50062, 443)).VLAN(200).VLAN(100).Ethernet()),
			Events: []string{
				"0 10.0.0.66 50060 66.66.66.66 443 TCP IP 66.66.66.66" + malware,
				"1 10.0.0.66 50061 8.8.8.8 53 UDP DNS evil-test-domain.com" + malware,
				// The reference drops the second tag (D 19, 1).
				"2 10.0.0.66 50062 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		{Name: "dlt_sll", Trails: fixture, Frames: Each(IP(client, "66.66.66.66", Syn(50501, 443)).SLL()),
			Events: []string{"0 10.0.0.66 50501 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		{Name: "ipv6", Trails: fixture, Frames: Each(
			eth("dead::1", "dead::beef", Syn(50080, 443)),
			eth("dead::1", "dead::2", UDP(50081, 53, Query(Ask("evil-test-domain.com")))),
			eth("dead::1", "dead::beef", ICMPv6(128, 0))),
			Events: []string{
				"0 dead::1 50080 dead::beef 443 TCP IPORT [dead::beef]:443" + malware,
				"1 dead::1 50081 dead::2 53 UDP DNS evil-test-domain.com" + malware,
				"2 dead::1 - dead::beef - ICMPV6 IP dead::beef" + malware}},
		{Name: "fragments", Trails: fixture, Frames: fragments(),
			Events: []string{"0 10.0.0.66 50070 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
		{Name: "whitelisted", Trails: append([]string{"127.0.0.1,malware (test)", "localdomain,malware (test)"}, fixture...),
			Whitelist: []string{"127.0.0.1", "localdomain"},
			Frames:    Each(eth("127.0.0.1", "127.0.0.1", Syn(50090, 443)), query("localhost.localdomain"))},
		{Name: "clean_tcp", Trails: fixture, Frames: cleanTCP()},
		{Name: "ack_sweep_no_fp", Trails: fixture, Frames: sweep(ACK)},
		{Name: "dns_exhaustion", Trails: fixture, Frames: subdomains(40)},
	}
	runCases(t, cases)
	for _, c := range cases {
		c.Pcapng = true
		t.Run(c.Name+" as pcapng", func(t *testing.T) { runCase(t, c) })
	}
}

// fragments is a SYN with data in three fragments.
func fragments() []Stamped {
	var all []Frame
	for _, p := range Fragments(client, "66.66.66.66", TCP(50070, 443, SYN, fmt.Sprintf("%064d", 0)), 24, 48) {
		all = append(all, p.Ethernet())
	}
	return Each(all...)
}

func cleanTCP() (all []Stamped) {
	for i := range 20 {
		port := uint16(51000 + i)
		all = append(all, At(i, eth(client, "203.0.113.50", Syn(port, 443))), At(i, eth("203.0.113.50", client, TCP(443, port, SYN|ACK, ""))))
	}
	return all
}

func sweep(flags uint8) (all []Stamped) {
	for i := range 21 {
		all = append(all, At(i, eth("203.0.113.9", "198.51.100.7", TCP(40000, uint16(1000+i), flags, ""))))
	}
	return all
}

func subdomains(n int) (all []Stamped) {
	for i := range n {
		all = append(all, At(i/10, query(fmt.Sprintf("h%d.exhaust-test.com", i))))
	}
	return all
}
