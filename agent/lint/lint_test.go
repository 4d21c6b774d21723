package lint

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"testing"
	"time"

	"trailhound/trails"
	"trailhound/trails/pattern"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// lintCase is a trail and what lint says of it.
type lintCase struct {
	text, info string
	reason     Reason
	detail     string
}

var lintCases = []lintCase{
	{"evil.example", "", Matched, ""},
	{"xyz", "", Matched, ""},
	{"dyn.example", "dynamic domain (suspicious)", Matched, ""},
	{"ns1.sink.example", "sinkhole acme (malware)", Matched, ""},
	{"white.example", "", Whitelisted, "white.example"},
	{"cdn.white.example", "", Whitelisted, "white.example"},
	{strings.Repeat("a", 64) + ".example", "", ImpossibleName, "label longer than 63 bytes"},
	{strings.Repeat("abcdefg.", 32) + "example", "", ImpossibleName, "longer than 253 bytes"},
	{"evil.exa_mple", "", ImpossibleName, "underscore in the last label"},
	{"evil.example.ip-adress.com", "", Matched, ""},

	{"198.18.5.1", "known attacker", Matched, ""},
	{"198.18.5.2", "c2 (malware)", Matched, ""},
	{"198.18.5.3", "parking site (suspicious)", Matched, ""},
	{"198.18.5.4", "malware attacker", Matched, ""}, // by an echo request
	{"2001:db8::5", "", Matched, ""},
	{"198.18.6.1:8443", "", Matched, ""},
	{"[2001:db8::6]:8443", "", Matched, ""},
	{"198.18.6.2:8443", "attacker", Matched, ""},
	{"198.18.6.3:8443", "malware attacker", InfoWord, "attacker, malware"},
	{"17.1.2.3:443", "", Whitelisted, "17.0.0.0/8"},
	{"17.1.2.4", "", Whitelisted, "17.0.0.0/8"},
	{"198.18.7.0/24", "", Matched, ""},
	{"198.18.8.0/31", "", Outranked, "198.18.8.1"},
	{"198.18.8.0", "", Matched, ""},
	{"198.18.8.1", "", Matched, ""},
	{"2001:db8:9::/48", "", Matched, ""},

	{"/gate.php", "", Matched, ""},
	{"/panel.php?uploadsms=", "", Matched, ""},
	{"evil.example/gate.php", "", Outranked, "/gate.php"},
	{"evil.example/other.php", "", Matched, ""},
	{"other.example/", "", Matched, ""},
	{"other.example:8080/a/b", "", Matched, ""},
	{"198.18.9.1/", "", Matched, ""},
	{"198.18.9.2:8080/x", "", Matched, ""},
	{"[2001:db8::7]/x", "", Matched, ""},
	{"198.18.9.3/bins/x.sh", "", Matched, ""}, // beside http.iot,
	{"x.white.example/y", "", Whitelisted, "white.example"},
	{"17.1.2.5/y", "", Whitelisted, "17.0.0.0/8"},
	{"/consulta fgts.js", "", Matched, ""},

	{`0ba[0-9]{8,15}\.win`, "", Matched, ""},
	{`^[a-z]{2}\-[a-z]{2,3}\.(top|club)$`, "", Matched, ""},
	{`\bbyethost[0-9]+\.com\b`, "", Matched, ""},
	{`x[0-9]+\.white\.example$`, "", Whitelisted, "white.example"},
	{`re:(?P<g1>a)b`, "", BadExpression, ""},
	{`re:^[0-9]_[a-z]+\.a_[0-9]$`, "", ImpossibleName, "underscore in the last label"},
	{`re:[A-Z]{3}\.win`, "", NoSample, ""},
	{`pre[0-9]+\.example`, "", Matched, ""},
	{`pre[0-9]{2}\.example`, "", Outranked, `pre[0-9]+\.example`},

	{"ua:Evil Agent/[0-9]+", "", Matched, ""},
	{"ua:100% evil", "", Matched, ""},
	{"ua:sophos evil", "", ImpossibleAgent, "one of the agents that are never reported"},
	{"ua:masscan/1", "", Heuristic, "http.ua"},

	{strings.Repeat("0a", 20), "", Matched, ""},
	{"ja3:" + strings.Repeat("0b", 16), "", Matched, ""},
	{"ja4:t13d1516h2_8daaf6152771_02713d6af862", "", Matched, ""},
}

func build(t testing.TB, cases []lintCase) *table.Table {
	b := table.NewBuilder(table.Options{Seed: 7, Now: time.Unix(1e9, 0)})
	for _, c := range cases {
		kind, key, err := trails.AppendKey(nil, []byte(c.text))
		if err != nil {
			t.Fatalf("%q: %v", c.text, err)
		}
		b.Add(kind, key, b.Provenance(trails.Provenance{Info: c.info, Reference: "(static)", Sources: []trails.Source{{Name: "list.txt"}}}))
	}
	// What no reader lets through, but a table may hold.
	p := b.Provenance(trails.Provenance{})
	b.Add(trails.URL, []byte("/a b"), p)
	b.Add(trails.Domain, []byte("a..b"), p)
	tab, err := b.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func TestReasons(t *testing.T) {
	white, err := whitelist.New("white.example", "17.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Finding{}
	tab := build(t, lintCases)
	sum := Run(tab, white, []byte("masscan\n"), func(f Finding) { got[f.Trail] = f })
	for _, c := range lintCases {
		kind, key, _ := trails.AppendKey(nil, []byte(c.text))
		f := got[trails.Text(kind, key)]
		if f.Reason != c.reason || (c.detail != "" && f.Detail != c.detail) {
			t.Errorf("%s: %s %q, want %s %q", c.text, f.Reason, f.Detail, c.reason, c.detail)
		}
		if f.Reason != Matched && (f.Source != "list.txt" || f.Kind != kind) {
			t.Errorf("%s: kind %s, source %q", c.text, f.Kind, f.Source)
		}
	}
	if f := got["/a b"]; f.Reason != ImpossibleURL || f.Detail != "blank" {
		t.Errorf("a blank in a path: %s %q", f.Reason, f.Detail)
	}
	if f := got["a..b"]; f.Reason != ImpossibleName || f.Detail != "empty label" {
		t.Errorf("an empty label: %s %q", f.Reason, f.Detail)
	}
	total := 0
	for _, n := range sum.ByReason {
		total += n
	}
	if sum.Trails != tab.Len() || sum.Sent+sum.LookedUp+sum.Findings != sum.Trails || total != sum.Findings || sum.LookedUp != 3 {
		t.Errorf("%+v does not add up to %d trails", sum, tab.Len())
	}
	if sum.ByReason[Unmatched] != 0 {
		t.Error("the matcher missed what it should match")
	}
}

// Without a whitelist nothing is whitelisted, and findings come in the order of
// the table however many goroutines looked for them.
func TestOrder(t *testing.T) {
	var cases []lintCase
	for i := range 3 * chunk {
		cases = append(cases, lintCase{text: fmt.Sprintf("n%d.exa_mple", i)})
	}
	next := 0
	Run(build(t, cases), nil, nil, func(f Finding) {
		if next < len(cases) && f.Trail != cases[next].text {
			t.Fatalf("%s in place of %s", f.Trail, cases[next].text)
		}
		next++
	})
	if next != len(cases)+2 {
		t.Errorf("%d findings", next)
	}
}

func TestReasonNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range Reasons {
		if name := r.String(); name == "" || seen[name] || r.Text() == "" {
			t.Errorf("reason %d is named %q", r, name)
		}
		seen[r.String()] = true
	}
	if Reasons.String() != "unknown" || Reasons.Text() != "unknown" {
		t.Error("a reason out of range has a name")
	}
}

// A sample of any expression that compiles must match it in some variant, or
// not exist; making one must end.
func FuzzSample(f *testing.F) {
	for _, s := range []string{`0ba[0-9]{8,15}\.win`, `^a|b$`, `(?i)Ab+c*d?`, `\Aevil\Z`, `a++`, `[^a]{3}`, `(?=x)y`, `(((a{30}){30}){30})`, `\x00[\x01-\x1f]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, problems := pattern.Compile([]string{text}, pattern.Options{}); len(problems) > 0 {
			return
		}
		re, err := parseExpression(text, syntax.Perl)
		if err != nil {
			return
		}
		for i := range 8 {
			if s, ok := sample(re, i, nameRune); ok && len(s) > 64*maxSample {
				t.Fatalf("%q: sample of %d bytes", text, len(s))
			}
		}
	})
}

func BenchmarkTrail(b *testing.B) {
	for _, text := range []string{"evil.example", "198.18.6.1:8443", "/gate.php"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			tab := build(b, []lintCase{{text: text}})
			l := &linter{prober: NewProber(tab, nil, nil), t: tab}
			for r := range tab.All() {
				for b.Loop() {
					l.trail(r)
				}
				break
			}
		})
	}
}
