package live

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/bpf"

	"trailhound/agent/packet"
)

// broken is a filter that cannot be had, or that the kernel refuses.
type broken struct{ list []bpf.RawInstruction }

var errBroken = errors.New("no such filter")

func (b broken) Program(packet.LinkType, uint32) ([]bpf.RawInstruction, error) {
	if b.list == nil {
		return nil, errBroken
	}
	return b.list, nil
}

func TestReconfigureRefuses(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	base := Options{Interfaces: []Interface{{Name: "lv0", Group: "g"}}, Workers: 2, RingTotal: 16 << 20, Spare: 4, Log: quiet()}
	c := openOne(t, base)
	read(t, c, nil)
	before := c.Snapshot()
	for what, change := range map[string]func(*Options){
		"workers":             func(o *Options) { o.Workers = 3 },
		"ring memory":         func(o *Options) { o.RingTotal *= 2 },
		"spare sockets":       func(o *Options) { o.Spare++ },
		"group of":            func(o *Options) { o.Interfaces = []Interface{{Name: "lv0", Group: "other"}} },
		"snaplen":             func(o *Options) { o.Snaplen = 200 << 10 },
		"does not exist":      func(o *Options) { o.Interfaces = append(o.Interfaces[:1:1], Interface{Name: "lv9"}) },
		"no interface":        func(o *Options) { o.Interfaces = nil },
		"no such filter":      func(o *Options) { o.Filter = broken{} },
		"capture filter (1 i": func(o *Options) { o.Filter = broken{[]bpf.RawInstruction{{Op: 0x05, K: 9}}} },
	} {
		opt := base
		change(&opt)
		if err := c.Reconfigure(opt); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	after := c.Snapshot()
	if len(after.Rings) != len(before.Rings) || after.Spare != before.Spare || len(after.Missing) != 0 {
		t.Errorf("%+v", after)
	}
}

// Alias, outgoing, filter and snaplen change in place; interfaces come and go.
func TestReconfigure(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	s.veth("lv2", "lv3")
	base := Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, RingTotal: 16 << 20, Spare: 4, Log: quiet()}
	c := openOne(t, base)
	r := read(t, c, nil)
	indexes := func() (all []int) {
		for _, ring := range c.Snapshot().Rings {
			if !ring.Draining {
				all = append(all, ring.Index)
			}
		}
		return all
	}
	take := func(opt Options) {
		t.Helper()
		if err := c.Reconfigure(opt); err != nil {
			t.Fatal(err)
		}
	}
	same := indexes()
	no := false
	next := base
	next.Interfaces = []Interface{{Name: "lv0", Alias: "new", Outgoing: &no}}
	next.Filter, next.Snaplen = version4{}, 60
	take(next)
	if !slices.Equal(indexes(), same) {
		t.Error("the rings were opened again")
	}
	s.sender("lv0").send(udp(1, 2, 1, 200))
	s.sender("lv1").send(ethernet(1, 2, ipv6(1, 2, 2)), udp(1, 2, 3, 200))
	f := r.want(t, 1)[0]
	if n, _ := number(f.Data); n != 3 || len(f.Data) != 60 || f.Length != 214 || f.port.Alias != "new" {
		t.Errorf("frame %d, %d bytes, %+v", n, len(f.Data), f.port)
	}
	// From a name to a pattern: the ring goes on. Another comes.
	next = base
	next.Interfaces = []Interface{{Name: "lv?", Alias: "all"}}
	take(next)
	if now := indexes(); len(now) != 8 || !slices.Equal(now[:2], same) {
		t.Errorf("%v, before %v", now, same)
	}
	take(base)
	until(t, "the others are closed", func() bool { return len(c.Snapshot().Rings) == 2 && slices.Equal(indexes(), same) })
	s.sender("lv1").send(udp(1, 2, 9, 60))
	if f := r.want(t, 1)[0]; f.port.Alias != "" || f.port.Name != "lv0" {
		t.Errorf("%+v", f.port)
	}
}

// From named interfaces to "any" and back, and round in circles, under load:
// the ring that stays gets every frame once.
func TestReconfigureUnderLoad(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	s.veth("lv2", "lv3")
	base := Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, RingTotal: 32 << 20, Spare: 2, Log: quiet()}
	c := openOne(t, base)
	seen := new(atomic.Uint64)
	r := read(t, c, func(g got) bool {
		if g.port.Name == "lv0" {
			seen.Add(1)
		} else if g.port.Name != "lv3" {
			t.Errorf("%+v", g.port)
		}
		return false
	})
	f, other := s.flood("lv0", 60, 0), s.flood("lv2", 60, 0)
	yes := true
	for i := range 20 {
		next := base
		next.Interfaces = []Interface{{Name: "lv0", Alias: "a", Outgoing: &yes}}
		if i%2 == 0 {
			next.Interfaces = append(next.Interfaces, Interface{Name: "lv3", Group: "extra"})
		}
		if i%3 == 0 {
			next.Filter = version4{}
		}
		next.Snaplen = 1000 + i
		if err := c.Reconfigure(next); err != nil {
			t.Fatal(err)
		}
		f.more(t, 500)
	}
	f.end()
	other.end()
	r.rest(c)
	snap := c.Snapshot()
	var lv0 Traffic
	for _, i := range snap.Interfaces {
		if i.Name == "lv0" {
			lv0.add(i.Traffic)
		}
	}
	if seen.Load() != f.sent.Load() || lv0.Packets != seen.Load() || snap.Lost != 0 || snap.Damaged != 0 {
		t.Errorf("sent %d, seen %d, counted %d, kernel %+v", f.sent.Load(), seen.Load(), lv0.Packets, snap.Closed)
	}
	t.Logf("sent %d, kernel %+v", f.sent.Load(), snap.Closed)
}

func TestReconfigureToAny(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	base := Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 2, RingTotal: 16 << 20, Spare: 4, Log: quiet()}
	c := openOne(t, base)
	r := read(t, c, ours)
	next := base
	for i := range 4 {
		next.Interfaces = []Interface{{Name: []string{Any, "lv0"}[i%2]}}
		if err := c.Reconfigure(next); err != nil {
			t.Fatal(err)
		}
		until(t, "the old rings are closed", func() bool { return len(c.Snapshot().Rings) == 2 })
		s.sender("lv1").send(udp(1, 2, uint32(i), 60))
		for _, f := range r.want(t, 2-i%2) {
			if n, _ := number(f.Data); n != uint32(i) {
				t.Errorf("round %d: frame %d", i, n)
			}
		}
	}
	if more := r.rest(c); len(more) > 0 {
		t.Errorf("%d frames too many", len(more))
	}
	names := make(map[string]int)
	for _, i := range c.Snapshot().Interfaces {
		names[i.Name]++
	}
	if names["lv0"] > 2 || names["lv1"] > 2 {
		t.Errorf("%v: an interface has two rows", names)
	}
}
