package whitelist

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"

	"trailhound/trails"
)

func mustNew(t testing.TB, entries ...string) *List {
	t.Helper()
	l, err := New(entries...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDomain(t *testing.T) {
	l := mustNew(t, "good.example", ".Dotted.Example.", "*.star.example", "E-X.not.fyi", "corp", "www.wix.com", "bücher.example", "8.8.8.8", "17.0.0.0/8", "a_b.example", strings.Repeat("a", 60)+".example")
	for name, want := range map[string]bool{
		"good.example": true, "GOOD.Example": true, "a.b.good.example": true, "notgood.example": false, "good.example.evil.test": false, "example": false,
		"good.example.": true, "good.example..": true, "good.example:8080": true, "a.good.example/x": true, "good.example\x00": true, "[good.example]": false,
		"dotted.example": true, "x.star.example": true, "star.example": true, "e-x.NOT.fyi": true, "host.corp": true, "corp": true,
		"www.wix.com": true, "a.www.wix.com": true, "wix.com": false, "xn--bcher-kva.example": true, "x.xn--bcher-kva.example": true,
		"8.8.8.8": true, "8.8.8.8:53": true, "18.8.8.8": false, "1.8.8.8.8": true, "17.1.2.3": false, "a_b.example": true,
		"": false, ".": false, "...": false, ":80": false, ".good.example": true, "good..example": false,
		strings.Repeat("x.", 200) + "good.example": true, strings.Repeat("x", 500) + ".good.example": true, strings.Repeat("x", 500) + "good.example": false,
		strings.Repeat("x.", 200) + "evil.test": false, strings.Repeat("x", 5000): false, strings.Repeat("a", 60) + ".example": true,
	} {
		if got := l.Domain([]byte(name)); got != want {
			t.Errorf("%.60q: %v, want %v", name, got, want)
		}
	}
	// a listed suffix at every place around the end of the buffer
	for n := 200; n < 300; n++ {
		if !l.Domain([]byte(strings.Repeat("x", n)+".good.example")) || l.Domain([]byte(strings.Repeat("x", n)+"good.example")) {
			t.Fatalf("wrong behind a label of %d", n)
		}
	}
}

func TestAddr(t *testing.T) {
	l := mustNew(t, "8.8.8.8", "10.0.5.0/16", "2001:db8::1", "2001:db8:1::7/48", "::1", "1.2.3.4:443")
	for a, want := range map[string]bool{"8.8.8.8": true, "8.8.8.9": false, "10.0.255.1": true, "10.1.0.0": false, "::ffff:8.8.8.8": true, "2001:db8::1": true,
		"2001:db8::2": false, "2001:db8:1:ffff::": true, "2001:db8:2::": false, "::1": true, "1.2.3.4": false, "fe80::1%eth0": false} {
		if got := l.Addr(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %v, want %v", a, got, want)
		}
	}
	if l.Addr(netip.Addr{}) {
		t.Error("the zero address is listed")
	}
}

func TestTrailAndExplain(t *testing.T) {
	sha1 := strings.Repeat("0a", 20)
	l := mustNew(t, "good.example", "17.0.0.0/8", "8.8.8.8", "185.125.188.59:443", "www.nirsoft.net/utils", "/ok.php", "2001:db8::/32", sha1, "ja3:"+strings.Repeat("0b", 16))
	for _, c := range []struct {
		text    string
		trail   bool
		explain string
	}{
		{"good.example", true, "good.example"}, {"x.good.example", false, "good.example"}, {"bad.example", false, ""}, {"good.example:443", false, "good.example"},
		{"17.5.5.5", true, "17.0.0.0/8"}, {"17.5.5.5:443", false, ""}, {"17.5.5.5/x", false, ""}, {"17.5.0.0/16", true, "17.0.0.0/8"}, {"16.0.0.0/7", false, ""},
		{"8.8.8.8", true, "8.8.8.8"}, {"8.8.8.0/24", false, ""}, {"8.8.8.8:53", false, ""}, {"17.5.5.5.evil.test", false, ""},
		{"185.125.188.59:443", true, "185.125.188.59:443"}, {"185.125.188.59:80", false, ""}, {"185.125.188.59", false, ""},
		{"http://www.NirSoft.net/utils/", true, "www.nirsoft.net/utils"}, {"www.nirsoft.net/utils/x", false, ""}, {"nirsoft.net", false, ""},
		{"/ok.php", true, "/ok.php"}, {"/ok.php?x", false, ""}, {"x.good.example/y", false, "good.example"}, {"good.example/ok.php", false, "good.example"},
		{"2001:db8:5::1", true, "2001:db8::/32"}, {"2001:db8:5::/48", true, "2001:db8::/32"}, {sha1, true, sha1}, {"ja3:" + strings.Repeat("0B", 16), true, "ja3:" + strings.Repeat("0b", 16)},
		{"a[0-9]+", false, ""},
	} {
		if kind, key, err := trails.AppendKey(nil, []byte(c.text)); err == nil && l.Trail(kind, key) != c.trail {
			t.Errorf("trail %s: want %v", c.text, c.trail)
		} else if err != nil && c.trail {
			t.Error(c.text, err)
		}
		if got, ok := l.Explain(c.text); got != c.explain || ok != (c.explain != "") {
			t.Errorf("explain %s: %q %v, want %q", c.text, got, ok, c.explain)
		}
	}
}

func TestRead(t *testing.T) {
	l, r, err := Read(strings.NewReader("\xEF\xBB\xBF# c\r\n\r\ngood.example # trailing\r\nGood.Example\n92.222.150.60   # ns\nbad entry\n"+strings.Repeat("x", 5000)+"\nlast.example"), "w.txt")
	if err != nil || l.Len() != 3 || r.Lines != 8 || r.Malformed != 2 || len(r.Problems) != 2 || !strings.HasPrefix(r.Problems[0], "w.txt:6: ") {
		t.Fatalf("%d entries, %+v, %v", l.Len(), r, err)
	}
	if !l.Addr(netip.MustParseAddr("92.222.150.60")) || !l.Domain([]byte("x.last.example")) {
		t.Error("an entry is missing")
	}
	if _, _, err := Read(iotest.ErrReader(errors.New("broken")), "w.txt"); err == nil || !strings.Contains(err.Error(), "w.txt") {
		t.Error(err)
	}
	if _, err := New("good.example", "not good"); !errors.Is(err, ErrEntry) {
		t.Error(err)
	}
}

func TestMergeAndNil(t *testing.T) {
	a, b := mustNew(t, "a.example", "10.0.0.0/8"), mustNew(t, "b.example", "a.example", "b.example/x")
	m := Merge(a, nil, b)
	if m.Len() != 4 || !m.Domain([]byte("a.example")) || !m.Domain([]byte("b.example")) || !m.Addr(netip.MustParseAddr("10.1.1.1")) || !m.Trail(trails.URL, []byte("b.example/x")) {
		t.Error("a merged entry is missing")
	}
	if a.Len() != 2 || a.Domain([]byte("b.example")) {
		t.Error("merging changed a list")
	}
	for _, l := range []*List{nil, {}, Merge()} {
		if l.Domain([]byte("a.example")) || l.Addr(netip.MustParseAddr("10.1.1.1")) || l.Trail(trails.Domain, []byte("a.example")) || l.Trail(trails.URL, []byte("/x")) || l.Len() != 0 {
			t.Error("an empty list lists something")
		}
		if _, ok := l.Explain("a.example"); ok {
			t.Error("an empty list explains something")
		}
	}
}

func TestAllocatesNothing(t *testing.T) {
	l := mustNew(t, "good.example", "10.0.0.0/8", "/x.php")
	name, upper, path, addr := []byte("www.some.good.example"), []byte("WWW.Some.Bad.Example"), []byte("/x.php"), netip.MustParseAddr("10.1.2.3")
	if n := testing.AllocsPerRun(100, func() {
		l.Domain(name)
		l.Domain(upper)
		l.Addr(addr)
		l.Trail(trails.Domain, name)
		l.Trail(trails.URL, path)
		l.Trail(trails.Address, path[:4])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzWhitelist asks the list and a plain walk over the suffixes.
func FuzzWhitelist(f *testing.F) {
	f.Add("good.example\ncorp", "x.Good.example:80")
	f.Add("a.b.c\n8.8.8.8\n.x", "..a.b.c..")
	f.Add("10.0.0.1/8\n/x # y", "1.10.0.0.1")
	f.Fuzz(func(t *testing.T, file, name string) {
		l, r, err := Read(strings.NewReader(file), "f")
		if err != nil {
			t.Skip()
		}
		if l.Len() > r.Lines || len(r.Problems) != min(r.Malformed, maxProblems) {
			t.Errorf("%d entries, %+v", l.Len(), r)
		}
		listed := map[string]bool{}
		for _, e := range l.all {
			if e.name != "" {
				listed[e.name] = true
			} else if e.exact == "" && e.prefix.IsSingleIP() && e.prefix.Addr().Is4() {
				listed[e.prefix.Addr().String()] = true
			}
		}
		run := name
		for i := range len(name) {
			if class[name[i]] == 0 {
				run = name[:i]
				break
			}
		}
		want := false
		for s := strings.TrimRight(strings.ToLower(run), "."); s != ""; {
			want = want || listed[s]
			_, s, _ = strings.Cut(s, ".")
		}
		if got := l.Domain([]byte(name)); got != want {
			t.Errorf("%q in %q: %v, want %v", name, file, got, want)
		}
		l.Explain(name)
	})
}

func BenchmarkDomain(b *testing.B) {
	var entries []string
	for i := range 3500 {
		entries = append(entries, fmt.Sprintf("name-%d.example%d.com", i*7919%10007, i%50))
	}
	l := mustNew(b, entries...)
	for _, c := range []struct{ name, text string }{{"miss", "mail.some-name.example.com"}, {"hit", "www.a." + entries[77]}, {"upper", "Mail.Some-Name.Example.com"}, {"labels127", strings.Repeat("x.", 126) + "y"}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			text := []byte(c.text)
			for b.Loop() {
				l.Domain(text)
			}
		})
	}
}

func BenchmarkAddr(b *testing.B) {
	l := mustNew(b, "17.0.0.0/8", "8.8.8.8", "2001:db8::/32")
	a := netip.MustParseAddr("185.62.190.191")
	b.ReportAllocs()
	for b.Loop() {
		l.Addr(a)
	}
}
