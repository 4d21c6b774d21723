package source

import (
	"errors"
	"strings"
	"testing"

	"trailhound/trails"
)

func TestReadCSV(t *testing.T) {
	c := &collected{}
	r, err := ReadCSV(strings.NewReader("trail,info,reference\r\n# comment\r\n"+
		"evil.example,one (malware),(static)\r\n"+
		"WWW.Other.example,one (malware),(static)\n"+
		"\"a[0-9]{1,2}\\.example\",\"in, \"\"fo\"\"\",(static)\r\n"+
		"\"/data=\"\"x\"\"\",one (malware),(static)\r\n"+
		"evil.example,two,\"abuse.ch (+b.example,c.example)\"\r\n"+
		"h.example/a?b=c,two,(static) (+abuse.ch)\r\n"+
		"\r\n"+
		"192.0.2.1:443,bad \xff info,x"), "t.csv", c, Options{})
	if err != nil || r.Malformed != 0 || r.Trails != 7 || r.Lines != 10 {
		t.Fatalf("%+v %v", r, err)
	}
	for name, want := range map[string][2]string{
		"domain evil.example":          {"two", "abuse.ch (+b.example,c.example)"}, // the last row wins
		"domain other.example":         {"one (malware)", "(static)"},
		`pattern a[0-9]{1,2}\.example`: {`in, "fo"`, "(static)"},
		`url /data="x"`:                {"one (malware)", "(static)"},
		"url h.example/a?b=c":          {"two", "(static) (+abuse.ch)"},
		"address-port 192.0.2.1:443":   {"bad \uFFFD info", "x"},
	} {
		name = strings.Replace(name, "url", trails.URL.String(), 1)
		got, ok := c.trails[name]
		if !ok || got.Info != want[0] || got.Reference != want[1] || len(got.Sources) != 1 || got.Sources[0].Name != "t.csv" {
			t.Errorf("%s: %+v, want %q", name, got, want)
		}
	}
	if c.interned > 6 {
		t.Errorf("%d provenances interned", c.interned)
	}
}

func TestReadCSVMalformed(t *testing.T) {
	for _, c := range []struct {
		row  string
		want error
	}{
		{"a.example", ErrFields}, {"a.example,i", ErrFields}, {"a.example,i,r,x", ErrFields}, {`"a.example",i`, ErrFields}, {`"a.example",i,r,x`, ErrFields}, {`"a.example",i,r,`, ErrFields},
		{`a.ex"ample,i,r`, ErrQuotes}, {`"a.example,i,r`, ErrQuotes}, {`"a.example"x,i,r`, ErrQuotes}, {`a.example,i,"r`, ErrQuotes}, {`a.example,i,r"`, ErrQuotes}, {`"`, ErrQuotes},
		{",i,r", trails.ErrEmpty}, {`"",i,r`, trails.ErrEmpty}, {"a b,i,r", trails.ErrName}, {"evil\uFFFD.example,i,r", trails.ErrBadReplacement},
		{`a[0-9]+\.example,i,feed.example`, trails.ErrFeedPattern}, {`a[0-9]+\.example,i,(remote custom)`, trails.ErrFeedPattern}, {"re:a,i,feed (+(static))", trails.ErrFeedPattern},
		{"xyz,i,feed.example", ErrFeedSingleLabel}, {"trail,info,reference", ErrFeedSingleLabel}, {strings.Repeat("x", 70000) + ",i,r", ErrLineTooLong},
	} {
		col := &collected{}
		r, err := ReadCSV(strings.NewReader("first.example,i,r\r\n"+c.row+"\r\nlast.example,i,r\r\n"), "t.csv", col, Options{})
		if err != nil || r.Trails != 2 || r.Malformed != 1 || !errors.Is(r.Problems[0].Err, c.want) || r.Problems[0].Line != 2 {
			t.Errorf("%.40q: %+v %v, want %v", c.row, r, err, c.want)
		}
	}
	// A line break inside quotes costs the row, not what follows.
	r, err := ReadCSV(strings.NewReader("a.example,\"in\nfo\",r\nb.example,i,r\n"), "t.csv", &collected{}, Options{})
	if err != nil || r.Trails != 1 || r.Malformed != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestReadCSVAllocatesNothingPerRow(t *testing.T) {
	rows := strings.Repeat("evil.example,one (malware),(static)\r\n192.0.2.1:443,two,(static)\r\n/a/B.php?x,\"three, four\",(static)\r\n", 5000)
	var c counted
	n := testing.AllocsPerRun(3, func() {
		if _, err := ReadCSV(strings.NewReader(rows), "t.csv", &c, Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 60 {
		t.Errorf("%v allocations for 15000 rows", n)
	}
}

func TestTooManyPairs(t *testing.T) {
	in := &intake{c: &collected{}, report: &Report{}}
	tab := table{in: in, pairs: make(map[string]pair)}
	for i := range maxPairs {
		tab.pairs[string([]byte{byte(i), byte(i >> 8), byte(i >> 16)})] = pair{}
	}
	if _, err := tab.row([]byte("a.example,new,new")); err != ErrTooMany {
		t.Error(err)
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"evil.example,i,r\r\n", "\"a,\"\"b\",i,r\n", "trail,info,reference\na,b,(static)\n", "a,\"b\nc\",d\n", "\"\",\"\",\"\"\n", ",,\n,\n\"", "#\n\xEF\xBB\xBF"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &collected{}
		r, err := ReadCSV(strings.NewReader(string(data)), "f", c, Options{})
		if err == nil && r.Trails == 0 {
			t.Error("no trails and no error")
		}
		if len(c.order) != r.Trails || r.ByKind[trails.Invalid] != 0 || r.Trails+r.Malformed > r.Lines || len(r.Problems) != min(r.Malformed, 10) {
			t.Errorf("%+v for %d added", r, len(c.order))
		}
	})
}
