package agent

import (
	"testing"
	"testing/synctest"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
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

// publishedSoon lets an idle round of the worker go by, after which its counts
// are published.
func publishedSoon(r *running) {
	for _, s := range r.sources {
		s.batches <- []capture.Frame{}
	}
	synctest.Wait()
}
