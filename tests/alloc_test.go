package tests

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	. "trailhound/tests/corpus"
	"trailhound/trails/starter"
	"trailhound/trails/whitelist"
)

// quiet is traffic of one kind that raises nothing. Where it holds vary, each
// frame has another text of the same length there, so that no cache helps.
type quiet struct {
	name   string
	frames []Frame
	reason packet.Reason // of all frames
}

// varies is replaced by another text of its length in each frame of a kind.
const varies = "v0a0r0y0"

// richTrails has trails of every kind, close to what the quiet frames hold: the
// fronts of the table let the look-ups of several of them through.
func richTrails() []string {
	digest := sha1.Sum(Certificate("listed.example"))
	return plus(
		"198.51.100.0/24,botnet c2 (test)", "2001:db8:bad::/48,malware (test)", "203.0.113.99,malware (test)",
		"203.0.113.10:9999,botnet c2 (test)", "[2001:db8::10]:9999,malware (test)",
		"www.quiet.org/other,malware (test)", "www.quiet.org/a/b/c/other,malware (test)", "/never/asked/for?,malware (test)", "/x?id=,malware (test)",
		"ns.quiet.org,suspicious (test)", "dyn.quiet.org,dynamic domain (suspicious)", "white.quiet.org,malware (test)",
		`[a-z]+[0-9]+\.pattern-quiet\.org,malware (test)`, `(?!ok)[a-z]+\.look-quiet\.org,malware (test)`,
		"ua:Evil(Bot|Agent)/[0-9]+,malware (test)", "ua:quietbot/9,malware (test)",
		hex.EncodeToString(digest[:])+",c2 cert (malware)")
}

func quietKinds() (all []quiet) {
	add := func(name string, frames ...Frame) { all = append(all, quiet{name: name, frames: frames}) }
	bad := func(name string, reason packet.Reason, frames ...Frame) {
		all = append(all, quiet{name, frames, reason})
	}
	const six, web6 = "2001:db8::66", "2001:db8::10"
	tcp := func(payload string) []Frame {
		return []Frame{eth(client, web, Data(50030, 80, payload)), eth(six, web6, Data(50030, 80, payload))}
	}
	udp := func(port uint16, payload string) []Frame {
		return []Frame{eth(client, web, UDP(50030, port, payload)), eth(six, web6, UDP(50030, port, payload))}
	}
	bulk := strings.Repeat("\x17\x03\x03\xff\x00bulk", 140)
	add("SYN", eth(client, web, Syn(1, 443)), eth(six, web6, Syn(1, 443)), eth(client, "198.51.101.1", Syn(1, 443)), eth("203.0.113.99", client, Syn(1, 443)),
		eth(client, "198.51.100.53", Syn(1, 443)), eth(client, "198.51.100.91", Syn(1, 8080)))
	add("ACK", eth(client, web, TCP(1, 443, ACK, "")), eth(web6, six, TCP(443, 1, ACK, "")), eth(client, web, TCP(1, 443, FIN|ACK, "")), eth(client, web, TCP(1, 443, RST, "")))
	add("bulk", append(tcp(bulk), tcp(strings.Repeat("\x00\xff binary", 150))...)...)

	names := []string{varies + ".quiet.org", "www." + varies + ".clean.org", "a.b.c.d.e.f." + varies + ".org", varies + "1.patternquiet.org",
		varies + "x.pattern-quiet.org", varies + ".onion.to", varies + ".ip-adress.com", "8.8.4.4.ip-adress.com",
		"ns.quiet.org", "www.dyn.quiet.org", "white.quiet.org", "com", "wild!card*" + varies + ".org", strings.Repeat(varies+".", 25) + "org"}
	for _, name := range names {
		query := Query(Ask(name))
		add("DNS query "+name, udp(53, query)...)
		add("DNS query on another port "+name, udp(5353, query)...)
		add("DNS answer "+name, eth(resolver, client, UDP(53, 50000, Answered(query, "192.0.2.1"))))
		add("DNS over TCP "+name, eth(client, resolver, Data(50000, 53, Stream(query))), eth(resolver, client, Data(53, 50000, Stream(Answered(query, "192.0.2.1")))),
			eth(client, resolver, Data(50000, 53, query)), eth(client, resolver, Data(50000, 53, Stream(query)+Stream(query))))
		if !strings.ContainsAny(name, "!*") {
			add("Host "+name, tcp(Get(name, "/"))...)
			add("server name "+name, tcp(Record(ClientHello(name)))...)
		}
	}
	add("several questions", udp(53, Query(Ask(varies+".org"), Ask("b."+varies+".net"), Question{Name: varies, Type: TypeAAAA, Class: ClassIN, At: 12}))...)
	add("no DNS on port 53", udp(53, "no message at all")...)

	const ua = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) " + varies
	for name, request := range map[string]string{
		"plain":           Get("www.quiet.org", "/index.html", ua),
		"deep":            Get("www.quiet.org", "/a/b/c/d/e/"+varies, ua),
		"query":           Get("www.quiet.org", "/a/b/p.php?id="+varies+"&x=2&y=a=b", ua),
		"escaped":         Get("www.quiet.org", "/"+varies+"%2f%41%zz%"+strings.Repeat("%41", 300), ua),
		"port":            Get("www.quiet.org:8080", "/"+varies, ua),
		"port and escape": Get("WWW.Quiet.ORG:8080", "/A%2fb//"+varies, ua),
		"body":            Request("POST", "/form", []string{"Host: www.quiet.org", ua, "Content-Length: 26"}, "user="+varies+"&x=%41%42+/c/d"),
		"form body":       Request("POST", "/form?a=1", []string{"Host: www.quiet.org", ua}, "user="+varies),
		"pipelined":       strings.Repeat(Get("www.quiet.org", "/1", ua)+Get(varies+".org", "/2", ua), 5),
		"absolute":        Get(varies+".clean.org", "http://"+varies+".quiet.org:8080/a/b?c=d", ua),
		"probe of white":  Get("white.quiet.org", "http://white.quiet.org/proxy/"+varies, ua),
		"CONNECT":         Request("CONNECT", varies+".quiet.org:443", []string{"Host: " + varies + ".quiet.org:443", ua}, ""),
		"address as host": Get("203.0.113.10", "/bins/sora.x86_64."+varies, ua),
		"IPv6 as host":    Get("[2001:db8::10]:8080", "/"+varies, ua),
		"white host":      Get("white.quiet.org", "/malicious-login.php", ua),
		"white body":      Get("white.quiet.org", "/never/asked/for", ua),
		"escaped agent":   Get("www.quiet.org", "/", "User-Agent: %4dozilla%20"+varies),
		"harmless agent":  Get("www.quiet.org", "/", "User-Agent: masscan "+varies+" Sophos"),
		"literal only":    Get("www.quiet.org", "/", "User-Agent: EvilAgent/"+varies[:1]+" "+varies),
		"white agent":     Get("www.quiet.org", "/", "User-Agent: "+varies+" quietbot/9"),
		"odd agent":       Get("www.quiet.org", "/", "User-Agent: \xff\xfe%00\x80 "+varies),
		"long":            Get("www.quiet.org", "/"+strings.Repeat("long/"+varies, 900), ua),
		"long, absolute":  Get("www.quiet.org", "http://"+varies+".org/"+strings.Repeat("%6cong/"+varies, 900), ua),
		"LF only":         "GET /" + varies + " HTTP/1.1\nhost: www.quiet.org\n\n",
		"cut in the head": "GET /" + varies + " HTTP/1.1\r\nHost: www.qui",
	} {
		add("request "+name, tcp(request)...)
	}
	add("response", tcp("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: "+varies+"\r\n\r\n<html>")...)

	add("ClientHello, cut", tcp(Record(ClientHello("www.quiet.org", ALPN()))[:90])...)
	add("server flight", tcp(ServerFlight(Certificate("one.example"), Certificate("two.example")))...)
	var initials [2][]Frame
	for i := range 64 {
		id := binary.BigEndian.AppendUint64(nil, uint64(i)<<32|7)
		hello := ClientHello(fmt.Sprintf("q%07d.quiet.org", i))
		for v, version := range []uint32{QUICv1, QUICv2} {
			initials[v] = append(initials[v], udp(443, Initial(version, id, Piece{Data: hello}))...)
			initials[v] = append(initials[v], udp(443, Initial(version, id, Piece{Offset: 90, Data: hello[90:]}, Piece{Offset: 0, Data: hello[:90]}))...)
			initials[v] = append(initials[v], udp(443, Initial(version, id, Piece{Offset: 90, Data: hello[90:]}))...)
		}
	}
	add("QUIC v1", initials[0]...)
	add("QUIC v2", initials[1]...)
	add("QUIC, damaged", udp(443, Initial(QUICv1, []byte("12345678"), Piece{Data: []byte(varies)}))...)
	add("gQUIC", udp(443, GoogleQ043(varies+".quiet.org"))...)
	add("UDP", append(udp(9998, "x"), udp(443, varies+"some datagram")...)...)
	add("others", eth(client, web, ICMP(8, 0)), eth(client, "66.66.66.66", ICMP(0, 0)), eth(six, web6, ICMPv6(128, 0)), eth(client, web, Other(47, "\x00\x00\x08\x00gre")),
		eth(client, "66.66.66.66", Other(89, "ospf")), eth(six, web6, Other(132, "sctp")))

	p := IP(client, web, Data(1, 80, Get(varies+".quiet.org", "/")))
	add("links", p.VLAN(3).Ethernet(), p.VLAN(2).QinQ(1).Ethernet(), p.MPLS(16, 17).Ethernet(), p.PPPoE(false).Ethernet(), p.PPPoE(true).Ethernet(), p.SNAP(), p.SLL(), p.SLL2(),
		p.Raw(), p.RawIPv4(), p.Null(2), p.PPP(true), p.PPP(false), p.HDLC(), p.Ethernet().Trailer("trailer"))
	add("unknown link type", Frame{Link: 147, Data: p.Ethernet().Data}, Frame{Link: 148, Data: p.Data})
	ext := []Extension{HopByHop(), Destination(), Routing(), Fragment6(0, true), Destination()}
	add("extension headers", IPv6(six, web6, UDP(1, 53, Query(Ask(varies+".org"))), ext...).Ethernet(), IPv6(six, web6, Syn(1, 2), ext[:2]...).Ethernet())
	parts := Fragments(client, web, UDP(50000, 53, Query(Ask(varies+".quiet.org"))), 24)
	add("first fragment", parts[0].Ethernet())
	bad("later fragment", packet.LaterFragment, parts[1].Ethernet(), IPv6(six, web6, Syn(1, 2), Fragment6(8, false)).Ethernet())
	bad("bad frames: not IP", packet.NotIP, Packet{EtherType: 0x0806, Data: make([]byte, 28)}.Ethernet())
	bad("bad frames: short link", packet.ShortLink, Frame{Link: LinkEthernet, Data: p.Ethernet().Data[:13]}, Frame{Link: LinkEthernet, Data: nil})
	bad("bad frames: header", packet.BadIPHeader, Frame{Link: LinkRaw, Data: append([]byte{0x44}, p.Data[1:]...)})
	bad("bad frames: short IP", packet.ShortIP, Frame{Link: LinkRaw, Data: p.Data[:19]})
	bad("bad frames: short TCP", packet.ShortTransport, Frame{Link: LinkRaw, Data: p.Data[:30]})
	bad("bad frames: unknown link", packet.UnknownLink, Frame{Link: 147, Data: bytes.Repeat([]byte{0xee}, 90)})
	return all
}

// TestQuietPacketsDoNotAllocate holds that a packet which raises nothing costs
// no allocation, whatever it is: with caches, and without any.
func TestQuietPacketsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("package regexp allocates under the race detector")
	}
	c := Case{Trails: richTrails(), Whitelist: []string{"white.quiet.org", "203.0.113.200", "192.0.2.0/24", "ua:quietbot/9"}}
	white, err := whitelist.New("white.quiet.org", "203.0.113.200", "192.0.2.0/24", "ua:quietbot/9")
	if err != nil {
		t.Fatal(err)
	}
	tab := caseRules(t, &c).Table()
	for _, noCaches := range []bool{true, false} {
		rules := detect.NewRules(tab, white, detect.Options{Heuristics: true, HostDomains: true, Redact: true, NoCaches: noCaches,
			Home: event.NewHomeNetworks(nil), UserAgents: starter.UserAgents()})
		if len(rules.Unusable) > 0 {
			t.Fatal(rules.Unusable)
		}
		for _, k := range quietKinds() {
			t.Run(fmt.Sprintf("no caches %v/%s", noCaches, k.name), func(t *testing.T) {
				w := detect.NewWorker(rules)
				w.Emit = func(e event.Event) { t.Fatalf("raised %s", line(&e)) }
				at, n := Start, 0
				frame := func() {
					f := k.frames[n%len(k.frames)]
					n++
					vary(f.Data, n)
					at = at.Add(time.Millisecond)
					if got := w.Frame(packet.LinkType(f.Link), f.Data, at, uint64(n)); got != k.reason {
						t.Fatalf("frame %d: %s, want %s", n, got, k.reason)
					}
				}
				for range max(2*len(k.frames), 16) { // buffers grow, expressions are compiled
					frame()
				}
				runs := max(200, len(k.frames))
				if allocs := testing.AllocsPerRun(1, func() {
					for range runs {
						frame()
					}
				}); allocs != 0 {
					t.Errorf("%v allocations in %d packets", allocs, runs)
				}
			})
		}
	}
}

// vary writes digits of n over every place that varies.
func vary(b []byte, n int) {
	for {
		i := bytes.Index(b, []byte("v"))
		if i < 0 || len(b)-i < len(varies) {
			return
		}
		if m := b[i : i+len(varies)]; m[2] == 'a' && m[4] == 'r' && m[6] == 'y' {
			for j, d := range [4]int{1, 3, 5, 7} {
				m[d] = byte('0' + n>>(3*j)&7)
			}
		}
		b = b[i+1:]
	}
}

// TestLookAroundAllocatesOnlyNearItsLiteral holds the one exception: an
// expression with look-around runs in a backtracking engine, which copies the
// name. That may happen only when the expression's literal is in the name.
func TestLookAroundAllocatesOnlyNearItsLiteral(t *testing.T) {
	if raceEnabled {
		t.Skip("package regexp allocates under the race detector")
	}
	c := Case{Trails: []string{`(?!ok)[a-z]+\.look-quiet\.org,malware (test)`}}
	w := detect.NewWorker(caseRules(t, &c))
	w.Emit = func(e event.Event) { t.Fatalf("raised %s", line(&e)) }
	for name, most := range map[string]float64{varies + ".lookquiet.org": 0, "0." + varies + ".look-quiet.org": 1} {
		f := query(name)
		n := 0
		frame := func() {
			n++
			vary(f.Data, n)
			w.Frame(packet.LinkEthernet, f.Data, Start, uint64(n))
		}
		frame()
		if allocs := testing.AllocsPerRun(100, frame); allocs > most {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
