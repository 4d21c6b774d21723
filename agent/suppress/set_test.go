package suppress

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func mustCompile(t testing.TB, rules ...Rule) *Set {
	t.Helper()
	s, problems := Compile(rules, testScope(), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func named(id, action string, f field, values ...string) Rule {
	r := ruleWith(f, values...)
	r.ID, r.Action = id, action
	return r
}

func TestStrongestActionDecides(t *testing.T) {
	e := sighting()
	low, loc, loc2, gone := named("low", Lower, fieldCode, "*"), named("loc", Local, fieldType, "DNS"),
		named("loc2", Local, fieldSource, "10.0.0.0/8"), named("gone", Drop, fieldTrail, "bad-domain.test")
	for want, rules := range map[string][]Rule{"low": {low}, "loc": {low, loc, loc2}, "loc2": {loc2, low, loc}, "gone": {low, loc, loc2, gone}} {
		if r, ok := mustCompile(t, rules...).Match(&e); !ok || r.ID != want {
			t.Errorf("%s decides, not %s", r.ID, want)
		}
	}
}

func TestExpiry(t *testing.T) {
	r := named("day", Drop, fieldCode, "*")
	r.Created, r.Expires = "2023-11-01", "2023-11-14"
	moment := named("moment", Drop, fieldType, "D*")
	moment.Expires = "2023-11-14T12:00:00+02:00"
	s := mustCompile(t, r, moment)
	for at, want := range map[string]string{"2023-11-14T09:59:59Z": "day", "2023-11-14T23:59:59.999999Z": "day", "2023-11-15T00:00:00Z": ""} {
		e := sighting()
		e.Time, _ = time.Parse(time.RFC3339, at)
		if got, _ := s.Match(&e); got.ID != want {
			t.Errorf("at %s: %q", at, got.ID)
		}
	}
	now := func(text string) time.Time { at, _ := time.Parse(time.RFC3339, text); return at }
	if list := s.Expired(now("2023-11-14T09:59:00Z")); len(list) != 0 {
		t.Error(list)
	}
	list := s.Expired(now("2023-11-14T10:00:00Z"))
	if len(list) != 1 || list[0].ID != "moment" || list[0].State != Expired || !strings.Contains(list[0].String(), "suppression rule moment (test) is expired: drop; 0 hits") {
		t.Error(list)
	}
	// It is said once, also over a reload, and again when the rule has changed.
	if list = s.Expired(now("2023-11-14T11:00:00Z")); len(list) != 0 {
		t.Error(list)
	}
	moment.At = "elsewhere"
	s, _ = Compile([]Rule{moment, r}, testScope(), s)
	if list = s.Expired(now("2023-11-15T00:00:00Z")); len(list) != 1 || list[0].ID != "day" {
		t.Error(list)
	}
	moment.Expires = "2023-11-14T12:00:01+02:00"
	s, _ = Compile([]Rule{moment, r}, testScope(), s)
	if list = s.Expired(now("2023-11-15T00:00:00Z")); len(list) != 1 || list[0].ID != "moment" {
		t.Error(list)
	}
}

func TestReloadKeepsHits(t *testing.T) {
	a, b, c := named("a", Drop, fieldType, "DNS"), named("b", Drop, fieldSource, "10.0.0.1"), named("c", Local, fieldCode, "trail.ip")
	g := New(Options{Rules: mustCompile(t, a, b, c)})
	drain := func(event.Event) {}
	dns, ip := sighting(), detection(2, 7, "10.0.0.9")
	for range 3 {
		g.Take(dns, drain)
	}
	g.Take(ip, drain)
	hits := func(s *Set) string {
		var all []string
		for _, st := range s.List(start) {
			all = append(all, fmt.Sprintf("%s %d", st.ID, st.Hits))
		}
		return strings.Join(all, ", ")
	}
	old := g.opt.Rules
	if got := hits(old); got != "a 3, b 0, c 1" {
		t.Error(got)
	}
	if last := old.List(start)[2].LastHit; !last.Equal(start.Add(7 * time.Second)) {
		t.Error(last)
	}
	b.Source = append(b.Source, "10.0.0.2")
	c.At, a.Reason = "conf.d/x.yaml:7", "another one"
	s, problems := Compile([]Rule{c, b, a}, testScope(), old)
	g.Configure(Options{Rules: s}, drain)
	g.Take(ip, drain)
	g.Take(dns, drain)
	if got := hits(s); got != "c 2, b 0, a 1" || len(problems) > 0 {
		t.Error(got, problems)
	}
}

func TestElsewhere(t *testing.T) {
	here := func(sensors, labels []string) State {
		r := named("r", Drop, fieldCode, "*")
		r.Sensors, r.Label = sensors, labels
		s := mustCompile(t, r)
		e := sighting()
		if _, ok := s.Match(&e); ok != (s.Len() == 1) {
			t.Errorf("%q %q: holds %v", sensors, labels, ok)
		}
		return s.List(start)[0].State
	}
	for _, c := range []struct {
		sensors, labels []string
		want            State
	}{
		{nil, nil, Active},
		{[]string{"edge-*"}, nil, Active},
		{[]string{"core-*", "5c1f"}, nil, Active},
		{[]string{"core-*"}, nil, Elsewhere},
		{[]string{"!edge-1"}, nil, Elsewhere},
		{[]string{"!edge-2"}, nil, Active},
		{[]string{"edge-*", "!edge-1"}, nil, Elsewhere},
		{[]string{"edge-*"}, []string{"site=paris"}, Elsewhere},
		{nil, []string{"!site=paris"}, Active},
		{nil, []string{"!tenant=*"}, Active},
	} {
		if got := here(c.sensors, c.labels); got != c.want {
			t.Errorf("%q %q: %s", c.sensors, c.labels, got)
		}
	}
	r := named("r", Drop, fieldCode, "*")
	r.Schedule = &Schedule{Days: []string{"sat"}, Zone: "UTC"}
	if st := mustCompile(t, r).List(start)[0]; st.State != Waiting { // a Tuesday
		t.Error(st)
	}
}

func TestProblems(t *testing.T) {
	good := named("good", Drop, fieldType, "DNS")
	bad := Rule{ID: "bad name", At: "conf.d/x.yaml:3", Action: "hide", Expires: "soon", Sensors: []string{""}, Label: []string{"site"},
		Source: []string{"10.0.0.1/8", "::ffff:10.0.0.0/8", "office2", ""}, Port: []string{"0", "1-70000", "9-1"}, VLAN: []string{"4096"}, Code: []string{"scan.wbe"},
		Type: []string{"DNSS"}, Trail: []string{"\xff"}, Schedule: &Schedule{From: "x"}}
	empty := Rule{ID: "empty", Reason: "r", Action: Drop}
	to, late := named("to", Drop, fieldType, "DNS"), named("late", Lower, fieldType, "DNS")
	to.To, late.To = "low", "high"
	born := named("born", Drop, fieldType, "DNS")
	born.Created, born.Expires = "2026-02-02", "2026-02-01"
	s, problems := Compile([]Rule{bad, good, empty, to, good, late, born}, testScope(), nil)
	e := sighting()
	if r, ok := s.Match(&e); !ok || r.ID != "good" || s.Len() != 1 {
		t.Error("the good rule is not in force")
	}
	var all []string
	for _, p := range problems {
		all = append(all, p.Error())
		if errors.Unwrap(p) == nil {
			t.Error(p)
		}
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		`conf.d/x.yaml:3: suppression rule "bad name": name: want`, "reason: missing", `action: "hide" is not`, `expires: "soon" is neither`,
		"sensors: an empty value", `label: "site" is no label`, `source: "10.0.0.1/8" has host bits, did you mean 10.0.0.0/8?`,
		`source: "office2" is no address`, `source: "::ffff:10.0.0.0/8" is a network of IPv6, did you mean 10.0.0.0/8?`, `source: an empty value; one that begins with ! is written in quotes`, `port: "0" is no port`, `port: "1-70000"`, `port: "9-1"`,
		`vlan: "4096"`, `code: "scan.wbe" is no code`, `type: "DNSS" is no type, write one of DNS, IP`, "trail:", "schedule.from:",
		`suppression rule "empty": holds for every event`, `suppression rule "to": to: only`, `suppression rule "good": name: another rule has it`,
		`suppression rule "late": to: "high" is not`, `suppression rule "born": expires: before it was created`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not reported: %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	var none *Set
	if none.Len() != 0 || none.List(start) != nil || none.Expired(start) != nil {
		t.Error("the nil set is not empty")
	}
}

// randomRule draws from few values, so that rules and events meet.
func randomRule(r *rand.Rand, id int) Rule {
	pools := [numFields][]string{
		fieldSource: {"10.0.0.1", "10.0.0.0/30", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32"}, fieldDestination: {"192.0.2.1", "192.0.2.0/31", "::/0"},
		fieldNetwork: {"10.0.0.2", "192.0.2.0/24"}, fieldPort: {"53", "1-100", "80-81", "1000-2000"}, fieldSourcePort: {"1", "2-3"}, fieldDestinationPort: {"53", "443"},
		fieldTrail: {"a.test", "*.test", "*.a.test", "(x).a.test", "b*", "x?a.test"}, fieldInfo: {"malware", "mal*", "scanner"}, fieldReference: {"(static)", "feed*"},
		fieldType: {"DNS", "IP", "U*"}, fieldCode: {"trail.dns", "trail.ip", "scan.*"}, fieldInterface: {"eth0", "e*"}, fieldVLAN: {"1", "2-4"},
	}
	rule := Rule{ID: fmt.Sprint("r", id), Reason: "test", Action: []string{Drop, Local, Lower}[r.IntN(3)]}
	for range 1 + r.IntN(3) {
		f := field(r.IntN(int(fieldLabel)))
		var values []string
		for range 1 + r.IntN(2) {
			v := pools[f][r.IntN(len(pools[f]))]
			if r.IntN(5) == 0 {
				v = "!" + v
			}
			values = append(values, v)
		}
		if r.IntN(10) == 0 { // enough for the forms that hold many
			for i := range 2 * few {
				values = append(values, map[bool]string{true: fmt.Sprintf("198.51.100.%d", i), false: fmt.Sprint(3000 + i)}[f <= fieldNetwork])
			}
			if f == fieldType || f == fieldCode {
				values = values[:1]
			}
		}
		*rule.values(f) = values
	}
	if r.IntN(10) == 0 {
		rule.Expires = "2023-11-15"
	}
	if r.IntN(10) == 0 {
		rule.Schedule = &Schedule{From: "22:00", To: "23:00", Zone: "UTC"}
	}
	return rule
}

func randomEvent(r *rand.Rand) event.Event {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	e := detection(1, float64(r.IntN(100_000)), pick("10.0.0.1", "10.0.0.2", "10.9.9.9", "2001:db8::1"))
	e.Dst = netip.MustParseAddr(pick("192.0.2.1", "192.0.2.9", "2001:db8::2"))
	e.Type = event.Type(pick("DNS", "IP", "URL", "UA"))
	e.Code = event.Code(pick("trail.dns", "trail.ip", "scan.port", "scan.web"))
	e.SrcPort, e.DstPort = uint16(r.IntN(5)), []uint16{0, 53, 80, 443, 1500}[r.IntN(5)]
	e.Indicator = pick("a.test", "", "b.test", "x.A.test")
	e.Trail, e.Observable = pick("(x).a.test", "a.test", "b/x", "b"), pick("x.a.test", "y.x.a.test", "a.test", "", ".a.test", "x..test")
	e.Info, e.Reference = pick("malware", "scanner", "MALIGN", ""), pick("(static)", "feed.test")
	e.Interface, e.Alias = pick("eth0", "eth1", ""), pick("", "edge")
	e.VLANs = [][]uint16{nil, {1}, {5, 2}}[r.IntN(3)]
	return e
}

// TestSetEqualsNaive holds the index against going through all rules.
func TestSetEqualsNaive(t *testing.T) {
	matched, indexed := 0, 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 9))
		var rules []Rule
		for i := range 1 + r.IntN(60) {
			rules = append(rules, randomRule(r, i))
		}
		s := mustCompile(t, rules...)
		indexed += s.Len() - len(s.index.rest)
		for range 200 {
			e := randomEvent(r)
			v := newView(&e)
			var want *compiled
			for _, c := range s.all {
				if c.matches(&v) && (want == nil || c.action < want.action) {
					want = c
				}
			}
			if want != nil {
				matched++
			}
			if got := s.decide(&e); got != want {
				t.Fatalf("seed %d: %+v\ndecided by %+v\nshould be  %+v", seed, e, got, want)
			}
		}
	}
	if matched < 5000 || indexed < 1000 {
		t.Errorf("the test is weak: %d events matched, %d rules indexed", matched, indexed)
	}
}

func benchmarkSet(b *testing.B, rule func(i int) Rule) {
	var rules []Rule
	for i := range 5000 {
		r := rule(i)
		r.ID = fmt.Sprint("r", i)
		rules = append(rules, r)
	}
	s := mustCompile(b, rules...)
	hit, miss := sighting(), sighting()
	miss.Src, miss.Trail, miss.Indicator, miss.Observable, miss.DstPort = netip.MustParseAddr("10.99.0.1"), "x", "x", "x", 9999
	b.ReportMetric(float64(len(s.index.rest)), "searched")
	b.ReportAllocs()
	for b.Loop() {
		s.decide(&hit)
		s.decide(&miss)
	}
}

// BenchmarkDecide is two events against 5,000 rules.
func BenchmarkDecide(b *testing.B) {
	for _, c := range []struct {
		name string
		rule func(i int) Rule
	}{
		{"addresses", func(i int) Rule {
			r := named("", Drop, fieldSource, fmt.Sprintf("10.%d.%d.3", i/256, i%256))
			r.Code = []string{"trail.*"}
			return r
		}},
		{"networks", func(i int) Rule { return named("", Local, fieldNetwork, fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)) }},
		{"trails", func(i int) Rule { return named("", Drop, fieldTrail, fmt.Sprintf("name%d.test", i)) }},
		{"suffixes", func(i int) Rule { return named("", Drop, fieldTrail, fmt.Sprintf("*.name%d.test", i)) }},
		{"client and trail", func(i int) Rule {
			r := named("", Drop, fieldTrail, fmt.Sprintf("name%d.test", i%50))
			r.Source = []string{fmt.Sprintf("10.1.%d.%d", i/256, i%256)}
			return r
		}},
		{"ports", func(i int) Rule { return named("", Drop, fieldDestinationPort, fmt.Sprint(100+i)) }},
		{"globs", func(i int) Rule { return named("", Drop, fieldTrail, fmt.Sprintf("*name%d*", i)) }},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkSet(b, c.rule) })
	}
}
