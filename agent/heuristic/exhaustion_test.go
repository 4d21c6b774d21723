package heuristic

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func exhaustionRig(limit float64, window time.Duration) *nameRig {
	return newNameRig(Options{Memory: 1 << 20,
		Thresholds: map[event.Code]float64{event.DNSExhaustion: limit},
		Windows:    map[event.Code]time.Duration{event.DNSExhaustion: window},
	})
}

// feed asks for names below a domain that are numbered.
func (r *nameRig) feed(second int64, domain string, from, to int) {
	for i := from; i < to; i++ {
		r.query(second, fmt.Sprintf("a%d.%s", i, domain))
	}
}

func TestExhaustion(t *testing.T) {
	const over = 1000
	for name, c := range map[string]struct {
		do   func(r *nameRig)
		want string // trail
	}{
		"1001":              {func(r *nameRig) { r.feed(100, "evil.example", 0, over+1) }, "(a1000).evil.example"},
		"1000":              {func(r *nameRig) { r.feed(100, "evil.example", 0, over) }, ""},
		"1000 and a repeat": {func(r *nameRig) { r.feed(100, "evil.example", 0, over); r.query(101, "a5.evil.example") }, "(a5).evil.example"},
		"repeat in its second": {func(r *nameRig) {
			r.feed(100, "evil.example", 0, over)
			r.query(100, "a5.evil.example")
		}, ""},
		"few names, often": {func(r *nameRig) {
			for s := range int64(40) {
				r.feed(100+s, "evil.example", 0, 999)
			}
		}, ""},
		"59 seconds": {func(r *nameRig) { r.feed(100, "evil.example", 0, over); r.query(159, "b.evil.example") }, "(b).evil.example"},
		"60 seconds": {func(r *nameRig) {
			r.query(100, "first.evil.example")
			r.feed(101, "evil.example", 1, over)
			r.query(160, "b.evil.example")
		}, ""},
		"61 seconds": {func(r *nameRig) { r.feed(100, "evil.example", 0, over); r.query(161, "b.evil.example") }, ""},
		"seen again is in the window": {func(r *nameRig) {
			r.query(100, "first.evil.example")
			r.feed(101, "evil.example", 1, over-1)
			r.query(110, "first.evil.example")
			r.query(160, "b.evil.example")
			r.query(160, "c.evil.example")
		}, "(c).evil.example"},
		"across a tumbling border": {func(r *nameRig) {
			r.feed(100, "evil.example", 0, 500)
			r.feed(155, "evil.example", 500, 600)
			r.feed(161, "evil.example", 600, 1001)
			r.feed(200, "evil.example", 1001, 1501)
		}, "(a1500).evil.example"},
		"three labels of the base": {func(r *nameRig) { r.feed(100, "evil.co.uk", 0, over+1) }, "(a1000.evil).co.uk"},
		"bases are apart":          {func(r *nameRig) { r.feed(100, "evil.co.uk", 0, 600); r.feed(100, "good.co.uk", 0, 600) }, ""},
		"deeper names":             {func(r *nameRig) { r.feed(100, "x.y.evil.example", 0, over+1) }, "(a1000.x.y).evil.example"},
		"two labels": {func(r *nameRig) {
			for i := range 1200 {
				r.query(100, fmt.Sprintf("a%d.example", i))
			}
		}, ""},
		"block list":                     {func(r *nameRig) { r.reversed(100, "zen.dnsbl.example", over+10) }, ""},
		"block list in front":            {func(r *nameRig) { r.reversed(100, "sbl-x.list.example", over+10) }, ""},
		"addresses below another domain": {func(r *nameRig) { r.reversed(100, "zen.list.example", over+1) }, "(232.3.2.1.zen).list.example"},
		"no addresses below evilbl":      {func(r *nameRig) { r.feed(100, "x.evilbl.example", 0, over+1) }, "(a1000.x).evilbl.example"},
		"a known list of domains":        {func(r *nameRig) { r.feed(100, "dbl.spamhaus.org", 0, over+10) }, ""},
		"below a short domain":           {func(r *nameRig) { r.feed(100, "x.t.co", 0, over+1) }, "(a1000.x).t.co"},
		"one host, and wpad": {func(r *nameRig) {
			r.query(100, "wpad.corp.example")
			r.feed(101, "corp.example", 0, over+10)
		}, "(a999).corp.example"},
		"a host of two in five, and wpad": {func(r *nameRig) {
			r.query(100, "wpad.corp.example")
			r.feedAll(101, "corp.example", 0, 600)
			r.feed(101, "corp.example", 600, over+10)
		}, ""},
		"bl within a word":   {func(r *nameRig) { r.feed(100, "blue.able.example", 0, over+1) }, "(a1000.blue).able.example"},
		"wpad in the window": {func(r *nameRig) { r.query(100, "wpad.corp.example"); r.feedAll(101, "corp.example", 0, over+10) }, ""},
		"wpad at 59 seconds": {func(r *nameRig) { r.query(100, "wpad.corp.example"); r.feedAll(159, "corp.example", 0, over+10) }, ""},
		"wpad at 60 seconds": {func(r *nameRig) { r.query(100, "wpad.corp.example"); r.feedAll(160, "corp.example", 0, over+1) }, "(a1000).corp.example"},
		"autodiscover": {func(r *nameRig) {
			r.query(100, "autodiscover.corp.example")
			r.feedAll(101, "corp.example", 0, over+10)
		}, ""},
		"ldap":               {func(r *nameRig) { r.query(100, "_ldap._tcp.corp.example"); r.feedAll(101, "corp.example", 0, over+10) }, ""},
		"wpad of another":    {func(r *nameRig) { r.query(100, "wpad.home.example"); r.feedAll(101, "corp.example", 0, over+1) }, "(a1000).corp.example"},
		"wpad in the middle": {func(r *nameRig) { r.query(100, "x.wpad.corp.example"); r.feed(101, "corp.example", 0, over) }, "(a999).corp.example"},
		"late names count": {func(r *nameRig) {
			r.query(130, "x.evil.example")
			r.feed(101, "evil.example", 0, 999)
			r.query(102, "b.evil.example")
		}, "(b).evil.example"},
		"late names are no younger": {func(r *nameRig) {
			r.query(160, "x.evil.example")
			r.feed(130, "evil.example", 0, 999)
			r.query(190, "y.evil.example")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newNameRig(Options{})
			c.do(r)
			got := ""
			for _, e := range r.events {
				if e.Code != event.DNSExhaustion || e.Info != "potential dns exhaustion (suspicious)" || e.Type != event.DNS {
					t.Errorf("%+v", e)
				}
				got += e.Trail
			}
			if got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if n := r.Counts(); n.NameEvicted != 0 {
				t.Errorf("%d evicted", n.NameEvicted)
			}
		})
	}
}

// feedAll is feed by a hundred hosts.
func (r *nameRig) feedAll(second int64, domain string, from, to int) {
	for i := from; i < to; i++ {
		e := nameEvidence()
		name := fmt.Appendf(nil, "a%d.%s", i, domain)
		e.Kind, e.At, e.Item, e.Src[15] = Query, second*1e9, hash(nameSeed, name), byte(i%100)
		r.Take(&e, name)
	}
}

// reversed asks a block list for n addresses.
func (r *nameRig) reversed(second int64, list string, n int) {
	for i := range n {
		r.query(second, fmt.Sprintf("%d.%d.2.1.%s", i%256, i/256, list))
	}
}

// TestExhaustionOncePerHour: a domain that goes on is reported again an hour
// after the last time.
func TestExhaustionOncePerHour(t *testing.T) {
	r := exhaustionRig(10, time.Minute)
	for s := range int64(3602) {
		r.feed(1000+s, "evil.example", int(s)*20, int(s)*20+20)
	}
	r.expect(t, "dns.exhaustion 1000 (a10).evil.example", "dns.exhaustion 4600 (a72000).evil.example")
	r = exhaustionRig(10, time.Minute)
	r.feed(1000, "evil.example", 0, 20)
	r.feed(4599, "evil.example", 20, 40)
	r.expect(t, "dns.exhaustion 1000 (a10).evil.example")
	r.feed(4600, "evil.example", 40, 41)
	r.expect(t, "dns.exhaustion 4600 (a40).evil.example")
}

// TestExhaustionSilences: what else is said of names below a domain is not said
// while it is over its limit, of long names if it was reported; names from
// elsewhere than DNS, and other domains, are not concerned.
func TestExhaustionSilences(t *testing.T) {
	head := strings.Repeat("x", 25)
	for _, disabled := range []bool{false, true} {
		r := newNameRig(Options{
			Thresholds: map[event.Code]float64{event.DNSExhaustion: 10, event.DNSNXDomain: 3},
			Disabled:   map[event.Code]bool{event.DNSExhaustion: disabled},
		})
		r.query(100, head+".evil.example")
		r.expect(t, "dns.long 100 ("+head+").evil.example")
		r.feed(100, "evil.example", 0, 10)
		if disabled != (len(r.found) == 0) {
			t.Fatalf("disabled %v: %q", disabled, r.found)
		}
		r.found = nil
		r.query(101, head+".evil.example")
		r.query(101, head+"y.evil.example")
		for i := range 5 {
			r.nx(101, fmt.Sprintf("n%d.evil.example", i))
		}
		if disabled {
			r.expect(t, "dns.long 101 ("+head+").evil.example", "dns.long 101 ("+head+"y).evil.example")
		}
		r.expect(t)
		r.long(101, head+".evil.example")
		r.query(101, head+".other.example")
		r.expect(t, "dns.long 101 ("+head+").evil.example", "dns.long 101 ("+head+").other.example")
		for i := range 4 {
			r.nx(101, fmt.Sprintf("n%d.other.example", i))
		}
		r.expect(t, "dns.nxdomain 101 (n1,n2,n3).other.example")
		// The window has moved on: a domain that was reported is not said to have
		// names that do not exist, still.
		r.query(200, head+".evil.example")
		r.expect(t, "dns.long 200 ("+head+").evil.example")
		for i := range 4 {
			r.nx(200, fmt.Sprintf("n%d.evil.example", i))
		}
		if disabled {
			r.expect(t, "dns.nxdomain 200 (n1,n2,n3).evil.example")
		} else {
			r.expect(t)
		}
	}
}

// TestExhaustionSilencesByTwoLabels: as in the reference, the last two labels
// count for answers, and the domain does.
func TestExhaustionSilencesByTwoLabels(t *testing.T) {
	r := newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSExhaustion: 10}})
	r.feed(100, "evil.co.uk", 0, 11)
	r.found = nil
	for range 25 {
		r.nx(101, "n.evil.co.uk")
	}
	r.expect(t)
	for range 21 {
		r.nx(101, "n.good.co.uk")
	}
	r.expect(t, "dns.nxdomain 101 n.good.co.uk")
	r = newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSExhaustion: 10}})
	r.feed(100, "co.uk", 0, 11)
	r.found = nil
	for range 25 {
		r.nx(101, "n.good.co.uk")
	}
	r.expect(t)
}

// TestExhaustionConfigure: what is known stays when the options change.
func TestExhaustionConfigure(t *testing.T) {
	r := exhaustionRig(100, time.Minute)
	r.feed(100, "evil.example", 0, 50)
	r.feed(120, "evil.example", 50, 60)
	opt := r.opt
	opt.Thresholds = map[event.Code]float64{event.DNSExhaustion: 60}
	r.Configure(opt)
	r.feed(120, "evil.example", 60, 61)
	r.expect(t, "dns.exhaustion 120 (a60).evil.example")
	opt.Thresholds = map[event.Code]float64{event.DNSExhaustion: 11}
	opt.Windows = map[event.Code]time.Duration{event.DNSExhaustion: 20 * time.Second}
	r.Configure(opt)
	head := strings.Repeat("x", 30)
	r.query(120, head+".evil.example") // a50 to a60 are in the window
	r.expect(t)
	opt.Thresholds = map[event.Code]float64{event.DNSExhaustion: 14}
	r.Configure(opt)
	r.query(120, head+"y.evil.example")
	r.expect(t, "dns.long 120 ("+head+"y).evil.example")
	opt.Windows = map[event.Code]time.Duration{event.DNSExhaustion: 640 * time.Second} // in slots of 10
	r.Configure(opt)
	r.feed(1000, "slow.example", 0, 7)
	r.feed(1300, "slow.example", 7, 14)
	r.feed(1629, "slow.example", 14, 15)
	r.expect(t, "dns.exhaustion 1629 (a14).slow.example")
	opt.Memory = 2 << 20
	r.Configure(opt)
	r.feed(1629, "slow.example", 20, 34)
	r.expect(t)
	r.feed(1629, "slow.example", 34, 35)
	r.expect(t, "dns.exhaustion 1629 (a34).slow.example")
}

// TestExhaustionFlood: tunnels amid a million domains with a name each are all
// found, with little more than their thousand names each.
func TestExhaustionFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("a flood of a million domains")
	}
	const tunnels = 20
	for _, memory := range []int{DefaultMemory, 8 << 20} {
		board := NewBoard(Options{Heuristics: true, Seed: nameSeed, Memory: memory})
		found := make(map[string]uint64)
		board.SetRaise(func(f *Finding) {
			_, domain, _ := strings.Cut(f.Trail, ").")
			found[domain] = f.Number
		})
		e := nameEvidence()
		e.Kind = Query
		flood, tunnel := []byte("www.aaaaaaaaaa.example"), []byte("aaaaaaaa.tunnela.example")
		for i := range uint32(1<<20 + 1<<18) {
			e.At += 30_000 // 39 seconds in all
			number(flood[4:14], i)
			name := flood
			if i > 1<<18 && i%40 == 39 { // 42 in a second, of each
				k := i / 40
				number(tunnel[:8], k)
				tunnel[15] = 'a' + byte(k%tunnels)
				e.Number = uint64(k-1<<18/40) / tunnels
				name = tunnel
			}
			e.Item = hash(nameSeed, name)
			board.Take(&e, name)
		}
		for k := range tunnels {
			if n := found["tunnel"+string(rune('a'+k))+".example"]; n == 0 || n > 1100 {
				t.Errorf("memory %d: tunnel %d found at name %d", memory, k, n)
			}
		}
		if len(found) != tunnels {
			t.Errorf("memory %d: found %v", memory, found)
		}
		if c := board.Counts(); c.NameEvicted == 0 {
			t.Errorf("%+v", c)
		}
		if got := board.names.size(); got > memory/2 || got < memory/8 {
			t.Errorf("memory %d: %d used by names", memory, got)
		}
		board.names.exhaustion.check(t)
	}
}

// TestExhaustionForgets: names that had to make room are not counted twice when
// they are asked for again.
func TestExhaustionForgets(t *testing.T) {
	r := newNameRig(Options{Thresholds: map[event.Code]float64{event.DNSExhaustion: 60}})
	r.names.exhaustion.entryBytes = 128 * 8
	for second := range int64(50) {
		for i := range 55 {
			for domain := range 4 {
				r.query(100+second, fmt.Sprintf("a%d.d%d.example", i, domain))
			}
		}
	}
	r.expect(t)
	r.names.exhaustion.check(t)
	if r.Counts().NameEvicted == 0 {
		t.Error("nothing was evicted")
	}
}

func TestExhaustionSizes(t *testing.T) {
	if got := reflect.TypeFor[baseHead]().Size() + reflect.TypeFor[baseCounts]().Size() + 8; got != baseWindowBytes {
		t.Errorf("a domain takes %d bytes", got)
	}
}

// size is the memory that all parts have taken, in bytes.
func (n *names) size() int {
	x, d := &n.exhaustion, &n.nxdomain
	tally := func(t *tally) int {
		return 8*len(t.once.slots) + 8*len(t.index.keys) + 4*len(t.rings) + 4*len(t.second)
	}
	return len(x.heads)*baseWindowBytes + 8*len(x.entries.slots) + tally(&d.full) + tally(&d.wild.tally) +
		8*len(d.wild.items) + 4*len(d.wild.names) + textBlockBytes*len(d.wild.texts.blocks) + 8*len(n.repeats.now) + 8*len(n.repeats.before)
}

// check holds that the counts of all windows are what they sum up to, and within
// the window.
func (x *exhaustion) check(t *testing.T) {
	t.Helper()
	for i := range x.heads {
		w, sum := x.at(i), uint32(0)
		for k := range uint32(baseSlots) {
			n := uint32(w.counts[(w.slot-k)%baseSlots])
			if sum += n; n > 0 && (k >= x.span || k > w.slot-w.oldest) {
				t.Errorf("domain %d: %d names %d slots ago, oldest %d", i, n, k, w.slot-w.oldest)
			}
		}
		if sum != w.total || sum > x.limit {
			t.Errorf("domain %d: %d names, %d said, limit %d", i, sum, w.total, x.limit)
		}
	}
}

// exhaustionModel is what exhaustion is to find, without any bounds.
type exhaustionModel struct {
	limit  int
	window int64
	bases  map[string]*modelBase
}

type modelBase struct {
	last     map[string]int64
	reported int64
}

func (m *exhaustionModel) query(now, at int64, name string) bool {
	labels := strings.Split(name, ".")
	if len(labels) < 3 || at <= now-m.window {
		return false
	}
	n := 2
	if len(labels) > 3 && len(labels[len(labels)-2]) <= 3 {
		n = 3
	}
	base := strings.Join(labels[len(labels)-n:], ".")
	front := strings.Join(labels[:len(labels)-2], ".")
	w := m.bases[base]
	if w == nil {
		w = &modelBase{last: make(map[string]int64), reported: -1e9}
		m.bases[base] = w
	}
	in, spared := 0, false
	for f, last := range w.last {
		if last > now-m.window {
			in++
			spared = spared || f == "wpad"
		} else {
			delete(w.last, f)
		}
	}
	last, known := w.last[front]
	repeated := known && last >= at
	var lasts []int64
	for _, last := range w.last {
		lasts = append(lasts, last)
	}
	slices.Sort(lasts)
	// What is late is reported only if it counts in place of what is older.
	moves := at == now || len(lasts) >= m.limit && max(at-1, last) >= lasts[len(lasts)-m.limit]
	if !repeated {
		w.last[front] = at
	}
	if in < m.limit || repeated || !moves || spared || now-w.reported < 3600 {
		return false
	}
	w.reported = now
	return true
}

// compare holds that the window of a name's domain counts what the model does, up
// to the limit.
func (m *exhaustionModel) compare(t *testing.T, x *exhaustion, now int64, name string) {
	t.Helper()
	want := 0
	if x.index.sets == 0 {
		return
	}
	if w := m.bases[string(BaseDomain([]byte(name)))]; w != nil {
		for _, last := range w.last {
			if last > now-m.window {
				want++
			}
		}
	}
	i, got := x.index.find(hash(nameSeed, BaseDomain([]byte(name)))), 0
	if i >= 0 {
		x.at(i).advance(x.slot(now), x.span)
		got = int(x.heads[i].total)
	}
	if got != min(want, m.limit) {
		t.Errorf("%s: %d names at %d, want %d of at most %d", name, got, now, want, m.limit)
	}
}

func FuzzExhaustion(f *testing.F) {
	addNames(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 {
			return
		}
		limit, window := 1+int(data[0]%9), 1+int64(data[1]%64)
		r := exhaustionRig(float64(limit), time.Duration(window)*time.Second)
		m := exhaustionModel{limit: limit, window: window, bases: make(map[string]*modelBase)}
		domains := []string{"evil.example", "evil.co.uk", "good.co.uk", "x.co.uk"}
		clock := nameClock{now: 10_000, leap: 1790}
		now := int64(0)
		var want []string
		for data = data[2:]; len(data) > 1; data = data[2:] {
			at := clock.at(data[0]>>4, data[1] == 255)
			name := fmt.Sprintf("a%d.%s", data[1]>>2%16, domains[data[1]&3])
			if data[0]&15 == 15 && data[1]>>2 == 3 {
				name = "wpad." + domains[data[1]&3]
			}
			now = max(now, at)
			m.compare(t, &r.names.exhaustion, now, name)
			if m.query(now, at, name) {
				labels := strings.Split(name, ".")
				n := len(labels) - 2
				want = append(want, fmt.Sprintf("dns.exhaustion %d (%s).%s", at, strings.Join(labels[:n], "."), strings.Join(labels[n:], ".")))
			}
			clear(r.c.seen) // repeats as from many clients
			r.query(at, name)
			m.compare(t, &r.names.exhaustion, now, name)
			if t.Failed() {
				return
			}
		}
		r.expect(t, want...)
	})
}

// BenchmarkExhaustion is per query, its hash included.
func BenchmarkExhaustion(b *testing.B) {
	b.Run("benign", func(b *testing.B) { // 2,000 names of 200 domains
		benchNames(b, Query, 2000, func(name []byte, i uint32) {
			i = i * 7919 % 2000
			number(name[3:9], i)
			number(name[10:20], i%200)
		})
	})
	b.Run("tunnel", func(b *testing.B) { // one domain, all names new
		benchNames(b, Query, 2000, func(name []byte, i uint32) { number(name[3:9], i) })
	})
	b.Run("domains", func(b *testing.B) { // all new
		benchNames(b, Query, 1_000_000, func(name []byte, i uint32) { number(name[10:20], i) })
	})
}
