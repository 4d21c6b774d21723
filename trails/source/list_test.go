package source

import (
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"trailhound/trails"
)

func TestEntry(t *testing.T) {
	for line, want := range map[string]string{
		"": "", "  \t": "", "# x": "", "  # x": "", "#": "",
		"evil.example":                    "evil.example",
		"  evil.example  ":                "evil.example",
		"evil.example # why":              "evil.example",
		"evil.example\t#why":              "evil.example",
		"/a/####b.doc":                    "/a/",
		"evil.example#":                   "evil.example",
		"evil.example/a?b=c":              "evil.example/a",
		"http://evil.example?b":           "http://evil.example",
		"/a?b=c":                          "/a?b=c",
		"http:///a?b=c":                   "http:///a?b=c",
		`re[0-9]{2}?y\.com`:               `re[0-9]{2}?y\.com`,
		`evil.example/[a]?x`:              `evil.example/[a]`,
		"ua:a#b":                          "ua:a#b",
		"ua:a?b #c":                       "ua:a?b",
		`RE:^a?b\.example$`:               `RE:^a?b\.example$`,
		"http://evil.example/a//b/?q # c": "http://evil.example/a//b/",
	} {
		if got := string(entry([]byte(line))); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestReferenceURL(t *testing.T) {
	for line, want := range map[string]string{
		"# Reference: https://a.example/x":                  "https://a.example/x",
		"#Reference:https://a.example/x (Korean)":           "https://a.example/x",
		"# Referecne: https://a.example/x":                  "https://a.example/x",
		"# Refereence: http://a.example/x":                  "http://a.example/x",
		"# ReferencE: https://a.example/x":                  "https://a.example/x",
		"# Refeerence:  https://a.example/x":                "https://a.example/x",
		"# Referen: https://a.example/x":                    "https://a.example/x",
		"# Reference: see the book":                         "",
		"# Reference:":                                      "",
		"# Reference https://a.example/x":                   "",
		"# Aliases: https://a.example/x":                    "",
		"# Refrain from this: https://a.example/x":          "",
		"# Reference: https://" + strings.Repeat("a", 1100): "",
	} {
		got, ok := referenceURL([]byte(line))
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", line, got, ok, want)
		}
	}
}

func TestReadListBlocks(t *testing.T) {
	c := &collected{}
	r, err := ReadList(strings.NewReader("# licence\n\n# Aliases: x\n\n"+
		"# Reference: https://r.example/1\n# Reference: https://r.example/2 (Korean)\n\na.example\nb.example\n\n"+
		"# Refernce: https://r.example/3\n# note\n\n\nc.example # x\n192.0.2.1\n\n# Generic trails\n\n/d.php\n"), "some_family.txt", c, Options{})
	if err != nil || r.Trails != 5 || r.Malformed != 0 || r.Lines != 20 || r.Files != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	if c.interned != 3 {
		t.Errorf("%d provenances for three blocks", c.interned)
	}
	for name, urls := range map[string][]string{
		"domain a.example": {"https://r.example/1", "https://r.example/2"}, "domain b.example": {"https://r.example/1", "https://r.example/2"},
		"domain c.example": {"https://r.example/3"}, "address 192.0.2.1": {"https://r.example/3"}, "url /d.php": nil,
	} {
		want := trails.Provenance{Info: "some family", Reference: "(custom)", Sources: []trails.Source{{Name: "some_family.txt", URLs: urls}}}
		if got := c.trails[strings.Replace(name, "url", trails.URL.String(), 1)]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestReadListPrefixesAndHosts(t *testing.T) {
	sha1 := strings.Repeat("0A", 20)
	c := &collected{}
	r, err := ReadList(strings.NewReader("\xEF\xBB\xBFfirst.example\r\nua: Evil/[0-9]+ # agent\nja3:"+strings.Repeat("aB", 16)+"\n"+sha1+"\nsha256:"+strings.Repeat("0b", 32)+"\n"+
		"re:^x\\d{2}\\.example$\n127.0.0.1 localhost localhost.localdomain\n0.0.0.0\ttrack.example  ads.example\n::1 ip6-localhost\n"+
		strings.Repeat("0c", 16)+"\nlast.example"), "l", c, Options{Info: "mine", Reference: "(custom)"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"domain first.example", "user-agent ua:Evil/[0-9]+", "ja3 ja3:" + strings.Repeat("ab", 16), "certificate " + strings.ToLower(sha1),
		"certificate " + strings.Repeat("0b", 32), `pattern re:^x\d{2}\.example$`, "domain track.example", "domain ads.example", "domain last.example"}
	if !slices.Equal(c.order, want) {
		t.Errorf("%q, want %q", c.order, want)
	}
	if r.Malformed != 1 || !errors.Is(r.Problems[0].Err, trails.ErrAmbiguousHash) || r.Problems[0].Line != 10 {
		t.Errorf("%+v", r)
	}
	if r.ByKind[trails.Domain] != 4 || r.ByKind[trails.Certificate] != 2 {
		t.Errorf("%v", r.ByKind)
	}
}

func TestReadListInfos(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"ransomware.txt", "evil.example", "ransomware (malware)"},
		{"malware.txt", "192.0.2.1", "potential malware site"},
		{"malware.txt", "evil.example", "malware"},
		{"malware.txt", "192.0.2.1:80", "malware"},
		{"malware.txt", "2001:db8::1", "malware"},
		{"dir/my_own_list.txt", "evil.example", "my own list"},
	} {
		got := &collected{}
		if _, err := ReadList(strings.NewReader(c.line), c.name, got, Options{}); err != nil {
			t.Fatal(err)
		}
		if got.provenances[0].Info != c.want {
			t.Errorf("%s %s: %q, want %q", c.name, c.line, got.provenances[0].Info, c.want)
		}
	}
}

// What covers names nobody listed is taken from the operator only.
func TestFeedsMayNotListPatterns(t *testing.T) {
	const list = "a[0-9]+\\.example\nxyz\nua:Evil.*\nua:Evil/1\\.0 \\(x\\)\nre:a\n"
	r, err := ReadList(strings.NewReader(list), "feed", &collected{}, Options{Reference: "feed.example"})
	if err != nil || r.Trails != 1 || r.ByKind[trails.UserAgent] != 1 || r.Malformed != 4 {
		t.Errorf("%+v %v", r, err)
	}
	if r, _ := ReadList(strings.NewReader(list), "own", &collected{}, Options{}); r.Trails != 5 {
		t.Errorf("own list: %+v", r)
	}
	for reference, want := range map[string]bool{"(static)": true, "(custom)": true, "(static) (+abuse.ch)": true, "(custom) (+(static))": true,
		"x (static)": true, "(remote custom)": false, "abuse.ch": false, "abuse.ch (+(static))": false, "static": false, "": false} {
		if ownReference(reference) != want {
			t.Errorf("%q: want %v", reference, want)
		}
	}
}

func TestChecks(t *testing.T) {
	bad := errors.New("bad")
	opt := Options{CheckPattern: func(p string) error {
		if p == "a[0-9]+" {
			return bad
		}
		return nil
	}, CheckUserAgent: func(string) error { return bad }}
	r, _ := ReadList(strings.NewReader("a[0-9]+\nb[0-9]+\nua:x\n"), "l", &collected{}, opt)
	if r.Trails != 1 || r.Malformed != 2 || r.Problems[0].Err != bad {
		t.Errorf("%+v", r)
	}
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil}, {"\n", []string{""}}, {"a", []string{"a"}}, {"a\r\nb\r\n", []string{"a", "b"}}, {"a\n\nb", []string{"a", "", "b"}}, {"a\rb\n", []string{"a\rb"}},
		{"\xEF\xBB\xBFa\n", []string{"a"}}, {"\xEF\xBB\xBF", nil}, {"ab", []string{"ab"}},
		{long + "\nb", []string{long, "b"}}, {long + "x\nb", []string{"!", "b"}}, {"a\n" + long + "x", []string{"a", "!"}},
		{strings.Repeat("y", 3*bufferSize) + "\nb\n", []string{"!", "b"}}, {"a\n" + strings.Repeat("y", 3*bufferSize), []string{"a", "!"}},
	} {
		readers := map[string]io.Reader{"whole": strings.NewReader(c.in), "halves": iotest.HalfReader(strings.NewReader(c.in)), "data with EOF": iotest.DataErrReader(strings.NewReader(c.in))}
		if len(c.in) < 100 {
			readers["bytes"] = iotest.OneByteReader(strings.NewReader(c.in))
		}
		for name, r := range readers {
			var l lines
			l.reset(r)
			var got []string
			for {
				line, err := l.next()
				if err == io.EOF {
					break
				}
				switch err {
				case nil:
					got = append(got, string(line))
				case ErrLineTooLong:
					if len(line) != maxProblemText {
						t.Errorf("excerpt of %d bytes", len(line))
					}
					got = append(got, "!")
				default:
					t.Fatal(err)
				}
				if l.number != len(got) {
					t.Fatalf("line number %d of line %d", l.number, len(got))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s of %.20q: %.60q, want %.60q", name, c.in, got, c.want)
			}
		}
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		r    io.Reader
		want error
	}{
		{strings.NewReader("\xFF\xFEe\x00"), ErrUTF16}, {strings.NewReader("\xFE\xFF\x00e"), ErrUTF16},
		{stuck{}, io.ErrNoProgress}, {io.MultiReader(strings.NewReader("a.example\n"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		{strings.NewReader(""), ErrNoTrails}, {strings.NewReader("# x\n\n"), ErrNoTrails}, {strings.NewReader("??\n"), ErrNoTrails},
	} {
		_, err := ReadList(c.r, "l.txt", &collected{}, Options{})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "l.txt") {
			t.Errorf("list: %v, want %v", err, c.want)
		}
	}
	if _, err := ReadCSV(strings.NewReader("\xFF\xFEe\x00"), "l.csv", &collected{}, Options{}); !errors.Is(err, ErrUTF16) {
		t.Error(err)
	}
}

func TestReportIsBounded(t *testing.T) {
	r, err := ReadList(strings.NewReader("ok.example\n"+strings.Repeat("bad\x1b[31m line "+strings.Repeat("é", 100)+"\n", 50)), "l", &collected{}, Options{})
	if err != nil || r.Malformed != 50 || len(r.Problems) != 10 {
		t.Fatalf("%d malformed, %d named, %v", r.Malformed, len(r.Problems), err)
	}
	if p := r.Problems[0]; len(p.Text) > 80 || strings.ContainsRune(p.Text, 0x1b) || !strings.HasPrefix(p.Text, "bad[31m line é") || p.Line != 2 || strings.ContainsRune(p.Text, '\uFFFD') {
		t.Errorf("%+v", p)
	}
	sum := Report{Problems: r.Problems[:4:4], Malformed: 4}
	sum.Add(r)
	sum.Add(r)
	if len(sum.Problems) != 10 || sum.Malformed != 104 || sum.Trails != 2 {
		t.Errorf("%+v", sum)
	}
}

func FuzzList(f *testing.F) {
	for _, s := range []string{"evil.example # x\n192.0.2.1\r\n", "\xEF\xBB\xBFa.example", "# Reference: https://a\n/x?y\n", "0.0.0.0 a b\n", "ua:x #\nre:(\n", "http://?\n:///?", "\xFF\xFE"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &collected{}
		r, err := ReadList(strings.NewReader(string(data)), "f", c, Options{})
		if err == nil && r.Trails == 0 {
			t.Error("no trails and no error")
		}
		sum := 0
		for _, n := range r.ByKind {
			sum += n
		}
		if sum != r.Trails || len(c.order) != r.Trails || r.ByKind[trails.Invalid] != 0 || r.Lines > 1+strings.Count(string(data), "\n") || len(r.Problems) != min(r.Malformed, 10) {
			t.Errorf("%+v for %d added", r, len(c.order))
		}
	})
}
