package self

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func ap(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// own asks for a packet from a to b.
func own(r *Registry, proto uint8, a, b string) bool {
	x, y := ap(a), ap(b)
	return r.Own(proto, x.Addr(), x.Port(), y.Addr(), y.Port())
}

func TestOwnIsExact(t *testing.T) {
	r := New()
	remove := r.Add(ap("10.0.0.1:40000"), ap("192.0.2.1:514"), UDP)
	defer remove()
	for _, c := range []struct {
		proto uint8
		a, b  string
		want  bool
	}{
		{UDP, "10.0.0.1:40000", "192.0.2.1:514", true},
		{UDP, "192.0.2.1:514", "10.0.0.1:40000", true},
		{UDP, "[::ffff:10.0.0.1]:40000", "192.0.2.1:514", true},
		{TCP, "10.0.0.1:40000", "192.0.2.1:514", false},
		{UDP, "10.0.0.1:40001", "192.0.2.1:514", false},
		{UDP, "10.0.0.2:40000", "192.0.2.1:514", false},
		{UDP, "10.0.0.1:40000", "192.0.2.2:514", false},
		{UDP, "10.0.0.1:40000", "192.0.2.1:515", false},
		{UDP, "10.0.0.1:514", "192.0.2.1:40000", false},
		{UDP, "[::a00:1]:40000", "192.0.2.1:514", false},
	} {
		if got := own(r, c.proto, c.a, c.b); got != c.want {
			t.Errorf("%d %s %s: %v", c.proto, c.a, c.b, got)
		}
	}
	if r.Own(UDP, netip.Addr{}, 0, netip.Addr{}, 0) {
		t.Error("a packet without addresses")
	}
}

func TestAddForms(t *testing.T) {
	for _, c := range []struct {
		name          string
		local, remote string
		a, b          string
		want          bool
	}{
		{"mapped", "[::ffff:10.0.0.1]:1", "[::ffff:192.0.2.1]:2", "10.0.0.1:1", "192.0.2.1:2", true},
		{"zone", "[fe80::1%eth0]:1", "[fe80::2%eth0]:2", "[fe80::1]:1", "[fe80::2]:2", true},
		{"any IPv4", "0.0.0.0:1", "192.0.2.1:2", "10.0.0.9:1", "192.0.2.1:2", true},
		{"any IPv6 to IPv4", "[::]:1", "192.0.2.1:2", "10.0.0.9:1", "192.0.2.1:2", true},
		{"any, reversed", "0.0.0.0:1", "192.0.2.1:2", "192.0.2.1:2", "10.0.0.9:1", true},
		{"any is not any port", "0.0.0.0:1", "192.0.2.1:2", "10.0.0.9:3", "192.0.2.1:2", false},
		{"no remote address", "10.0.0.1:1", "0.0.0.0:2", "10.0.0.1:1", "192.0.2.1:2", false},
		{"no remote port", "10.0.0.1:1", "192.0.2.1:0", "10.0.0.1:1", "192.0.2.1:0", false},
		{"no local port", "10.0.0.1:0", "192.0.2.1:2", "10.0.0.1:0", "192.0.2.1:2", false},
	} {
		r := New()
		remove := r.Add(ap(c.local), ap(c.remote), TCP)
		if got := own(r, TCP, c.a, c.b); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		remove()
		remove()
	}
}

func TestOwnDoesNotAllocate(t *testing.T) {
	r := New()
	r.Add(ap("10.0.0.1:40000"), ap("192.0.2.1:514"), UDP)()
	a, b, c := ap("10.0.0.1:40000"), ap("192.0.2.1:514"), ap("[2001:db8::1]:53")
	if n := testing.AllocsPerRun(100, func() {
		if !r.Own(UDP, a.Addr(), a.Port(), b.Addr(), b.Port()) || r.Own(UDP, a.Addr(), a.Port(), c.Addr(), c.Port()) {
			t.Error("wrong answer")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestLinger: a closed flow is known for as long as its packets may lie in a
// ring, and not longer, whether anything else happens or not.
func TestLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New()
		remove := r.Add(ap("10.0.0.1:1"), ap("192.0.2.1:2"), TCP)
		time.Sleep(time.Hour)
		known := func() bool { return own(r, TCP, "192.0.2.1:2", "10.0.0.1:1") }
		if !known() {
			t.Error("not known while it is open")
		}
		remove()
		time.Sleep(Linger - 1)
		remove() // does not start the time anew
		if open, closed := r.Len(); !known() || open != 0 || closed != 1 {
			t.Errorf("%v: %d open, %d closed", known(), open, closed)
		}
		time.Sleep(time.Nanosecond)
		if known() {
			t.Error("known for too long")
		}
		if open, closed := r.Len(); open != 0 || closed != 0 {
			t.Errorf("%d open, %d closed", open, closed)
		}
		// The same ports again, while the old entry is still there.
		again := r.Add(ap("10.0.0.1:1"), ap("192.0.2.1:2"), TCP)
		again()
		last := r.Add(ap("10.0.0.1:1"), ap("192.0.2.1:2"), TCP)
		time.Sleep(2 * Linger)
		if !known() {
			t.Error("the old flow took the new one with it")
		}
		last()
	})
}

// TestBound: the registry forgets the oldest closed flows, then the oldest open
// ones.
func TestBound(t *testing.T) {
	r := New()
	local := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i >> 15)}), uint16(i&0x7fff)+1)
	}
	remote := ap("192.0.2.1:514")
	known := func(i int) bool {
		return r.Own(TCP, local(i).Addr(), local(i).Port(), remote.Addr(), remote.Port())
	}
	r.Add(local(0), remote, TCP) // stays open
	for i := 1; i <= 100_000; i++ {
		r.Add(local(i), remote, TCP)()
		if !known(i) {
			t.Fatalf("flow %d is not known", i)
		}
	}
	if open, closed := r.Len(); open != 1 || closed != MaxFlows-1 {
		t.Errorf("%d open, %d closed", open, closed)
	}
	if !known(0) || known(100_000-MaxFlows+1) || !known(100_000-MaxFlows+2) || !known(100_000) {
		t.Error("the wrong ones were forgotten")
	}
	var first func()
	for i := range MaxFlows {
		remove := r.Add(local(1<<20+i), remote, TCP)
		if i == 0 {
			first = remove
		}
	}
	if open, closed := r.Len(); open != MaxFlows || closed != 0 || known(0) || !known(1<<20) {
		t.Errorf("%d open, %d closed", open, closed)
	}
	r.Add(local(5), remote, TCP)
	if known(1<<20) || !known(1<<20+1) || !known(5) {
		t.Error("the oldest open flow goes")
	}
	first() // forgotten already
	if open, closed := r.Len(); open != MaxFlows || closed != 0 {
		t.Errorf("%d open, %d closed", open, closed)
	}
	// Nothing is left in the chains that the lists do not know.
	n := 0
	for i := range r.table {
		for f := r.table[i].Load(); f != nil; f = f.next.Load() {
			n++
		}
	}
	if n != MaxFlows {
		t.Errorf("%d flows in the table", n)
	}
}

// TestConcurrent: readers see every flow from before Add returns until it is
// removed, while others come and go in the same chains.
func TestConcurrent(t *testing.T) {
	r := New()
	fixed := ap("10.1.0.1:7")
	remote := ap("192.0.2.1:514")
	r.Add(fixed, remote, UDP)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if !r.Own(UDP, remote.Addr(), remote.Port(), fixed.Addr(), fixed.Port()) {
					t.Error("lost an open flow")
					return
				}
			}
		})
	}
	for w := range 4 {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 1))
			for i := range 20_000 {
				a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(w + 2), byte(i >> 8), byte(i)}), uint16(rnd.Uint32())|1)
				f := r.enter(a, remote, UDP)
				if !r.Own(UDP, a.Addr(), a.Port(), remote.Addr(), remote.Port()) {
					t.Error("not known after Add")
				}
				if i%2 == 0 {
					r.close(f)
				} else {
					r.drop(f)
					r.drop(f)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if open, closed := r.Len(); open != 1 || closed != 4*10_000 {
		t.Errorf("%d open, %d closed", open, closed)
	}
}

func BenchmarkOwn(b *testing.B) {
	r := New()
	for i := range 10 {
		r.Add(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(i)+1), ap("192.0.2.1:514"), UDP)
	}
	x, y := ap("10.0.0.1:5"), ap("192.0.2.7:443")
	b.ReportAllocs()
	for b.Loop() {
		if r.Own(TCP, x.Addr(), x.Port(), y.Addr(), y.Port()) {
			b.Fatal("own")
		}
	}
}
