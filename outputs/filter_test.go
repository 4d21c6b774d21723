package outputs

import (
	"net/netip"
	"strings"
	"testing"

	"trailhound/agent/event"
)

func TestFilter(t *testing.T) {
	e := event.Event{Type: event.DNS, Code: "dns.dga.entropy", Severity: event.Medium,
		Src: netip.MustParseAddr("10.1.2.3"), Dst: netip.MustParseAddr("2001:db8::1"),
		Aggregate: event.Aggregate{Dsts: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7")}}}
	nets := func(list ...string) (all []netip.Prefix) {
		for _, p := range list {
			all = append(all, netip.MustParsePrefix(p))
		}
		return all
	}
	for _, c := range []struct {
		name string
		f    Filter
		want bool
	}{
		{"nothing asked", Filter{}, true},
		{"severity reached", Filter{Severity: event.Medium}, true},
		{"severity not reached", Filter{Severity: event.High}, false},
		{"one of the types", Filter{Types: []event.Type{event.URL, event.DNS}}, true},
		{"none of the types", Filter{Types: []event.Type{event.URL}}, false},
		{"the code", Filter{Codes: []string{"dns.dga.entropy"}}, true},
		{"a pattern", Filter{Codes: []string{"trail.*", "dns.*"}}, true},
		{"a code is not a prefix", Filter{Codes: []string{"dns"}}, false},
		{"the source", Filter{Networks: nets("10.0.0.0/8")}, true},
		{"the destination", Filter{Networks: nets("192.0.0.0/24", "2001:db8::/32")}, true},
		{"a destination of a summary", Filter{Networks: nets("192.0.2.0/24")}, true},
		{"neither", Filter{Networks: nets("172.16.0.0/12")}, false},
		{"all parts", Filter{Severity: event.Low, Types: []event.Type{event.DNS}, Codes: []string{"dns.*"}, Networks: nets("10.0.0.0/8")}, true},
		{"all parts but one", Filter{Severity: event.Low, Types: []event.Type{event.DNS}, Codes: []string{"trail.*"}, Networks: nets("10.0.0.0/8")}, false},
	} {
		if got := c.f.Pass(&e); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	for _, c := range []struct {
		code, check, patterns string // what is said against it
	}{
		{"trail.*", "", ""},
		{"dns.dga.*", "", ""},
		{"*", "", ""},
		{"scan.port", "", ""},
		{"trail.dns", "", ""},
		{"trail.[", "is not a pattern", "is not a pattern"},
		{"nosuch.*", "fits no code", ""},
		{"dns", "fits no code", ""},
		{"health.*", "see the key health", ""},
	} {
		f := Filter{Codes: []string{"trail.*", c.code}}
		for name, p := range map[string]struct {
			err  error
			want string
		}{"Check": {f.Check(), c.check}, "CheckPatterns": {f.CheckPatterns(), c.patterns}} {
			if (p.err == nil) != (p.want == "") || p.err != nil && !strings.Contains(p.err.Error(), p.want) {
				t.Errorf("%s of %q: %v, want %q", name, c.code, p.err, p.want)
			}
		}
	}
}
