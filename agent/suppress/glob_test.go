package suppress

import (
	"regexp"
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		glob, text string
		want       bool
	}{
		{"abc", "abc", true}, {"ABC", "abc", true}, {"abc", "abcd", false}, {"abc", "", false},
		{"*", "", true}, {"*", "x", true}, {"a*", "a", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false},
		{"a*b*c", "a1b2c", true}, {"a*b*c", "acb", false}, {"a*a", "a", false}, {"ab*ba", "aba", false}, {"a**b", "ab", true},
		{"a?c", "abc", true}, {"a?c", "a/c", true}, {"a?c", "ac", false}, {"?", "ü", true}, {"??", "ü", false}, {"*?", "", false},
		{"*?b", "ab", true}, {"*?b", "b", false}, {"a?*", "a", false}, {"*a?c*", "xxabcx", true}, {"*ä?*", "xäb", true},
		{`a\*c`, "a*c", true}, {`a\*c`, "abc", false}, {`a\?`, "a?", true}, {`a\?`, "ab", false}, {`\!a`, "!a", true},
		{`a\\b`, `a\b`, true}, {`a\xb`, `a\xb`, true}, {`a\`, `a\`, true}, {"shop.test(/?id=1)", "shop.test(/?id=1)", true},
		{"(a).b.test", "(a).b.test", true}, {"[ab]", "a", false}, {"[ab]", "[ab]", true}, {"*.b.test", "(a).b.test", true},
	} {
		g, err := readGlob(c.glob)
		if err != nil {
			t.Fatalf("%q: %v", c.glob, err)
		}
		if got := g.match(c.text); got != c.want {
			t.Errorf("%q on %q: %v", c.glob, c.text, got)
		}
	}
	for text, below := range map[string]string{"*.b.test": ".b.test", "*.B.Test": ".b.test", "*.": "", "*b.test": "", "a.*.test": "", "*.b/x": "", "*.b?": "", "**.b": ""} {
		if g, err := readGlob(text); err != nil || g.below != below {
			t.Errorf("%q is below %q, %v", text, g.below, err)
		}
	}
	for _, bad := range []string{"\xff", "a\x00", strings.Repeat("*a", 200), strings.Repeat("a", 10_000)} {
		if _, err := readGlob(bad); err == nil {
			t.Errorf("%.20q is read", bad)
		}
	}
}

// asRegexp is a second reading of globs.
func asRegexp(text string) *regexp.Regexp {
	b := strings.Builder{}
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && strings.ContainsRune(`*?\!`, rune(text[i+1])):
			i++
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		case c == '*':
			b.WriteString(`.*`)
		case c == '?':
			b.WriteString(`.`)
		default:
			b.WriteString(regexp.QuoteMeta(strings.ToLower(text[i : i+1])))
		}
	}
	return regexp.MustCompile(b.String() + `\z`)
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add(`\*a`, "*a")
	f.Add("*?*?", "ab")
	f.Fuzz(func(t *testing.T, text, s string) {
		ascii := func(s string) bool {
			return strings.IndexFunc(s, func(r rune) bool { return r == 0 || r > 0x7E }) < 0
		}
		g, err := readGlob(text)
		if err != nil || !ascii(text) || !ascii(s) {
			return
		}
		s = strings.ToLower(s)
		if got, want := g.match(s), asRegexp(text).MatchString(s); got != want {
			t.Fatalf("%q on %q: %v", text, s, got)
		}
		if q, err := readGlob(quoteGlob(s)); err != nil || len(q.parts) > 0 || q.exact != s {
			t.Fatalf("%q is quoted as %q", s, quoteGlob(s))
		}
	})
}

// A glob of an operator and a text of an attacker: the time must stay near the
// product of their lengths.
func BenchmarkGlobWorst(b *testing.B) {
	g, err := readGlob(strings.Repeat("*?a", 80) + "*b")
	if err != nil {
		b.Fatal(err)
	}
	s := strings.Repeat("a", 4096)
	for b.Loop() {
		g.match(s)
	}
}
