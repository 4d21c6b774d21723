package tests

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	. "trailhound/tests/corpus"
)

// tape is dice that the bytes of a fuzzer fall like, one or two each. Behind the
// last byte it gives zeros.
type tape struct{ left []byte }

func (t *tape) byte() (b byte) {
	if len(t.left) > 0 {
		b, t.left = t.left[0], t.left[1:]
	}
	return b
}

func (t *tape) IntN(n int) int {
	v := int(t.byte())
	if n > 256 {
		v = v<<8 | int(t.byte())
	}
	return v % n
}

// Bounds of a sequence. They are far below every bound on memory and on answers
// a second, beyond which the number of workers may matter.
const (
	maxSequence = 1200
	maxErrors   = 32 // of ICMP: each worker tells 64 a second
)

// sequence is packets in the order of their capture, and where one file ends and
// another begins: there each worker reports what it has.
type sequence struct {
	dice   dice
	at     time.Time
	frames []Stamped
	plain  []Packet // what of frames was made last, before its link
	errors int
	cuts   []int
}

// sequenceOf reads packets from a tape until it ends.
func sequenceOf(t *tape) *sequence {
	s := &sequence{dice: t, at: Start}
	for len(t.left) > 0 && len(s.frames) < maxSequence {
		s.step()
	}
	return s
}

func (s *sequence) add(p Packet) {
	s.frames = append(s.frames, Stamped{Time: s.at, Frame: linked(s.dice, p)})
	if s.plain = append(s.plain, p); len(s.plain) > 8 {
		s.plain = s.plain[1:]
	}
}

// clock moves the time: mostly a little forward, at times not at all, backward,
// just over the border of a window, or far.
func (s *sequence) clock() {
	steps := [...]time.Duration{0, 0, 10 * time.Millisecond, 100 * time.Millisecond, 400 * time.Millisecond, time.Second, time.Second, 3 * time.Second,
		10 * time.Second, 29 * time.Second, 30 * time.Second, 31 * time.Second, time.Minute, time.Hour,
		-time.Millisecond, -time.Second, -3 * time.Second, -30 * time.Second, -31 * time.Second, -2 * time.Hour}
	s.at = s.at.Add(pick(s.dice, steps[:]...))
}

// step adds one packet, or a burst, or cuts.
func (s *sequence) step() {
	d := s.dice
	switch kind := d.IntN(16); kind {
	case 0, 1, 2, 3:
		s.clock()
		s.add(randomPacket(d))
	case 4, 5:
		kind := d.IntN(6)
		if kind == 4 { // each host once: the others are found in a few packets
			s.burst(80, func(i int) Packet { return IP("10.0.0.5", fmt.Sprintf("192.0.2.%d", i), Syn(53000, 445)) })
			return
		}
		s.burst(80, func(int) Packet { return attackPacket(d, kind) })
	case 6:
		base, typ := pick(d, "tunnel.com", "site.co.uk", "evil-parent.com"), pick[uint16](d, TypeA, TypeAAAA, TypeTXT)
		s.burst(40, func(i int) Packet {
			q := Query(Question{Name: fmt.Sprintf("n%d.%s", i, base), Type: typ, Class: ClassIN})
			return IP(s.host(), resolver, UDP(uint16(50000+i%3), 53, q))
		})
	case 7:
		base := pick(d, "tunnel.com", "gone.com", "bcdbcdbcdbcd.com")
		s.burst(40, func(i int) Packet {
			name := base
			if i%9 > 0 {
				name = fmt.Sprintf("n%d.%s", i%9, base)
			}
			return IP(resolver, s.host(), UDP(53, 50000, Reply(NoSuchName, Query(Ask(name)))))
		})
	case 8:
		s.clock()
		name := pick(d, longHead+".", "www.", "") + pick(d, "other.com", "evil-parent.com", "clean.org")
		s.add(IP(s.host(), web, pick(d, UDP(50000, 53, Query(Ask(name))), Data(50000, 443, Record(ClientHello(name))), Data(50000, 80, Get(name, "/x?f=../../../a", "User-Agent: masscan/1")))))
	case 9:
		s.clock()
		q := Query(Ask(pick(d, "www.site.com", "evil-parent.com", "")))
		records := []Resource{Address(pick(d, "66.66.66.66", "192.0.2.1", "dead::beef")), Leads(pick[uint16](d, TypeCNAME, TypeHTTPS), pick(d, "a.evil-parent.com", "clean.org"))}
		s.add(IP(resolver, s.host(), pick(d, UDP(53, 50000, Reply(NoError, q, records...)), Data(53, 50000, Stream(Reply(NoError, q, records...))))))
	case 10, 11:
		s.answer()
	case 12:
		s.refuse()
	case 13:
		s.mutate()
	case 14:
		if len(s.plain) > 0 {
			p := pick(d, s.plain...)
			for range 1 + d.IntN(4) {
				s.clock()
				s.add(p)
			}
		}
	case 15:
		if len(s.cuts) < 4 {
			s.cuts = append(s.cuts, len(s.frames))
		}
	}
}

// burst adds up to most packets, one step of time between any two.
func (s *sequence) burst(most int, make func(i int) Packet) {
	gap := pick(s.dice, 0, time.Millisecond, 50*time.Millisecond, 500*time.Millisecond, 3*time.Second)
	for i := range 8 + s.dice.IntN(most-8) {
		s.at = s.at.Add(gap)
		s.add(make(i))
	}
}

func (s *sequence) host() string { return fmt.Sprintf("10.0.0.%d", s.dice.IntN(4)) }

// ports are those of a packet without IP options or extension headers, and
// whether it has some.
func ports(p Packet) (proto uint8, sport, dport uint16, payload []byte, ok bool) {
	head, proto := 20, byte(0)
	if p.EtherType == EtherIPv6 {
		head = 40
	}
	if len(p.Data) < head+8 {
		return 0, 0, 0, nil, false
	}
	if proto = p.Data[9]; head == 40 {
		proto = p.Data[6]
	}
	b := p.Data[head:]
	switch {
	case proto == 17:
		payload = b[8:]
	case proto == 6 && len(b) >= 20:
		payload = b[20:]
	default:
		return proto, 0, 0, nil, false
	}
	return proto, uint16(b[0])<<8 | uint16(b[1]), uint16(b[2])<<8 | uint16(b[3]), payload, true
}

// sides are the addresses of a packet.
func sides(p Packet) (src, dst string) {
	e, n := 12, 4
	if p.EtherType == EtherIPv6 {
		e, n = 8, 16
	}
	text := func(b []byte) string {
		a, _ := netip.AddrFromSlice(b)
		return a.String()
	}
	return text(p.Data[e : e+n]), text(p.Data[e+n : e+2*n])
}

// answer adds what the other side of a late packet may say.
func (s *sequence) answer() {
	if len(s.plain) == 0 {
		return
	}
	s.clock()
	p := pick(s.dice, s.plain...)
	src, dst := sides(p)
	proto, sport, dport, payload, ok := ports(p)
	switch {
	case !ok:
		s.add(IP(dst, src, Other(proto, "answer")))
	case proto == 17 && len(payload) > 12:
		s.add(IP(dst, src, UDP(dport, sport, string(payload[:2])+pick(s.dice, "\x81\x80", "\x81\x83", "\x81\x85")+string(payload[4:]))))
	case proto == 17:
		s.add(IP(dst, src, UDP(dport, sport, "answer")))
	default:
		s.add(IP(dst, src, pick(s.dice, TCP(dport, sport, SYN|ACK, ""), TCP(dport, sport, RST|ACK, ""),
			Data(dport, sport, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), Data(dport, sport, "HTTP/1.1 200 OK\r\nContent-Type: application/hta\r\n\r\n"))))
	}
}

// refuse adds an ICMP error about a late packet, of its destination or a router.
func (s *sequence) refuse() {
	if len(s.plain) == 0 || s.errors == maxErrors {
		return
	}
	s.errors++
	s.clock()
	p := pick(s.dice, s.plain...)
	src, dst := sides(p)
	router := "192.0.2.254"
	if p.EtherType == EtherIPv6 {
		router = "2001:db8::fe"
	}
	s.add(IP(pick(s.dice, dst, router), src, refusal(p)))
}

// mutate adds an earlier frame with a byte changed, its end cut off, or another
// link type.
func (s *sequence) mutate() {
	if len(s.frames) == 0 {
		return
	}
	s.clock()
	f := s.frames[len(s.frames)-1-s.dice.IntN(min(len(s.frames), 16))].Frame
	if len(f.Data) == 0 { // its end was cut off before, all of it
		return
	}
	f.Data = bytes.Clone(f.Data)
	at := s.dice.IntN(len(f.Data))
	switch s.dice.IntN(8) {
	case 0:
		f.Data = f.Data[:at]
	case 1:
		f.Link = pick(s.dice, uint16(LinkEthernet), LinkRaw, LinkIPv4, LinkPPP, LinkHDLC, LinkSLL, LinkSLL2, LinkNull,
			uint16(packet.LinkTokenRing), uint16(packet.LinkFDDI), uint16(packet.LinkARCNET), uint16(packet.LinkPPPDir))
	case 2: // deeper than the kernel's program looks
		p := pick(s.dice, s.plain...)
		f = pick(s.dice, p.MPLS(5), p.MPLS(5, 6).VLAN(7), p.VLAN(3).VLAN(2).QinQ(1)).Ethernet()
	default:
		f.Data[at] ^= byte(1 + s.dice.IntN(255))
	}
	s.frames = append(s.frames, Stamped{Time: s.at, Frame: f})
}

// files writes the frames, in parts or as one file.
func (s *sequence) files(t *testing.T, cuts ...int) (all []string) {
	t.Helper()
	dir, from := t.TempDir(), 0
	for i, to := range append(cuts, len(s.frames)) {
		path := filepath.Join(dir, fmt.Sprintf("%d.pcapng", i))
		if err := os.WriteFile(path, Pcapng(s.frames[from:to]), 0o600); err != nil {
			t.Fatal(err)
		}
		all, from = append(all, path), to
	}
	return all
}

// portable is an event without what depends on the file that it is in.
func portable(events []event.Event) []event.Event {
	all := make([]event.Event, len(events))
	for i, e := range events {
		e.ID, e.Number, e.Aggregate.ID = [16]byte{}, 0, [16]byte{}
		all[i] = e
	}
	return all
}

// sequenceRules have thresholds that a short sequence crosses.
func sequenceRules(t testing.TB) setup {
	c := Case{Trails: plus("198.51.100.0/24,botnet c2 (test)", "/x?,malware (test)", "ua:evilbot,malware (test)"), Whitelist: []string{"10.0.0.7", "white.evil-parent.com"}}
	white := caseWhitelist(t, &c)
	rules := detect.NewRules(caseRules(t, &c).Table(), white, detect.Options{Heuristics: true, HostDomains: true, MissingHost: true, UserAgents: []byte("masscan\n"),
		Home:       event.NewHomeNetworks(private),
		Thresholds: map[event.Code]float64{event.DNSExhaustion: 12, event.DNSNXDomain: 4},
		Windows:    map[event.Code]time.Duration{event.DNSExhaustion: 10 * time.Second}})
	return setup{rules: rules, white: white}
}

// sameForAll plays a sequence with one worker and with others, as one file and
// in parts, and compares all that the events hold.
func sameForAll(t *testing.T, s setup, data []byte) []event.Event {
	t.Helper()
	in := &tape{data}
	workers := pick(in, 2, 3, 4, 8)
	s.aggregate, s.outcomes = pick(in, 0, time.Second, time.Minute), in.IntN(2) == 1
	seq := sequenceOf(in)
	// In parts first: with none, that is the one file.
	files := seq.files(t, seq.cuts...)
	s.workers = 1
	want, counts := counted(t, s, files)
	if n := sumOf(want); n != counts.Detected-counts.Suppressed {
		t.Errorf("counts add up to %d; detected %d, suppressed %d", n, counts.Detected, counts.Suppressed)
	}
	s.workers = workers
	got, _ := counted(t, s, files)
	sameEvents(t, fmt.Sprintf("%d workers, cut at %v", workers, seq.cuts), got, want)
	if len(seq.cuts) > 0 {
		whole, _ := counted(t, s, seq.files(t))
		sameEvents(t, fmt.Sprintf("%d workers, cut at %v and whole", workers, seq.cuts), portable(want), portable(whole))
	}
	return want
}

// sequenceSeed is n random bytes.
func sequenceSeed(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 2))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// TestSequences: the seeds of the fuzz target reach what they are for.
func TestSequences(t *testing.T) {
	s := sequenceRules(t)
	codes := map[event.Code]bool{}
	outcomes := map[event.Outcome]bool{}
	for seed := range uint64(24) {
		for _, e := range sameForAll(t, s, sequenceSeed(seed, 700)) {
			codes[e.Code] = true
			outcomes[e.Outcome] = true
		}
	}
	for _, code := range []event.Code{event.TrailIP, event.TrailIPORT, event.TrailDNS, event.TrailURL, event.TrailUA, event.TrailDNSAnswer, event.TrailIPAnswer,
		event.ScanPort, event.ScanUDP, event.ScanWeb, event.ScanInfection, event.DNSExhaustion, event.DNSNXDomain, event.DNSLong, event.DNSDGAConsonant,
		event.HTTPUA, event.HTTPTraversal, event.HTTPCType} {
		if !codes[code] {
			t.Errorf("no sequence raises %s: %v", code, codes)
		}
	}
	for _, o := range []event.Outcome{event.Attempted, event.Answered, event.Refused} {
		if !outcomes[o] {
			t.Errorf("no sequence has the outcome %s", o)
		}
	}
}

// FuzzSequence: any packets, in any files, give the same events for any number
// of workers.
func FuzzSequence(f *testing.F) {
	s := sequenceRules(f)
	f.Add([]byte{})
	for seed := range uint64(4) {
		f.Add(sequenceSeed(seed, 200))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		sameForAll(t, s, data)
	})
}
