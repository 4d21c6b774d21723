package tests

import (
	"fmt"
	"strings"
	"testing"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	. "trailhound/tests/corpus"
)

// The tests here are named after the items of D 19: what the reference is
// known to miss, Trailhound finds.

// Item 1: link layers. The reference knows one VLAN tag, Ethernet and SLL.
func TestLimit01LinkLayers(t *testing.T) {
	p := IP(client, "66.66.66.66", Syn(50062, 443))
	six := IP("dead::1", "dead::beef", Syn(50062, 443))
	four := []string{"0 10.0.0.66 50062 66.66.66.66 443 TCP IP 66.66.66.66" + malware}
	sixth := []string{"0 dead::1 50062 dead::beef 443 TCP IPORT [dead::beef]:443" + malware}
	var cases []Case
	for _, c := range []struct {
		name   string
		frame  Frame
		events []string
	}{
		{"802.1Q in 802.1Q", p.VLAN(2).VLAN(1).Ethernet(), four},
		{"802.1Q in 802.1ad", p.VLAN(2).QinQ(1).Ethernet(), four},
		{"802.1ad alone", p.QinQ(1).Ethernet(), four},
		{"MPLS", p.MPLS(16).Ethernet(), four},
		{"MPLS, deep, in a VLAN", six.MPLS(16, 17, 18).VLAN(5).Ethernet(), sixth},
		{"PPPoE", p.PPPoE(false).Ethernet(), four},
		{"PPPoE, compressed protocol", p.PPPoE(true).Ethernet(), four},
		{"PPPoE in two VLANs", six.PPPoE(false).VLAN(7).QinQ(8).Ethernet(), sixth},
		{"SNAP", p.SNAP(), four},
		{"SLL2", p.SLL2(), four},
		{"SLL2 with a VLAN", p.VLAN(3).SLL2(), four},
		{"BSD loopback, IPv6 of NetBSD", six.Null(24), sixth},
		{"BSD loopback, IPv6 of FreeBSD", six.Null(28), sixth},
		{"BSD loopback, IPv6 of Darwin", six.Null(30), sixth},
		{"PPP without address", p.PPP(false), four},
		{"PPP with address", six.PPP(true), sixth},
		{"Cisco HDLC", p.HDLC(), four},
		{"raw", six.Raw(), sixth},
		{"raw IPv4", p.RawIPv4(), four},
	} {
		cases = append(cases, Case{Name: c.name, Trails: fixture, Frames: Each(c.frame), Events: c.events},
			Case{Name: c.name + " as pcapng", Trails: fixture, Frames: Each(c.frame), Events: c.events, Pcapng: true})
	}
	mixed := Case{Name: "several link types in one file", Trails: fixture, Pcapng: true, Frames: Each(p.SLL2(), p.Raw(), p.Ethernet(), p.HDLC())}
	for i := range mixed.Frames {
		mixed.Events = append(mixed.Events, fmt.Sprintf("%d 10.0.0.66 50062 66.66.66.66 443 TCP IP 66.66.66.66", i)+malware)
	}
	runCases(t, append(cases, mixed))
}

// Item 2: IPv6 extension headers.
func TestLimit02ExtensionHeaders(t *testing.T) {
	var cases []Case
	for name, headers := range map[string][]Extension{
		"hop by hop":  {HopByHop()},
		"destination": {Destination()},
		"routing":     {Routing()},
		"fragment":    {Fragment6(0, true)},
		"atomic":      {Fragment6(0, false)},
		"all":         {HopByHop(), Destination(), Routing(), Fragment6(0, false), Destination()},
	} {
		cases = append(cases, Case{Name: name, Trails: fixture, Frames: Each(IPv6("dead::1", "dead::beef", Syn(1, 443), headers...).Ethernet()),
			Events: []string{"0 dead::1 1 dead::beef 443 TCP IPORT [dead::beef]:443" + malware}})
	}
	cases = append(cases, Case{Name: "later fragment", Trails: fixture, Frames: Each(IPv6("dead::1", "dead::beef", Syn(1, 443), Fragment6(8, false)).Ethernet())})
	runCases(t, cases)
}

// Item 4: what lies behind the length in the IP or UDP header is no payload.
func TestLimit04Lengths(t *testing.T) {
	bad := Get("evil.com", "/malicious-login.php")
	short := UDP(50000, 53, Query(Ask("evil-test-domain.com")))
	short.Data[4], short.Data[5] = 0, 20 // the name lies beyond it
	runCases(t, []Case{
		{Name: "behind TCP", Trails: fixture, Frames: Each(eth(client, web, TCP(1, 80, ACK, "")).Trailer(bad))},
		{Name: "behind the path", Trails: []string{"/x,malware (test)"}, NoHeuristics: true, Frames: Each(request("GET /x HTTP/1.1\r\nHost: v.net\r\n").Trailer("\r\nbody")),
			Events: []string{requested(0, "URL (v.net)/x"+malware)}},
		{Name: "behind IPv6", Trails: fixture, Frames: Each(eth("dead::1", "dead::2", TCP(1, 80, ACK, "")).Trailer(bad))},
		{Name: "behind UDP", Trails: fixture, Frames: Each(eth(client, resolver, short))},
	})
}

// Item 6: a SYN that offers ECN is a SYN, for scans as for trails.
func TestLimit06ECN(t *testing.T) { runCases(t, Limit(6)) }

// Item 8: DNS over TCP, as far as a message lies in one segment.
func TestLimit08DNSOverTCP(t *testing.T) {
	evil := Stream(Query(Ask("www.evil-parent.com")))
	event := func(second int, port int, trail string) string {
		return fmt.Sprintf("%d 10.0.0.66 1 8.8.8.8 %d TCP DNS %s%s", second, port, trail, malware)
	}
	to := func(port uint16, payload string) Frame { return eth(client, resolver, Data(1, port, payload)) }
	runCases(t, []Case{
		{Name: "query", Trails: fixture, Frames: Each(to(53, evil), to(53, Stream(Query(Ask("www.clean.org"))))), Events: []string{event(0, 53, "(www).evil-parent.com")}},
		{Name: "two in a segment", Trails: fixture, Frames: Each(to(53, Stream(Query(Ask("www.clean.org")))+evil)), Events: []string{event(0, 53, "(www).evil-parent.com")}},
		{Name: "another port", Trails: fixture, Frames: Each(to(5300, evil)), Events: []string{event(0, 5300, "(www).evil-parent.com")}},
		{Name: "the length in a segment of its own", Trails: fixture, Frames: Each(to(53, evil[:2]), to(53, evil[2:])), Events: []string{event(1, 53, "(www).evil-parent.com")}},
		{Name: "with EDNS", Trails: fixture, Frames: Each(to(53, Stream(EDNS(Query(Ask("www.evil-parent.com")))))), Events: []string{event(0, 53, "(www).evil-parent.com")}},
	})
}

// Item 9: address:port trails count for UDP, too.
func TestLimit09PortsOfUDP(t *testing.T) { runCases(t, Limit(9)) }

// Item 10: what is no DNS message on port 53 is a datagram like others.
func TestLimit10OtherTrafficOnPort53(t *testing.T) { runCases(t, Limit(10)) }

// Item 11: queries of every type and class.
func TestLimit11QueryTypes(t *testing.T) {
	c := Case{Name: "types", Trails: fixture}
	for i, q := range []Question{{Type: TypeAAAA, Class: ClassIN}, {Type: TypePTR, Class: ClassIN}, {Type: TypeTXT, Class: ClassCH}, {Type: TypeHTTPS, Class: ClassIN}, {Type: TypeMX, Class: 255}} {
		q.Name = "evil-test-domain.com"
		c.Frames = append(c.Frames, At(i, eth(client, resolver, UDP(50000, 53, Query(q)))))
		c.Events = append(c.Events, asked(i, "evil-test-domain.com"+malware))
	}
	runCases(t, []Case{c, {Name: "the resolver's address, too", Trails: fixture,
		Frames: Each(eth(client, "198.51.100.53", UDP(50000, 53, Query(Question{Name: "www.clean.org", Type: TypeAAAA, Class: ClassIN})))),
		Events: []string{"0 10.0.0.66 50000 198.51.100.53 53 UDP IP 198.51.100.53 (www.clean.org)" + attack}}})
}

// Item 16: every question of a message, pointers in it, any port.
func TestLimit16Questions(t *testing.T) {
	clean, evil := Ask("www.clean.org"), Ask("evil-test-domain.com")
	// The first name starts at 12 with the label "x", so 14 is "evil-parent.com".
	compressed := Query(Ask("x.evil-parent.com"), Question{Name: "sub", Type: TypeA, Class: ClassIN, At: 14})
	to := func(port uint16, payload string) Frame { return eth(client, resolver, UDP(50000, port, payload)) }
	runCases(t, []Case{
		{Name: "second question", Trails: fixture, Frames: Each(to(53, Query(clean, evil))), Events: []string{asked(0, "evil-test-domain.com"+malware)}},
		{Name: "pointer", Trails: fixture, Frames: Each(to(53, compressed)),
			Events: []string{asked(0, "(x).evil-parent.com"+malware), asked(0, "sub.evil-parent.com"+malware)}},
		{Name: "other ports", Trails: fixture, Frames: Each(to(5353, Query(evil)), to(5355, Query(evil)), to(9953, Query(evil))),
			Events: []string{
				"0 10.0.0.66 50000 8.8.8.8 5353 UDP DNS evil-test-domain.com" + malware,
				"1 10.0.0.66 50000 8.8.8.8 5355 UDP DNS evil-test-domain.com" + malware,
				"2 10.0.0.66 50000 8.8.8.8 9953 UDP DNS evil-test-domain.com" + malware}},
		{Name: "the same name twice", Trails: fixture, Frames: Each(to(53, Query(evil, evil))), Events: []string{asked(0, "evil-test-domain.com"+malware)}},
	})
}

// Item 17: a long first label hides neither patterns nor onion gateways, and
// what stands before an onion name does not either.
func TestLimit17LongLabels(t *testing.T) {
	long := strings.Repeat("dga1", 8)
	onion := strings.Repeat("abcd2345", 7)
	runCases(t, []Case{
		queries("long labels", []string{`dga[0-9]+\.wildcard-test\.com,malware (test)`, onion + ".onion,botnet c2 (test)", "badsite.onion,malware (test)"},
			[2]string{long + ".wildcard-test.com", "(" + long[:28] + ")dga1.wildcard-test.com" + malware},
			[2]string{onion + ".onion.to", onion + ".onion(.to)" + botnet},
			[2]string{"www.badsite.onion.to", "(www).badsite.onion(.to)" + malware},
			[2]string{"a.b." + onion + ".onion.ws", "(a.b)." + onion + ".onion(.ws)" + botnet}),
	})
}

// Item 18: a name that was clean under the old trails is not under the new.
func TestLimit18Reload(t *testing.T) {
	c := Limit(18)[0]
	before := caseRules(t, &Case{})
	after := caseRules(t, &c)
	w := detect.NewWorker(before)
	var events []event.Event
	w.Emit = func(e event.Event) { events = append(events, e) }
	f := c.Frames[0]
	w.Frame(packet.LinkType(f.Link), f.Data, Start, 1)
	if len(events) != 0 {
		t.Fatalf("events without trails: %v", lines(events))
	}
	w.SetRules(after)
	w.Frame(packet.LinkType(f.Link), f.Data, Start, 2)
	sameLines(t, lines(events), c.Events)
	w.SetRules(before)
	w.Frame(packet.LinkType(f.Link), f.Data, Start.AddDate(0, 0, 1), 3)
	if len(events) != 1 {
		t.Errorf("an event after the trail is gone: %v", lines(events[1:]))
	}
}

// Item 19: all patterns, not the first hundred.
func TestLimit19Patterns(t *testing.T) {
	var rows []string
	for i := range 400 {
		rows = append(rows, fmt.Sprintf(`[a-z]+-%d\.pattern-test\.com,malware (test)`, i))
	}
	runCases(t, []Case{queries("patterns", rows,
		[2]string{"abc-0.pattern-test.com", "abc-0.pattern-test.com" + malware},
		[2]string{"abc-399.pattern-test.com", "abc-399.pattern-test.com" + malware},
		[2]string{"abc-400.pattern-test.com", ""})})
}

// Item 20: server names over IPv6, and CRYPTO frames in any order.
func TestLimit20Handshakes(t *testing.T) {
	hello := ClientHello("quic-evil.example", ALPN())
	id := []byte("12345678")
	half := len(hello) / 2
	runCases(t, []Case{
		{Name: "IPv6", Trails: fixture, Frames: Each(eth("dead::1", "dead::2", Data(1, 443, Record(ClientHello("tls-evil.example")))),
			eth("dead::1", "dead::2", UDP(1, 443, Initial(QUICv1, id, Piece{Data: hello})))),
			Events: []string{"0 dead::1 1 dead::2 443 TCP DNS tls-evil.example" + malware, "1 dead::1 1 dead::2 443 UDP DNS quic-evil.example" + malware}},
		{Name: "out of order", Trails: fixture, Frames: Each(eth(client, web, UDP(1, 443, Initial(QUICv1, id, Piece{Offset: half, Data: hello[half:]}, Piece{Offset: 0, Data: hello[:half]})))),
			Events: []string{"0 10.0.0.66 1 203.0.113.10 443 UDP DNS quic-evil.example" + malware}},
		{Name: "overlapping", Trails: fixture, Frames: Each(eth(client, web, UDP(1, 443, Initial(QUICv2, id, Piece{Offset: 0, Data: hello[:half+5]}, Piece{Offset: half, Data: hello[half:]})))),
			Events: []string{"0 10.0.0.66 1 203.0.113.10 443 UDP DNS quic-evil.example" + malware}},
		{Name: "without heuristics", Trails: fixture, NoHeuristics: true, Frames: Each(eth(client, web, Data(1, 443, Record(ClientHello("tls-evil.example"))))),
			Events: []string{"0 10.0.0.66 1 203.0.113.10 443 TCP DNS tls-evil.example" + malware}},
	})
}

// Item 21: header names in any case, and every request of a segment.
func TestLimit21Requests(t *testing.T) {
	rows := []string{"evil.com,malware (test)", "/bad,botnet c2 (test)"}
	runCases(t, []Case{
		requests("header names", rows,
			[2]string{Request("GET", "/", []string{"host: evil.com"}, ""), "DNS evil.com" + malware},
			[2]string{Request("GET", "/", []string{"HOST:evil.com"}, ""), "DNS evil.com" + malware},
			[2]string{Request("GET", "/", []string{"hOsT :  evil.com "}, ""), "DNS evil.com" + malware}),
		{Name: "pipelined", Trails: rows, Frames: Each(request(Get("clean.org", "/") + Get("evil.com", "/") + Get("clean.org", "/bad"))),
			Events: []string{requested(0, "DNS evil.com"+malware), requested(0, "URL (clean.org)/bad"+botnet)}},
		{Name: "behind a body", Trails: rows, Frames: Each(request(Request("POST", "/", []string{"Host: clean.org", "Content-Length: 4"}, "data") + Get("evil.com", "/"))),
			Events: []string{requested(0, "DNS evil.com"+malware)}},
		{Name: "any port", Trails: rows, Frames: Each(eth(client, web, Data(1, 4444, Get("evil.com", "/")))),
			Events: []string{"0 10.0.0.66 1 203.0.113.10 4444 TCP DNS evil.com" + malware}},
	})
}

// Item 22: paths are decoded, ports of the host do not hide it, and all
// directories above a path are asked behind the host.
func TestLimit22Paths(t *testing.T) {
	runCases(t, []Case{
		requests("escapes", []string{"/bad.php,malware (test)", "v.net/a/b,botnet c2 (test)"},
			[2]string{Get("v.net", "/Bad%2ephp"), "URL (v.net)/bad.php" + malware},
			[2]string{Get("v.net", "/%61/b"), "URL v.net/a/b" + botnet}),
		requests("port", []string{"evil.com/x,malware (test)", "evil.net/,botnet c2 (test)"},
			[2]string{Get("evil.com:8080", "/x"), "URL evil.com/x" + malware},
			[2]string{Get("evil.net:8080", "/y"), "URL evil.net/" + botnet},
			[2]string{Get("evil.com:8080", "/y"), ""}),
		requests("directories", []string{"evil.com/a,malware (test)"},
			[2]string{Get("evil.com", "/a/b/c/d"), "URL evil.com/a(/b/c/d)" + malware},
			[2]string{Get("evil.com", "/a/b/c/?q=1"), "URL evil.com/a(/b/c/?q=1)" + malware},
			[2]string{Get("evil.com", "/ab/c/d"), ""},
			[2]string{Get("evil.org", "/a/b/c/d"), ""}),
	})
}

// Item 26: an address in a query string is no proxied host.
func TestLimit26Redirects(t *testing.T) {
	c := requests("redirect", []string{"evil.com,malware (test)"}, [2]string{Get("clean.org", "/redirect?u=http://evil.com/"), ""})
	c.NoHeuristics = true
	runCases(t, []Case{c})
}

// Item 30: networks match, and IPv6 addresses in any spelling.
func TestLimit30Spellings(t *testing.T) {
	var cases []Case
	for key, c := range map[string][2]string{
		"2001:db8:1:2:3:4:5:6":                    {"2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002:0003:0004:0005:0006"},
		"2001:0DB8:0001:0002:0003:0004:0005:0007": {"2001:db8:1:2:3:4:5:7", "2001:0db8:0001:0002:0003:0004:0005:0007"},
		"fe80::":               {"fe80::", "fe80::0"},
		"1:0:0:2:0:0:0:3":      {"1:0:0:2::3", "1:0:0:2::3"},
		"2001:db8::5:0:0:1":    {"2001:db8:0:0:5:0:0:1", "2001:db8::5:0:0:1"},
		"2001:db8:0:1:2:3:4:5": {"2001:db8:0:1:2:3:4:5", "2001:db8::1:2:3:4:5"},
	} {
		cases = append(cases, Case{Name: strings.ReplaceAll(key, ":", "."), Trails: []string{key + ",malware (test)"}, Frames: Each(eth("dead::1", c[0], Syn(1, 443))),
			Events: []string{"0 dead::1 1 " + c[1] + " 443 TCP IP " + c[1] + malware}})
	}
	cases = append(cases, Case{Name: "network", Trails: []string{"198.51.100.0/24,malware (test)"}, Frames: Each(eth(client, "198.51.100.200", Syn(1, 443))),
		Events: []string{"0 10.0.0.66 1 198.51.100.200 443 TCP IP 198.51.100.0/24 (198.51.100.200)" + malware}})
	runCases(t, cases)
}

// Item 34: bare LF line ends, and spaces in the request line.
func TestLimit34LooseRequests(t *testing.T) {
	runCases(t, []Case{requests("loose", []string{"evil.com,malware (test)", "/bad,botnet c2 (test)"},
		[2]string{"GET / HTTP/1.1\nHost: evil.com\n\n", "DNS evil.com" + malware},
		[2]string{"GET  /  HTTP/1.1\r\nHost: evil.com\r\n\r\n", "DNS evil.com" + malware},
		[2]string{"GET\t/bad\tHTTP/1.0\nHost: clean.org\n\n", "URL (clean.org)/bad" + botnet},
		[2]string{"\r\nGET / HTTP/1.1\r\nHost: evil.com\r\n\r\n", "DNS evil.com" + malware})})
}

// Item 35: a query with the TC bit.
func TestLimit35TruncatedQueries(t *testing.T) { runCases(t, Limit(35)) }

// Item 36: the server name of gQUIC, which is not encrypted.
func TestLimit36GoogleQUIC(t *testing.T) { runCases(t, Limit(36)) }

// Item 38: names under .local and its like, when they are trails.
func TestLimit38LocalNames(t *testing.T) {
	runCases(t, []Case{queries("local", []string{"evil.local,malware (test)", "evil.localdomain,malware (test)", "evil.example,malware (test)", "evil.corp,malware (test)", "a.intranet.org,malware (test)"},
		[2]string{"evil.local", "evil.local" + malware},
		[2]string{"x.evil.localdomain", "(x).evil.localdomain" + malware},
		[2]string{"evil.example", "evil.example" + malware},
		[2]string{"evil.corp", "evil.corp" + malware},
		[2]string{"x.a.intranet.org", "(x).a.intranet.org" + malware},
		[2]string{"clean.local", ""})})
}
