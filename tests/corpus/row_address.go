package corpus

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
)

// addressRows are the rows of trails that are addresses, and of certificates.
func addressRows() []Subject {
	rows := []string{"66.66.66.66,malware (test)", "6.6.6.6:8443,malware (test)", "198.51.100.53,known attacker", "198.51.100.54:53,known attacker"}
	to := func(dst string, s Segment) Frame { return eth(client, dst, s) }
	evil := Certificate("evil.example")
	digest := sha1.Sum(evil)
	one := hex.EncodeToString(digest[:])
	flight := func(name string) []Stamped {
		return Each(eth(web, client, Data(443, 50400, ServerFlight(Certificate(name)))))
	}
	return []Subject{
		{"syn-address", "an address, or an address with a port, by SYN", []Case{
			raises("address", rows, Each(to("66.66.66.66", Syn(50001, 443))), "trail.ip 0 10.0.0.66 50001 66.66.66.66 443 TCP IP 66.66.66.66"+malware),
			raises("address with port", rows, Each(to("6.6.6.6", Syn(50001, 8443))), "trail.iport 0 10.0.0.66 50001 6.6.6.6 8443 TCP IPORT 6.6.6.6:8443"+malware),
			raises("source", rows, Each(eth("198.51.100.53", client, Syn(50001, 22))), "trail.ip 0 198.51.100.53 50001 10.0.0.66 22 TCP IP 198.51.100.53"+attack),
			silent("malware as source, attacker as destination", rows, Each(eth("66.66.66.66", client, Syn(50001, 443)), to("198.51.100.53", Syn(50001, 443)))),
			silent("no SYN, another port, another address", rows, Each(to("66.66.66.66", TCP(50001, 443, ACK, "")), to("6.6.6.6", Syn(50001, 8444)), to(web, Syn(50001, 443)))),
		}},
		{"udp-address", "an address by UDP", []Case{
			raises("address", rows, Each(to("66.66.66.66", UDP(50001, 9999, "x"))), "trail.ip 0 10.0.0.66 50001 66.66.66.66 9999 UDP IP 66.66.66.66"+malware),
			silent("malware as source, attacker as destination", rows, Each(eth("66.66.66.66", client, UDP(9999, 50001, "x")), to("198.51.100.53", UDP(50001, 9999, "x")))),
		}},
		{"resolver-address", "a DNS query to a listed resolver", []Case{
			raises("address", rows, Each(to("198.51.100.53", UDP(50000, 53, Query(Ask("www.clean.org"))))),
				"trail.ip 0 10.0.0.66 50000 198.51.100.53 53 UDP IP 198.51.100.53 (www.clean.org)"+attack),
			raises("address with port", rows, Each(to("198.51.100.54", UDP(50000, 53, Query(Ask("www.clean.org"))))),
				"trail.iport 0 10.0.0.66 50000 198.51.100.54 53 UDP IPORT 198.51.100.54 (www.clean.org)"+attack),
			silent("another resolver", rows, Each(asks("www.clean.org"))),
		}},
		{"host-address", "a request to a listed server that names a host", []Case{
			raises("host", rows, Each(to("66.66.66.66", Data(50031, 80, Get("shop.org", "/")))),
				"trail.ip 0 10.0.0.66 50031 66.66.66.66 80 TCP IP 66.66.66.66 (shop.org)"+malware),
			silent("another server, the address as host", rows, Each(sends(Get("shop.org", "/")), to("66.66.66.66", Data(50031, 80, Get("66.66.66.66", "/"))))),
		}},
		{"other-protocol", "an address by another protocol", []Case{
			raises("echo request", rows, Each(to("66.66.66.66", ICMP(8, 0))), "trail.ip 0 10.0.0.66 - 66.66.66.66 - ICMP IP 66.66.66.66"+malware),
			raises("GRE", rows, Each(to("66.66.66.66", Other(47, "\x00\x00\x08\x00gre"))), "trail.ip 0 10.0.0.66 - 66.66.66.66 - GRE IP 66.66.66.66"+malware),
			silent("echo reply, another address", rows, Each(to("66.66.66.66", ICMP(0, 0)), to(web, ICMP(8, 0)))),
		}},
		{"certificate", "a certificate by its digest", []Case{
			raises("listed", []string{one + ",malware (test)"}, flight("evil.example"), "trail.cert 0 203.0.113.10 443 10.0.0.66 50400 TCP CERT "+one+malware),
			silent("another one", []string{one + ",malware (test)"}, flight("clean.example")),
		}},
	}
}

// scanRows are the rows of scans.
func scanRows() []Subject {
	syn := func(i int) Frame { return eth(scanner, victim, Syn(40000, uint16(1000+i))) }
	null := func(i int) Frame { return eth(scanner, victim, TCP(40000, uint16(1000+i), 0, "")) }
	ack := func(i int) Frame { return eth(scanner, victim, TCP(40000, uint16(1000+i), ACK, "")) }
	datagram := func(i int) Frame { return eth(scanner, victim, UDP(40000, uint16(1000+i), "probe")) }
	worm := func(src string, port uint16) func(int) Frame {
		return func(i int) Frame { return eth(src, fmt.Sprintf("192.0.2.%d", i), Syn(uint16(53000+i), port)) }
	}
	page := func(path string) func(int) Frame {
		return func(i int) Frame {
			return eth(scanner, victim, Data(52000, 80, Get("victim.example", fmt.Sprintf(path, i))))
		}
	}
	ports := "scan.port 10 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + byHeuristic("potential port scanning")
	return []Subject{
		{"port-scanning", "more than ten ports of a host in thirty seconds", []Case{
			raises("eleven SYNs", nil, burst(11, 1, syn), ports), raises("eleven probes without flags", nil, burst(11, 1, null), ports),
			silent("ten SYNs", nil, burst(10, 1, syn)), silent("ACKs", nil, burst(20, 1, ack)),
			silent("eleven SYNs, heuristics off", nil, burst(11, 1, syn)).without(),
		}},
		{"udp-scanning", "the same of datagrams", []Case{
			raises("eleven ports", nil, burst(11, 1, datagram), "scan.udp 10 203.0.113.9 40000 198.51.100.7 1000 UDP IP 203.0.113.9"+byHeuristic("potential udp scanning")),
			silent("ten ports", nil, burst(10, 1, datagram)),
		}},
		{"infection", "one port of more than 32 hosts, asked by a host at home", []Case{
			raises("33 hosts", nil, burst(33, 4, worm("10.0.0.5", 445)), "scan.infection 8 10.0.0.5 53000 192.0.2.0 445 TCP PORT 445"+byHeuristic("potential infection")),
			silent("32 hosts", nil, burst(32, 4, worm("10.0.0.5", 445))), silent("a port that worms do not look for", nil, burst(40, 4, worm("10.0.0.5", 443))),
		}},
		{"web-scanning", "more than ten first segments of paths", []Case{
			raises("eleven", nil, burst(11, 1, page("/dir%d/index")), "scan.web 0 203.0.113.9 52000 198.51.100.7 80 TCP PATH *"+byHeuristic("potential web scanning")),
			silent("ten", nil, burst(10, 1, page("/dir%d/index"))), silent("one directory", nil, burst(30, 1, page("/dir/%d"))),
		}},
	}
}
