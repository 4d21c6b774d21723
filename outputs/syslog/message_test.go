package syslog

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trailhound/agent/event"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func fixed(t testing.TB, k Keys) *writer {
	t.Helper()
	k.TimeZone = "UTC"
	s, err := k.settings()
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(s, Env{Identity: identity(), Trails: func() time.Time { return time.Date(2026, 2, 15, 12, 0, 0, 0, time.UTC) }})
	w.pid = "4711"
	return w
}

func TestGolden(t *testing.T) {
	for name, k := range map[string]Keys{
		"cef-3164":      {Address: "tcp://a"},
		"cef-5424":      {Address: "tls://a", Extra: map[string]string{"tenant": "acme = 1", "cs9": "x"}, Facility: "daemon", AppName: "ids", Hostname: "edge.example"},
		"cef-here":      {Address: "unix:///run/x"},
		"cef-small":     {Address: "udp://a", RFC: "5424", MaxMessage: 620},
		"cef-go-syslog": {Address: "udp://a"}, // without its header, which the library writes
		"json-5424":     {Address: "tls://a", Format: "json"},
		"maltrail":      {Address: "udp://a", Profile: "maltrail"},
	} {
		w := fixed(t, k)
		var got []byte
		for _, e := range events() {
			line, v := w.message(nil, &e)
			if len(line) > w.size || v == tooBig {
				t.Errorf("%s: %d bytes, %v", name, len(line), v)
			}
			got = append(append(got, line...), '\n')
		}
		file := filepath.Join("testdata", name+".golden")
		if *update {
			os.MkdirAll("testdata", 0o755)
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestSize: the limit is of header and body together, to the byte.
func TestSize(t *testing.T) {
	e := events()[1]
	e.Trail = strings.Repeat("=日", 2000)
	for _, rfc := range []string{"3164", "5424"} {
		w := fixed(t, Keys{Address: "tcp://a", RFC: rfc})
		for size := 700; size < 900; size++ {
			w.size = size
			line, v := w.message([]byte("before"), &e)
			if len(line)-6 > size || v != cut || !utf8.Valid(line) {
				t.Fatalf("%s, %d: %d bytes, %v", rfc, size, len(line)-6, v)
			}
			read := parse5424
			if rfc == "3164" {
				read = func(line string) (parsed, error) { return parseWith(header3164, line) }
			}
			p, err := read(string(line[6:]))
			if err != nil {
				t.Fatal(err)
			}
			_, keys, err := parseCEF(p.text)
			if err != nil || keys["externalId"] == "" || keys["cn3"] != "2" || !strings.HasPrefix(e.Trail, keys["cs1"]) {
				t.Fatalf("%v %v", keys, err)
			}
		}
		w.size = len(w.header(nil, &e)) + 100
		if line, v := w.message([]byte("before"), &e); v != tooBig || string(line) != "before" {
			t.Errorf("%v: %q", v, line)
		}
	}
	whole8k := events()[0]
	w := fixed(t, Keys{Address: "tcp://a"})
	line, _ := w.message(nil, &whole8k)
	for _, c := range []struct {
		size int
		want verdict
	}{{len(line), whole}, {len(line) - 1, cut}} {
		w.size = c.size
		if got, v := w.message(nil, &whole8k); v != c.want || len(got) > c.size {
			t.Errorf("%d: %v, %d", c.size, v, len(got))
		}
	}
}

func TestMaltrailHasNoHealth(t *testing.T) {
	w := fixed(t, Keys{Address: "udp://a", Profile: "maltrail"})
	e := events()[5]
	if line, v := w.message(nil, &e); v != none || len(line) > 0 {
		t.Errorf("%v %q", v, line)
	}
	w.trails = nil // nobody knows when they were made
	e = events()[0]
	if line, _ := w.message(nil, &e); !strings.Contains(string(line), "|2026-02-16|") {
		t.Errorf("%s", line)
	}
}

// FuzzMessage: whatever an event holds, each header with each body is one line
// that readers take apart into the same values.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nb", "x|y=z\\w", "<34>1 - - - - - -", "\x00\x1b[31m\x7f", "\xff\xfe", "日本 \U0001D11E", "CEF:0|", " = ", strings.Repeat("=", 5000)} {
		f.Add(s, 1400)
	}
	f.Fuzz(func(t *testing.T, s string, size int) {
		size = 512 + size&16383
		e := events()[1]
		e.Trail, e.Info, e.Reference, e.Code, e.Type, e.Protocol, e.Forwarded, e.Interface = s, s, s, event.Code("http."+s), event.Type(s), s, s, s
		e.HTTP = event.HTTPFacts{Method: s, Host: s, Target: s, UserAgent: s}
		id := &event.Identity{Name: s, ID: s, Hostname: s, Version: s, Labels: map[string]string{s: s}}
		for _, k := range []Keys{{Address: "tcp://a"}, {Address: "tls://a"}, {Address: "unix:///x"}, {Address: "tls://a", Format: "json"}, {Address: "udp://a", Profile: "maltrail"}} {
			w := fixed(t, k)
			w.id, w.size = id, size
			w.name = w.host(id)
			line, v := w.message(nil, &e)
			if v == tooBig {
				if size > 4096 {
					t.Fatalf("nothing fits into %d bytes", size)
				}
				continue
			}
			text := string(line)
			if len(line) > size || strings.ContainsAny(text, "\r\n\x00") || !utf8.ValidString(text) {
				t.Fatalf("%d bytes: %q", size, text)
			}
			if w.maltrail {
				continue
			}
			var p parsed
			var err error
			switch {
			case w.rfc == "5424":
				p, err = parse5424(text)
			case w.bareHeader:
				p, err = parseWith(headerHere, text)
			default:
				p, err = parseWith(header3164, text)
			}
			if err != nil || p.priority != 164 || p.pid != "4711" {
				t.Fatalf("%v in %q", err, text)
			}
			if w.json {
				if !json.Valid([]byte(p.text)) {
					t.Fatalf("not JSON: %q", p.text)
				}
				continue
			}
			header, keys, err := parseCEF(p.text)
			if err != nil || len(header) != 6 || keys["externalId"] != event.IDString(e.ID) || keys["cn3"] != "2" {
				t.Fatalf("%v in %q", err, p.text)
			}
			want := strings.Map(func(r rune) rune {
				switch {
				case r == '\t':
					return ' '
				case r != '\n' && r != '\r' && (r < 0x20 || r >= 0x7F && r < 0xA0):
					return -1
				}
				return r
			}, string([]rune(s)))
			if v == whole && utf8.RuneCountInString(want) <= 4000 && keys["cs1"] != want || !strings.HasPrefix(want, keys["cs1"]) {
				t.Fatalf("%q reads back as %q", want, keys["cs1"])
			}
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	for name, k := range map[string]Keys{"cef": {Address: "tls://a"}, "json": {Address: "tls://a", Format: "json"}} {
		b.Run(name, func(b *testing.B) {
			w, list := fixed(b, k), events()
			var buf []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				buf, _ = w.message(buf[:0], &list[i%len(list)])
			}
		})
	}
}
