package detect

import (
	"net/netip"
	"testing"
	"time"

	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// oneFlow is the Self of a sensor that has one flow.
type oneFlow struct {
	proto uint8
	a, b  netip.AddrPort
	asked int
}

func (f *oneFlow) Own(proto uint8, src netip.Addr, srcPort uint16, dst netip.Addr, dstPort uint16) bool {
	f.asked++
	s, d := netip.AddrPortFrom(src, srcPort), netip.AddrPortFrom(dst, dstPort)
	return proto == f.proto && (s == f.a && d == f.b || s == f.b && d == f.a)
}

// TestNoEventsOfOwnFlows: whatever a packet of the sensor's own would raise,
// trail or heuristic, it raises nothing and leaves no trace that would hide what
// others send. Nothing is allocated for it but the text of a URL or a user agent,
// which is put together where it was found.
func TestNoEventsOfOwnFlows(t *testing.T) {
	const trailsOf = "evil.example"
	request := func(src string, port uint16) corpus.Packet {
		return corpus.IP(src, "203.0.113.1", corpus.Data(port, 80, corpus.Get("www.evil.example", "/evil.php?a=b", "User-Agent: masscan")))
	}
	syn := func(src string, port uint16) corpus.Packet {
		return corpus.IP(src, "203.0.113.1", corpus.Syn(port, 80))
	}
	query := func(src string, port uint16) corpus.Packet {
		return corpus.IP(src, "203.0.113.1", corpus.UDP(port, 53, corpus.Query(corpus.Ask("www.evil.example"))))
	}
	answer := corpus.IP("203.0.113.1", "10.0.0.1", corpus.UDP(53, 4000, corpus.Query(corpus.Ask("www.evil.example"))))
	rules := rulesOf(t, Options{Heuristics: true, HostDomains: true, Redact: true, UserAgents: []byte("masscan\n")}, trailsOf, "/evil.php", "203.0.113.1")
	for _, c := range []struct {
		name  string
		proto uint8
		own   []corpus.Packet
		other corpus.Packet
		texts bool
	}{
		{"requests", packet.ProtoTCP, []corpus.Packet{request("10.0.0.1", 4000)}, request("10.0.0.1", 4001), true},
		{"connections", packet.ProtoTCP, []corpus.Packet{syn("10.0.0.1", 4000)}, syn("10.0.0.1", 4001), false},
		{"questions", packet.ProtoUDP, []corpus.Packet{query("10.0.0.1", 4000), answer}, query("10.0.0.2", 4000), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, events := worker(rules)
			self := &oneFlow{proto: c.proto, a: netip.MustParseAddrPort("10.0.0.1:4000"), b: netip.MustParseAddrPort("203.0.113.1:" + map[uint8]string{packet.ProtoTCP: "80", packet.ProtoUDP: "53"}[c.proto])}
			w.Self = self
			for _, p := range c.own {
				data := p.Ethernet().Data
				if n := testing.AllocsPerRun(100, func() { w.Frame(packet.LinkEthernet, data, corpus.Start, 1) }); n != 0 && !c.texts {
					t.Errorf("%v allocations", n)
				}
			}
			if len(*events) != 0 || w.Stats.Events != 0 || w.Stats.Repeats != 0 || w.Stats.Self < 100 || w.Stats.Self != uint64(self.asked) {
				t.Errorf("%d events, %+v, asked %d times", len(*events), w.Stats, self.asked)
			}
			if len(w.seen.last) != 0 || len(w.raised) != 0 {
				t.Errorf("%d messages and %d events are remembered", len(w.seen.last), len(w.raised))
			}
			frame(w, c.other, corpus.Start)
			raised := len(*events)
			if raised == 0 {
				t.Error("what others send raises nothing")
			}
			// The same flow when it is the sensor's no longer.
			self.proto = 0
			frame(w, c.own[0], corpus.Start.Add(time.Minute))
			if len(*events) <= raised {
				t.Error("the flow was remembered as harmless")
			}
		})
	}
}

// TestSelfIsAskedForEventsOnly: the packet path does not pay for it.
func TestSelfIsAskedForEventsOnly(t *testing.T) {
	w, events := worker(rulesOf(t, Options{}, "evil.example"))
	self := &oneFlow{}
	w.Self = self
	frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.UDP(4000, 53, corpus.Query(corpus.Ask("www.good.example")))), corpus.Start)
	if self.asked != 0 {
		t.Errorf("asked %d times for a packet that raises nothing", self.asked)
	}
	frame(w, corpus.IP("10.0.0.1", "203.0.113.1", corpus.UDP(4000, 53, corpus.Query(corpus.Ask("www.evil.example")))), corpus.Start)
	if self.asked != 1 || len(*events) != 1 || w.Stats.Self != 0 {
		t.Errorf("asked %d times, %d events", self.asked, len(*events))
	}
}
