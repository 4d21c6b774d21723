package event

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  string
		cut   bool
	}{
		{"", 10, "", false},
		{"plain text", 1024, "plain text", false},
		{"a\r\nb\tc", 1024, "a  b c", false},
		{"a\x00\x1b[31mb\x7fc", 1024, "a[31mbc", false},
		{"a\u0085b\u009bc\u00a0d", 1024, "abc\u00a0d", false},
		{"grün 日本", 1024, "grün 日本", false},
		{"a\xff\xfeb", 1024, "a\uFFFD\uFFFDb", false},
		{"\xe6\x97", 1024, "\uFFFD\uFFFD", false}, // a rune cut in two
		{"\uFFFD", 1024, "\uFFFD", false},
		{strings.Repeat("x", 20), 20, strings.Repeat("x", 20), false},
		{strings.Repeat("x", 21), 20, "xxxxxx" + TruncatedMark, true},
		{strings.Repeat("ü", 11), 20, "üüü" + TruncatedMark, true},
		{strings.Repeat("日", 7), 20, "日日" + TruncatedMark, true},
		{strings.Repeat("\x00", 50) + "x", 20, "x", false}, // what is dropped does not count
		{"abcdef", 3, "abc", true},
		{"日本", 4, "日", true},
		{"abc", 0, "", true},
		{"abc", -1, "", true},
		{"", -1, "", false},
		{"\xff\xff", 3, "\uFFFD", true},
	} {
		got, cut := Clean([]byte(c.in), c.limit)
		if got != c.want || cut != c.cut {
			t.Errorf("Clean(%q, %d) = %q %v, want %q %v", c.in, c.limit, got, cut, c.want, c.cut)
		}
	}
}

func TestCleanAllocatesTheStringOnly(t *testing.T) {
	b := []byte("Mozilla/5.0 (X11; Linux x86_64) grün")
	if n := testing.AllocsPerRun(100, func() { Clean(b, 1024) }); n != 1 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nb", "\xff\xfe\xe6\x97", "\u0085ü日本𝄞", strings.Repeat("日", 400)} {
		f.Add([]byte(s), 64)
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		limit &= 0xFFF
		got, cut := Clean(b, limit)
		if len(got) > limit {
			t.Fatalf("%d bytes, the limit is %d", len(got), limit)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		for _, r := range got {
			if r < 0x20 || r >= 0x7F && r < 0xA0 {
				t.Fatalf("control %U is left in %q", r, got)
			}
		}
		if cut && limit >= len(TruncatedMark) && !strings.HasSuffix(got, TruncatedMark) {
			t.Fatalf("cut without a mark: %q", got)
		}
		if again, _ := Clean([]byte(got), limit); again != got {
			t.Fatalf("cleaning again changes %q to %q", got, again)
		}
	})
}

func BenchmarkClean(b *testing.B) {
	text := []byte("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
	b.ReportAllocs()
	for b.Loop() {
		Clean(text, MaxEvidence)
	}
}

func TestCleanInvisible(t *testing.T) {
	for in, want := range map[string]string{
		"a\u2028b\u2029c":                    "a b c", // some readers end a line there
		"exe.\u202Egpj":                      "exe.gpj",
		"\uFEFFa\u200Fb\u2066c\u061Cd":       "abcd",
		"zero\u200Dwidth joiner is a letter": "zero\u200Dwidth joiner is a letter",
	} {
		if got, cut := Clean([]byte(in), 100); got != want || cut {
			t.Errorf("%q: %q, %v", in, got, cut)
		}
	}
}
