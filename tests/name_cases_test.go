package tests

import (
	"strings"
	"testing"

	. "trailhound/tests/corpus"
)

// TestNames holds the domain check of D 11, by DNS queries.
func TestNames(t *testing.T) {
	const (
		suspicious = " | suspicious (test) | (static)"
		dynamic    = " | dynamic domain (test) | (static)"
		free       = " | free web hosting | (static)"
	)
	runCases(t, []Case{
		queries("a: address directory", append([]string{"203.0.113.99,botnet c2 (test)", "sub.listed.org,malware (test)"}, fixture...),
			[2]string{"203.0.113.99.ip-adress.com", "203.0.113.99(.ip-adress.com)" + botnet},
			[2]string{"sub.listed.org.ip-adress.com", "sub.listed.org(.ip-adress.com)" + malware},
			[2]string{"a.sub.listed.org.ip-adress.com", ""},
			[2]string{"ip-adress.com", ""}),
		queries("b: name, then parents", []string{"evil.com,malware (test)", "deep.sub.evil.com,botnet c2 (test)", "xyz,suspicious (test)"},
			[2]string{"evil.com", "evil.com" + malware},
			[2]string{"www.evil.com", "(www).evil.com" + malware},
			[2]string{"a.b.c.evil.com", "(a.b.c).evil.com" + malware},
			[2]string{"deep.sub.evil.com", "deep.sub.evil.com" + botnet},
			[2]string{"x.deep.sub.evil.com", "(x).deep.sub.evil.com" + botnet},
			[2]string{"sub.evil.com", "(sub).evil.com" + malware},
			[2]string{"notevil.com", ""},
			[2]string{"evil.com.org", ""},
			[2]string{"shop.xyz", "(shop).xyz" + suspicious},
			[2]string{"EVIL.Com", "evil.com" + malware},
			[2]string{"_dmarc.evil.com", "(_dmarc).evil.com" + malware}),
		queries("b: names of servers", []string{"sus.net,suspicious (test)", "sink.net,sinkhole x (malware)", "mal.net,malware (test)", "sub.mal.net,sinkhole x (malware)"},
			[2]string{"ns1.sus.net", ""}, [2]string{"ns.sus.net", ""}, [2]string{"dns2.sus.net", ""}, [2]string{"rns.sus.net", ""},
			[2]string{"nf1.sus.net", ""}, [2]string{"mx10.sus.net", ""}, [2]string{"nic.sus.net", ""}, [2]string{"mx.sink.net", ""},
			[2]string{"mail.sus.net", "(mail).sus.net" + suspicious},
			[2]string{"nsx.sus.net", "(nsx).sus.net" + suspicious},
			[2]string{"ns1a.sus.net", "(ns1a).sus.net" + suspicious},
			[2]string{"a.ns1.sus.net", "(a.ns1).sus.net" + suspicious},
			[2]string{"ns1.mal.net", "(ns1).mal.net" + malware},
			[2]string{"ns1.sub.mal.net", "(ns1.sub).mal.net" + malware}),
		queries("b: providers", []string{"dyn.net,dynamic domain (test)", "free.net,free web hosting", "x.free.net,malware (test)"},
			[2]string{"dyn.net", ""}, [2]string{"www.dyn.net", ""}, [2]string{"www.x.dyn.net", ""},
			[2]string{"evil.dyn.net", "(evil).dyn.net" + dynamic},
			[2]string{"free.net", ""}, [2]string{"www.free.net", ""},
			[2]string{"page.free.net", "(page).free.net" + free},
			[2]string{"www.x.free.net", "(www).x.free.net" + malware},
			[2]string{"wwwx.dyn.net", "(wwwx).dyn.net" + dynamic}),
		queries("d: patterns", []string{`abc[0-9]+\.evil\.net,malware (test)`, `[a-z]+-dga\.biz,botnet c2 (test)`},
			[2]string{"abc12.evil.net", "abc12.evil.net" + malware},
			[2]string{"x.abc12.evil.net", "(x).abc12.evil.net" + malware},
			[2]string{"xabc1.evil.net", "(x)abc1.evil.net" + malware},
			[2]string{"abc12.evil.net.tail.org", "abc12.evil.net(.tail.org)" + malware},
			[2]string{"a.abc1.evil.net.org", "(a).abc1.evil.net(.org)" + malware},
			[2]string{"abc.evil.net", ""},
			[2]string{"9qq-dga.biz", "(9)qq-dga.biz" + botnet}),
		queries("one event per check, suffixes before patterns", []string{`abc[0-9]+\.evil\.net,malware (test)`, "evil.net,botnet c2 (test)"},
			[2]string{"abc12.evil.net", "(abc12).evil.net" + botnet}),
		queries("e: onion gateways", []string{"badsite.onion,malware (test)", "sub.other.onion,botnet c2 (test)"},
			[2]string{"badsite.onion.to", "badsite.onion(.to)" + malware},
			[2]string{"badsite.onion.link.org", "badsite.onion(.link.org)" + malware},
			[2]string{"badsite.onion", "badsite.onion" + malware},
			[2]string{"sub.other.onion.ws", "sub.other.onion(.ws)" + botnet},
			[2]string{"other.onion.ws", ""},
			[2]string{"badsite.onions.to", ""}),
		queries("names that are none", []string{"evil.com,malware (test)", "evilname,malware (test)", "6.6.6.6,malware (test)"},
			[2]string{"evilname", ""}, [2]string{"6.6.6.6", ""},
			[2]string{"a.evil.com", "(a).evil.com" + malware}),
		// No host has such a name, but a tunnel may ask for it: the domain is listed.
		queries("names that hosts cannot have", []string{"evil.com,malware (test)"},
			[2]string{"a b.evil.com", "(a b).evil.com" + malware}, [2]string{"a/b.evil.com", "(a/b).evil.com" + malware}),
		whitelisted(queries("whitelisted names", []string{"evil.com,malware (test)", "sub.evil.com,malware (test)", "listed.org,malware (test)"},
			[2]string{"sub.evil.com", ""}, [2]string{"a.b.evil.com", ""}, [2]string{"evil.com", ""},
			[2]string{"a.listed.org", "(a).listed.org" + malware}, [2]string{"ok.listed.org", ""}), "evil.com", "ok.listed.org"),
		// What is listed without a dot covers a whole top-level domain, and a
		// label of any length, here 63, is one.
		queries("long labels", []string{"evil.com,malware (test)"},
			[2]string{strings.Repeat("a", 63) + ".evil.com", "(" + strings.Repeat("a", 63) + ").evil.com" + malware}),
	})
}

func whitelisted(c Case, entries ...string) Case {
	c.Whitelist = entries
	return c
}

// TestServerNames holds D 13: TLS and QUIC name the server before anything is
// encrypted, on any port.
func TestServerNames(t *testing.T) {
	tls := func(name string, before ...[]byte) string { return Record(ClientHello(name, before...)) }
	to := func(port uint16, payload string) Frame { return eth(client, web, Data(50400, port, payload)) }
	quic := func(payload string) Frame { return eth(client, web, UDP(50400, 443, payload)) }
	id := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	hello := ClientHello("quic-evil.example")
	whole := Piece{Data: hello}
	found := func(second, port, proto, name string) string {
		return second + " 10.0.0.66 50400 203.0.113.10 " + port + " " + proto + " DNS " + name + malware
	}
	cut := tls("tls-evil.example")
	runCases(t, []Case{
		{Name: "tls", Trails: fixture, Frames: Each(
			to(443, tls("tls-evil.example")), to(8443, tls("a.TLS-Evil.Example")), to(25, tls("tls-evil.example", ALPN())), to(443, tls("tls-clean.example"))),
			Events: []string{found("0", "443", "TCP", "tls-evil.example"), found("1", "8443", "TCP", "(a).tls-evil.example"), found("2", "25", "TCP", "tls-evil.example")}},
		{Name: "tls, the end cut off", Trails: fixture, Frames: Each(to(443, cut[:len(cut)-5])),
			Events: []string{found("0", "443", "TCP", "tls-evil.example")}},
		{Name: "tls, no host names", Trails: fixture, Frames: Each(to(443, tls("evilname")), to(443, tls("66.66.66.66")), to(443, tls("-x.tls-evil.example")), to(443, tls("")))},
		{Name: "tls, in a SYN", Trails: fixture, Frames: Each(eth(client, web, TCP(50400, 443, SYN, tls("tls-evil.example")))),
			Events: []string{found("0", "443", "TCP", "tls-evil.example")}},
		{Name: "names that DNS leaves alone", Trails: []string{"evil.example,malware (test)"}, Frames: Each(to(443, tls("x.evil.example"))),
			Events: []string{found("0", "443", "TCP", "(x).evil.example")}},
		{Name: "quic v1", Trails: fixture, Frames: Each(quic(Initial(QUICv1, id, whole)), quic(Initial(QUICv1, id, Piece{Data: ClientHello("clean.example")}))),
			Events: []string{found("0", "443", "UDP", "quic-evil.example")}},
		{Name: "quic v2", Trails: fixture, Frames: Each(quic(Initial(QUICv2, id, whole))),
			Events: []string{found("0", "443", "UDP", "quic-evil.example")}},
		{Name: "quic on another port, other lengths of id", Trails: fixture, Frames: Each(
			eth(client, web, UDP(50400, 4433, Initial(QUICv1, id[:4], whole))), eth(client, web, UDP(50400, 4433, Initial(QUICv1, append(id, id...), whole)))),
			Events: []string{found("0", "4433", "UDP", "quic-evil.example"), found("1", "4433", "UDP", "quic-evil.example")}},
	})
}

// TestCertificates holds the digests of D 13.
func TestCertificates(t *testing.T) {
	evil, clean, issuer := Certificate("evil.example"), Certificate("clean.example"), Certificate("issuer.example")
	one, two := digests(evil)
	issuerOne, _ := digests(issuer)
	flight := func(payload string) Frame { return eth(web, client, Data(443, 50400, payload)) }
	found := func(second, trail string) string {
		return second + " 203.0.113.10 443 10.0.0.66 50400 TCP CERT " + trail + malware
	}
	full := ServerFlight(evil)
	runCases(t, []Case{
		{Name: "SHA-1", Trails: []string{one + ",malware (test)"}, Frames: Each(flight(ServerFlight(evil)), flight(ServerFlight(clean)), flight(ServerFlight(evil, issuer))),
			Events: []string{found("0", one), found("2", one)}},
		{Name: "SHA-256", Trails: []string{two + ",malware (test)"}, Frames: Each(flight(ServerFlight(evil)), flight(ServerFlight(clean))),
			Events: []string{found("0", two)}},
		{Name: "with a prefix, in capitals, with colons", Trails: []string{"sha1:" + strings.ToUpper(one[:2]) + ":" + one[2:] + ",malware (test)"}, Frames: Each(flight(ServerFlight(evil))),
			Events: []string{found("0", one)}},
		{Name: "IPv6", Trails: []string{one + ",malware (test)"}, Frames: Each(eth("dead::2", "dead::1", Data(443, 1, ServerFlight(evil)))),
			Events: []string{"0 dead::2 443 dead::1 1 TCP CERT " + one + malware}},
		// The reference looks at the first certificate only.
		{Name: "an issuer", Trails: []string{issuerOne + ",malware (test)"}, Frames: Each(flight(ServerFlight(clean, issuer))),
			Events: []string{found("0", issuerOne)}},
		{Name: "cut short", Trails: []string{one + ",malware (test)"}, Frames: Each(flight(full[:len(full)-20]))},
	})
}
