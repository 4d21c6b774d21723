package detect

import (
	"net/netip"
	"strings"
	"testing"

	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// tinySyn is the first fragment, of eight bytes, of a SYN.
func tinySyn(src, dst string, sport, dport uint16) corpus.Packet {
	return corpus.Fragments(src, dst, corpus.Syn(sport, dport), 8)[0]
}

// tiny6 is the same over IPv6; headers that are cut take the place of TCP when
// body holds them.
func tiny6(proto uint8, body []byte) corpus.Packet {
	return corpus.IPv6("dead::1", "dead::beef", corpus.Segment{Proto: proto, Data: body}, corpus.Fragment6(0, true))
}

// TestTinyFragmentsAreCountedAsShort: a match does not make the frame a decoded
// one, and the packet is the present one in all that events are made of.
func TestTinyFragmentsAreCountedAsShort(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame corpus.Packet
		kind  Kind
	}{
		{"TCP", tinySyn("10.0.0.1", "66.66.66.66", 4000, 443), KindTCP},
		{"UDP", corpus.IP("10.0.0.1", "66.66.66.66", corpus.Segment{Proto: 17, Data: []byte{1, 2, 3}}), KindUDP},
		{"IPv6 headers", tiny6(60, []byte{6, 1, 1, 12, 0, 0, 0, 0}), KindOther},
	} {
		w, events := worker(rulesOf(t, Options{}, "66.66.66.66", "dead::beef"))
		w.kind = KindHTTP
		w.Tag = 1<<12 | 7
		if got := w.Frame(packet.LinkEthernet, c.frame.Ethernet().Data, corpus.Start, 9); got != packet.ShortTransport || w.Decode()[got] != 1 || w.Decode()[packet.OK] != 0 {
			t.Errorf("%s: %v, %v", c.name, got, w.Decode())
		}
		if len(*events) != 1 || w.Stats.Events != 1 || w.Kind() != c.kind {
			t.Fatalf("%s: %d events of kind %v", c.name, len(*events), w.Kind())
		}
		if e := (*events)[0]; e.Number != 9 || !e.Time.Equal(corpus.Start) || len(e.VLANs) != 1 || e.VLANs[0] != 7 {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

// TestTinyFragmentsAfterOthers: nothing of the packet before counts for the next.
func TestTinyFragmentsAfterOthers(t *testing.T) {
	w, events := worker(rulesOf(t, Options{}, "66.66.66.66", "evil.example"))
	query := corpus.IP("66.66.66.66", "10.0.0.1", corpus.UDP(1, 53, corpus.Query(corpus.Ask("evil.example"))))
	frame(w, query, corpus.Start)
	frame(w, query, corpus.Start) // a repeat
	before := len(*events)
	frame(w, tinySyn("10.0.0.1", "66.66.66.66", 4000, 443), corpus.Start)
	if len(*events) != before+1 || (*events)[before].DNS.Question != "" {
		t.Fatalf("%d events, then %d", before, len(*events))
	}
	frame(w, tinySyn("10.0.0.1", "66.66.66.66", 4000, 443), corpus.Start)
	if len(*events) != before+1 || w.Stats.Repeats == 0 {
		t.Errorf("%d events, %d repeats", len(*events), w.Stats.Repeats)
	}
}

// TestTinyFragmentsDoNotAllocate, neither those that match nothing nor those
// that raise nothing, and the sensor's own are known by their ports.
func TestTinyFragmentsDoNotAllocate(t *testing.T) {
	w, events := worker(rulesOf(t, Options{}, "66.66.66.66", "6.6.6.6:443", "dead::/64"))
	self := &oneFlow{proto: packet.ProtoTCP, a: netip.MustParseAddrPort("10.0.0.1:4000"), b: netip.MustParseAddrPort("66.66.66.66:443")}
	w.Self = self
	repeat := tinySyn("10.0.0.1", "66.66.66.66", 4001, 443)
	frame(w, repeat, corpus.Start)
	if len(*events) != 1 {
		t.Fatalf("%d events", len(*events))
	}
	for name, p := range map[string]corpus.Packet{
		"not listed":     tinySyn("10.0.0.1", "203.0.113.1", 4000, 443),
		"another port":   tinySyn("10.0.0.1", "6.6.6.6", 4000, 444),
		"source malware": tinySyn("66.66.66.66", "10.0.0.1", 443, 4001),
		"repeat":         repeat,
		"own":            tinySyn("10.0.0.1", "66.66.66.66", 4000, 443),
		"later fragment": corpus.Fragments("10.0.0.1", "66.66.66.66", corpus.Syn(4002, 443), 8)[1],
		"UDP":            corpus.IP("10.0.0.1", "203.0.113.1", corpus.Segment{Proto: 17, Data: []byte{1}}),
		"IPv6":           corpus.IPv6("2001:db8::1", "2001:db8::2", corpus.Segment{Proto: 60, Data: []byte{6, 1, 1, 12, 0, 0, 0, 0}}, corpus.Fragment6(0, true)),
	} {
		data := p.Ethernet().Data
		if n := testing.AllocsPerRun(100, func() { w.Frame(packet.LinkEthernet, data, corpus.Start, 1) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if len(*events) != 1 || w.Stats.Self < 100 {
		t.Errorf("%d events, %d of its own", len(*events), w.Stats.Self)
	}
}

// TestUserinfo: the password of an absolute target is masked in what events
// show of the URL, and a request that matches nothing allocates nothing.
func TestUserinfo(t *testing.T) {
	const host = "shop.example"
	request := func(target string) corpus.Packet {
		return corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 8080, corpus.Get("proxy.example", target)))
	}
	for _, redact := range []bool{true, false} {
		w, events := worker(rulesOf(t, Options{Redact: redact}, host+"/bad", "/gate.php"))
		frame(w, request("http://user:hunter2@"+host+"/bad"), corpus.Start)
		frame(w, request("http://user:hunter2@clean.example/gate.php"), corpus.Start)
		frame(w, request("http://token@"+host+"/bad"), corpus.Start)
		secret := "hunter2"
		if redact {
			secret = "***"
		}
		want := []string{"(user:" + secret + "@)" + host + "/bad", "(user:" + secret + "@clean.example)/gate.php", "(token@)" + host + "/bad"}
		if len(*events) != len(want) {
			t.Fatalf("%d events", len(*events))
		}
		for i, e := range *events {
			if strings.Contains(e.HTTP.Target, "hunter2") != (!redact && i < 2) {
				t.Errorf("redact %v: the target is %q", redact, e.HTTP.Target)
			}
			if e.Trail != want[i] || e.Observable != strings.NewReplacer("(", "", ")", "").Replace(want[i]) {
				t.Errorf("redact %v: %q %q, want %q", redact, e.Trail, e.Observable, want[i])
			}
		}
	}
	w, events := worker(rulesOf(t, Options{Redact: true, Heuristics: true}, host+"/bad", "evil.example"))
	for _, target := range []string{"http://u:p@" + host + "/good", "http://u@clean.example?evil.example", "http://evil.example@clean.example",
		"http://clean.example/" + strings.Repeat("%2F@evil.example/", 300), "http://" + strings.Repeat("@", 4000)} {
		data := request(target).Ethernet().Data
		if n := testing.AllocsPerRun(100, func() { w.Frame(packet.LinkEthernet, data, corpus.Start, 1) }); n != 0 {
			t.Errorf("%.40s: %v allocations", target, n)
		}
	}
	if len(*events) != 0 {
		t.Errorf("%+v", *events)
	}
}

// FuzzAuthority: userinfo, host and path are the target, but for the port 80
// and the slash that may be left out, and the host holds neither '@' nor an end.
func FuzzAuthority(f *testing.F) {
	for _, s := range []string{"", "@", "u@evil.com", "u:p@evil.com:80/x", "a@b@c", "evil.com?u@x", "evil.com#@x/", "/@", "[::1]:80", "u@?", "?", ":80"} {
		f.Add(s)
	}
	w := NewWorker(NoRules())
	f.Fuzz(func(t *testing.T, s string) {
		w.path = append(w.path[:0], s...)
		var u target
		w.split(&u)
		user, host, path := string(u.user), string(u.host), string(u.path)
		if strings.ContainsAny(host, "@/?#") || strings.ContainsAny(user, "/?#") || user != "" && !strings.HasSuffix(user, "@") || !strings.HasPrefix(path, "/") {
			t.Fatalf("%q: %q %q %q", s, user, host, path)
		}
		rest, ok := strings.CutPrefix(s, user+host)
		if !ok || rest != path && rest != ":80"+path && "/"+rest != path && "/"+strings.TrimPrefix(rest, ":80") != path {
			t.Fatalf("%q: %q %q %q", s, user, host, path)
		}
	})
}
