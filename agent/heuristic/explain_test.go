package heuristic

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// explained is a board that is asked about each piece of evidence, and one that is
// not.
type explained struct {
	t             *testing.T
	asked, silent *Board
	found, other  []event.Event
	last          []Standing // after the last piece
	at            *Evidence
}

func newExplained(t *testing.T, opt Options) (*explained, *Collector) {
	opt.Seed, opt.Heuristics = nameSeed, true
	x := &explained{t: t, asked: NewBoard(opt), silent: NewBoard(opt)}
	x.asked.SetRaise(func(f *Finding) { x.found = append(x.found, f.Event) })
	x.silent.SetRaise(func(f *Finding) { x.other = append(x.other, f.Event) })
	return x, NewCollector(nameSeed, func(b *Batch) *Batch {
		for i := range b.Evidence {
			x.take(&b.Evidence[i], b.Name(&b.Evidence[i]))
		}
		b.Reset()
		return b
	})
}

func (x *explained) take(e *Evidence, name []byte) {
	t, n := x.t, len(x.found)
	before := x.asked.Explain(e, name)
	if again := x.asked.Explain(e, name); !reflect.DeepEqual(before, again) {
		t.Fatalf("asked twice: %+v, then %+v", before, again)
	}
	x.asked.Take(e, name)
	x.last, x.at = x.asked.Explain(e, name), e
	x.silent.Take(e, name)
	if len(before) != len(x.last) {
		t.Fatalf("%v: %+v, then %+v", e.Kind, before, x.last)
	}
	for i := range before {
		b, a := &before[i], &x.last[i]
		if b.Code != a.Code || b.Key != a.Key || b.Threshold != a.Threshold || b.Window != a.Window {
			t.Fatalf("%+v, then %+v", b, a)
		}
		// What comes to mind when a finding is asked about: it was above the threshold.
		for _, f := range x.found[n:] {
			if f.Code == a.Code && a.Window > 0 && max(b.Value+1, a.Value) <= a.Threshold && len(before) == 1 {
				t.Fatalf("found %s: %+v, then %+v", f.Code, b, a)
			}
		}
	}
	if !reflect.DeepEqual(x.found[n:], x.other[min(n, len(x.other)):]) || x.asked.Counts() != x.silent.Counts() {
		t.Fatalf("found %d, and %d without questions; %+v, %+v", len(x.found), len(x.other), x.asked.Counts(), x.silent.Counts())
	}
}

// TestExplainChangesNothing gives evidence of all kinds, with steps of the clock.
func TestExplainChangesNothing(t *testing.T) {
	x, c := newExplained(t, Options{Memory: 1 << 20, Thresholds: map[event.Code]float64{event.DNSExhaustion: 6, event.DNSNXDomain: 4,
		event.ScanPort: 4, event.ScanUDP: 3, event.ScanWeb: 4, event.ScanInfection: 2},
		Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})})
	rnd := nameRandom(3)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 30_000 {
		switch rnd.n(4000) {
		case 0:
			now = now.Add(-time.Hour)
		case 1:
			now = now.Add(10 * time.Minute)
		default:
			now = now.Add(time.Duration(rnd.n(100)) * time.Millisecond)
		}
		p := packet.Packet{Time: now, Number: uint64(i + 1), SrcPort: uint16(4000 + rnd.n(4)), DstPort: uint16(130 + rnd.n(20)), Proto: packet.ProtoUDP,
			Src: netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.n(2))}), Dst: netip.AddrFrom4([4]byte{198, 51, 100, byte(rnd.n(3))})}
		if rnd.n(3) == 0 {
			p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
		}
		switch rnd.n(6) {
		case 0:
			p.Proto = packet.ProtoTCP
			c.Probe(ProbeTCP, 0, &p)
		case 1:
			c.Probe(ProbeUDP, 0, &p)
		case 2:
			c.Path(&p, fmt.Appendf(nil, "p%d", rnd.n(30)))
		case 3:
			c.Name(Query, &p, 1, Flags(rnd.n(2))*LongHead, 0, fmt.Appendf(nil, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d.d%d.org", rnd.n(30), rnd.n(5)))
		case 4:
			c.Name(LongName, &p, uint16(InTLS), 0, 0, fmt.Appendf(nil, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.d%d.org", rnd.n(5)))
		default:
			c.Name(NXDomain, &p, 1, 0, uint64(i), fmt.Appendf(nil, "a%d.d%d.org", rnd.n(9), rnd.n(8)))
		}
		if i%100 == 0 {
			c.Flush()
		}
	}
	c.Flush()
	codes := make(map[event.Code]int)
	for i := range x.found {
		codes[x.found[i].Code]++
	}
	for _, code := range []event.Code{event.ScanPort, event.ScanUDP, event.ScanWeb, event.ScanInfection, event.DNSExhaustion, event.DNSLong, event.DNSNXDomain} {
		if codes[code] == 0 {
			t.Errorf("nothing of %s among %v", code, codes)
		}
	}
}

// TestExplainNotes: what keeps evidence from counting is said.
func TestExplainNotes(t *testing.T) {
	opt := Options{Disabled: map[event.Code]bool{event.ScanWeb: true}, Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}),
		Roles: event.NewRoles(map[event.Role][]netip.Prefix{event.Scanner: {netip.MustParsePrefix("10.0.0.9/32")}})}
	x, c := newExplained(t, opt)
	p := packet.Packet{Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Proto: packet.ProtoUDP, SrcPort: 4000, DstPort: 123,
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("198.51.100.1")}
	expect := func(notes ...string) {
		t.Helper()
		c.Flush()
		var got []string
		for _, s := range x.last {
			got = append(got, string(s.Code)+": "+s.Note)
		}
		if !reflect.DeepEqual(got, notes) {
			t.Errorf("%q, want %q", got, notes)
		}
		p.Time = p.Time.Add(time.Second)
	}
	c.Probe(ProbeUDP, 0, &p)
	expect("scan.udp: ")
	back := p
	back.Src, back.Dst, back.SrcPort, back.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
	c.Probe(ProbeUDP, 0, &back)
	expect("scan.udp: not counted: it answers a datagram of the other side")
	c.Path(&p, []byte("a"))
	expect("scan.web: switched off")
	p.Src, p.DstPort, p.Proto = netip.MustParseAddr("10.0.0.9"), 445, packet.ProtoTCP
	c.Probe(ProbeTCP, 0, &p)
	expect("scan.port: the host's role scanner excuses it", "scan.infection: the host's role scanner excuses it")
	p.Src = netip.MustParseAddr("203.0.113.1")
	c.Probe(ProbeTCP, 0, &p)
	expect("scan.port: ", "scan.infection: the source is not at home")
	c.Name(Query, &p, 1, 0, 0, []byte("wpad.fine.org"))
	expect("dns.exhaustion: hosts ask for such names by themselves: the domain is spared for a window, unless one host asks for most of its names")
	p.Time = p.Time.Add(-time.Hour)
	c.Name(Query, &p, 1, 0, 0, []byte("a.fine.org"))
	c.Flush()
	if x.last[0].Value != 1 || x.asked.Counts().Steps != 1 {
		t.Errorf("%+v", x.last)
	}
}
