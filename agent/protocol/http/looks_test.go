package http

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestLooks(t *testing.T) {
	tests := []struct {
		in   string
		want Class
	}{
		{browser, RequestLike},
		{"get / HTTP/1.1\r\n", RequestLike},
		{"X / HTTP/1.1\r\n", RequestLike},
		{"\r\nGET / HTTP/1.1\r\n", RequestLike},
		{" / HTTP/1.1\r\n", RequestLike},
		{"G", RequestLike},
		{"PRI / HTTP/1.1\r\n", RequestLike},
		{"HTTPX / HTTP/1.1\r\n", RequestLike},
		{"HTTP/1.1 200 OK\r\n", ResponseLike},
		{"\r\nHTTP/1.1 200 OK\r\n", ResponseLike},
		{"", None},
		{"\x16\x03\x01\x02\x00\x01", None},
		{"\x17\x03\x03", None},
		{"\x00\x00\x00\x85\xFFSMB", None},
		{"\x13BitTorrent protocol", None},
		{"GE\xFFT / HTTP/1.1", None},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None},
		{"PRI * HT", None},
	}
	for _, tt := range tests {
		if got := Looks([]byte(tt.in)); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.in, got, tt.want)
		}
	}
}

func TestFind(t *testing.T) {
	const next = "GET /n HTTP/1.1\r\n"
	tests := []struct {
		name, in string
		want     int
	}{
		{"at the start", next, 0},
		{"at the start, padded", "\r\n" + next, 0},
		{"odd method at the start", "\x00\x01" + next, 0},
		{"behind a body", "a=1&b=2\r\n" + next, 9},
		{"behind a chunk", "0\r\n\r\n" + next, 5},
		{"bare line feed", "x\nGET http://a/ HTTP/1.0\n", 2},
		{"connect", "x\nCONNECT a:443 HTTP/1.1\n", 2},
		{"second candidate", "x\nsee the HTTP/1.1 draft\n" + next, 25},
		{"version in the middle of a line", "x\nGET /a HTTP/1.1 y HTTP/1.1\n" + next, 29},
		{"prose", "x\nthis line is about HTTP/1.1\n", -1},
		{"three words", "x\nuses plain HTTP/1.1\n", -1},
		{"header", "x\nVia: proxy:1 HTTP/1.1\n", -1},
		{"no number", "x\nGET / HTTP/x\n", -1},
		{"line not whole", "x\nGET /n HTTP/1.1", -1},
		{"not at a line start", "body" + "\x00 GET /n HTTP/1.1", -1},
		{"nothing", "x", -1},
		{"empty", "", -1},
	}
	for _, tt := range tests {
		if got := Find([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// The work of Find and of a chain of Parse grows with the size of the segment,
// not with its square: these inputs would take minutes otherwise.
func TestHostileInputIsLinear(t *testing.T) {
	const size = 8 << 20
	for name, unit := range map[string]string{
		"one line":    "HTTP/ HTTP/1.1 ",
		"many lines":  "a b HTTP/1.1\n",
		"padding":     " ",
		"line feeds":  "\n",
		"no versions": "GET /",
	} {
		b := []byte(strings.Repeat(unit, size/len(unit)))
		if at := Find(b[1:]); at > 0 {
			t.Errorf("%s: found at %d", name, at)
		}
		var r Request
		for rest := b; len(rest) > 0 && r.Parse(rest); {
			rest = rest[r.Size:]
		}
	}
	// Requests that each claim a body that ends in a part without line ends.
	b := []byte(strings.Repeat("G / HTTP/1.1\nContent-Length:60000\n\n", 2000) + strings.Repeat("x", 1<<20))
	n := 0
	var r Request
	for rest := b; len(rest) > 0 && r.Parse(rest); n++ {
		rest = rest[r.Size:]
	}
	if n == 0 {
		t.Error("nothing read")
	}
}

func BenchmarkLooks(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 4096)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	tls := []byte("\x17\x03\x03\x04\x00\x12\x34\x56")
	b.Run("tls", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if Looks(tls) != None {
				b.Fatal("taken")
			}
		}
	})
	b.Run("random", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for i := 0; b.Loop(); i++ {
			if Looks(random[i&2047:]) != None {
				n++
			}
		}
	})
	b.Run("request", func(b *testing.B) {
		b.ReportAllocs()
		in := []byte(browser)
		for b.Loop() {
			if Looks(in) != RequestLike {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var r Request
	for _, bb := range []struct {
		name, in string
		ok       bool
	}{
		{"browser", browser, true},
		{"short", "GET / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n", true},
		{"html", "<!doctype html><html lang=en><head><meta charset=utf-8>\n<title>x</title>" + strings.Repeat("text ", 200), false},
		{"script", strings.Repeat("function(a,b){return a+b};", 50), false},
	} {
		in := []byte(bb.in)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if r.Parse(in) != bb.ok {
					b.Fatal("misread")
				}
			}
		})
	}
}

func BenchmarkFind(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 1460)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	for name, in := range map[string][]byte{
		"random": random,
		"text":   []byte(strings.Repeat("The quick brown fox HOPS over the lazy dog.\n", 33)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				if Find(in) >= 0 {
					b.Fatal("found")
				}
			}
		})
	}
}
