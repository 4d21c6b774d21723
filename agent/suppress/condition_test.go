package suppress

import (
	"net/netip"
	"strings"
	"testing"

	"trailhound/agent/event"
)

// sighting is an event with everything set that a rule can look at.
func sighting() event.Event {
	e := detection(1, 0, "10.1.2.3")
	e.Type, e.Code, e.Severity, e.Direction = event.DNS, event.TrailDNS, event.High, event.Outbound
	e.Dst, e.SrcPort, e.DstPort, e.Protocol = netip.MustParseAddr("192.0.2.53"), 51514, 53, "UDP"
	e.Trail, e.Indicator, e.Observable = "(cdn).Bad-Domain.test", "bad-domain.test", "cdn.bad-domain.test"
	e.Info, e.Reference = "lumma (malware)", "(static)"
	e.Interface, e.Alias, e.VLANs = "eth1", "DMZ", []uint16{10, 20}
	return e
}

func testScope() Scope {
	return Scope{Sensor: &event.Identity{Name: "Edge-1", ID: "5c1f", Labels: map[string]string{"site": "Berlin", "tier": "1"}},
		Networks: map[string][]netip.Prefix{"office": {netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("2001:db8::/32")}}}
}

// ruleWith gives a complete rule with one field set.
func ruleWith(f field, values ...string) Rule {
	r := Rule{ID: "r", Reason: "test", Action: Drop}
	*r.values(f) = values
	if f == fieldLabel {
		r.Code = []string{"*"}
	}
	return r
}

func TestFields(t *testing.T) {
	many := func(last string) (all []string) { // beyond few
		for i := range 2 * few {
			all = append(all, "172.16.0."+string(rune('0'+i%10)))
		}
		return append(all, last)
	}
	texts := func(last string) []string { return append(strings.Split("a b c d e f g h i j k", " "), last) }
	for _, c := range []struct {
		f      field
		values []string
		want   bool
	}{
		{fieldSource, []string{"10.1.2.3"}, true},
		{fieldSource, []string{"10.1.2.4"}, false},
		{fieldSource, []string{"10.1.2.4", "10.0.0.0/8"}, true},
		{fieldSource, []string{"192.0.2.53"}, false},
		{fieldSource, []string{"office"}, true},
		{fieldSource, []string{"::ffff:10.1.2.3"}, true},
		{fieldSource, []string{"::ffff:10.1.0.0/112"}, true},
		{fieldSource, []string{"0.0.0.0/0"}, true},
		{fieldSource, []string{"::/0"}, false},
		{fieldSource, many("10.1.0.0/16"), true},
		{fieldSource, many("10.2.0.0/16"), false},
		{fieldDestination, []string{"192.0.2.0/24"}, true},
		{fieldDestination, []string{"10.0.0.0/8"}, false},
		{fieldNetwork, []string{"10.1.2.3"}, true},
		{fieldNetwork, []string{"192.0.2.53"}, true},
		{fieldNetwork, []string{"198.51.100.0/24"}, false},
		{fieldNetwork, []string{"10.0.0.0/8", "!192.0.2.0/24"}, false},
		{fieldPort, []string{"53"}, true},
		{fieldPort, []string{"51514"}, true},
		{fieldPort, []string{"50-60"}, true},
		{fieldPort, []string{"54-60", "1000-2000"}, false},
		{fieldSourcePort, []string{"53"}, false},
		{fieldSourcePort, []string{"49152-65535"}, true},
		{fieldDestinationPort, []string{"53"}, true},
		{fieldDestinationPort, []string{"51514"}, false},
		{fieldTrail, []string{"(cdn).bad-domain.test"}, true},
		{fieldTrail, []string{"BAD-DOMAIN.test"}, true},
		{fieldTrail, []string{"2001:db8::bad"}, false},
		{fieldTrail, []string{"cdn.bad-domain.test"}, false}, // neither as displayed nor the indicator
		{fieldTrail, []string{"*.bad-domain.test"}, true},
		{fieldTrail, []string{"*.test"}, true},
		{fieldTrail, []string{"*.domain.test"}, false},
		{fieldTrail, []string{"*.cdn.bad-domain.test"}, false},
		{fieldTrail, []string{"(cdn)*"}, true},
		{fieldTrail, []string{"bad-*.test"}, true},
		{fieldTrail, []string{"domain*"}, false},
		{fieldTrail, texts("bad-domain.test"), true},
		{fieldTrail, texts("*.bad-domain.test"), true},
		{fieldTrail, texts("other.test"), false},
		{fieldInfo, []string{"lumma (malware)"}, true},
		{fieldInfo, []string{"*(malware)"}, true},
		{fieldInfo, []string{"lumma"}, false},
		{fieldReference, []string{"(static)"}, true},
		{fieldReference, []string{"(custom)", "feed.test"}, false},
		{fieldType, []string{"dns"}, true},
		{fieldType, []string{"IP", "URL"}, false},
		{fieldCode, []string{"trail.dns"}, true},
		{fieldCode, []string{"trail.*"}, true},
		{fieldCode, []string{"scan.*", "http.ua"}, false},
		{fieldInterface, []string{"eth1"}, true},
		{fieldInterface, []string{"dmz"}, true},
		{fieldInterface, []string{"eth?"}, true},
		{fieldInterface, []string{"eth2"}, false},
		{fieldVLAN, []string{"20"}, true},
		{fieldVLAN, []string{"11-19"}, false},
		{fieldLabel, []string{"site=berlin"}, true},
		{fieldLabel, []string{"site=b*", "tier=2"}, true},
		{fieldLabel, []string{"site=paris"}, false},
		{fieldLabel, []string{"tenant=*"}, false},
	} {
		e := sighting()
		holds := func(values []string) bool {
			s, problems := Compile([]Rule{ruleWith(c.f, values...)}, testScope(), nil)
			if len(problems) > 0 {
				t.Fatalf("%v %q: %v", c.f, values, problems)
			}
			_, ok := s.Match(&e)
			return ok
		}
		if got := holds(c.values); got != c.want {
			t.Errorf("%v %q: %v", c.f, c.values, got)
		}
		if len(c.values) > 0 && strings.HasPrefix(c.values[len(c.values)-1], "!") {
			continue
		}
		var not []string
		for _, v := range c.values {
			not = append(not, "!"+v)
		}
		if got := holds(not); got == c.want {
			t.Errorf("%v %q: %v", c.f, not, got)
		}
	}
}

// What an event lacks is no value: it fits nothing, and so no "!" either.
func TestAbsentValues(t *testing.T) {
	none := event.Event{Time: start, Code: event.ScanPort}
	for f := range fieldLabel {
		any := map[field]string{fieldPort: "1-65535", fieldSourcePort: "1-65535", fieldDestinationPort: "1-65535", fieldVLAN: "0-4095",
			fieldSource: "0.0.0.0/0", fieldDestination: "::/0", fieldNetwork: "::/0"}[f]
		if any == "" {
			any = "*s*"
		}
		if f == fieldCode {
			continue
		}
		s, problems := Compile([]Rule{ruleWith(f, any)}, Scope{}, nil)
		if _, ok := s.Match(&none); ok || len(problems) > 0 {
			t.Errorf("%v %q holds for nothing, %v", f, any, problems)
		}
		s, _ = Compile([]Rule{ruleWith(f, "!"+any)}, Scope{}, nil)
		if _, ok := s.Match(&none); !ok {
			t.Errorf("%v %q does not hold for nothing", f, "!"+any)
		}
	}
}

// A sender must not be able to hide behind a rule for names by what he appends
// to a path or a host.
func TestNamesCannotBeForged(t *testing.T) {
	s, _ := Compile([]Rule{ruleWith(fieldTrail, "*.cdn.test")}, Scope{}, nil)
	for _, seen := range []string{"evil.test/gate.php?x=.cdn.test", "evil.test(/a.cdn.test)", "evil.test:80.cdn.test", "a b.cdn.test", ".cdn.test", "cdn.test"} {
		e := event.Event{Time: start, Type: event.URL, Code: event.TrailURL, Trail: seen, Observable: seen, Indicator: "evil.test/gate.php"}
		if _, ok := s.Match(&e); ok {
			t.Errorf("%q is taken for a name", seen)
		}
	}
}

func TestAllFieldsTogether(t *testing.T) {
	e := sighting()
	r := ruleWith(fieldSource, "10.1.2.3")
	r.Destination, r.Port, r.Trail, r.Code = []string{"192.0.2.53"}, []string{"53"}, []string{"*.bad-domain.test"}, []string{"trail.dns"}
	s, problems := Compile([]Rule{r}, Scope{}, nil)
	if _, ok := s.Match(&e); !ok || len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, change := range []func(e *event.Event){
		func(e *event.Event) { e.Src = e.Dst }, func(e *event.Event) { e.Dst = e.Src }, func(e *event.Event) { e.DstPort = 54 },
		func(e *event.Event) { e.Indicator, e.Observable = "x", "y" }, func(e *event.Event) { e.Code = event.TrailIP },
	} {
		other := e
		change(&other)
		if _, ok := s.Match(&other); ok {
			t.Errorf("holds for %+v", other)
		}
	}
}

// TestAddressOfTrail: a rule takes an address as any format shows it.
func TestAddressOfTrail(t *testing.T) {
	const padded, short = "2606:2800:0220:0001:0248:1893:25c8:1946", "2606:2800:220:1:248:1893:25c8:1946"
	for _, c := range []struct {
		rule, trail, indicator string
		want                   bool
	}{
		{short, padded, padded, true},
		{padded, padded, padded, true},
		{strings.ToUpper(short), padded, padded, true},
		{short, padded + " (a.test)", padded, true},
		{short + " (a.test)", padded + " (a.test)", padded, true},
		{"[" + short + "]:443", "[" + padded + "]:443", "[" + padded + "]:443", true},
		{"::", "::0", "::0", true},
		{"2606:2800::/32", "2606:2800::0/32 (" + padded + ")", "2606:2800::0/32", true},
		{"2606:2800:220:1:248:1893:25c8:1947", padded, padded, false},
		{"!" + short, padded, padded, false},
	} {
		e := sighting()
		e.Trail, e.Indicator, e.Observable = c.trail, c.indicator, c.indicator
		if _, got := mustCompile(t, ruleWith(fieldTrail, c.rule)).Match(&e); got != c.want {
			t.Errorf("%s holds for %s: %v", c.rule, c.trail, got)
		}
	}
}

// TestGroupElsewhere: a rule for other sensors may name home networks that this one
// does not have, but none that no sensor could have.
func TestGroupElsewhere(t *testing.T) {
	for _, c := range []struct {
		group, sensor, label string
		want                 string
	}{
		{"printers", "edge-9", "", ""},
		{"printers", "", "site=paris", ""},
		{"printers", "", "", `"printers" is no address`},
		{"printers", "edge-1", "site=berlin", `"printers" is no address`},
		{"10.0.0.300", "edge-9", "", `"10.0.0.300" is no address`},
		{"sensor", "edge-9", "", `"sensor" is no address`},
	} {
		r := named("r", Drop, fieldSource, c.group)
		if c.sensor != "" {
			r.Sensors = []string{c.sensor}
		}
		if c.label != "" {
			r.Label = []string{c.label}
		}
		_, problems := Compile([]Rule{r}, testScope(), nil)
		if len(problems) > 1 || (len(problems) == 1) != (c.want != "") || c.want != "" && !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("%+v: %v", c, problems)
		}
	}
}
