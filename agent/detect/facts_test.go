package detect

import (
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/tests/corpus"
)

// TestBody: an event of a body, and no other, holds its beginning, without
// secrets and controls.
func TestBody(t *testing.T) {
	const attack = "id=1' or 1=1 union select a from b--&password=hunter2"
	post := func(path, body string) corpus.Packet {
		return corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Request("POST", path, []string{"Host: shop.example"}, body)))
	}
	for _, c := range []struct {
		path, body string
		redact     bool
		code       event.Code
		want       string
	}{
		{"/gate.php", "a=1", true, event.TrailHTTP, "a=1"},
		{"/login", " " + attack + "\r\n", true, event.HTTPSQLi, "id=1' or 1=1 union select a from b--&password=***"},
		{"/login", attack, false, event.HTTPSQLi, attack},
		{"/login", "a\tb\x00=" + attack, true, event.HTTPSQLi, "a b=id=1' or 1=1 union select a from b--&password=***"},
		{"/login", attack + strings.Repeat("x", 300), false, event.HTTPSQLi,
			(attack + strings.Repeat("x", 300))[:event.MaxBody-len(event.TruncatedMark)] + event.TruncatedMark},
		{"/x?id=1'%20or%201=1%20union%20select%20a%20from%20b", "a=1", true, event.HTTPSQLi, ""}, // the path is what matched
		{"/listed", "a=1", true, event.TrailURL, ""},
	} {
		w, events := worker(rulesOf(t, Options{Heuristics: true, Redact: c.redact}, "/gate.php?a=1", "shop.example/listed"))
		frame(w, post(c.path, c.body), corpus.Start)
		if len(*events) != 1 || (*events)[0].Code != c.code || (*events)[0].HTTP.Body != c.want {
			t.Errorf("%s %q, redact %v: %+v", c.path, c.body, c.redact, *events)
		}
	}
	// It is not carried over to the events behind.
	w, events := worker(rulesOf(t, Options{Heuristics: true}, "/gate.php?a=1", "shop.example/listed"))
	frame(w, post("/gate.php", "a=1"), corpus.Start)
	frame(w, post("/listed", "b=1"), corpus.Start)
	if len(*events) != 2 || (*events)[1].HTTP.Body != "" {
		t.Errorf("%+v", *events)
	}
}

// TestCommunityIDOfPackets: what the event does not show is taken from the packet.
func TestCommunityIDOfPackets(t *testing.T) {
	for _, c := range []struct {
		name string
		p    corpus.Packet
		want string
	}{
		{"TCP", corpus.IP("128.232.110.120", "66.35.250.204", corpus.Syn(34855, 80)), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"UDP", corpus.IP("192.168.1.52", "8.8.8.8", corpus.UDP(54585, 53, "x")), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"echo", corpus.IP("192.168.0.89", "192.168.0.1", corpus.ICMP(8, 0)), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{"echo of IPv6", corpus.IPv6("3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", corpus.ICMPv6(128, 0)), "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
		{"type cut off", corpus.IPv6("3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", corpus.Segment{Proto: 58}, corpus.Fragment6(0, true)), ""},
		{"SCTP", corpus.IP("192.168.170.8", "192.168.170.56", corpus.Other(132, "\x00\x07\x00\x50\x00\x00\x00\x00\x00\x00\x00\x00")), "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
		{"RSVP", corpus.IP("10.1.12.1", "10.1.12.2", corpus.Other(46, "x")), "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
	} {
		w, events := worker(rulesOf(t, Options{}, "66.35.250.204", "8.8.8.8", "192.168.0.1", "3ffe:501:0:1001::2", "192.168.170.56", "10.1.12.2"))
		frame(w, c.p, corpus.Start)
		if len(*events) == 0 {
			t.Errorf("%s: no event", c.name)
		}
		for _, e := range *events {
			if e.CommunityID != c.want {
				t.Errorf("%s: %s, want %s", c.name, e.CommunityID, c.want)
			}
		}
	}
}

// TestContentType: an event of a response holds its type, and none of a request.
func TestContentType(t *testing.T) {
	w, events := worker(rulesOf(t, Options{Heuristics: true}, "shop.example/listed"))
	frame(w, corpus.IP("203.0.113.1", "10.0.0.1", corpus.Data(80, 1, "HTTP/1.1 200 OK\r\nContent-Type: Application/HTA; x=1\r\nContent-Length: 1\r\n\r\nx")), corpus.Start)
	frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.Data(1, 80, corpus.Get("shop.example", "/listed"))), corpus.Start)
	if len(*events) != 2 || (*events)[0].HTTP.ContentType != "Application/HTA; x=1" || (*events)[0].HTTP.Status != 200 || (*events)[1].HTTP.ContentType != "" {
		t.Errorf("%+v", *events)
	}
}
