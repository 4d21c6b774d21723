package agent

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// TestSeenOfAnotherInterface: what was seen of an interface that is gone is not
// that of the one that has its slot, not even before the worker notices, and is
// not lost to the sums.
func TestSeenOfAnotherInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1, LiveOptions{Rules: memoryRules(t, "x")})
		feed := func(slot, n int) {
			t.Helper()
			list := frames(syns(n)...)
			for i := range list {
				list[i].Interface = slot
			}
			r.sources[0].batches <- list
			r.sources[0].Interrupt()
			synctest.Wait()
			publishedSoon(r)
		}
		check := func(what, name string, first, second, former uint64) {
			t.Helper()
			w := r.Traffic()[0]
			if len(w.Seen) != 2 {
				t.Fatalf("%s: %+v", what, w.Seen)
			}
			s, o, f := &w.Seen[0], &w.Seen[1], &w.Former
			if s.Port.Name != name || s.Packets != first || s.Syn != first || o.Port.Name != "eth1" || o.Packets != second || f.Packets != former {
				t.Errorf("%s: %s %d, eth1 %d, former %d, want %s %d, %d, %d", what, s.Port.Name, s.Packets, o.Packets, f.Packets, name, first, second, former)
			}
			for _, n := range []*Seen{s, o, f} {
				if n.Syn != n.Packets || n.Decode[packet.OK] != n.Packets || n.Kinds[detect.KindTCP] != n.Packets || n.Last.IsZero() != (n.Packets == 0) || (n.Bytes > 0) != (n.Packets > 0) {
					t.Errorf("%s: %+v", what, n)
				}
			}
		}
		feed(1, 3)
		feed(0, 7)
		check("at first", "eth0", 7, 3, 0)
		r.sources[0].reused.Store(1)
		check("given away", "veth1", 0, 3, 7)
		feed(0, 5)
		check("used anew", "veth1", 5, 3, 7)
		feed(1, 1)
		r.sources[0].reused.Store(2)
		feed(1, 1)
		check("given away again", "veth2", 0, 5, 12)
		r.sources[0].reused.Store(4) // twice between two looks
		check("and again", "veth4", 0, 5, 12)
		r.end(t)
	})
}

// TestSeenSides: a bounded number of packets in each tenth of a second has its
// sides looked up, those that say nothing not among them.
func TestSeenSides(t *testing.T) {
	for name, home := range map[string]*event.HomeNetworks{
		"at home":     event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}),
		"foreign":     event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}),
		"no networks": nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			table, err := builder(t, "x").Memory()
			if err != nil {
				t.Fatal(err)
			}
			r := start(t, 1, LiveOptions{Rules: detect.NewRules(table, nil, detect.Options{Home: home})})
			feed := func(n int) {
				r.sources[0].batches <- frames(syns(n)...)
				time.Sleep(2 * looksEvery)
				publishedSoon(r)
			}
			feed(1) // the first of an interface opens its counts, and is not looked at
			feed(10)
			feed(1000)
			s := r.Traffic()[0].Seen[0]
			want := map[string][2]uint64{"at home": {10 + looksMost, 0}, "foreign": {0, 10 + looksMost}}[name]
			if s.Packets != 1011 || [2]uint64{s.Home, s.Foreign} != want {
				t.Errorf("%s: of %d packets %d are at home and %d are not, want %d", name, s.Packets, s.Home, s.Foreign, want)
			}
			r.end(t)
		})
	}
}

// publishedSoon lets an idle round of the worker go by, after which its counts
// are published.
func publishedSoon(r *running) {
	for _, s := range r.sources {
		s.batches <- []capture.Frame{}
	}
	synctest.Wait()
}
