package tests

import (
	"crypto/md5"
	"encoding/hex"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/tls"
	. "trailhound/tests/corpus"
)

// prints are the fingerprints of a ClientHello message.
func prints(t *testing.T, message []byte, transport byte) (ja3, ja4 string) {
	t.Helper()
	var h tls.Hello
	if !h.ParseHandshake(message) || !h.Complete {
		t.Fatal("no ClientHello")
	}
	sum := md5.Sum(tls.AppendJA3(nil, &h))
	return hex.EncodeToString(sum[:]), string(tls.AppendJA4(nil, &h, transport))
}

// TestFingerprintTrails: fingerprints of clients are trails, with a server name
// and without one, over TCP and QUIC.
func TestFingerprintTrails(t *testing.T) {
	named := ClientHello("www.clean.org", ALPN())
	ja3, ja4 := prints(t, named, tls.OverTCP)
	_, overQUIC := prints(t, named, tls.OverQUIC)
	other, _ := prints(t, ClientHello("www.clean.org"), tls.OverTCP)
	if ja4[0] != 't' || overQUIC[0] != 'q' || ja3 == other {
		t.Fatal(ja3, ja4, overQUIC)
	}
	initial := func(message []byte) Frame {
		return eth(client, web, UDP(50001, 443, Initial(QUICv1, []byte("12345678"), Piece{Data: message})))
	}
	tcp := func(payload string) Frame { return eth(client, web, Data(50001, 443, payload)) }
	const bot = " | bot client (test) | (static)"
	event := func(second, proto, trail string) string {
		return second + " " + client + " 50001 " + web + " 443 " + proto + " CERT " + trail + bot
	}
	runCases(t, []Case{
		{Name: "JA3", Trails: plus("ja3:" + ja3 + ",bot client (test)"), Frames: Each(tcp(Record(named)), tcp(Record(ClientHello("www.clean.org"))), initial(named)),
			Events: []string{event("0", "TCP", "ja3:"+ja3), event("2", "UDP", "ja3:"+ja3)}},
		{Name: "JA4", Trails: plus("ja4:" + ja4 + ",bot client (test)"), Frames: Each(tcp(Record(named)), tcp(Record(ClientHello("www.clean.org"))), initial(named)),
			Events: []string{event("0", "TCP", "ja4:"+ja4)}},
		{Name: "JA4 of QUIC", Trails: plus("ja4:" + overQUIC + ",bot client (test)"), Frames: Each(tcp(Record(named)), initial(named)),
			Events: []string{event("1", "UDP", "ja4:"+overQUIC)}},
		{Name: "cut off", Trails: plus("ja3:"+ja3+",bot client (test)", "ja4:"+ja4+",bot client (test)"), Frames: Each(tcp(Record(named)[:len(Record(named))-1]))},
		{Name: "with the name", Trails: plus("clean.org,malware (test)", "ja4:"+ja4+",bot client (test)"), Frames: Each(tcp(Record(named))),
			Events: []string{"0 " + client + " 50001 " + web + " 443 TCP DNS (www).clean.org" + malware, event("0", "TCP", "ja4:"+ja4)}},
		{Name: "whitelisted", Trails: plus("ja3:" + ja3 + ",bot client (test)"), Frames: Each(eth(client, web, Data(50001, 443, "no handshake")))},
	})
}

// TestFingerprintFields: every event of a ClientHello that is there as a whole
// has both fingerprints.
func TestFingerprintFields(t *testing.T) {
	hello := ClientHello("www.evil-parent.com", ALPN())
	ja3, ja4 := prints(t, hello, tls.OverTCP)
	_, overQUIC := prints(t, hello, tls.OverQUIC)
	c := Case{Trails: plus("ja3:" + ja3 + ",bot client (test)"), Frames: Each(
		eth(client, web, Data(50001, 443, Record(hello))),
		eth(client, web, UDP(50001, 443, Initial(QUICv1, []byte("12345678"), Piece{Data: hello}))),
		eth(client, web, Data(50001, 443, Record(hello)[:len(Record(hello))-2])),
		query("www.evil-parent.com"))}
	want := [][2]string{{ja3, ja4}, {ja3, ja4}, {ja3, overQUIC}, {ja3, overQUIC}, {}, {}}
	_, events := told(t, &c, 0, 1)
	if len(events) != len(want) {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if got := [2]string{e.TLS.JA3, e.TLS.JA4}; got != want[i] {
			t.Errorf("%s: %q, want %q", line(&e), got, want[i])
		}
		if (e.Code == event.TrailJA3) != (e.Type == event.CERT) || e.Application != "dns" && e.TLS.ServerName != "www.evil-parent.com" {
			t.Errorf("%s: code %s, name %q", line(&e), e.Code, e.TLS.ServerName)
		}
	}
}

// TestOutcomeAllocations: a packet that may be an answer, and is none, costs no
// allocation; nor does a ClientHello whose fingerprint is not listed.
func TestOutcomeAllocations(t *testing.T) {
	c := Case{Trails: plus("ja3:00112233445566778899aabbccddeeff,bot (test)", "ja4:t13d1516h2_8daaf6152771_02713d6af862,bot (test)")}
	w := detect.NewWorker(caseRules(t, &c))
	answers := 0
	w.Emit, w.Answer, w.Await = func(event.Event) {}, func(event.Answer) { answers++ }, time.Minute
	at := Start
	feed := func(f Frame) {
		at = at.Add(time.Millisecond)
		w.Frame(packet.LinkType(f.Link), f.Data, at, 1)
	}
	feed(eth(client, "66.66.66.66", Syn(50001, 80)))
	feed(query("evil-test-domain.com"))
	feed(eth("66.66.66.66", client, TCP(80, 50001, SYN|ACK, "")))
	if answers != 2 { // and that both directions are seen
		t.Fatalf("%d answers", answers)
	}
	for name, f := range map[string]Frame{
		"answered already": eth("66.66.66.66", client, TCP(80, 50001, ACK, "")),
		"another answer":   eth(resolver, client, UDP(53, 50000, Answered(Query(Ask("clean.org")), "192.0.2.1"))),
		"something else":   eth(web, client, TCP(80, 50001, ACK, "")),
		"IPv6":             eth("2001:db8::10", "2001:db8::66", TCP(80, 50001, ACK, "")),
		"ClientHello":      eth(client, web, Data(50001, 443, Record(ClientHello("www.clean.org", ALPN())))),
	} {
		feed(f)
		if n := testing.AllocsPerRun(200, func() { feed(f) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// BenchmarkListen is what watching for answers adds to a packet that is none.
func BenchmarkListen(b *testing.B) {
	c := Case{Trails: fixture}
	for _, bench := range []struct {
		name  string
		await time.Duration
		n     int
	}{{"off", 0, 0}, {"nothing watched", time.Hour, 0}, {"10 watched", time.Hour, 10}, {"4000 watched", time.Hour, 4000}} {
		b.Run(bench.name, func(b *testing.B) {
			w := detect.NewWorker(caseRules(b, &c))
			w.Emit, w.Answer, w.Await = func(event.Event) {}, func(event.Answer) {}, bench.await
			feed := func(f Frame) { w.Frame(packet.LinkType(f.Link), f.Data, Start, 1) }
			feed(eth(client, web, Syn(1, 80)))
			feed(eth(web, client, TCP(80, 1, SYN|ACK, "")))
			for i := range bench.n {
				feed(eth("10.0."+string('0'+byte(i>>8%10))+".1", "66.66.66.66", Syn(uint16(i), uint16(i))))
			}
			var frames []Frame
			for i := range 256 {
				frames = append(frames, eth(web, "10.1.2.3", TCP(uint16(i), 50001, ACK, "")))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				feed(frames[i&255])
				i++
			}
		})
	}
}
