package heuristic

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// nameSeed is the seed of all collectors and boards of these tests.
const nameSeed = 0x1234567

var (
	nameClient   = netip.MustParseAddr("10.0.0.5")
	nameResolver = netip.MustParseAddr("10.0.0.53")
)

// nameRig gives evidence of names to a board, each piece through a collector.
type nameRig struct {
	*Board
	c      *Collector
	number uint64
	found  []string // code, second, trail
	events []event.Event
	packet packet.Packet // what is different from an ordinary one
}

func newNameRig(opt Options) *nameRig {
	opt.Seed = nameSeed
	opt.Heuristics = true
	if opt.Home == nil {
		opt.Home = event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	}
	r := &nameRig{Board: NewBoard(opt)}
	r.c = NewCollector(nameSeed, func(b *Batch) *Batch {
		r.TakeAll(b)
		b.Reset()
		return b
	})
	r.SetRaise(func(f *Finding) {
		r.events = append(r.events, f.Event)
		r.found = append(r.found, nameFinding(f))
	})
	return r
}

func nameFinding(f *Finding) string {
	return fmt.Sprintf("%s %d %s", f.Code, f.Time.Unix(), f.Trail)
}

// query, long and nx give one observation each.
func (r *nameRig) query(second int64, name string) { r.observe(Query, second, r.flags(name), 1, name) }

func (r *nameRig) long(second int64, name string) { r.observe(LongName, second, 0, 0, name) }

func (r *nameRig) nx(second int64, name string) { r.observe(NXDomain, second, 0, 1, name) }

// flags are those that a worker gives to a query.
func (r *nameRig) flags(name string) (f Flags) {
	if HasLongHead([]byte(name), r.names.long.threshold) {
		f |= LongHead
	}
	return f
}

func (r *nameRig) observe(k Kind, second int64, f Flags, qtype uint16, name string) {
	r.number++
	p := r.packet
	p.Time, p.Number = time.Unix(second, 5000).UTC(), r.number
	if p.Proto == 0 {
		p.Proto = packet.ProtoUDP
	}
	if !p.Src.IsValid() {
		p.Src, p.Dst, p.SrcPort, p.DstPort = nameClient, nameResolver, 40000, 53
		if k == NXDomain {
			p.Src, p.Dst, p.SrcPort, p.DstPort = nameResolver, nameClient, 53, 40000
		}
	}
	r.c.Name(k, &p, qtype, f, r.number, []byte(name))
	r.c.Flush()
}

// expect compares what was found since it was last asked.
func (r *nameRig) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(r.found, want) {
		t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(r.found, "\n\t"), strings.Join(want, "\n\t"))
	}
	r.found = nil
}

func TestNameEvents(t *testing.T) {
	r := newNameRig(Options{})
	r.packet.VLANs, r.packet.VLAN = [4]uint16{7, 8, 9}, 3
	long := strings.Repeat("a", 25)
	r.query(100, long+".sub.tunnel.example")
	r.c.Port = 3
	r.packet.Proto = packet.ProtoTCP
	r.nx(100, "qwrtzpsdfghj.com")
	r.packet.Proto = packet.ProtoUDP
	r.observe(LongName, 101, 0, uint16(InQUIC), long+".tunnel.example")
	if len(r.events) != 3 {
		t.Fatalf("found %q", r.found)
	}
	q, nx, sni := r.events[0], r.events[1], r.events[2]
	if q.Type != event.DNS || q.Code != event.DNSLong || q.Info != "long domain (suspicious)" || q.Reference != "(heuristic)" ||
		q.Trail != "("+long+".sub).tunnel.example" || q.Observable != long+".sub.tunnel.example" || q.Application != "dns" ||
		q.DNS.Question != q.Observable || q.DNS.Type != 1 || q.DNS.Class != 1 || q.Protocol != "UDP" || q.Src != nameClient ||
		q.Direction != event.Internal || q.Severity != event.Medium || !slices.Equal(q.VLANs, []uint16{7, 8}) ||
		!q.Time.Equal(time.Unix(100, 5000)) || q.Number != 1 {
		t.Errorf("query: %+v", q)
	}
	if nx.Code != event.DNSDGAEntropy || nx.Protocol != "TCP" || nx.Src != nameResolver || nx.Dst != nameClient || nx.Trail != "(qwrtzpsdfghj).com" ||
		nx.DNS.RCode != 3 || !nx.DNS.HasRCode || q.DNS.HasRCode {
		t.Errorf("answer: %+v", nx)
	}
	if sni.Protocol != "UDP" || sni.Application != "quic" || sni.TLS.ServerName != long+".tunnel.example" || sni.DNS.Question != "" {
		t.Errorf("server name: %+v", sni)
	}
}

// TestNameRolesAndWhitelist: neither a role nor the whitelist lets anything be
// raised, and what a role excuses is still raised for others.
func TestNameRolesAndWhitelist(t *testing.T) {
	roles := event.NewRoles(map[event.Role][]netip.Prefix{event.Resolver: {netip.PrefixFrom(nameResolver, 32)}})
	r := newNameRig(Options{Roles: roles, White: whiteNames{"good.example"}, Thresholds: map[event.Code]float64{event.DNSExhaustion: 3}})
	r.packet.Src, r.packet.Dst, r.packet.SrcPort, r.packet.DstPort = nameResolver, netip.MustParseAddr("192.0.2.1"), 40000, 53
	for i := range 10 {
		r.query(100, fmt.Sprintf("a%d.evil.example", i))
		r.query(100, fmt.Sprintf("a%d.good.example", i))
	}
	r.query(100, strings.Repeat("a", 30)+".example.org")
	r.expect(t)
	if got := r.Counts().Muted[event.Resolver]; got != 8+7 {
		t.Errorf("%d muted, want 15", got)
	}
	r.packet.Src = nameClient
	r.query(101, "other.evil.example")
	r.query(101, "other.good.example")
	r.expect(t, "dns.exhaustion 101 (other).evil.example")
	if got := r.Counts().White; got != 1 {
		t.Errorf("%d by the whitelist, want 1", got)
	}
	// An answer's client is where it goes to.
	r.packet = packet.Packet{Src: netip.MustParseAddr("192.0.2.1"), Dst: nameResolver, SrcPort: 53, DstPort: 999}
	r.nx(102, "qwrtzpsdfghj.com")
	r.expect(t)
	r.packet.Src, r.packet.Dst = nameResolver, nameClient
	r.nx(102, "qwrtzpsdfghj.com")
	r.expect(t, "dns.dga.entropy 102 (qwrtzpsdfghj).com")
}

type whiteNames []string

func (w whiteNames) Addr(netip.Addr) bool { return false }
func (w whiteNames) Domain(name []byte) bool {
	return slices.ContainsFunc(w, func(s string) bool { return strings.HasSuffix(string(name), s) })
}

// TestNamesWithoutHeuristics: only the exhaustion is left.
func TestNamesWithoutHeuristics(t *testing.T) {
	r := newNameRig(Options{})
	opt := r.opt
	opt.Heuristics = false
	r.Configure(opt)
	for i := range 1001 {
		r.query(100, fmt.Sprintf("a%d.evil.example", i))
	}
	for range 30 {
		r.nx(101, "qwrtzpsdfghj.com")
	}
	r.long(101, strings.Repeat("a", 30)+".example.org")
	r.expect(t, "dns.exhaustion 100 (a1000).evil.example")
}

// TestNamesStep: a clock that was set back begins all windows anew, one that is
// a little behind does not.
func TestNamesStep(t *testing.T) {
	r := newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSExhaustion: 3}})
	feed := func(second int64, from, to int) {
		for i := from; i < to; i++ {
			r.query(second, fmt.Sprintf("a%d.evil.example", i))
			r.nx(second, fmt.Sprintf("n%d.down.example", i%7))
		}
	}
	feed(1000, 0, 1)
	feed(970, 1, 3)
	feed(971, 3, 4)
	r.expect(t, "dns.exhaustion 971 (a3).evil.example")
	feed(900, 4, 7)
	r.expect(t)
	feed(900, 7, 21)
	r.expect(t, "dns.exhaustion 900 (a7).evil.example")
	feed(900, 21, 25)
	r.expect(t, "dns.nxdomain 900 (n0,n1,n2,n3,n4,n5,n6).down.example")
	if c := r.Counts(); c.Steps != 1 {
		t.Errorf("%d steps", c.Steps)
	}
}

func TestBaseDomain(t *testing.T) {
	for name, want := range map[string]string{
		"com": "com", "": "", "example.com": "example.com", "www.example.com": "example.com",
		"a.b.example.com": "example.com", "a.b.example.co.uk": "example.co.uk", "b.co.uk": "co.uk",
		"a.b.co.uk": "b.co.uk", "a.b.abc.uk": "abc.uk", "a.b.abcd.uk": "abcd.uk", "a...uk": ".uk", "a.b.cc.d": "cc.d", "x.y.t.co": "t.co", "x.y.com.br": "y.com.br", "x.y.com.net": "com.net",
	} {
		if got := string(BaseDomain([]byte(name))); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestHeads(t *testing.T) {
	a24 := strings.Repeat("a", 24)
	for name, want := range map[string]bool{a24 + ".com": false, a24 + "a.com": true, a24 + "-a.com": false, "x." + a24 + "aa.com": false,
		a24 + "_1.a-b.com": true, "": false} {
		if HasLongHead([]byte(name), 24) != want {
			t.Errorf("long %q: not %v", name, want)
		}
	}
	for name, want := range map[string]bool{"1-2-3-4.isp.net": true, "192-168-111-1234.a.b": false, "192-168-111-256.a.b": false, "192-168-111-255.a.b": true, "0001-2-3-4.a.b": false, "1-2-3.a.b": false, "1-2-3-4-5.a.b": false,
		"-1-2-3.a.b": false, "1-2-3-.a.b": false, "1--2-3.a": false, "a1-2-3-4.b.c": false, "": false, "1-2-3-4": true} {
		if DashedQuad([]byte(name)) != want {
			t.Errorf("quad %q: not %v", name, want)
		}
	}
}

// TestNamesManyCollectors: however the evidence was split over workers, by pairs
// of hosts as workers are, the board finds the same.
func TestNamesManyCollectors(t *testing.T) {
	type sighting struct {
		p    packet.Packet
		kind Kind
		name string
	}
	var all []sighting
	rnd := nameRandom(7)
	for i := range 40000 {
		at := 1000 + int64(i/200)
		if rnd.n(10) == 0 {
			at -= int64(rnd.n(20))
		}
		s := sighting{kind: [...]Kind{Query, Query, LongName, NXDomain}[rnd.n(4)]}
		s.p = packet.Packet{Number: uint64(i + 1), Time: time.Unix(at, int64(i)).UTC(), Proto: packet.ProtoUDP, SrcPort: 40000, DstPort: 53,
			Src: netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.n(9))}), Dst: netip.AddrFrom4([4]byte{10, 0, 1, byte(rnd.n(4))})}
		s.name = fmt.Sprintf("%s%d.d%d.example", strings.Repeat("a", rnd.n(2)*30), rnd.n(60), rnd.n(6))
		all = append(all, s)
	}
	run := func(collectors, seen int) []string {
		opt := Options{Heuristics: true, Seed: nameSeed, Thresholds: map[event.Code]float64{event.DNSExhaustion: 40},
			Windows: map[event.Code]time.Duration{event.DNSExhaustion: 40 * time.Second}}
		board := NewBoard(opt)
		var found []string
		board.SetRaise(func(f *Finding) { found = append(found, fmt.Sprint(f.Number, " ", nameFinding(f))) })
		batches := make([][]*Batch, collectors)
		cs := make([]*Collector, collectors)
		for i := range cs {
			cs[i] = NewCollector(nameSeed, func(b *Batch) *Batch {
				batches[i] = append(batches[i], b)
				return NewBatch()
			})
		}
		for i, s := range all {
			pair := s.p.Src.As4()[3] ^ s.p.Dst.As4()[3]<<4
			c := cs[int(pair)*7%collectors]
			if seen > 0 && i%seen == 0 {
				clear(c.seen) // as if it had forgotten
			}
			f := Flags(0)
			if HasLongHead([]byte(s.name), 24) {
				f = LongHead
			}
			c.Name(s.kind, &s.p, 1, f, uint64(i/3), []byte(s.name))
		}
		for _, c := range cs {
			c.Flush()
		}
		for {
			first := -1
			for i, l := range batches {
				if len(l) > 0 && (first < 0 || l[0].Evidence[0].Number < batches[first][0].Evidence[0].Number) {
					first = i
				}
			}
			if first < 0 {
				return found
			}
			b := batches[first][0]
			board.Take(&b.Evidence[0], b.Name(&b.Evidence[0]))
			if b.Evidence = b.Evidence[1:]; len(b.Evidence) == 0 {
				batches[first] = batches[first][1:]
			}
		}
	}
	want := run(1, 0)
	if len(want) < 100 {
		t.Fatalf("only %d findings", len(want))
	}
	for _, n := range []int{1, 2, 4, 8} {
		for _, seen := range []int{0, 1, 13} {
			if got := run(n, seen); !slices.Equal(got, want) {
				t.Errorf("%d collectors, forgetting %d: %d findings, want %d", n, seen, len(got), len(want))
			}
		}
	}
}

// nameRandom makes small random numbers.
type nameRandom uint64

func (r *nameRandom) n(limit int) int {
	*r += 0x9e3779b97f4a7c15
	return int(fold(uint64(*r), mix1) >> 33 % uint64(limit))
}

// TestNamesAllocate: evidence that raises nothing allocates nothing.
func TestNamesAllocate(t *testing.T) {
	r := newNameRig(Options{})
	name := []byte("a0000000.b0000000.example")
	e := nameEvidence()
	e.Kind = Query
	n := uint32(0)
	step := func() {
		n++
		number(name[11:17], n)
		e.At += 1e6
		e.Item, e.Digest = hash(nameSeed, name), uint64(n)
		e.Kind = Query
		r.Take(&e, name)
		e.Kind = NXDomain
		r.Take(&e, name)
	}
	step()
	if got := testing.AllocsPerRun(20000, step); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if len(r.found) > 0 {
		t.Error(r.found[0])
	}
}

// TestNamesTinyMemory: with hardly any memory, everything makes room for
// everything all the time, and what counts says stays true.
func TestNamesTinyMemory(t *testing.T) {
	for seed := range nameRandom(20) {
		rnd := seed * 77
		r := newNameRig(Options{Memory: 1 << (6 + rnd.n(12)), Thresholds: map[event.Code]float64{
			event.DNSExhaustion: float64(1 + rnd.n(12)), event.DNSNXDomain: float64(1 + rnd.n(6))}})
		clock := int64(1000)
		for range 3000 {
			switch rnd.n(40) {
			case 0:
				clock += int64(rnd.n(30))
			case 1:
				clock -= int64(rnd.n(3) * rnd.n(40))
			case 2:
				clock++
			case 3:
				if rnd.n(40) == 0 {
					clock += 4000
				}
			}
			domain := rnd.n(1 + rnd.n(300))
			name := fmt.Sprintf("a%d%s.d%d.example", rnd.n(30), strings.Repeat("x", rnd.n(40)), domain)
			if rnd.n(2) == 0 {
				r.query(clock, name)
			} else {
				r.nx(clock, name)
			}
		}
		r.names.exhaustion.check(t)
		if r.names.nxdomain.full.size > 0 {
			r.names.nxdomain.wild.check(t)
		}
		if len(r.found) == 0 {
			t.Error("nothing found")
		}
	}
}

// TestRepeats: as many as half of a table are known for certain, and what is
// forgotten too early is counted.
func TestRepeats(t *testing.T) {
	board := NewBoard(Options{})
	r := repeats{bytes: 16 * 64} // 64 places in each table
	key := func(i int) uint64 { return hash(1, []byte{byte(i), byte(i >> 8)}) | 1 }
	for i := range 10_000 {
		if board.now = int64(i / 10); r.seen(board, key(i)) {
			t.Fatalf("%d is new", i)
		}
		for k := max(i-31, 0); k <= i; k++ {
			if !r.seen(board, key(k)) {
				t.Fatalf("%d is forgotten at %d", k, i)
			}
		}
	}
	if n := board.Counts().NameEvicted; n < 9_900 || n > 10_000 {
		t.Errorf("%d evicted", n)
	}
	board, r = NewBoard(Options{}), repeats{bytes: 16 * 64}
	for i := range 10_000 {
		board.now = int64(i)
		r.seen(board, key(i))
	}
	if n := board.Counts().NameEvicted; n != 0 {
		t.Errorf("%d evicted that were of no use", n)
	}
}

// number writes a number in letters.
func number(dst []byte, n uint32) {
	for i := range dst {
		dst[i] = 'a' + byte(n%26)
		n /= 26
	}
}

func nameEvidence() Evidence {
	return Evidence{At: 1e12, Src: nameClient.As16(), Dst: nameResolver.As16(), SrcPort: 40000, DstPort: 53, QType: 1, Flags: IPv4}
}

// addNames adds the seeds of a fuzz target that makes names of bytes, two each
// after the first two.
func addNames(f *testing.F) {
	for seed := range byte(12) {
		rnd := nameRandom(seed)
		data := []byte{seed, seed * 5}
		for range 900 {
			data = append(data, byte(rnd.n(256)), byte(rnd.n(256)))
		}
		f.Add(data)
	}
}

// nameClock is the time of a fuzz target: it goes on, leaps now and then, and some
// packets are late.
type nameClock struct{ now, leap int64 }

// at gives the time of the next packet, of four bits and whether it may leap.
func (c *nameClock) at(step byte, leap bool) int64 {
	switch {
	case step < 4:
		c.now += int64(step)
	case step < 6:
		return c.now - 3*int64(step-3)
	case step == 15 && leap:
		c.now += c.leap
	}
	return c.now
}

// benchNames measures a piece of evidence of a name, its hash included.
func benchNames(b *testing.B, kind Kind, rate int64, vary func(name []byte, i uint32)) {
	board := NewBoard(Options{Heuristics: true, Seed: nameSeed})
	e := nameEvidence()
	e.Kind = kind
	name := []byte("wwwaaaaaa.bbbbbbbbbb.example")
	step := func(i uint32) {
		vary(name, i)
		e.At += 1e9 / rate
		e.Item, e.Digest = hash(nameSeed, name), uint64(i)
		board.Take(&e, name)
	}
	for i := range uint32(1 << 19) { // the first touch of memory is the kernel's
		step(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		step(uint32(i + 1<<19))
	}
	b.ReportMetric(float64(board.Counts().NameEvicted)/float64(b.N), "evicted/op")
	b.ReportMetric(float64(board.Counts().Found)/float64(b.N), "found/op")
}
