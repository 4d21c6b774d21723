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
		{"127.0.0.1", "127.0.0.53", Internal},
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

func TestGroup(t *testing.T) {
	groups := map[string][]netip.Prefix{
		"office": {netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")},
		"guests": {netip.MustParsePrefix("10.9.0.0/16")},
		"zebra":  {netip.MustParsePrefix("10.9.0.0/16")},
		"mapped": {netip.MustParsePrefix("::ffff:172.16.0.0/108")},
	}
	own := []netip.Addr{netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("2001:db8:f::1"),
		netip.MustParseAddr("2a00::1"), netip.MustParseAddr("::ffff:203.0.113.1"), {}}
	h := NewHome(groups, own)
	for addr, want := range map[string]string{
		"10.1.2.3":            "office",
		"10.9.2.3":            "guests",
		"::ffff:10.9.2.3":     "guests",
		"172.20.0.1":          "mapped",
		"2001:db8::1":         "office",
		"198.51.100.7":        GroupSensor,
		"198.51.100.8":        "",
		"10.1.0.1":            "office",
		"2001:db8:f::1":       "office",
		"2a00::1":             GroupSensor,
		"203.0.113.1":         GroupSensor,
		"224.0.0.251":         "",
		"255.255.255.255":     "",
		"::ffff:198.51.100.7": GroupSensor,
	} {
		a := netip.MustParseAddr(addr)
		if got := h.Group(a); got != want {
			t.Errorf("%s is of group %q, want %q", addr, got, want)
		}
		if want != "" && !h.Contains(a) {
			t.Errorf("%s is not at home", addr)
		}
	}
	if d := h.Direction(own[0], netip.MustParseAddr("192.0.2.1")); d != Outbound {
		t.Errorf("from the sensor's own address: %s", d)
	}
	a := netip.MustParseAddr("10.1.2.3")
	for name, h := range map[string]*HomeNetworks{"nil": nil, "own addresses alone": NewHome(nil, own), "without names": NewHomeNetworks(groups["office"])} {
		if g := h.Group(a); g != "" {
			t.Errorf("%s: group %q", name, g)
		}
	}
	if NewHome(nil, own).Known() {
		t.Error("a home of the sensor's own addresses alone")
	}
	if g := h.Group(netip.Addr{}); g != "" {
		t.Errorf("no address is of group %q", g)
	}
	if n := testing.AllocsPerRun(100, func() { h.Group(a) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSides(t *testing.T) {
	h := NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")})
	for _, c := range []struct {
		src, dst    string
		home, tells bool
	}{
		{"10.1.2.3", "198.51.100.1", true, true},
		{"198.51.100.1", "10.1.2.3", true, true},
		{"198.51.100.1", "203.0.113.1", false, true},
		{"2001:db8::1", "2001:db8::2", false, true},
		{"198.51.100.1", "239.1.1.1", false, false},
		{"10.1.2.3", "224.0.0.251", false, false},
		{"0.0.0.0", "255.255.255.255", false, false},
		{"fe80::1", "fe80::2", false, false},
		{"169.254.1.1", "198.51.100.1", false, false},
		{"127.0.0.1", "127.0.0.53", false, false},
	} {
		home, tells := h.Sides(netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst))
		if home != c.home || tells != c.tells {
			t.Errorf("%s -> %s: home %v, tells %v", c.src, c.dst, home, tells)
		}
	}
	a := netip.MustParseAddr("10.1.2.3")
	if _, tells := (*HomeNetworks)(nil).Sides(a, a); tells {
		t.Error("no networks tell of a home")
	}
}

func BenchmarkSides(b *testing.B) {
	h := NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fc00::/7")})
	src, dst := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("198.51.100.1")
	b.ReportAllocs()
	for b.Loop() {
		h.Sides(src, dst)
	}
}
