package pattern

import (
	"errors"
	"strings"
	"testing"
)

func TestTranslate(t *testing.T) {
	tests := []struct{ in, want string }{
		{`\Aagent\Z`, `\Aagent\z`},
		{`a++b*+c?+d+?`, `a+b*c?d+?`},
		{`a{2}+b{,3}c{1,2}?`, `a{2}b{0,3}c{1,2}?`},
		{`\(\) { :;`, `\(\) \{ :;`},
		{`({|%7B)`, `(\{|%7B)`},
		{`a{1,2,3}`, `a\{1,2,3}`},
		{`[[:alpha:]]`, `[\[:alpha:]]`},
		{`[]a]`, `[\]a]`},
		{`[^]a]`, `[^\]a]`},
		{`[\b\d]`, `[\x08\d]`},
		{`\x41\u00e9\U0001F600\x{`, ``},
		{`\x41\u00e9\U0001F600`, `\x41é` + "\U0001F600"},
		{`\0\012\101`, `\x00\x0a\x41`},
		{`a(?#note)b`, `ab`},
		{`(?P<name>a)`, `(?P<name>a)`},
		{`(?i)a`, `(?i)a`},
		{`(?a)a`, `a`},
		{`(?ai)a`, `(?i)a`},
		{`x(?i:a)`, `x(?i:a)`},
		{`x(?a:a)`, `x(?:a)`},
		{`user\_agent\é`, `user\_agenté`},
	}
	for _, test := range tests {
		got, backtracks, err := translate(test.in)
		if test.want == "" {
			if err == nil {
				t.Errorf("%q was taken as %q", test.in, got)
			}
			continue
		}
		if err != nil || backtracks || got != test.want {
			t.Errorf("%q: %q %v %v, want %q", test.in, got, backtracks, err, test.want)
		}
	}
	for _, p := range []string{`a(?=b)`, `(?<!x)ab`, `(ab)\1`, `(?P<q>ab)(?P=q)`, `(?>ab)c`} {
		if _, backtracks, err := translate(p); err != nil || !backtracks {
			t.Errorf("%q: %v %v", p, backtracks, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := []struct {
		pattern string
		want    error // nil: a syntax error
	}{
		{`(?P<g1>ab)`, ErrGroupName},
		{`(?P<a>b)(?P<a>c)`, ErrGroupName},
		{`(?<name>ab)`, ErrGroupName},
		{`a|(?i)b`, ErrFlags},
		{`(?x)a b`, ErrFlags},
		{`\Qab\E`, ErrEscape},
		{`\pL`, ErrEscape},
		{`ab\`, ErrTruncated},
		{`[ab`, ErrTruncated},
		{`(?`, ErrTruncated},
		{`(?P<a`, ErrTruncated},
		{`a*`, ErrEmptyMatch},
		{``, ErrEmptyMatch},
		{`^$`, ErrEmptyMatch},
		{`\b`, ErrEmptyMatch},
		{`(?=ab)`, ErrNoLiteral},
		{`(?!ab)`, ErrEmptyMatch},
		{`([a-z]{10}[0-9]{10}){90}[a-z]{900}([a-z]{90}){10}([a-z]{90}){10}[a-z]{900}([a-z]{90}){10}`, ErrTooLarge},
		{`(a)\1`, ErrNoLiteral},
		{`ab|c(?=d)`, ErrNoLiteral},
		{`a(b`, nil},
		{`a**`, nil},
		{`a)(b`, nil},
		{`((a{100}){100}){100}`, nil},
	}
	for _, test := range tests {
		for _, fold := range []bool{false, true} {
			s, problems := Compile([]string{"good", test.pattern, "fine"}, Options{Fold: fold})
			if s.Len() != 2 || len(problems) != 1 || problems[0].Index != 1 || problems[0].Pattern != test.pattern {
				t.Errorf("%q: %d patterns, %v", test.pattern, s.Len(), problems)
				continue
			}
			if test.want != nil && !errors.Is(problems[0], test.want) {
				t.Errorf("%q: %v, want %v", test.pattern, problems[0], test.want)
			}
			if i, _, _, ok := s.Find([]byte("so fine")); !ok || i != 2 {
				t.Errorf("%q: the next pattern has index %d", test.pattern, i)
			}
		}
	}
}

func TestBacktracking(t *testing.T) {
	tests := []struct {
		pattern, text string
		fold          bool
		want          string
	}{
		{`evil(?!good)\.com`, "www.evil.com", false, "evil.com"},
		{`(?<!not)evil-[0-9]+`, "notevil-1", false, ""},
		{`(?<!not)evil-[0-9]+`, "é.evil-12é", false, "evil-12"},
		{`(?<!not)evil-[0-9]+`, "\xff\xff.EVIL-12\xff", true, "EVIL-12"},
		{`([a-z])\1-bot\Z`, "xx-bot", false, "xx-bot"},
		{`([a-z])\1-bot\Z`, "xy-bot", false, ""},
		{`(?P<q>[a-z])(?P=q)-bot\.example`, "xaa-bot.example", false, "aa-bot.example"},
		{`(?>a+)b-end`, "aab-end", false, "aab-end"},
		{`(?i)(?=E)evil\x2d\u0041`, "eVIL-a", false, "eVIL-a"},
		// Backtracking would take longer than the world exists.
		{`(?=a)(a+)+-never-[0-9]`, strings.Repeat("a", 4000) + "-never-x", false, ""},
	}
	for _, test := range tests {
		s := mustCompile(t, []string{test.pattern}, test.fold)
		_, start, end, ok := s.Find([]byte(test.text))
		if got := test.text[start:end]; got != test.want || ok != (test.want != "") {
			t.Errorf("%q in %.40q: %q %v, want %q", test.pattern, test.text, got, ok, test.want)
		}
	}
}

func TestLiteralRuns(t *testing.T) {
	tests := []struct{ text, want string }{
		{`abc(?=d)ef`, "abc ef"},
		{`abc?d+ef*`, "ab"},
		{`abc{2}def`, "ab def"},
		{`ab|cd(?=e)`, ""},
		{`(a|b)\1cd\.ef`, "cd.ef"},
		{`ab[|c\]d(]ef([)]x)gh`, "ab ef gh"},
		{`AB\x41cd\k<n>ef`, "ab cd ef"},
		{`abc.def$gh`, "abc def gh"},
	}
	for _, test := range tests {
		if got := strings.Join(literalRuns(test.text), " "); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

func TestZeroSet(t *testing.T) {
	s := &Set{}
	if _, _, _, ok := s.Find([]byte("text")); ok || s.Len() != 0 {
		t.Error("the zero Set matches")
	}
}
