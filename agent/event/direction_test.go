package event

import (
	"net/netip"
	"testing"
)

func TestDirection(t *testing.T) {
	var prefixes []netip.Prefix
	for _, p := range []string{"10.0.0.0/8", "192.168.7.9/16", "fc00::/7", "fe80::/10", "::ffff:172.16.0.0/108"} {
		prefixes = append(prefixes, netip.MustParsePrefix(p))
	}
	h := NewHomeNetworks(append(prefixes, netip.Prefix{}))
	for _, c := range []struct {
		src, dst string
		want     Direction
	}{
		{"10.1.2.3", "198.51.100.1", Outbound},
		{"198.51.100.1", "10.1.2.3", Inbound},
		{"10.1.2.3", "192.168.200.1", Internal},
		{"198.51.100.1", "203.0.113.1", External},
		{"172.31.255.255", "203.0.113.1", Outbound},
		{"172.32.0.0", "203.0.113.1", External},
		{"::ffff:10.1.2.3", "203.0.113.1", Outbound},
		{"fd00::1", "2001:db8::1", Outbound},
		{"fe80::1", "ff02::fb", Internal},
		{"10.1.2.3", "224.0.0.251", Internal},
		{"0.0.0.0", "255.255.255.255", Internal},
		{"10.1.2.3", "239.1.1.1", Outbound}, // routable multicast
	} {
		if got := h.Direction(netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)); got != c.want {
			t.Errorf("%s -> %s is %s, want %s", c.src, c.dst, got, c.want)
		}
	}
	a := netip.MustParseAddr("10.1.2.3")
	for name, got := range map[string]Direction{
		"no destination": h.Direction(a, netip.Addr{}),
		"no source":      h.Direction(netip.Addr{}, a),
		"no networks":    NewHomeNetworks(nil).Direction(a, a),
		"nil":            (*HomeNetworks)(nil).Direction(a, a),
	} {
		if got != Undecided {
			t.Errorf("%s: %s", name, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { h.Direction(a, a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDirection(b *testing.B) {
	h := NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fc00::/7")})
	src, dst := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("198.51.100.1")
	b.ReportAllocs()
	for b.Loop() {
		h.Direction(src, dst)
	}
}
