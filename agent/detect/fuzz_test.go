package detect

import (
	"testing"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// FuzzWorker runs arbitrary frames of several link types through a worker
// whose table has trails of every kind. Nothing panics, and every event is fit
// to be written.
func FuzzWorker(f *testing.F) {
	links := []packet.LinkType{packet.LinkEthernet, packet.LinkNull, packet.LinkRaw, packet.LinkSLL, packet.LinkSLL2, packet.LinkPPP, packet.LinkCiscoHDLC, packet.LinkIPv4, 147}
	const in, out = "10.0.0.1", "66.66.66.66"
	certificate := corpus.Certificate("evil.example")
	for _, s := range []corpus.Segment{
		corpus.Syn(1, 443), corpus.UDP(1, 53, corpus.Query(corpus.Ask("www.evil.example"), corpus.Question{Name: "x", Type: 28, Class: 1, At: 12})),
		corpus.Data(1, 53, corpus.Stream(corpus.Query(corpus.Ask("a.b.evil.example")))), corpus.UDP(53, 1, corpus.Answered(corpus.Query(corpus.Ask("evil.example")), out)),
		corpus.Data(1, 80, corpus.Get("www.evil.example:8080", "/a/%62/gate.php?pass=(x)&y=1", "User-Agent: Evil%42ot\\ (x)", "X-Forwarded-For: 1.2.3.4")+corpus.Get("evil.example", "/")),
		corpus.Data(1, 80, corpus.Request("POST", "/gate.php", []string{"Host: evil.example", "Content-Length: 7"}, "a=%41/b")),
		corpus.Data(1, 80, corpus.Get("1.2.3.4", "http://proxy.example:80/probe?x")), corpus.Data(1, 80, corpus.Request("CONNECT", "evil.example:443", nil, "")),
		corpus.Data(1, 80, corpus.Get("66.66.66.66", "/mirai.x86")), corpus.Data(1, 443, corpus.Record(corpus.ClientHello("dga1.evil-pattern.example", corpus.ALPN()))),
		corpus.Data(443, 1, corpus.ServerFlight(certificate)), corpus.UDP(1, 443, corpus.GoogleQ043("x.onion.to")),
		corpus.UDP(1, 443, corpus.Initial(corpus.QUICv1, []byte("12345678"), corpus.Piece{Data: corpus.ClientHello("evil.example")})),
		corpus.ICMP(8, 0), corpus.Other(47, "gre"),
	} {
		p := corpus.IP(in, out, s)
		for i, fr := range []corpus.Frame{p.Ethernet(), p.Null(2), p.Raw(), p.SLL(), p.SLL2(), p.PPP(true), p.HDLC(), p.RawIPv4()} {
			f.Add(uint8(i), fr.Data)
		}
		f.Add(uint8(0), p.VLAN(1).QinQ(2).MPLS(3).Ethernet().Data)
		f.Add(uint8(0), corpus.IPv6("dead::1", "dead::beef", s, corpus.HopByHop(), corpus.Destination()).PPPoE(true).Ethernet().Data)
	}
	for _, p := range []corpus.Packet{tinySyn(in, out, 1, 443), tinySyn(out, in, 443, 1), tiny6(6, corpus.Syn(1, 443).Data[:8]), tiny6(60, []byte{6, 1, 1, 12, 0, 0, 0, 0}),
		corpus.IP(in, out, corpus.Segment{Proto: 17, Data: []byte{1, 2, 3}}), corpus.Fragments(in, out, corpus.Syn(1, 443), 8)[1],
		corpus.Fragments(in, out, corpus.TCP(1, 443, corpus.ACK, "data"), 16)[0]} {
		f.Add(uint8(0), p.Ethernet().Data)
		f.Add(uint8(2), p.Raw().Data)
	}
	for _, target := range []string{"http://u:p@www.evil.example:8080/a/x", "http://u@evil.example?pass=x", "http://a@b@evil.example#x", "http://@"} {
		f.Add(uint8(0), corpus.IP(in, out, corpus.Data(1, 80, corpus.Get("x.example", target))).Ethernet().Data)
	}
	f.Add(uint8(0), corpus.IP(in, out, corpus.Data(1, 80, corpus.Request("CONNECT", "u:p@evil.example:443", nil, ""))).Ethernet().Data)
	rules := rulesOf(f, Options{Heuristics: true, HostDomains: true, MissingHost: true, Redact: true, Home: event.NewHomeNetworks(nil), UserAgents: []byte("masscan\n")},
		"66.66.66.66", "66.66.0.0/16", "66.66.66.66:443", "dead::beef", "dead::/16", "evil.example", "x.onion", `dga[0-9]+\.evil-pattern\.example`, `(?!ok)[a-z]+\.look\.example`,
		"/gate.php", "/a/b", "evil.example/", "evil.example/a", "/x?pass=", "/gate.php?a=a/b", "/y?", "ua:evil[a-c]ot", "ua:ok/[0-9]",
		"ja3:00112233445566778899aabbccddeeff", "ja4:t13d1516h2_8daaf6152771_02713d6af862")
	w := NewWorker(rules)
	raised := 0
	w.Await = time.Minute
	w.Answer = func(a event.Answer) {
		if a.Outcome < event.OutcomeUnknown || a.Time.IsZero() || len(a.Answers) > event.MaxAnswers {
			f.Fatalf("%+v", a)
		}
	}
	w.Emit = func(e event.Event) {
		raised++
		for _, text := range []string{e.Trail, e.Observable, e.HTTP.Host, e.HTTP.Target, e.HTTP.UserAgent, e.HTTP.Method, e.DNS.Question, e.TLS.ServerName} {
			if !utf8.ValidString(text) || len(text) > event.MaxTrail {
				f.Fatalf("%q", text)
			}
		}
		if e.Trail == "" || e.Code == "" || e.Info == "" || e.Protocol == "" || !e.Src.IsValid() || e.Aggregate.Count != 1 || e.Outcome != event.OutcomeNone && e.Outcome != event.Answered || e.Code.IsTrail() != (e.Indicator != "") {
			f.Fatalf("%+v", e)
		}
	}
	at := corpus.Start
	f.Fuzz(func(t *testing.T, link uint8, data []byte) {
		before := raised
		at = at.Add(1e9)
		packet.Prefetch(data)
		w.Frame(links[int(link)%len(links)], data, at, 1)
		if raised-before > len(data)+2 {
			t.Errorf("%d events of %d bytes", raised-before, len(data))
		}
	})
}
