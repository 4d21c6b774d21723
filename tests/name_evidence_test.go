package tests

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/packet"
	. "trailhound/tests/corpus"
	"trailhound/trails/whitelist"
)

// evidence runs frames through a worker and gives the evidence of names that it
// wrote down, as "query 28 long name", "name tls name" or "nx 1 name".
func evidence(rules *detect.Rules, frames ...Frame) (all []string) {
	w := detect.NewWorker(rules)
	w.Evidence = board.NewCollector(1, func(b *board.Batch) *board.Batch { return board.NewBatch() })
	return noted(w, frames...)
}

func noted(w *detect.Worker, frames ...Frame) (all []string) {
	w.Evidence = board.NewCollector(1, func(b *board.Batch) *board.Batch {
		for i := range b.Evidence {
			e := &b.Evidence[i]
			text := ""
			switch e.Kind {
			case board.Query:
				text = fmt.Sprintf("query %d ", e.QType)
			case board.NXDomain:
				text = fmt.Sprintf("nx %d ", e.QType)
			case board.LongName:
				text = "name " + [...]string{"", "tls", "quic", "http"}[e.QType] + " "
			default:
				continue
			}
			if e.Flags&board.OverTCP != 0 && e.Kind != board.LongName {
				text += "tcp "
			}
			if e.Flags&board.LongHead != 0 {
				text += "long "
			}
			all = append(all, text+string(b.Name(e)))
		}
		return board.NewBatch()
	})
	for i, f := range frames {
		w.Frame(packet.LinkType(f.Link), f.Data, At(i, f).Time, uint64(i+1))
	}
	w.Evidence.Flush()
	return all
}

// evidenceRules are rules with a whitelist and some codes switched off.
func evidenceRules(t testing.TB, opt detect.Options, disabled ...event.Code) *detect.Rules {
	t.Helper()
	white, err := whitelist.New("ok.com", "www.known.com")
	if err != nil {
		t.Fatal(err)
	}
	opt.Disabled = map[event.Code]bool{}
	for _, c := range disabled {
		opt.Disabled[c] = true
	}
	c := Case{Trails: []string{"listed.com,malware (test)", "dyn.net,dynamic domain (test)", "com.br,suspicious (test)"}}
	return detect.NewRules(caseRules(t, &c).Table(), white, opt)
}

var (
	longHead   = strings.Repeat("y", 25)
	withAll    = detect.Options{Heuristics: true, HostDomains: true}
	nameless   = Question{Type: TypeA, Class: ClassIN}
	noSuchName = func(name string) Frame {
		return eth(resolver, client, UDP(53, 50000, Reply(NoSuchName, Query(Ask(name)))))
	}
)

// TestQueryEvidence: which questions are evidence, and of what (D 10.1, 10.2).
func TestQueryEvidence(t *testing.T) {
	for name, want := range map[string]string{
		"www.site.com":               "query 1 www.site.com",
		"a.b.c.site.co.uk":           "query 1 a.b.c.site.co.uk",
		"WWW.Site.Com":               "query 1 www.site.com",
		"_ldap._tcp.site.com":        "query 1 _ldap._tcp.site.com",
		"site.com":                   "", // two labels are never counted
		"com":                        "",
		"":                           "",
		"1.2.3.4":                    "",                     // an address
		"a b.site.com":               "query 1 a b.site.com", // the domain is one
		"a.b site.com":               "",
		"a.site._com":                "",
		"1-2-3-4.dial.site.com":      "", // a dashed quad
		"x1-2-3-4.dial.site.com":     "query 1 x1-2-3-4.dial.site.com",
		"a.www.ok.com":               "",                        // whitelisted, with all below it
		"a.www.known.com":            "query 1 a.www.known.com", // the base is not
		"printer.floor.lan":          "",
		"4.3.2.1.in-addr.arpa":       "",
		"www.site.example":           "",
		"a.intranet.site.com":        "",
		"a.intranets.site.com":       "query 1 a.intranets.site.com",
		longHead + ".site.com":       "query 1 long " + longHead + ".site.com",
		longHead + ".com":            "query 1 long " + longHead + ".com",
		longHead + ".lan":            "",
		longHead + "-.site.com":      "query 1 " + longHead + "-.site.com",
		longHead + "-.com":           "",
		longHead + ".www.known.com":  "query 1 " + longHead + ".www.known.com",
		longHead + ".ok.com":         "",
		"a." + longHead + ".com":     "query 1 a." + longHead + ".com",
		longHead + ".listed.com":     "query 1 " + longHead + ".listed.com", // its trail is raised
		longHead[1:] + ".other.com":  "query 1 " + longHead[1:] + ".other.com",
		longHead + ".a b.listed.com": "query 1 " + longHead + ".a b.listed.com",
	} {
		rules := evidenceRules(t, withAll)
		f := query(name)
		if got := strings.Join(evidence(rules, f), ", "); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
		// The same again: from what is remembered of the name.
		w := detect.NewWorker(rules)
		noted(w, f)
		if got := strings.Join(noted(w, f), ", "); got != want {
			t.Errorf("%q, again: got %q, want %q", name, got, want)
		}
	}
}

// TestEvidenceOfMessages: of all questions, types, classes and transports.
func TestEvidenceOfMessages(t *testing.T) {
	ask := func(name string, typ uint16) Question { return Question{Name: name, Type: typ, Class: ClassIN} }
	chaos := Question{Name: "a.chaos.com", Type: TypeTXT, Class: ClassCH}
	for name, c := range map[string]struct {
		frame Frame
		want  string
	}{
		"AAAA":             {eth(client, resolver, UDP(1, 53, Query(ask("a.site.com", TypeAAAA)))), "query 28 a.site.com"},
		"another class":    {eth(client, resolver, UDP(1, 53, Query(chaos))), "query 16 a.chaos.com"},
		"two":              {eth(client, resolver, UDP(1, 53, Query(Ask("a.site.com"), ask("b.site.com", TypeMX)))), "query 1 a.site.com, query 15 b.site.com"},
		"another port":     {eth(client, resolver, UDP(1, 5355, Query(Ask("a.site.com")))), "query 1 a.site.com"},
		"TCP":              {eth(client, resolver, Data(1, 53, Stream(Query(Ask("a.site.com")))+Stream(Query(Ask("b.site.com"))))), "query 1 tcp a.site.com, query 1 tcp b.site.com"},
		"IPv6":             {eth("dead::1", "dead::2", UDP(1, 53, Query(Ask("a.site.com")))), "query 1 a.site.com"},
		"TC":               {eth(client, resolver, UDP(1, 53, Message(0x0300, Ask("a.site.com")))), "query 1 a.site.com"},
		"an update":        {eth(client, resolver, UDP(1, 53, Message(0x2800, Ask("a.site.com")))), ""},
		"an answer":        {answer("a.site.com", Address("192.0.2.1")), ""},
		"NXDOMAIN":         {noSuchName("a.site.com"), "nx 1 a.site.com"},
		"NXDOMAIN, TCP":    {eth(resolver, client, Data(53, 1, Stream(Reply(NoSuchName, Query(ask("a.site.com", TypeAAAA)))))), "nx 28 tcp a.site.com"},
		"NXDOMAIN, port":   {eth(resolver, client, UDP(5300, 1, Reply(NoSuchName, Query(Ask("a.site.com"))))), "nx 1 a.site.com"},
		"of an update":     {eth(resolver, client, UDP(53, 1, Flagged(0xA983, Query(Ask("a.site.com"))))), ""},
		"without question": {eth(resolver, client, UDP(53, 1, Reply(NoSuchName, Query()))), ""},
		"of the root":      {eth(resolver, client, UDP(53, 1, Reply(NoSuchName, Query(nameless)))), ""},
		"another failure":  {eth(resolver, client, UDP(53, 1, Reply(ServFail, Query(Ask("a.site.com"))))), ""},
		"SNI":              {eth(client, web, Data(1, 443, Record(ClientHello(longHead+".lan")))), "name tls " + longHead + ".lan"},
		"QUIC":             {eth(client, web, UDP(1, 443, Initial(QUICv1, []byte("12345678"), Piece{Data: ClientHello(longHead + ".com")}))), "name quic " + longHead + ".com"},
		"Host":             {request(Get(longHead+".a.com:81", "/")), "name http " + longHead + ".a.com"},
		"CONNECT":          {request(Request("CONNECT", longHead+".a.com:443", nil, "")), "name http " + longHead + ".a.com"},
		"SNI, short":       {eth(client, web, Data(1, 443, Record(ClientHello("www.site.com")))), ""},
		"SNI, listed":      {eth(client, web, Data(1, 443, Record(ClientHello(longHead+".listed.com")))), ""},
		"SNI, whitelisted": {eth(client, web, Data(1, 443, Record(ClientHello(longHead+".ok.com")))), ""},
		"Host, address":    {request(Get("203.0.113.10", "/")), ""},
		"Host, with '-'":   {request(Get(longHead+"-.a.com", "/")), ""},
	} {
		if got := strings.Join(evidence(evidenceRules(t, withAll), c.frame), ", "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestNoSuchNameEvidence: what is to be expected not to exist is no evidence
// (D 10.3).
func TestNoSuchNameEvidence(t *testing.T) {
	nibbles := strings.Repeat("a.1.", 16)
	for name, want := range map[string]bool{
		"a.site.com": true, "site.com": true, "n1.n2.n3.n4.site.com": true, longHead + ".site.com": true, "1-2-3-4.site.com": true,
		"com": false, "1.2.3.4": false, "a b.site.com": false, "a.lan": false, "4.3.2.1.in-addr.arpa": false, "a.intranet.site.com": false,
		"ok.com": false, "a.ok.com": false, "www.known.com": false, "known.com": true,
		"listed.com": false, "a.b.listed.com": false, "xlisted.com": true, "www.dyn.net": false, "ns1.site.com.br": false,
		"a.site.123": false, "a.site.x123": true,
		"4.3.2.1.list.org": false, "4.3.2.255.list.org": false, "4.3.2.256.list.org": true, "4.3.2.01.list": false, "4.3.2.list.org": true, "x.4.3.2.1.list.org": true,
		"4.3.2.99999999999999999999.list.org": true, "4.3.2.1.5.list.org": false,
		nibbles + "list.org": false, nibbles[2:] + "list.org": true, "g." + nibbles[2:] + "list.org": true,
	} {
		got := evidence(evidenceRules(t, withAll), noSuchName(name))
		if (len(got) == 1) != want || want && got[0] != "nx 1 "+name {
			t.Errorf("%q: got %q, want %v", name, got, want)
		}
	}
	// Each datagram is one, the same message twice in a second too: the board knows.
	w := detect.NewWorker(evidenceRules(t, withAll))
	f := noSuchName("a.site.com")
	if got := noted(w, f, f); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// TestEvidenceByOptions: what is switched off needs no evidence, and a worker
// without a collector gives none.
func TestEvidenceByOptions(t *testing.T) {
	frames := []Frame{query("a.site.com"), query(longHead + ".site.com"), query(longHead + ".com"), noSuchName("b.site.com"),
		eth(client, web, Data(1, 443, Record(ClientHello(longHead+".org"))))}
	const plain, long, two, nx, sni = "query 1 a.site.com", "query 1 long %.site.com", "query 1 long %.com", "nx 1 b.site.com", "name tls %.org"
	without := func(heuristics bool, disabled ...event.Code) []string {
		return evidence(evidenceRules(t, detect.Options{Heuristics: heuristics, Thresholds: map[event.Code]float64{event.DNSNXDomain: 3}}, disabled...), frames...)
	}
	shorter := func(threshold float64) []string {
		return evidence(evidenceRules(t, detect.Options{Heuristics: true, Thresholds: map[event.Code]float64{event.DNSLong: threshold}}), frames...)
	}
	short := "query 1 %.site.com"
	for name, c := range map[string]struct{ got, want []string }{
		"all":                   {without(true), []string{plain, long, two, nx, sni}},
		"no heuristics":         {without(false), []string{plain, short}},
		"nothing":               {without(false, event.DNSExhaustion), nil},
		"no exhaustion":         {without(true, event.DNSExhaustion), []string{plain, long, two, nx, sni}}, // it silences others
		"no long names":         {without(true, event.DNSLong), []string{plain, short, nx}},
		"threshold of 25":       {shorter(25), []string{plain, short, nx}},
		"threshold out of use":  {shorter(1e9), []string{plain, short, nx}},
		"threshold of nothing":  {shorter(0), []string{"query 1 long a.site.com", long, two, nx, sni}},
		"no NXDOMAIN":           {without(true, event.DNSNXDomain), []string{plain, long, two, nx, sni}}, // the labels are judged
		"no names out of order": {without(true, event.DNSNXDomain, event.DNSDGAEntropy, event.DNSDGAConsonant), []string{plain, long, two, sni}},
	} {
		for i := range c.want {
			c.want[i] = strings.ReplaceAll(c.want[i], "%", longHead)
		}
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
	w := detect.NewWorker(evidenceRules(t, withAll))
	for i, f := range frames {
		w.Frame(packet.LinkType(f.Link), f.Data, Start, uint64(i))
	}
	// What a worker without a collector remembers of names is the same.
	if got := noted(w, frames[:3]...); len(got) != 3 {
		t.Errorf("%q", got)
	}
	// And another table makes it forget.
	w.SetRules(evidenceRules(t, detect.Options{Heuristics: true}, event.DNSLong))
	if got := noted(w, frames[:3]...); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// TestNameEvidenceDoesNotAllocate: neither does an answer that raises nothing.
func TestNameEvidenceDoesNotAllocate(t *testing.T) {
	rules := evidenceRules(t, withAll)
	clean := Reply(NoError, Query(Ask(varies+".site.com")), Leads(TypeCNAME, varies+".cdn.net"), Address("192.0.2.1"), Address("2001:db8::1"),
		Leads(TypeHTTPS, varies+".svc.net", Hint(4, "192.0.2.7"), Hint(6, "2001:db8::7")), Leads(TypeMX, "mx."+varies+".net"), Leads(TypeTXT, "text"))
	ok := Reply(NoError, Query(Ask("www.ok.com")), Leads(TypeCNAME, varies+".listed.com"))
	same := Reply(NoError, Query(Ask("www.listed.com")), Leads(TypeCNAME, varies+".listed.com"))
	frames := []Frame{query(varies + ".site.com"), query(longHead + "." + varies + ".com"), noSuchName(varies + ".site.com"), noSuchName("4.3.2.1." + varies + ".org"),
		eth(client, web, Data(1, 443, Record(ClientHello(longHead+"."+varies+".com"))))}
	for _, message := range []string{clean, ok, same} {
		frames = append(frames, eth(resolver, client, UDP(53, 50000, message)), eth(resolver, client, Data(53, 50000, Stream(message)+Stream(message))))
	}
	batch := board.NewBatch()
	w := detect.NewWorker(rules)
	w.Emit = func(e event.Event) { t.Fatalf("raised %s", line(&e)) }
	w.Evidence = board.NewCollector(1, func(*board.Batch) *board.Batch { batch.Reset(); return batch })
	n := 0
	round := func() {
		for _, f := range frames {
			n++
			vary(f.Data, n)
			w.Frame(packet.LinkEthernet, f.Data, Start.Add(time.Duration(n)*time.Millisecond), uint64(n))
		}
	}
	round()
	if allocs := testing.AllocsPerRun(2000, round); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	if w.Evidence.Taken < 2000 {
		t.Errorf("%d pieces of evidence", w.Evidence.Taken)
	}
}

// TestNamesByWorkers: any number of workers finds the same in names, to the last
// id: exhausted domains, names that do not exist, long ones, listed ones.
func TestNamesByWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var frames []Stamped
	at := Start
	for range 4000 {
		at = at.Add(time.Duration(r.IntN(200)) * time.Millisecond)
		if r.IntN(50) == 0 {
			at = at.Add(-time.Duration(r.IntN(2000)) * time.Millisecond)
		}
		host, server := fmt.Sprintf("10.0.0.%d", r.IntN(9)), pick(r, resolver, "10.0.0.53")
		name := pick(r, "", "", longHead+".", strings.Repeat("z", 30)+".") + fmt.Sprintf("n%d.", r.IntN(12)) + pick(r, "tunnel.com", "site.co.uk", "listed.com", "ok.com", "lan")
		name = pick(r, name, name, name, fmt.Sprintf("qwrtzpsdfgh%djkl.com", r.IntN(5)))
		sport := uint16(50000 + r.IntN(3))
		var p Packet
		switch r.IntN(7) {
		case 0, 1:
			p = IP(host, server, UDP(sport, 53, Query(Ask(name))))
		case 2:
			p = IP(host, server, Data(sport, 53, Stream(Query(Ask(name)))))
		case 3:
			p = IP(server, host, UDP(53, sport, Reply(NoSuchName, Query(Ask(name)))))
		case 4:
			p = IP(server, host, UDP(53, sport, Reply(NoError, Query(Ask(name)), Leads(TypeCNAME, "a.listed.com"), Address("192.0.2.1"))))
		case 5:
			p = IP(host, web, Data(sport, 443, Record(ClientHello(name))))
		case 6:
			p = IP(host, web, Data(sport, 80, Get(name, "/", "User-Agent: x")))
		}
		frames = append(frames, Stamped{Time: at, Frame: p.Ethernet()})
		if r.IntN(10) == 0 {
			frames = append(frames, Stamped{Time: at, Frame: p.Ethernet()})
		}
	}
	path := writeCase(t, Case{Frames: frames})
	s := setup{rules: evidenceRules(t, detect.Options{Heuristics: true, HostDomains: true, Home: event.NewHomeNetworks(private),
		Thresholds: map[event.Code]float64{event.DNSExhaustion: 8, event.DNSNXDomain: 4},
		Windows:    map[event.Code]time.Duration{event.DNSExhaustion: 10 * time.Second}})}
	var want []event.Event
	codes := map[event.Code]int{}
	for _, s.workers = range []int{1, 2, 4, 8} {
		got, _ := replay(t, s, path)
		if want == nil {
			want = got
			for _, e := range got {
				codes[e.Code]++
			}
		}
		sameEvents(t, fmt.Sprintf("%d workers", s.workers), got, want)
	}
	for _, code := range []event.Code{event.TrailDNS, event.TrailDNSAnswer, event.DNSExhaustion, event.DNSNXDomain, event.DNSLong, event.DNSDGAEntropy} {
		if codes[code] == 0 {
			t.Errorf("no %s: the mix is no test; %v", code, codes)
		}
	}
}
