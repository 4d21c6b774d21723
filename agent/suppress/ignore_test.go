package suppress

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func TestIgnoreList(t *testing.T) {
	const list = "# comment ; ; ;\n\n192.0.2.3;*;*;*\n * ; * ; * ; 22 \n10.0.0.1; 1000 ;192.0.2.1;443\n1.2.3.4;*;*\n1;2;3;4;5\n" +
		"2001:DB8::0:1;*;*;*\n*;-;*;-\n10.0.0.5,9.9.9.9;*;*;*\n#*;*;*;*\r\n10.0.0.0/8;*;*;*\n*;*;8.8.8.8;*"
	g := new(Ignore)
	report, err := g.ReadList(strings.NewReader(list))
	if err != nil || report.Rules != 8 || !slices.Equal(report.Skipped, []int{6, 7}) {
		t.Errorf("%+v, %v", report, err)
	}
	for _, c := range []struct {
		src, forwarded, dst string
		sport, dport        uint16
		want                bool
	}{
		{"192.0.2.3", "", "192.0.2.1", 1, 2, true},
		{"192.0.2.4", "", "192.0.2.1", 1, 2, false},
		{"192.0.2.4", "", "192.0.2.1", 1, 22, true},
		{"192.0.2.4", "", "192.0.2.1", 22, 1, false},
		{"10.0.0.1", "", "192.0.2.1", 1000, 443, true},
		{"10.0.0.1", "", "192.0.2.1", 1001, 443, false},
		{"10.0.0.1", "", "192.0.2.2", 1000, 443, false},
		{"1.2.3.4", "", "192.0.2.1", 1, 2, false}, // three columns are no rule
		{"2001:db8::1", "", "192.0.2.1", 1, 2, true},
		{"10.0.0.2", "", "192.0.2.1", 0, 0, true}, // ICMP
		{"192.0.2.3", "9.9.9.9", "192.0.2.1", 1, 2, false},
		{"10.0.0.5", "9.9.9.9", "192.0.2.1", 1, 2, true},
		{"10.0.0.5", "", "192.0.2.1", 1, 2, false},
		{"10.0.0.9", "", "8.8.8.8", 1, 2, true},
	} {
		e := event.Event{Time: start, Src: netip.MustParseAddr(c.src), Dst: netip.MustParseAddr(c.dst), SrcPort: c.sport, DstPort: c.dport, Code: event.HTTPSQLi, Forwarded: c.forwarded}
		if got := g.Match(&e); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if _, err := new(Ignore).ReadList(strings.NewReader(strings.Repeat("x", maxIgnoreLine+1))); err == nil {
		t.Error("a line without an end is read")
	}
	var none *Ignore
	if none.Match(new(event.Event)) {
		t.Error("the nil Ignore ignores")
	}
	all := new(Ignore)
	all.ReadList(strings.NewReader("*;*;*;*"))
	if !all.Match(&event.Event{}) {
		t.Error("a rule of stars holds for everything")
	}
}

func TestTuple(t *testing.T) {
	e := sighting()
	e.Time = time.Unix(1771234567, 4200*1000).UTC()
	if got, want := string(appendTuple(nil, &e)), `(1771234567, 4200, '10.1.2.3', 51514, '192.0.2.53', 53, 'UDP', 'DNS', '(cdn).Bad-Domain.test', 'lumma (malware)', '(static)')`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	e.SrcPort, e.DstPort, e.Code, e.Forwarded, e.Trail = 0, 0, event.HTTPSQLi, "9.9.9.9", `it's "x"\`+"\n\u00a0ü\U0001F600\u0007"
	if got, want := string(appendTuple(nil, &e)), `(1771234567, 4200, '10.1.2.3,9.9.9.9', '-', '192.0.2.53', '-', 'UDP', 'DNS', 'it\'s "x"\\\n\xa0ü😀\x07', 'lumma (malware)', '(static)')`; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if got := string(appendLiteral(nil, "it's")); got != `"it's"` {
		t.Error(got)
	}
}

func TestIgnorePattern(t *testing.T) {
	g := new(Ignore)
	e := sighting()
	for text, want := range map[string]bool{
		`'10\.1\.2\.3', \d+, '192\.0\.2\.53', 53`: true,
		`LUMMA \(malware\)', '\(STATIC\)'\)\Z`:    true,
		`lumma|redline`:                           true,
		`redline`:                                 false,
		`lumma(?! \(benign\))`:                    true,
		`lumma(?! \(malware\))`:                   false,
	} {
		if err := g.SetPattern(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := g.Match(&e); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, bad := range []string{`(`, `a{2,1}`, `x*`, `.*`} {
		if err := g.SetPattern(bad); err == nil || !strings.Contains(err.Error(), "switched off") || g.Match(&e) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := g.SetPattern(""); err != nil || g.Match(&e) {
		t.Error("no expression ignores")
	}
}

// An expression that could take for ever ends, and does not ignore.
func TestIgnorePatternIsBounded(t *testing.T) {
	g := new(Ignore)
	if err := g.SetPattern(`bad(?=a)(a+)+b`); err != nil {
		t.Fatal(err)
	}
	e := sighting()
	e.Trail = "bad" + strings.Repeat("a", 2000)
	for range 50 {
		if g.Match(&e) {
			t.Fatal("ignored")
		}
	}
}

func FuzzIgnoreList(f *testing.F) {
	f.Add("192.0.2.3;*;*;*\n*;*;*;22", "x")
	f.Add("::1;1;;", "'(")
	f.Fuzz(func(t *testing.T, list, trail string) {
		g := new(Ignore)
		g.ReadList(strings.NewReader(list))
		if g.SetPattern(trail) != nil && g.pattern != nil {
			t.Fatal("a bad expression is in use")
		}
		if len(g.masks) > 16 {
			t.Fatal(g.masks)
		}
		e := sighting()
		e.Trail = trail
		g.Match(&e)
		if s := string(appendTuple(nil, &e)); strings.ContainsAny(s, "\n\r\x00") {
			t.Fatalf("%q", s)
		}
	})
}
