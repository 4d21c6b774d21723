package corpus

// ipTrails are what the captures about packets are matched with.
func ipTrails() []string {
	return []string{"66.66.66.66,malware (test)", "[dead::beef]:443,malware (test)", "evil-parent.com,malware (test)", "/malicious-login.php,malware (test)"}
}

const (
	four = "trail.ip 0 10.0.0.66 50062 66.66.66.66 443 TCP IP 66.66.66.66" + malware
	six  = "trail.iport 0 dead::1 50062 dead::beef 443 TCP IPORT [dead::beef]:443" + malware
)

// packetLimits are those of links, IP and TCP.
func packetLimits() []Subject {
	rows := ipTrails()
	p, p6 := IP(client, "66.66.66.66", Syn(50062, 443)), IP("dead::1", "dead::beef", Syn(50062, 443))
	link := func(name string, f Frame, event string) Case { return raises(name, rows, Each(f), event) }
	extended := func(name string, headers ...Extension) Case {
		return raises(name, rows, Each(IPv6("dead::1", "dead::beef", Syn(50062, 443), headers...).Ethernet()), six)
	}
	bad := Get("evil-parent.com", "/malicious-login.php")
	short := UDP(50000, 53, Query(Ask("evil-parent.com")))
	short.Data[4], short.Data[5] = 0, 20 // the name lies beyond it
	ecn := TCP(50062, 443, SYN|ECE|CWR, "")
	probe := func(flags uint8) []Stamped {
		return burst(11, 1, func(i int) Frame { return eth(scanner, victim, TCP(40000, uint16(1000+i), flags, "")) })
	}
	ports := "scan.port 10 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + byHeuristic("potential port scanning")
	query, answer := Stream(Query(Ask("www.evil-parent.com"))), Stream(Reply(NoError, Query(Ask("www.site.com")), Address("66.66.66.66")))
	return []Subject{
		{"limit-01", "link layers", []Case{
			link("QinQ", p.VLAN(2).QinQ(1).Ethernet(), four), link("two tags", p.VLAN(2).VLAN(1).Ethernet(), four), link("MPLS", p.MPLS(16, 17).Ethernet(), four),
			link("PPPoE, compressed protocol", p.PPPoE(true).Ethernet(), four), link("PPP without address", p.PPP(false), four), link("SLL2", p.SLL2(), four),
			link("BSD loopback, IPv6", p6.Null(30), six),
		}},
		{"limit-02", "IPv6 extension headers", []Case{
			extended("hop by hop", HopByHop()), extended("fragment", Fragment6(0, true)), extended("all", HopByHop(), Destination(), Routing(), Fragment6(0, false), Destination()),
			silent("a later fragment", rows, Each(IPv6("dead::1", "dead::beef", Syn(50062, 443), Fragment6(8, false)).Ethernet())),
		}},
		{"limit-04", "bytes behind the lengths of IP and UDP", []Case{
			silent("behind TCP", rows, Each(eth(client, web, TCP(1, 80, ACK, "")).Trailer(bad))),
			silent("behind UDP", rows, Each(eth(client, resolver, short))),
			raises("behind the path", []string{"/x,malware (test)"}, Each(sends("GET /x HTTP/1.1\r\nHost: v.net\r\n").Trailer("\r\nbody")), sent("trail.url", 0, "URL (v.net)/x"+malware)).without(),
		}},
		{"limit-05", "what the reference's own filter keeps out", []Case{
			raises("IPv6, port 443", rows, Each(p6.Ethernet()), six), raises("stealth probes", rows, probe(FIN|PSH|URG), ports),
			raises("GRE", rows, Each(eth(client, "66.66.66.66", Other(47, "\x00\x00\x08\x00gre"))), "trail.ip 0 10.0.0.66 - 66.66.66.66 - GRE IP 66.66.66.66"+malware),
			raises("a tag", rows, Each(p.VLAN(7).Ethernet()), four), raises("PPPoE", rows, Each(p.PPPoE(false).Ethernet()), four),
			raises("ICMPv6", []string{"dead::beef,malware (test)"}, Each(eth("dead::1", "dead::beef", ICMPv6(128, 0))), "trail.ip 0 dead::1 - dead::beef - ICMPV6 IP dead::beef"+malware),
		}},
		{"limit-06", "SYNs that offer ECN", []Case{
			raises("trail", rows, Each(eth(client, "66.66.66.66", ecn)), four), raises("scan", rows, probe(SYN|ECE|CWR), ports),
			raises("echo alone", rows, Each(eth(client, "66.66.66.66", TCP(50062, 443, SYN|ECE, ""))), four),
			silent("SYN and ACK with ECN", rows, Each(eth(client, "66.66.66.66", TCP(50062, 443, SYN|ACK|ECE, "")))),
		}},
		{"limit-08", "DNS over TCP", []Case{
			raises("query", rows, Each(eth(client, resolver, Data(50000, 53, query))), "trail.dns 0 10.0.0.66 50000 8.8.8.8 53 TCP DNS (www).evil-parent.com"+malware),
			raises("answer", rows, Each(eth(resolver, client, Data(53, 50000, answer))), "trail.ip.answer 0 8.8.8.8 53 10.0.0.66 50000 TCP IP 66.66.66.66 (www.site.com)"+malware),
			silent("clean", rows, Each(eth(client, resolver, Data(50000, 53, Stream(Query(Ask("www.clean.org"))))))),
		}},
	}
}

// datagramLimits are those of UDP, and of DNS queries.
func datagramLimits() []Subject {
	rows := append(ipTrails(), "6.6.6.6:8443,malware (test)", "198.51.100.66:31337,botnet c2 (test)")
	typed := func(typ, class uint16) Frame {
		return eth(client, resolver, UDP(50000, 53, Query(Question{Name: "evil-parent.com", Type: typ, Class: class})))
	}
	second := Query(Ask("www.clean.org"), Ask("evil-parent.com"))
	return []Subject{
		{"limit-09", "addresses with ports, by UDP", []Case{
			raises("destination", rows, Each(eth(client, "6.6.6.6", UDP(1, 8443, "x"))), "trail.iport 0 10.0.0.66 1 6.6.6.6 8443 UDP IPORT 6.6.6.6:8443"+malware),
			raises("source", rows, Each(eth("198.51.100.66", client, UDP(31337, 1, "x"))), "trail.iport 0 198.51.100.66 31337 10.0.0.66 1 UDP IPORT 198.51.100.66:31337"+botnet),
			silent("another port", rows, Each(eth(client, "6.6.6.6", UDP(1, 8444, "x")))),
		}},
		{"limit-10", "what is no DNS on port 53", []Case{
			raises("to it", rows, Each(eth(client, "66.66.66.66", UDP(1, 53, "tunnel"))), "trail.ip 0 10.0.0.66 1 66.66.66.66 53 UDP IP 66.66.66.66"+malware),
			raises("from it", rows, Each(eth(client, "66.66.66.66", UDP(53, 1, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))), "trail.ip 0 10.0.0.66 53 66.66.66.66 1 UDP IP 66.66.66.66"+malware),
			silent("malware as source", rows, Each(eth("66.66.66.66", client, UDP(53, 1, "tunnel")))),
		}},
		{"limit-11", "queries of all types and classes", []Case{
			raises("types", rows, Each(typed(TypeAAAA, ClassIN), typed(TypePTR, ClassIN), typed(TypeHTTPS, ClassIN), typed(TypeTXT, ClassCH)),
				asked("trail.dns", 0, "evil-parent.com"+malware), asked("trail.dns", 1, "evil-parent.com"+malware),
				asked("trail.dns", 2, "evil-parent.com"+malware), asked("trail.dns", 3, "evil-parent.com"+malware)),
		}},
		{"limit-16", "every question, pointers in names, other ports", []Case{
			raises("the second", rows, Each(eth(client, resolver, UDP(50000, 53, second))), asked("trail.dns", 0, "evil-parent.com"+malware)),
			// The first name starts at 12, its second label at 16.
			raises("pointer", rows, Each(eth(client, resolver, UDP(50000, 53, Query(Ask("www.evil-parent.com"), Question{Name: "ftp.", Type: TypeA, Class: ClassIN, At: 16})))),
				asked("trail.dns", 0, "(www).evil-parent.com"+malware), asked("trail.dns", 0, "(ftp).evil-parent.com"+malware)),
			raises("another port", rows, Each(eth(client, resolver, UDP(50000, 5355, Query(Ask("evil-parent.com"))))), "trail.dns 0 10.0.0.66 50000 8.8.8.8 5355 UDP DNS evil-parent.com"+malware),
		}},
		{"limit-35", "queries with the TC bit, and with EDNS", []Case{
			raises("TC", rows, Each(eth(client, resolver, UDP(50000, 53, Message(0x0300, Ask("evil-parent.com"))))), asked("trail.dns", 0, "evil-parent.com"+malware)),
			raises("EDNS", rows, Each(eth(client, resolver, UDP(50000, 53, EDNS(Query(Ask("evil-parent.com")))))), asked("trail.dns", 0, "evil-parent.com"+malware)),
		}},
	}
}
