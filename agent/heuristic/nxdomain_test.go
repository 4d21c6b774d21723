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

// fail says so many times that a name does not exist.
func (r *nameRig) fail(second int64, name string, times int) {
	for range times {
		r.nx(second, name)
	}
}

// failed says once of each of numbered names that it does not exist.
func (r *nameRig) failed(second int64, domain string, from, to int) {
	for i := from; i < to; i++ {
		r.nx(second, fmt.Sprintf("n%02d.%s", i, domain))
	}
}

func TestNXDomain(t *testing.T) {
	list := func(from, to int) string {
		var l []string
		for i := from; i < to; i++ {
			l = append(l, fmt.Sprintf("n%02d", i))
		}
		return strings.Join(l, ",")
	}
	const long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for name, c := range map[string]struct {
		do   func(r *nameRig)
		want []string
	}{
		"20 of a name":         {func(r *nameRig) { r.fail(100, "evil.example", 20) }, nil},
		"21 of a name":         {func(r *nameRig) { r.fail(100, "evil.example", 21) }, []string{"100 evil.example"}},
		"41 of a name":         {func(r *nameRig) { r.fail(100, "evil.example", 41) }, []string{"100 evil.example"}},
		"42 of a name":         {func(r *nameRig) { r.fail(100, "evil.example", 42) }, []string{"100 evil.example", "100 evil.example"}},
		"20 names of a domain": {func(r *nameRig) { r.failed(100, "evil.example", 0, 20) }, nil},
		"21 names of a domain": {func(r *nameRig) { r.failed(100, "evil.example", 0, 21) }, []string{"100 (" + list(1, 21) + ").evil.example"}},
		"names are sorted":     {func(r *nameRig) { r.failed(100, "evil.example", 10, 30); r.failed(100, "evil.example", 5, 6) }, []string{"100 (" + "n05," + list(11, 30) + ").evil.example"}},
		"names are distinct": {func(r *nameRig) {
			r.nx(100, "x.evil.example")
			r.fail(100, "b.evil.example", 10)
			r.fail(100, "a.evil.example", 10)
		}, []string{"100 (a,b).evil.example"}},
		"the first comes again":    {func(r *nameRig) { r.failed(100, "evil.example", 0, 20); r.nx(100, "n00.evil.example") }, []string{"100 (" + list(0, 20) + ").evil.example"}},
		"deeper names, one domain": {func(r *nameRig) { r.fail(100, "x.y.evil.example", 11); r.fail(100, "z.evil.example", 10) }, []string{"100 (x.y,z).evil.example"}},
		"long names": {func(r *nameRig) {
			for i := range 21 {
				r.nx(100, fmt.Sprintf("%s%02d.b.%s.evil.example", long, i, long))
			}
		}, []string{"100 (" + func() string {
			var l []string
			for i := 1; i < 21; i++ {
				l = append(l, fmt.Sprintf("%s%02d.b.%s", long, i, long))
			}
			return strings.Join(l, ",")
		}() + ").evil.example"}},
		// The name's own count goes first, and the domain's is left out then: it has
		// 20 of the 21 then.
		"a name, then its domain": {func(r *nameRig) { r.fail(100, "a.evil.example", 22) }, []string{"100 a.evil.example", "100 (a).evil.example"}},
		// What the domain's list names begins anew: n05 had 15.
		"a domain, then its names": {func(r *nameRig) {
			r.nx(100, "x.evil.example")
			r.fail(100, "n05.evil.example", 15)
			r.failed(100, "evil.example", 6, 11)
			r.fail(100, "n05.evil.example", 20)
		}, []string{"100 (n05," + list(6, 11) + ").evil.example"}},
		"the oldest keeps its count": {func(r *nameRig) {
			r.fail(100, "x.evil.example", 1)
			r.failed(100, "evil.example", 0, 20)
			r.fail(100, "x.evil.example", 20)
		}, []string{"100 (" + list(0, 20) + ").evil.example", "100 x.evil.example"}},
		"3,599 seconds": {func(r *nameRig) { r.nx(100, "evil.example"); r.fail(3699, "evil.example", 20) }, []string{"3699 evil.example"}},
		"3,600 seconds": {func(r *nameRig) { r.nx(100, "evil.example"); r.fail(3700, "evil.example", 20) }, nil},
		"the window slides": {func(r *nameRig) {
			r.nx(100, "evil.example")
			r.fail(3700, "evil.example", 20)
			r.nx(7299, "evil.example")
		}, []string{"7299 evil.example"}},
		"one every three minutes": {func(r *nameRig) {
			for i := range int64(200) {
				r.nx(100+180*i, fmt.Sprintf("n%d.evil.example", i))
			}
		}, nil},
		"across an hour by the clock": {func(r *nameRig) { r.failed(3590, "evil.example", 0, 10); r.failed(3610, "evil.example", 10, 21) },
			[]string{"3610 (" + list(1, 21) + ").evil.example"}},
		"wpad":             {func(r *nameRig) { r.failed(100, "corp.example", 0, 20); r.nx(100, "wpad.corp.example") }, nil},
		"autodiscover":     {func(r *nameRig) { r.failed(100, "corp.example", 0, 20); r.nx(100, "x.autodiscover.corp.example") }, nil},
		"ldap":             {func(r *nameRig) { r.failed(100, "corp.example", 0, 20); r.nx(100, "_ldap._tcp.corp.example") }, nil},
		"wpad as the name": {func(r *nameRig) { r.fail(100, "wpad.corp.example", 22) }, []string{"100 wpad.corp.example"}},
		"a list with wpad is forgotten": {func(r *nameRig) {
			r.failed(100, "corp.example", 0, 20)
			r.nx(100, "wpad.corp.example")
			r.failed(100, "corp.example", 0, 20)
		}, nil},
		"domains are apart": {func(r *nameRig) { r.failed(100, "evil.example", 0, 15); r.failed(100, "good.example", 0, 15) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newNameRig(Options{Memory: 4 << 20})
			c.do(r)
			var got []string
			for _, e := range r.events {
				if e.Code != event.DNSNXDomain || e.Info != "excessive no such domain (suspicious)" || e.Type != event.DNS {
					t.Errorf("%+v", e)
				}
				got = append(got, fmt.Sprint(e.Time.Unix(), " ", e.Trail))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
			if n := r.Counts(); n.NameEvicted != 0 || n.Refused != 0 {
				t.Errorf("%+v", n)
			}
			if r.names.nxdomain.full.size > 0 {
				r.names.nxdomain.wild.check(t)
			}
		})
	}
}

// check holds that no block of a text is lost.
func (w *wild) check(t *testing.T) {
	t.Helper()
	used := 0
	for _, at := range w.names {
		if at != 0 {
			used += blocksOf(int(w.texts.blocks[at].text[0]))
		}
	}
	free := 0
	for at := w.texts.free; at != 0; at = w.texts.blocks[at].next {
		free++
	}
	if free != w.texts.left || free+used != len(w.texts.blocks)-1 {
		t.Errorf("%d blocks: %d used, %d free, said %d", len(w.texts.blocks), used, free, w.texts.left)
	}
}

// TestNXDomainRepeats: the same datagram counts once in a second, whatever came
// between; another port, client, name or digest is another answer.
func TestNXDomainRepeats(t *testing.T) {
	r := newNameRig(Options{})
	answer := packet.Packet{Proto: packet.ProtoUDP, Src: nameResolver, Dst: nameClient, SrcPort: 53, DstPort: 40000}
	take := func(at int64, p packet.Packet, digest uint64) {
		p.Time = time.Unix(at, 0)
		r.c.Name(NXDomain, &p, 1, 0, digest, []byte("evil.example"))
		r.c.Flush()
	}
	for i := range uint64(20) {
		for range 3 {
			take(100, answer, i)
		}
	}
	for i := range uint64(20) {
		take(100, answer, i)
	}
	r.expect(t)
	take(101, answer, 3)
	r.expect(t, "dns.nxdomain 101 evil.example")
	for i := range uint64(20) {
		take(102, answer, i)
	}
	other := answer
	other.DstPort++
	take(102, other, 3)
	r.expect(t, "dns.nxdomain 102 evil.example")
	// A repeat behind something newer is a repeat still.
	for i := range uint64(20) {
		take(110, answer, i)
		take(111, answer, i)
	}
	r.expect(t, "dns.nxdomain 110 evil.example") // the 21st of these 40
	for i := range uint64(20) {
		take(110, answer, i)
	}
	r.expect(t)
	// Each answer that is counted may be a made-up name as well.
	for range 2 {
		p := answer
		p.Time = time.Unix(120, 0)
		r.c.Name(NXDomain, &p, 1, 0, 77, []byte("qwrtzpsdfghj.com"))
	}
	r.c.Flush()
	r.expect(t, "dns.dga.entropy 120 (qwrtzpsdfghj).com")
}

// TestNXDomainOptions: threshold, window and muting.
func TestNXDomainOptions(t *testing.T) {
	r := newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSNXDomain: 1},
		Windows: map[event.Code]time.Duration{event.DNSNXDomain: 10 * time.Second}})
	r.nx(100, "a.evil.example")
	r.nx(110, "b.evil.example")
	r.expect(t)
	r.nx(119, "c.evil.example")
	r.expect(t, "dns.nxdomain 119 (c).evil.example")
	opt := r.opt
	opt.Disabled = map[event.Code]bool{event.DNSNXDomain: true}
	r.Configure(opt)
	r.fail(120, "a.evil.example", 5)
	r.expect(t)
	opt.Disabled = nil
	r.Configure(opt)
	r.fail(120, "a.evil.example", 1)
	r.expect(t)
	opt.Thresholds = map[event.Code]float64{event.DNSNXDomain: 5}
	r.Configure(opt)
	r.fail(120, "b.evil.example", 5)
	r.expect(t)
	r.fail(120, "b.evil.example", 1)
	r.expect(t, "dns.nxdomain 120 b.evil.example")
	// What is known stays when the threshold falls.
	for i := range 4 {
		r.nx(200, fmt.Sprintf("c%d.evil.example", i))
	}
	opt.Thresholds = map[event.Code]float64{event.DNSNXDomain: 3}
	r.Configure(opt)
	r.nx(200, "c4.evil.example")
	r.expect(t, "dns.nxdomain 200 (c2,c3,c4).evil.example")
	r.names.nxdomain.wild.check(t)
}

// TestNXDomainFlood: a host that tries the names of one algorithm, and one that
// asks for names below a domain, amid a million answers about random names.
func TestNXDomainFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("a flood of a million answers")
	}
	for _, memory := range []int{DefaultMemory, 8 << 20} {
		board := NewBoard(Options{Heuristics: true, Seed: nameSeed, Memory: memory})
		found := make(map[string]int)
		board.SetRaise(func(f *Finding) { found[f.Trail]++ })
		e := nameEvidence()
		e.Kind = NXDomain
		name := []byte("www.aaaaaaaaaa.example")
		take := func(name []byte) {
			e.Digest++
			e.Item = hash(nameSeed, name)
			board.Take(&e, name)
		}
		for i := range uint32(1 << 20) {
			e.At += 30_000_000 // about 9 hours
			number(name[4:14], i)
			number(name[:3], i*31)
			take(name)
			if i%3000 == 0 { // 40 in an hour
				take(fmt.Appendf(nil, "b%d.dga.example", i/3000))
				take([]byte("gone.example"))
			}
		}
		lists := 0
		for trail, n := range found {
			switch {
			case trail == "gone.example":
				if n < 10 {
					t.Errorf("memory %d: %s %d times", memory, trail, n)
				}
			case strings.HasSuffix(trail, ").dga.example"):
				lists++
				if strings.Count(trail, ",") < 17 {
					t.Errorf("memory %d: %s", memory, trail)
				}
			default:
				t.Errorf("memory %d: %s", memory, trail)
			}
		}
		if lists < 10 {
			t.Errorf("memory %d: %d lists", memory, lists)
		}
		if c := board.Counts(); c.NameEvicted == 0 {
			t.Errorf("%+v", c)
		}
		if got := board.names.size(); got > memory/2 {
			t.Errorf("memory %d: %d used by names", memory, got)
		}
		board.names.nxdomain.wild.check(t)
	}
}

// TestNXDomainTexts: when texts have no room left, the domains with the fewest
// answers give theirs up, and no block is lost.
func TestNXDomainTexts(t *testing.T) {
	r := newNameRig(Options{Memory: 256 << 10})
	front := strings.Repeat(strings.Repeat("x", 60)+".", 3)
	for i := range 3000 {
		r.nx(100, fmt.Sprintf("%sa%d.d%d.example", front, i, i%400))
		r.nx(100, fmt.Sprintf("%sa%d.d%d.example", front, i, i%7+1000))
	}
	if c := r.Counts(); c.NameEvicted == 0 {
		t.Errorf("%+v", c)
	}
	// How many of the busy domains share a set is chance: for other names it is 46 to 56.
	if len(r.found) < 40 {
		t.Errorf("%d found", len(r.found))
	}
	r.names.nxdomain.wild.check(t)
}

// nxModel is what nxdomain is to find, without any bounds.
type nxModel struct {
	threshold int
	window    int64
	answers   map[string][]modelAnswer // by name, and by "*." and domain
}

type modelAnswer struct {
	at   int64
	name string
}

func (m *nxModel) count(now int64, key, name string) (list []string, over bool) {
	l := append(m.answers[key], modelAnswer{now, name})
	l = slices.DeleteFunc(l, func(a modelAnswer) bool { return a.at <= now-m.window })
	m.answers[key] = l
	if len(l) <= m.threshold {
		return nil, false
	}
	delete(m.answers, key)
	for _, a := range l[len(l)-m.threshold:] {
		list = append(list, a.name)
	}
	slices.Sort(list)
	return slices.Compact(list), true
}

func (m *nxModel) answer(now int64, name string) string {
	if _, over := m.count(now, name, name); over {
		return name
	}
	labels := strings.Split(name, ".")
	if len(labels) < 3 {
		return ""
	}
	domain := "." + strings.Join(labels[len(labels)-2:], ".")
	list, over := m.count(now, "*"+domain, name)
	if !over {
		return ""
	}
	for i, n := range list {
		delete(m.answers, n)
		list[i] = strings.TrimSuffix(n, domain)
	}
	slices.Sort(list)
	trail := "(" + strings.Join(list, ",") + ")" + domain
	if strings.Contains(trail, "wpad") {
		return ""
	}
	return trail
}

func FuzzNXDomain(f *testing.F) {
	addNames(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 {
			return
		}
		threshold, window := 1+int(data[0]%25), 1+int64(data[1])*4
		r := newNameRig(Options{Memory: 1 << 20, Thresholds: map[event.Code]float64{event.DNSNXDomain: float64(threshold)},
			Windows: map[event.Code]time.Duration{event.DNSNXDomain: time.Duration(window) * time.Second}})
		m := nxModel{threshold: threshold, window: window, answers: make(map[string][]modelAnswer)}
		clock := nameClock{now: 10_000, leap: 790}
		now := int64(0)
		var want []string
		for data = data[2:]; len(data) > 1; data = data[2:] {
			at := clock.at(data[0]>>4, data[1] > 250)
			n := int(data[1] >> 2)
			name := fmt.Sprintf("a%d.%s.d%d.example", n%16, strings.Repeat("x", 7*(n%16)), data[1]&3)
			switch {
			case data[0]&15 == 15 && n == 3:
				name = fmt.Sprintf("wpad.d%d.example", data[1]&3)
			case data[0]&15 == 14:
				name = fmt.Sprintf("d%d.example", data[1]&3)
			}
			now = max(now, at)
			if trail := m.answer(now, name); trail != "" {
				want = append(want, fmt.Sprintf("dns.nxdomain %d %s", at, trail))
			}
			r.nx(at, name)
		}
		r.expect(t, want...)
		if r.names.nxdomain.full.size > 0 {
			r.names.nxdomain.wild.check(t)
		}
	})
}

// BenchmarkNXDomain is per answer, its hash included.
func BenchmarkNXDomain(b *testing.B) {
	b.Run("benign", func(b *testing.B) { // 2,000 names of 2,000 domains, each ten times an hour
		benchNames(b, NXDomain, 5, func(name []byte, i uint32) {
			i = i * 7919 % 2000
			number(name[3:9], i)
			number(name[10:20], i)
		})
	})
	b.Run("domain", func(b *testing.B) { // a finding per 21
		benchNames(b, NXDomain, 2000, func(name []byte, i uint32) { number(name[3:9], i) })
	})
	b.Run("domains", func(b *testing.B) { // all new
		benchNames(b, NXDomain, 100_000, func(name []byte, i uint32) { number(name[10:20], i) })
	})
}

// TestNXDomainClients: clients at home count for themselves; all others, as in the
// reference, together.
func TestNXDomainClients(t *testing.T) {
	ask := func(r *nameRig, client string, n int) {
		r.packet.Src, r.packet.Dst = nameResolver, netip.MustParseAddr(client)
		r.packet.SrcPort, r.packet.DstPort = 53, 40000
		r.nx(int64(100+n), fmt.Sprintf("host%d.office.example", n%3))
	}
	r := newNameRig(Options{})
	for n := range 60 {
		ask(r, fmt.Sprintf("10.0.0.%d", n%30), n)
	}
	r.expect(t)
	for n := range 21 {
		ask(r, "10.0.1.1", 100+n)
	}
	r.expect(t, "dns.nxdomain 220 (host0,host1,host2).office.example")
	for n := range 21 {
		ask(r, fmt.Sprintf("198.51.100.%d", n), 200+n)
	}
	r.expect(t, "dns.nxdomain 320 (host0,host1,host2).office.example")
	// What is asked for by the key of one client is of that client alone.
	r = newNameRig(Options{})
	for n := range 5 {
		ask(r, "10.0.0.1", n)
	}
	ask(r, "10.0.0.2", 5)
	if got := r.names.nxdomain.wild.peek(hash(r.opt.Seed^r.names.salt^foldAddr(r.opt.Seed, netip.MustParseAddr("10.0.0.1").As16()), []byte("office.example")), uint32(r.now), 3600); got != 5 {
		t.Errorf("%v answers to one client", got)
	}
}
