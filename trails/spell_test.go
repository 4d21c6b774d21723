package trails

import "testing"

// TestSpelling: both forms of an IPv6 address name one trail, whatever stands
// beside it.
func TestSpelling(t *testing.T) {
	const padded, short = "2606:2800:0220:0001:0248:1893:25c8:1946", "2606:2800:220:1:248:1893:25c8:1946"
	for _, c := range []struct{ reference, canonical string }{
		{padded, short},
		{"[" + padded + "]:443", "[" + short + "]:443"},
		{padded + " (a.test)", short + " (a.test)"},
		{"[" + padded + "]:443 (a.test)", "[" + short + "]:443 (a.test)"},
		{"2001:db8::0/32 (" + padded + ")", "2001:db8::/32 (" + short + ")"},
		{"::0", "::"},
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1:80 (a.test)", "192.0.2.1:80 (a.test)"},
		{"192.0.2.0/24 (192.0.2.7)", "192.0.2.0/24 (192.0.2.7)"},
		{"(www).a.test", "(www).a.test"},
		{"fe80::1%eth0", "fe80::1%eth0"},
		{"", ""}, {"[", "["}, {"]", "]"}, {"(", "("}, {" ()", " ()"}, {"a:b:c", "a:b:c"},
	} {
		if got := Canonical(c.reference); got != c.canonical {
			t.Errorf("Canonical(%q) is %q, want %q", c.reference, got, c.canonical)
		}
		if got := Spelled(c.canonical); got != c.reference {
			t.Errorf("Spelled(%q) is %q, want %q", c.canonical, got, c.reference)
		}
	}
}
