package corpus

import "fmt"

// longLabel has one character more than a label may have without being long.
const longLabel = "a3f9c27be10d48f6a1b2c3d4e"

// nameRows are the rows of names, in queries and in answers.
func nameRows() []Subject {
	rows := []string{"evil-parent.com,malware (test)", `dga[0-9]+\.wildcard-test\.com,malware (test)`, "badsite.onion,botnet c2 (test)"}
	hello := func(name string) Frame { return eth(client, web, Data(50400, 443, Record(ClientHello(name)))) }
	sinks := []string{"198.51.100.90,sinkhole testsink (malware)", "198.51.100.91,parking site (suspicious)"}
	none := func(name string) Frame { return replies(NoSuchName, name) }
	gone := func(i int) Frame { return none(fmt.Sprintf("n%02d.missing.com", i)) }
	excessive := byHeuristic("excessive no such domain (suspicious)")
	return []Subject{
		{"domain", "a listed name, or one below it", []Case{
			raises("queries", rows, Each(asks("evil-parent.com"), asks("www.evil-parent.com"), asks("x.dga7.wildcard-test.com"), asks("badsite.onion.to")),
				asked("trail.dns", 0, "evil-parent.com"+malware), asked("trail.dns", 1, "(www).evil-parent.com"+malware),
				asked("trail.dns", 2, "(x).dga7.wildcard-test.com"+malware), asked("trail.dns", 3, "badsite.onion(.to)"+botnet)),
			raises("TLS", rows, Each(hello("www.evil-parent.com")), "trail.dns 0 10.0.0.66 50400 203.0.113.10 443 TCP DNS (www).evil-parent.com"+malware),
			raises("QUIC", rows, Each(eth(client, web, UDP(50400, 443, Initial(QUICv1, []byte("12345678"), Piece{Data: ClientHello("evil-parent.com")})))),
				"trail.dns 0 10.0.0.66 50400 203.0.113.10 443 UDP DNS evil-parent.com"+malware),
			raises("Host", rows, Each(sends(Get("www.evil-parent.com", "/"))), sent("trail.dns", 0, "DNS (www).evil-parent.com"+malware)),
			silent("other names", rows, Each(asks("notevil-parent.com"), asks("evil-parent.com.org"), asks("dga.wildcard-test.com"), hello("www.clean.org"), sends(Get("clean.org", "/")))),
		}},
		{"dns-exhaustion", "more than 1,000 names below a domain in a minute", []Case{
			raises("1,001 names", nil, tunnel(1001), asked("dns.exhaustion", 10, "(a1000).tunnel.com"+exhausted)),
			raises("1,001 names, heuristics off", nil, tunnel(1001), asked("dns.exhaustion", 10, "(a1000).tunnel.com"+exhausted)).without(),
			silent("1,000 names", nil, tunnel(1000)),
		}},
		{"long-domain", "a first label of more than 24 characters", []Case{
			raises("25", nil, Each(asks(longLabel+".other.com")), asked("dns.long", 0, "("+longLabel+").other.com"+long)),
			raises("25, over TLS", nil, Each(hello(longLabel+".other.com")), "dns.long 0 10.0.0.66 50400 203.0.113.10 443 TCP DNS ("+longLabel+").other.com"+long),
			silent("24, and 25 further down", nil, Each(asks(longLabel[1:]+".other.com"), asks("www."+longLabel+".com"))),
		}},
		{"sinkholed", "an answer with the address of a sinkhole", []Case{
			raises("sinkhole", sinks, Each(replies(NoError, "www.site.com", Address("198.51.100.90"))), replied("dns.sinkholed", 0, "DNS (www.site).com"+byHeuristic("sinkholed by testsink (malware)"))),
			silent("another address", sinks, Each(replies(NoError, "www.site.com", Address("192.0.2.1")))),
		}},
		{"parked", "an answer with the address of a parking site", []Case{
			raises("parking site", sinks, Each(replies(NoError, "www.site.com", Address("198.51.100.91"))), replied("dns.parked", 0, "DNS (www.site).com"+byHeuristic("parked site (suspicious)"))),
			silent("another address", sinks, Each(replies(NoError, "www.site.com", Address("192.0.2.1")))),
		}},
		{"nx-excessive", "more than 20 answers that a name does not exist", []Case{
			raises("below one domain", nil, burst(21, 1, gone), replied("dns.nxdomain", 20, "DNS ("+numbered(1, 20)+").missing.com"+excessive)),
			raises("of one name", nil, burst(21, 1, func(int) Frame { return none("www.gone.com") }), replied("dns.nxdomain", 20, "DNS www.gone.com"+excessive)),
			silent("20", nil, burst(20, 1, gone)),
		}},
		{"nx-entropy", "a name that does not exist, of much entropy", []Case{
			raises("random", nil, Each(none("kq3v9xw7zt2mbd.com")), replied("dns.dga.entropy", 0, "DNS (kq3v9xw7zt2mbd).com"+byHeuristic("entropy threshold no such domain (suspicious)"))),
			silent("a word, and a name that exists", nil, Each(none("telephone.com"), replies(NoError, "kq3v9xw7zt2mbd.com", Address("192.0.2.1")))),
		}},
		{"nx-consonants", "a name that does not exist, of many consonants", []Case{
			raises("consonants", nil, Each(none("bcdbcdbcdbcd.com")), replied("dns.dga.consonant", 0, "DNS (bcdbcdbcdbcd).com"+byHeuristic("consonant threshold no such domain (suspicious)"))),
			silent("vowels between them", nil, Each(none("badbadbadbad.com"))),
		}},
	}
}

const (
	exhausted = " | potential dns exhaustion (suspicious) | (heuristic)"
	long      = " | long domain (suspicious) | (heuristic)"
)

// tunnel asks for n names below one domain, a hundred a second.
func tunnel(n int) []Stamped {
	return burst(n, 100, func(i int) Frame { return asks(fmt.Sprintf("a%d.tunnel.com", i)) })
}

// numbered are the labels from n<first> to n<last>, with a comma between them.
func numbered(first, last int) (list string) {
	for i := first; i <= last; i++ {
		list += fmt.Sprintf(",n%02d", i)
	}
	return list[1:]
}
