package trails

import (
	"net/netip"
	"testing"
)

// The examples of the reference's form, and the corners around its runs.
func TestAddrText(t *testing.T) {
	for in, want := range map[string]string{
		"::1": "::1", "1::": "1::0", "::": "::0", "fe80::": "fe80::0", "1:0:0:2::3": "1:0:0:2::3", "1:0:0:2:0:0:3:4": "1::2:0:0:3:4",
		"2001:db8:0:1:2:3:4:5": "2001:db8::1:2:3:4:5", "2001:db8:1:2:3:4:5:6": "2001:0db8:0001:0002:0003:0004:0005:0006",
		"1:2:3:4:5:6:7:0": "0001:0002:0003:0004:0005:0006:0007:0000", "1:2:3:4:5:6:0:0": "1:2:3:4:5:6::0", "66.66.66.66": "66.66.66.66",
		"::ffff:1.2.3.4": "::ffff:102:304",
	} {
		a := netip.MustParseAddr(in)
		if got := AddrText(a); got != want {
			t.Errorf("%s reads %q, want %q", in, got, want)
		}
		if back := netip.MustParseAddr(want); back != a {
			t.Errorf("%q is read back as %v, not %v", want, back, a)
		}
	}
	if AddrText(netip.Addr{}) != "" {
		t.Error("the zero address has a text")
	}
	if got := string(AppendAddrPort(nil, netip.MustParseAddr("2001:db8::1"), 443)); got != "[2001:db8::1]:443" {
		t.Error(got)
	}
}
