package corpus

import "fmt"

// answerLimits are those of DNS answers.
func answerLimits() []Subject {
	rows := []string{"66.66.66.66,malware (test)", "dead::beef,malware (test)", "evil-parent.com,malware (test)", "198.51.100.90,sinkhole testsink (malware)"}
	const site, ip = "www.site.com", "66.66.66.66"
	bytes := Address(ip).Data
	targets := raises("names that records lead to", rows, nil)
	for i, typ := range []uint16{TypeCNAME, TypeDNAME, TypeNS, TypeMX, TypeSRV, TypePTR, TypeSVCB, TypeHTTPS} {
		targets.Frames = append(targets.Frames, At(i, replies(NoError, site, Leads(typ, "a.evil-parent.com"))))
		targets.Codes = append(targets.Codes, "trail.dns.answer")
		targets.Events = append(targets.Events, fmt.Sprintf("%d 8.8.8.8 53 10.0.0.66 50000 UDP DNS (a).evil-parent.com", i)+malware)
	}
	var flags []Stamped
	var sunk []string
	for i, f := range []uint16{0x8180, 0x81a0, 0x8190, 0x8100, 0x8580} { // plain, AD, CD, no RA, AA
		flags = append(flags, At(i, eth(resolver, client, UDP(53, 50000, Flagged(f, Query(Ask(site)), Address("198.51.100.90"))))))
		sunk = append(sunk, replied("dns.sinkholed", i, "DNS (www.site).com"+byHeuristic("sinkholed by testsink (malware)")))
	}
	missing := func(i int) Frame {
		return eth("10.0.0.53", client, UDP(53, 50000, Reply(NoSuchName, Query(Ask(fmt.Sprintf("n%02d.missing.com", i))))))
	}
	return []Subject{
		{"limit-12", "addresses and names in answers", []Case{
			raises("addresses", rows, Each(replies(NoError, site, Address("192.0.2.1"), Address("dead::beef"), Address(ip))),
				replied("trail.ip.answer", 0, "IP dead::beef (www.site.com)"+malware), replied("trail.ip.answer", 0, "IP 66.66.66.66 (www.site.com)"+malware)),
			targets,
			silent("records that hold no address", rows, Each(replies(NoError, site, Resource{Type: TypeTXT, Data: bytes}), replies(NoError, site, Resource{Type: TypeSOA, Data: bytes + bytes}),
				replies(NoError, site, Resource{Type: TypeA, Class: ClassCH, Data: bytes}), replies(NoError, site, Resource{Type: TypeA, Data: bytes + bytes}))),
		}},
		{"limit-13", "responses with AD or CD, or without RA", []Case{raises("flags", rows, flags, sunk...)}},
		{"limit-14", "names that do not exist, for hosts at home", []Case{
			raises("21", rows, burst(21, 1, missing), "dns.nxdomain 20 10.0.0.53 53 10.0.0.66 50000 UDP DNS ("+numbered(1, 20)+").missing.com"+byHeuristic("excessive no such domain (suspicious)")),
			silent("20", rows, burst(20, 1, missing)),
		}},
	}
}

// nameLimits are those of the check of names, and of where names stand.
func nameLimits() []Subject {
	const onion = "abcd2345abcd2345abcd2345abcd2345"
	rows := []string{`dga[0-9]+\.wildcard-test\.com,malware (test)`, onion + ".onion,botnet c2 (test)", "listed.tunnel.com,malware (test)", "evil-parent.com,malware (test)"}
	hidden := append(tunnel(1001), At(11, asks("listed.tunnel.com")))
	var patterns []string
	for i := range 150 {
		patterns = append(patterns, fmt.Sprintf(`[a-z]+-%d\.pattern-test\.com,malware (test)`, i))
	}
	hello := ClientHello("www.evil-parent.com", ALPN())
	half := len(hello) / 2
	quic := func(pieces ...Piece) Frame {
		return eth("dead::1", "dead::2", UDP(1, 443, Initial(QUICv1, []byte("12345678"), pieces...)))
	}
	overQUIC := "trail.dns 0 dead::1 1 dead::2 443 UDP DNS (www).evil-parent.com" + malware
	return []Subject{
		{"limit-15", "a trail below a domain with too many names", []Case{
			raises("listed", rows, hidden, asked("dns.exhaustion", 10, "(a1000).tunnel.com"+exhausted), asked("trail.dns", 11, "listed.tunnel.com"+malware)),
		}},
		{"limit-17", "trails behind long labels", []Case{
			raises("expression", rows, Each(asks("dga12345678901234567890123.wildcard-test.com")), asked("trail.dns", 0, "dga12345678901234567890123.wildcard-test.com"+malware)),
			raises("onion", rows, Each(asks(onion+".onion.to"), asks("www."+onion+".onion.to")), asked("trail.dns", 0, onion+".onion(.to)"+botnet), asked("trail.dns", 1, "(www)."+onion+".onion(.to)"+botnet)),
			raises("no trail", rows, Each(asks(longLabel+".wildcard-test.com")), asked("dns.long", 0, "("+longLabel+").wildcard-test.com"+long)),
		}},
		// Played once without its trails and once with them.
		{"limit-18", "a name that was clean before the trails changed", []Case{
			raises("name", rows, Each(asks("evil-parent.com")), asked("trail.dns", 0, "evil-parent.com"+malware)),
		}},
		{"limit-19", "more than a hundred expressions", []Case{
			raises("the last", patterns, Each(asks("abc-149.pattern-test.com")), asked("trail.dns", 0, "abc-149.pattern-test.com"+malware)),
			silent("none", patterns, Each(asks("abc-150.pattern-test.com"))),
		}},
		{"limit-20", "server names over IPv6, pieces of a handshake in any order", []Case{
			raises("TLS", rows, Each(eth("dead::1", "dead::2", Data(1, 443, Record(hello)))), "trail.dns 0 dead::1 1 dead::2 443 TCP DNS (www).evil-parent.com"+malware),
			raises("QUIC", rows, Each(quic(Piece{Data: hello})), overQUIC),
			raises("QUIC, out of order", rows, Each(quic(Piece{half, hello[half:]}, Piece{0, hello[:half]})), overQUIC),
		}},
		{"limit-36", "the server name of gQUIC", []Case{
			raises("Q043", rows, Each(eth(client, web, UDP(1, 443, GoogleQ043("www.evil-parent.com")))), "trail.dns 0 10.0.0.66 1 203.0.113.10 443 UDP DNS (www).evil-parent.com"+malware),
			silent("clean", rows, Each(eth(client, web, UDP(1, 443, GoogleQ043("www.clean.org"))))),
		}},
		{"limit-38", "names under .local", []Case{
			raises("listed", []string{"evil.local,malware (test)", "evil.localdomain,malware (test)"}, Each(asks("evil.local"), asks("x.evil.localdomain")),
				asked("trail.dns", 0, "evil.local"+malware), asked("trail.dns", 1, "(x).evil.localdomain"+malware)),
			silent("clean", []string{"evil.local,malware (test)"}, Each(asks("clean.local"))),
		}},
	}
}
