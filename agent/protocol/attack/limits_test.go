package attack

import (
	"testing"
	"unicode/utf8"
)

// TestLinear: looking closer costs no more per byte in long texts than in
// short ones, and never much.
func TestLinear(t *testing.T) {
	for _, form := range []bool{false, true} {
		testLinear(t, form)
	}
}

func testLinear(t *testing.T, form bool) {
	m := NewMatcher()
	const short, long = 1 << 10, 64 << 10
	texts := hostileTexts(long)
	for name, text := range texts {
		per := func(size int) float64 {
			m.find(text[:size], every, true, form)
			return float64(m.scan.steps) / float64(size)
		}
		few, many := per(short), per(long)
		if many > 24 {
			t.Errorf("%s: %.1f steps per byte", name, many)
		}
		if many > few+2 {
			t.Errorf("%s: %.1f steps per byte in %d bytes, %.1f in %d", name, few, short, many, long)
		}
		for c := SQLInjection; c < categories; c++ {
			m.find(text, 1<<c, true, form)
			if got := float64(m.scan.steps) / long; got > 24 {
				t.Errorf("%s: %.1f steps per byte for %s alone", name, got, c)
			}
		}
	}
	// Every word of a rule, over and over, with and without something between.
	for _, r := range shared().rules {
		for _, between := range []string{"", " ", "=", "x", "((", "&", ".", "/", "         "} {
			unit, text := r.word+between, []byte(nil)
			for len(text) < 4<<10 {
				text = append(text, unit...)
			}
			for c := SQLInjection; c < categories; c++ {
				m.find(text, 1<<c, true, form)
				if got := float64(m.scan.steps) / float64(len(text)); got > 24 {
					t.Errorf("%q: %.1f steps per byte for %s", unit, got, c)
				}
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	m := NewMatcher()
	wide := []byte("/é?a=ſelect x FROM y&q=" + string(utf8.RuneError))
	m.Match(wide) // the buffer grows
	texts := [][]byte{wide, []byte("/?q=' or 1=1 -- a@b.c, a@b.c, a@b.c, a@b.c&dns1=${x}/* (|(a=*")}
	for _, text := range browserTexts {
		texts = append(texts, []byte(text))
	}
	response := []byte("HTTP/1.1 200 OK\r\nServer: malware-sinkhole\r\n\r\n<title>Domain Seized</title>")
	for _, text := range texts {
		if n := testing.AllocsPerRun(100, func() {
			m.Match(text)
			m.MatchForm(text)
			for c := SQLInjection; c < categories; c++ {
				m.Matches(text, c)
			}
			Exempt(text)
			Worth(text)
			FileOf(text, true).Download()
			FileOf(text, true).ScanFile()
			Sinkhole(response)
			Seized(response)
			ContentType(text)
		}); n != 0 {
			t.Errorf("%v allocations for %q", n, text)
		}
	}
}

// TestWindows: each word is found at even and at odd places; a rule that is
// added with too common or too short a word shows here.
func TestWindows(t *testing.T) {
	f := shared()
	for n, r := range f.rules {
		for _, before := range []string{" ", "  "} {
			text := []byte(before + r.word)
			if r.next != "" {
				text = append(text, r.next[0])
			}
			var places [64]int32
			found := false
			count, next := f.collect(&places, text, 0, beyondASCII)
			if next != len(text) {
				t.Fatalf("%q: reading ended at %d", text, next)
			}
			for _, at := range places[:count] {
				for _, w := range f.windows[1:] {
					found = found || w.rule == uint8(n) && int(at)-int(w.offset) == len(before)
				}
			}
			if !found {
				t.Errorf("%q is not found in %q", r.word, text)
			}
		}
	}
	if len(f.rules) > 255 || len(f.windows) > 1000 {
		t.Errorf("%d rules, %d windows", len(f.rules), len(f.windows))
	}
}
