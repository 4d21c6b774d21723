package tests

import (
	"fmt"
	"strings"
	"testing"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	. "trailhound/tests/corpus"
)

// Item 8: answers and names that do not exist, over TCP.
func TestLimit08AnswersOverTCP(t *testing.T) {
	from := func(payload string) Frame { return eth(resolver, client, Data(53, 50000, payload)) }
	event := func(second int, typeAndTrail string) string {
		return fmt.Sprintf("%d %s 53 %s 50000 TCP %s", second, resolver, client, typeAndTrail)
	}
	const sunk = "DNS (www.site).com | sinkholed by testsink (malware) | (heuristic)"
	sinkhole := Stream(Reply(NoError, Query(Ask("www.site.com")), Address("198.51.100.90")))
	listed := Stream(Reply(NoError, Query(Ask("www.site.com")), Address("66.66.66.66")))
	missing := func(i int) string { return Stream(Reply(NoSuchName, Query(Ask(fmt.Sprintf("n%02d.missing.com", i))))) }
	nx := Case{Name: "names that do not exist"}
	for i := range 21 {
		nx.Frames = append(nx.Frames, At(i, from(missing(i))))
	}
	nx.Events = []string{event(20, "DNS ("+names(1, 20)+").missing.com"+excessive)}
	// A zone transfer goes on in messages without a question.
	transfer := []byte(Stream(Reply(NoError, Query(), Resource{Owner: "a.zone.com", Type: TypeA, Data: "BBBB"}, Resource{Owner: "b.zone.com", Type: TypeNS, Data: "\x02ns\x0bevil-parent\x03com\x00"})))
	runCases(t, []Case{
		{Name: "one", Trails: answerTrails, Frames: Each(from(sinkhole)), Events: []string{event(0, sunk)}},
		{Name: "two in a segment", Trails: answerTrails, Frames: Each(from(listed + sinkhole)),
			Events: []string{event(0, "IP 66.66.66.66 (www.site.com)"+malware), event(0, sunk)}},
		{Name: "the length in a segment of its own", Trails: answerTrails, Frames: Each(from(sinkhole[:2]), from(sinkhole[2:])), Events: []string{event(1, sunk)}},
		{Name: "zone transfer", Trails: answerTrails, Frames: Each(from(string(transfer))),
			Events: []string{event(0, "IP 66.66.66.66 (a.zone.com)"+malware), event(0, "DNS (ns).evil-parent.com"+malware)}},
		nx,
	})
}

const excessive = " | excessive no such domain (suspicious) | (heuristic)"

// names are those from n<first> to n<last>, with a comma between them.
func names(first, last int) string {
	var list []string
	for i := first; i <= last; i++ {
		list = append(list, fmt.Sprintf("n%02d", i))
	}
	return strings.Join(list, ",")
}

// Item 11: types and classes of all kinds count for the heuristics too.
func TestLimit11EvidenceOfAllTypes(t *testing.T) {
	c := Case{Name: "exhaustion"}
	for i := range 1001 {
		q := Question{Name: fmt.Sprintf("a%d.tunnel.com", i), Type: []uint16{TypeAAAA, TypePTR, TypeTXT, TypeHTTPS}[i%4], Class: []uint16{ClassIN, ClassCH, 255}[i%3]}
		c.Frames = append(c.Frames, At(i/100, eth(client, resolver, UDP(50000, 53, Query(q)))))
	}
	c.Events = []string{asked(10, "(a1000).tunnel.com"+exhausted)}
	runCases(t, []Case{c})
}

const exhausted = " | potential dns exhaustion (suspicious) | (heuristic)"

// Item 12: every address and every name in an answer, and nothing else.
func TestLimit12Answers(t *testing.T) {
	const site = "www.site.com"
	ip := func(a string) string { return "IP " + a + " (www.site.com)" + malware }
	name := func(trail string) string { return "DNS " + trail + malware }
	target := func(typ uint16) Frame { return answer(site, Leads(typ, "a.evil-parent.com")) }
	kinds := answers("targets")
	for i, typ := range []uint16{TypeCNAME, TypeDNAME, TypeNS, TypeMX, TypeSRV, TypePTR, TypeSVCB, TypeHTTPS} {
		kinds.Frames = append(kinds.Frames, At(i, target(typ)))
		kinds.Events = append(kinds.Events, answeredBy(i, name("(a).evil-parent.com")))
	}
	four := "\x42\x42\x42\x42" // 66.66.66.66
	misread := answers("records that hold no address")
	for i, r := range []Resource{{Type: TypeTXT, Data: four}, {Type: TypeSOA, Data: four + four}, {Type: 99, Data: four}, {Type: 41, Data: four},
		{Type: TypeA, Class: ClassCH, Data: four}, {Type: TypeA, Data: four + four}, {Type: TypeA, Data: four[:3]}, {Type: TypeAAAA, Data: four},
		{Type: TypeA, Data: ""}, {Type: TypeMX, Data: four}, {Type: TypeHTTPS, Data: four}, {Type: TypeCNAME, Data: four}} {
		misread.Frames = append(misread.Frames, At(i, answer(site, r)))
	}
	authority := []byte(Reply(NoError, Query(Ask(site)), Leads(TypeNS, "evil-parent.com"), Address("66.66.66.66")))
	authority[7], authority[9], authority[11] = 0, 1, 1 // the records belong to the other sections
	reverse := Reply(NoError, Query(Question{Name: "66.66.66.66.in-addr.arpa", Type: TypePTR, Class: ClassIN}), Leads(TypePTR, "host.evil-parent.com"))
	flushed := Address("66.66.66.66")
	flushed.Class, flushed.Owner = 0x8001, "printer.local"
	runCases(t, []Case{
		answers("addresses",
			says(answer(site, Address("66.66.66.66")), ip("66.66.66.66")),
			says(answer(site, Address("192.0.2.1"), Address("dead::beef"), Address("66.66.66.66"), Address("66.66.66.66")), ip("dead::beef"), ip("66.66.66.66")),
			says(answer(site, Leads(TypeCNAME, "cdn.net"), Resource{Owner: "cdn.net", Type: TypeA, Data: four}), ip("66.66.66.66")),
			says(answer("evilname", Address("66.66.66.66")), "IP 66.66.66.66 (evilname)"+malware),
			says(answer("", Address("66.66.66.66")), "IP 66.66.66.66"+malware),
			says(answer(site, Leads(TypeHTTPS, "", Hint(1, "66.66.66.66"), Hint(4, "192.0.2.1", "66.66.66.66"), Hint(6, "dead::beef"))), ip("66.66.66.66"), ip("dead::beef"))),
		kinds, misread,
		answers("no answer section", says(eth(resolver, client, UDP(53, 50000, string(authority))))),
		answers("a name for an address", says(eth(resolver, client, UDP(53, 50000, reverse)), name("(host).evil-parent.com"))),
		answers("by the rules for names", // D 11: servers of names, and clean ones
			says(answer(site, Leads(TypeNS, "ns1.sus.net"), Leads(TypeNS, "clean.org"), Leads(TypeNS, "sus.net")), "DNS sus.net | suspicious (test) | (static)")),
		answers("the trail of the question is raised once", // by the query
			says(answer("www.evil-parent.com", Leads(TypeCNAME, "x.y.evil-parent.com"), Address("192.0.2.1"))),
			says(answer("evil-parent.com", Leads(TypeMX, "evil-parent.com"), Leads(TypeMX, "mx.other-evil.com"), Leads(TypeMX, "mx2.other-evil.com"), Address("66.66.66.66")),
				"DNS (mx).other-evil.com"+botnet, "IP 66.66.66.66 (evil-parent.com)"+malware),
			says(answer(site, Leads(TypeCNAME, "a.evil-parent.com"), Leads(TypeCNAME, "b.evil-parent.com")), name("(a).evil-parent.com"))),
		{Name: "multicast DNS", Trails: answerTrails, Frames: Each(eth("10.0.0.9", "224.0.0.251", UDP(5353, 5353, Reply(NoError, Query(), flushed)))),
			Events: []string{"0 10.0.0.9 5353 224.0.0.251 5353 UDP IP 66.66.66.66 (printer.local)" + malware}},
		{Name: "another port", Trails: answerTrails, Frames: Each(eth(resolver, client, UDP(5300, 50000, Reply(NoError, Query(Ask(site)), Leads(TypeCNAME, "evil-parent.com"))))),
			Events: []string{"0 8.8.8.8 5300 10.0.0.66 50000 UDP DNS evil-parent.com" + malware}},
		{Name: "IPv6", Trails: answerTrails, Frames: Each(eth("dead::2", "dead::1", UDP(53, 50000, Reply(NoError, Query(Ask(site)), Address("dead::beef"))))),
			Events: []string{"0 dead::2 53 dead::1 50000 UDP IP dead::beef (www.site.com)" + malware}},
	})
}

// Item 13: of the flags only the response code matters.
func TestLimit13Flags(t *testing.T) {
	const site = "www.site.com"
	c := answers("flags")
	nx := Case{Name: "flags of names that do not exist"}
	i := 0
	for _, flags := range []uint16{0x8000, 0x8100, 0x8180, 0x81a0, 0x8190, 0x81b0, 0x8400, 0x8580, 0x85b0, 0x8120, 0x81c0, 0x83b0} {
		c.Frames = append(c.Frames, At(i, eth(resolver, client, UDP(53, 50000, Flagged(flags, Query(Ask(site)), Address("198.51.100.90"))))))
		c.Events = append(c.Events, answeredBy(i, "DNS (www.site).com | sinkholed by testsink (malware) | (heuristic)"))
		nx.Frames = append(nx.Frames, At(i, eth(resolver, client, UDP(53, 50000, Flagged(flags|NoSuchName, Query(Ask("xkcdqzwvbnm.com")))))))
		nx.Events = append(nx.Events, answeredBy(i, "DNS (xkcdqzwvbnm).com | consonant threshold no such domain (suspicious) | (heuristic)"))
		i++
	}
	runCases(t, []Case{c, nx})
}

// Item 14: names that do not exist, asked for by hosts at home.
func TestLimit14LocalClients(t *testing.T) { runCases(t, Limit(14)) }

// Item 15: a domain over its limit is no place to hide in: what is listed below
// it is raised, whether the heuristic is or not.
func TestLimit15ExhaustionHidesNothing(t *testing.T) {
	c := Case{Name: "tunnel", Trails: []string{"listed.tunnel.com,malware (test)"}}
	for i := range 1001 {
		c.Frames = append(c.Frames, At(i/100, query(fmt.Sprintf("a%d.tunnel.com", i))))
	}
	c.Frames = append(c.Frames, At(11, query("listed.tunnel.com")), At(12, answer("a2000.tunnel.com", Leads(TypeCNAME, "x.listed.tunnel.com"))))
	trail := []string{asked(11, "listed.tunnel.com"+malware), answeredBy(12, "DNS (x).listed.tunnel.com"+malware)}
	c.Events = append([]string{asked(10, "(a1000).tunnel.com"+exhausted)}, trail...)
	quiet := c
	quiet.Name, quiet.NoHeuristics = "without other heuristics", true
	runCases(t, []Case{c, quiet})

	rules := detect.NewRules(caseRules(t, &c).Table(), nil, detect.Options{Heuristics: true, Disabled: map[event.Code]bool{event.DNSExhaustion: true}})
	path := writeCase(t, c)
	events, _ := replay(t, setup{rules: rules, workers: 2}, path)
	sameLines(t, lines(events), trail)
}

// Item 16: evidence of every question of a message, on any port.
func TestLimit16EvidenceOfAllQuestions(t *testing.T) {
	long := strings.Repeat("x", 25)
	at := func(port int, name string) string {
		return fmt.Sprintf("0 10.0.0.66 50000 8.8.8.8 %d UDP DNS (%s.%s).site.com | long domain (suspicious) | (heuristic)", port, long, name)
	}
	// The first name starts at 12: its second label is "a".
	compressed := Query(Ask(long+".a.site.com"), Question{Name: long + ".b", Type: TypeA, Class: ClassIN, At: 12 + 26 + 2})
	runCases(t, []Case{
		{Name: "port 53", Frames: Each(eth(client, resolver, UDP(50000, 53, compressed))), Events: []string{at(53, "a"), at(53, "b")}},
		{Name: "another port", Frames: Each(eth(client, resolver, UDP(50000, 5355, compressed))), Events: []string{at(5355, "a"), at(5355, "b")}},
	})
}

// Item 17: a name with a long label is a trail first, whatever matches it and
// wherever it stands.
func TestLimit17TrailsBeforeLongLabels(t *testing.T) {
	const longDomain = " | long domain (suspicious) | (heuristic)"
	dga, onion, plain := strings.Repeat("dga1", 8), strings.Repeat("abcd2345", 7), strings.Repeat("x", 25)
	rows := []string{`dga[0-9]+\.wildcard-test\.com,malware (test)`, onion + ".onion,botnet c2 (test)", plain + ".listed.com,malware (test)"}
	of := func(second int, port string, trail string) string {
		return fmt.Sprintf("%d 10.0.0.66 50030 203.0.113.10 %s DNS %s", second, port, trail)
	}
	hello := func(name string) Frame { return eth(client, web, Data(50030, 443, Record(ClientHello(name)))) }
	quic := func(name string) Frame {
		return eth(client, web, UDP(50030, 443, Initial(QUICv1, []byte("12345678"), Piece{Data: ClientHello(name)})))
	}
	host := func(name string) Frame { return request(Get(name, "/", "User-Agent: x")) }
	pattern := "(" + dga[:28] + ")dga1.wildcard-test.com" + malware
	gateway := onion + ".onion(.to)" + botnet
	runCases(t, []Case{
		queries("queries", rows,
			[2]string{dga + ".wildcard-test.com", pattern}, [2]string{onion + ".onion.to", gateway}, [2]string{plain + ".listed.com", plain + ".listed.com" + malware},
			[2]string{"a." + plain + ".listed.com", "(a)." + plain + ".listed.com" + malware},
			[2]string{plain + ".other.com", "(" + plain + ").other.com" + longDomain}, [2]string{plain + ".com", "(" + plain + ").com" + longDomain},
			[2]string{plain[1:] + ".other.com", ""}, [2]string{plain + "-.other.com", ""}, [2]string{"a." + plain + ".other.com", ""}, [2]string{plain + ".blogspot.com", ""},
			[2]string{plain + ".corp", ""}, [2]string{plain + ".intranet.org", ""}),
		whitelisted(queries("whitelisted", rows, [2]string{plain + ".ok.com", ""}, [2]string{plain + ".com", "(" + plain + ").com" + longDomain}), "ok.com"),
		{Name: "servers", Trails: rows, Frames: Each(
			hello(dga+".wildcard-test.com"), hello(plain+".other.com"), quic(onion+".onion.to"), quic(plain+".other.com"), host(plain+".listed.com"), host(plain+".other.com:8080"),
			hello(plain+".corp"), // what DNS leaves alone
			hello("www.other.com"), quic(plain+"-.other.com"), host(plain+".blogspot.com")),
			Events: []string{of(0, "443 TCP", pattern), of(1, "443 TCP", "("+plain+").other.com"+longDomain),
				of(2, "443 UDP", gateway), of(3, "443 UDP", "("+plain+").other.com"+longDomain),
				of(4, "80 TCP", plain+".listed.com"+malware), of(5, "80 TCP", "("+plain+").other.com"+longDomain),
				of(6, "443 TCP", "("+plain+").corp"+longDomain)}},
		unheuristic(queries("no heuristics", nil, [2]string{plain + ".other.com", ""})),
	})
}

func unheuristic(c Case) Case {
	c.NoHeuristics = true
	return c
}

// tunnelled asks for 1,001 names in ten seconds.
func tunnelled(name func(i int) string) (all []Stamped) {
	for i := range 1001 {
		all = append(all, At(i/100, query(name(i))))
	}
	return all
}

// Item 39: a tunnel puts what bytes it likes in front of its domain.
func TestLimit39EncodedTunnels(t *testing.T) {
	const longDomain = " | long domain (suspicious) | (heuristic)"
	long := strings.Repeat("x", 25)
	runCases(t, []Case{
		{Name: "base128", Frames: tunnelled(func(i int) string { return fmt.Sprintf("a\xbd\xe4%d.t.evil.com", i) }), Events: []string{asked(10, "(a\uFFFD\uFFFD1000.t).evil.com"+exhausted)}},
		{Name: "base64", Frames: tunnelled(func(i int) string { return fmt.Sprintf("Q+/=%d.t.evil.com", i) }), Events: []string{asked(10, "(q+/=1000.t).evil.com"+exhausted)}},
		{Name: "no domain", Frames: tunnelled(func(i int) string { return fmt.Sprintf("a%d.t.ev+il.com", i) })},
		queries("long", nil, [2]string{long + "+.evil.com", "(" + long + "+).evil.com" + longDomain}, [2]string{long + ".a b.evil.com", "(" + long + ".a b).evil.com" + longDomain},
			[2]string{"printer on the second floor._ipp._tcp.site.com", ""}, [2]string{long + ".ev+il.com", ""}),
	})
}

// Item 40: what excuses a domain from exhaustion is not what anybody can say.
func TestLimit40ExcusesOfTunnels(t *testing.T) {
	data := func(rest string) func(int) string {
		return func(i int) string {
			if i == 5 || i == 900 {
				return "wpad.evil.com"
			}
			return fmt.Sprintf("%05x.%05x.%s", i*7, i, rest)
		}
	}
	runCases(t, []Case{
		{Name: "a name that hosts ask for by themselves", Frames: append(tunnelled(data("evil.com")), At(11, query("one.more.evil.com"))), Events: []string{asked(11, "(one.more).evil.com"+exhausted)}},
		{Name: "a name like that of a block list", Frames: tunnelled(func(i int) string { return fmt.Sprintf("%05x.%05x.evilbl.com", i*7, i) }), Events: []string{asked(10, "(01b58.003e8).evilbl.com"+exhausted)}},
		{Name: "a short domain", Frames: tunnelled(func(i int) string { return fmt.Sprintf("%05x.%05x.t.co", i*7, i) }), Events: []string{asked(10, "(01b58.003e8).t.co"+exhausted)}},
		{Name: "four numbers of any size", Frames: tunnelled(func(i int) string { return fmt.Sprintf("%d-%d-%d-1000.evil.com", i%256, i*7, i*77777) }), Events: []string{
			asked(10, "(232-7000-77777000-1000).evil.com"+exhausted)}},
		{Name: "addresses", Frames: tunnelled(func(i int) string { return fmt.Sprintf("%d-%d-2-1.dial.net", i%256, i/256) })},
		{Name: "a block list", Frames: tunnelled(func(i int) string { return fmt.Sprintf("%d.%d.2.1.zen.dnsbl.org", i%256, i/256) })},
	})
}
