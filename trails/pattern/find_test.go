package pattern

import (
	"fmt"
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"
)

const office = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/117.0.0.0 Safari/537.36"

var texts = []string{
	"", " ", "a", "ab", "abc", "é", "éé", "\xff", "\xff\xfe", "xTc", "xtcx", "agent", "Agent", "agent ", "agentx", "AGENT",
	"masscan/1.0", "x masscan y", "foo masscan", "MaſsCan", "\u212Aelvin", "nikto nmap", "nmap nikto", "zmeu", "xzmeu", "zmeu-", "-zmeu",
	"chrome", "chrome 1.2", "Chrome/1", "chrome x", "mozilla ", "mozilla  1", "lynx", "lynx\n", "wget", "wget 1", "Wget/1.21.2", "msie 6.0",
	"() { :; }", "(){:;}", "1M2y3C4u5s6t7o8m9U0s1e2r3", "MyCustomUser", "mycustomuse", "xx mYcUSTOMuSER", "${jndi:ldap}", "${:-x}", "$%7B::-",
	"::/.josephine/", ";;", ";;a;;", "a::b", ")\t\t\t    Gecko", "Custom CCC", "Custom C", "custom c http client/1.0",
	"select a from b where c", "select from", "union all select", "union  select x", "reunion select", "pg_sleep(1)", "xpg_sleep(1)",
	"tsa/1", "atsa/1", "my dummy text", "mydummy", "dummy1", "beacon", "bot search", "bot scan", "bot sca", "sv:1; id:abcdefgh-1234-5678",
	"Mozilla/4.0 (compatible; Clever Internet Suite)", "x Mozilla/4.08 Charon; Inferno", "Mozilla/5.00", "Mozilla/5.0", "<script src=a>", "ie", "IE ",
	office, office + " masscan", "sleep", "sleep(1)", "ſleep", "sleepſ", "ſ", "\u212A", "dummyſ", "ſdummy", "dummy\u212A", "loader ſ", "xloader ſ",
}

func TestFindEqualsAlternation(t *testing.T) {
	for name, patterns := range agentLists(t) {
		t.Run(name, func(t *testing.T) {
			rounds := 4000
			if name == "real" {
				rounds = 200 // milliseconds each, for the oracle
			}
			checkAll(t, patterns, true, rounds)
		})
	}
	names := readLines(t, "testdata/names.txt")
	t.Run("names", func(t *testing.T) { checkAll(t, names, false, 20000) })
	t.Run("names folded", func(t *testing.T) { checkAll(t, names, true, 5000) })
}

func checkAll(t *testing.T, patterns []string, fold bool, rounds int) {
	s := mustCompile(t, patterns, fold)
	if s.Len() != len(patterns) {
		t.Fatalf("%d patterns of %d", s.Len(), len(patterns))
	}
	o := newOracle(t, patterns, nil, fold)
	if o == nil {
		t.Fatal("no oracle")
	}
	for _, text := range texts {
		o.check(t, s, patterns, text)
	}
	r := rand.New(rand.NewPCG(1, 2))
	matched := 0
	for range rounds {
		text := nearMiss(r, patterns)
		o.check(t, s, patterns, text)
		if _, _, _, ok := s.Find([]byte(text)); ok {
			matched++
		}
	}
	if matched < rounds/20 || matched > rounds*19/20 {
		t.Errorf("%d of %d texts match: they say little", matched, rounds)
	}
}

// nearMiss makes a text out of what patterns match, damaged a little.
func nearMiss(r *rand.Rand, patterns []string) string {
	var text []byte
	for range 1 + r.IntN(3) {
		p := patterns[r.IntN(len(patterns))]
		if translated, backtracks, err := translate(p); err == nil && !backtracks {
			if re, err := syntax.Parse(translated, syntax.Perl); err == nil {
				text = generate(text, r, re)
			}
		}
		text = append(text, []string{"", "", " ", ".", "/1.0", "x", "ſ"}[r.IntN(7)]...)
	}
	for range r.IntN(3) {
		if len(text) == 0 {
			break
		}
		at := r.IntN(len(text))
		switch r.IntN(5) {
		case 0:
			text = append(text[:at], text[at+1:]...)
		case 1:
			text[at] ^= 0x20
		case 2:
			text[at] = byte(' ' + r.IntN(95))
		case 3:
			text = text[:at]
		case 4:
			text = text[at:]
		}
	}
	if r.IntN(8) == 0 {
		return office[:r.IntN(len(office))] + string(text)
	}
	return string(text)
}

// generate appends a text that re matches.
func generate(to []byte, r *rand.Rand, re *syntax.Regexp) []byte {
	repeat := func(low, high int) []byte {
		for range low + r.IntN(high-low+1) {
			to = generate(to, r, re.Sub[0])
		}
		return to
	}
	switch re.Op {
	case syntax.OpLiteral:
		return append(to, string(re.Rune)...)
	case syntax.OpCharClass:
		i := r.IntN(len(re.Rune)/2) * 2
		return append(to, string(re.Rune[i]+rune(r.IntN(int(min(re.Rune[i+1]-re.Rune[i], 300))+1)))...)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return append(to, byte(' '+r.IntN(95)))
	case syntax.OpStar:
		return repeat(0, 3)
	case syntax.OpPlus:
		return repeat(1, 3)
	case syntax.OpQuest:
		return repeat(0, 1)
	case syntax.OpRepeat:
		return repeat(re.Min, max(re.Max, re.Min+2))
	case syntax.OpAlternate:
		return generate(to, r, re.Sub[r.IntN(len(re.Sub))])
	}
	for _, sub := range re.Sub {
		to = generate(to, r, sub)
	}
	return to
}

func TestFindExamples(t *testing.T) {
	s := mustCompile(t, agentLists(t)["testdata"], true)
	tests := []struct {
		text       string
		start, end int
	}{
		{"masscan/1.0", 0, 7},
		{"x masscan y", 2, 9},
		{"foo masscan", 4, 11},
		{"agent", 0, 5},
		{"\u212A", 0, 3},
		{"xx", 0, 2},
		{"Mozilla/4.0 (compatible; Clever Internet Suite)", 0, 47},
	}
	for _, test := range tests {
		_, start, end, ok := s.Find([]byte(test.text))
		if !ok || start != test.start || end != test.end {
			t.Errorf("%q: [%d:%d] %v, want [%d:%d]", test.text, start, end, ok, test.start, test.end)
		}
	}
	if i, _, _, ok := s.Find([]byte(office)); ok {
		t.Errorf("an ordinary browser matches %d", i)
	}
}

func TestFindPrefersTheEarlier(t *testing.T) {
	tests := []struct {
		patterns   []string
		text       string
		index      int
		start, end int
	}{
		{[]string{"abc", "abcdef"}, "xabcdef", 0, 1, 4},
		{[]string{"abcdef", "abc"}, "xabcdef", 0, 1, 7},
		{[]string{"def", "abc"}, "abcdef", 1, 0, 3},
		{[]string{"[a-z]+def", "abc"}, "abcdef", 0, 0, 6},
		{[]string{"abc", "[a-z]+def"}, "abcdef", 0, 0, 3},
		{[]string{`\Aagent\Z`, "age"}, "agent", 0, 0, 5},
		{[]string{"age", `\Aagent\Z`}, "agent", 0, 0, 3},
		{[]string{"gent", `agent\Z`}, "agent", 1, 0, 5},
		{[]string{"x{,2}abc"}, "xxxabc", 0, 1, 6},
		{[]string{"a*b"}, "xaab", 0, 1, 4},
		{[]string{"ab"}, "xxab", 0, 2, 4},
		{[]string{"b"}, "ab", 0, 1, 2},
	}
	for _, test := range tests {
		s := mustCompile(t, test.patterns, false)
		i, start, end, ok := s.Find([]byte(test.text))
		if !ok || i != test.index || start != test.start || end != test.end {
			t.Errorf("%q in %q: %d [%d:%d] %v", test.patterns, test.text, i, start, end, ok)
		}
	}
}

func TestFindAtEveryLengthAndPlace(t *testing.T) {
	for _, literal := range []string{"zq", "zqx", "zqxv", "zqxvzqxv", strings.Repeat("zqx", 30)} {
		s := mustCompile(t, []string{literal}, false)
		for before := range 20 {
			for after := range 20 {
				text := strings.Repeat("-", before) + literal + strings.Repeat("-", after)
				_, start, end, ok := s.Find([]byte(text))
				if !ok || start != before || end != before+len(literal) {
					t.Fatalf("%q: [%d:%d] %v", text, start, end, ok)
				}
				if _, _, _, ok := s.Find([]byte(text[:before+len(literal)-1])); ok {
					t.Fatalf("%q matches without its last byte", literal)
				}
			}
		}
	}
}

func TestFindManyPatterns(t *testing.T) {
	var patterns []string
	for i := range 20000 {
		patterns = append(patterns, fmt.Sprintf(`evil%d[a-z]+\.example`, i))
	}
	s := mustCompile(t, patterns, false)
	for _, i := range []int{0, 9, 77, 8191, 8192, 19999} {
		text := fmt.Sprintf("www.evil%dabc.example", i)
		if got, _, _, ok := s.Find([]byte(text)); !ok || got != i {
			t.Errorf("%s: %d %v", text, got, ok)
		}
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("package regexp allocates under the race detector")
	}
	s := mustCompile(t, agentLists(t)["testdata"], true)
	names := mustCompile(t, readLines(t, "testdata/names.txt"), false)
	for _, test := range []struct {
		set  *Set
		text string
	}{
		{s, office}, {s, "Wget/1.21.2"}, {s, "chrome x"}, {s, "select a from b"}, {s, "Ã¼ber browser"},
		{names, "static.cdn.example.net"}, {names, "example.top"}, {names, "ab-cdefg.top"}, {names, "xn-abc.example.club"},
	} {
		text := []byte(test.text)
		n := testing.AllocsPerRun(100, func() {
			if _, _, _, ok := test.set.Find(text); ok {
				t.Fatalf("%s matches", text)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func TestFindHostile(t *testing.T) {
	patterns := []string{`(a+)+b`, `(x*)*y{1,900}z`, `[a-z]{900}!`, `(?:(?:ab?){20}){20}c`, `\bmama\b`, `fsl \d`, `(q|qq)+r`, `SELECT[^\n]*FROM[^\n]*WHERE`}
	s := mustCompile(t, patterns, true)
	o := newOracle(t, patterns, nil, true)
	for _, text := range []string{
		strings.Repeat("a", 4096), strings.Repeat("a", 4095) + "b", strings.Repeat("y", 4096) + "z", strings.Repeat("mama", 1024),
		strings.Repeat("fsl ", 1024), strings.Repeat("q", 4095) + "s", strings.Repeat("select from ", 340), strings.Repeat("z", 2000) + "!",
		strings.Repeat("\xff", 4096), strings.Repeat("ſ", 2048), strings.Repeat("ab", 2048) + "c",
	} {
		o.check(t, s, patterns, text)
	}
}

func TestConcurrentFind(t *testing.T) {
	s := mustCompile(t, agentLists(t)["testdata"], true)
	done := make(chan bool)
	for range 4 {
		go func() {
			for _, text := range texts {
				s.Find([]byte(text))
			}
			done <- true
		}()
	}
	for range 4 {
		<-done
	}
}

func FuzzFind(f *testing.F) {
	for _, p := range []string{"abc\nabd", "\\Aab\\Z\nb", "(?i)k\ns", "a[bc]{1,3}d\n\\bx", ";;\n::", "é\n[^ ]a", "\\d?m\\d?y", "(ab|a)c\nab", "(?m)^a\n$b|c", "a++b\n[[]x", "\uFFFDab"} {
		for _, text := range []string{"abc", "xabd", "\u212A", "aſ", "é a", "\xffab", "0m1y2", "x\na"} {
			f.Add(p, text, false)
			f.Add(p, text, true)
		}
	}
	f.Fuzz(func(t *testing.T, list, text string, fold bool) {
		if len(list) > 300 || len(text) > 300 {
			return
		}
		patterns := strings.Split(list, "\n")
		s, problems := Compile(patterns, Options{Fold: fold})
		if s.Len()+len(problems) != len(patterns) {
			t.Fatalf("%d and %d of %d", s.Len(), len(problems), len(patterns))
		}
		i, start, end, ok := s.Find([]byte(text))
		if ok && (start < 0 || start >= end || end > len(text) || i >= len(patterns)) {
			t.Fatalf("[%d:%d] %d", start, end, i)
		}
		if o := newOracle(t, patterns, problems, fold); o != nil {
			o.check(t, s, patterns, text)
		}
	})
}
