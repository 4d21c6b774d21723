package tls

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"
)

func TestLooks(t *testing.T) {
	for _, c := range []struct {
		in   string
		want bool
	}{
		{"\x16\x03\x00", true}, {"\x16\x03\x04\x00", true}, {"\x16\x03\x05", false},
		{"\x16\x02\x00", false}, {"\x17\x03\x03", false}, {"\x16\x03", false}, {"", false},
		{"GET / HTTP/1.1", false},
		{"\x80\x2e\x01\x03\x01", false}, // SSL 2.0 compatible ClientHello
	} {
		if got := Looks([]byte(c.in)); got != c.want {
			t.Errorf("Looks(%q) = %v", c.in, got)
		}
	}
}

func TestHello(t *testing.T) {
	name := "www.example.com"
	plain := hello(sni(name))
	long := hello(ext(0xFF, make([]byte, 3000)), sni(name), ext(21, make([]byte, 500)))
	noExt := message(1, cat([]byte{3, 1}, make([]byte, 32), []byte{0}, u16(2), []byte{0, 47}, []byte{1, 0}))
	withSession := message(1, cat([]byte{3, 3}, make([]byte, 32), []byte{32}, make([]byte, 32), u16(2), []byte{0x13, 1},
		[]byte{1, 0}, u16(len(sni(name))), sni(name)))
	otherType := ext(0, cat(u16(8+3+len(name)), []byte{9}, u16(5), []byte("other"), []byte{0}, u16(len(name)), []byte(name)))
	bad := func(at int, c byte) []byte {
		b := bytes.Clone(plain)
		b[at] = c
		return b
	}
	var h Hello
	for _, c := range []struct {
		what string
		in   []byte
		want string
		ok   bool
		full bool
	}{
		{"one record", record(plain), name, true, true},
		{"session id", record(withSession), name, true, true},
		{"no extensions", record(noExt), "", true, true},
		{"no server name", record(hello(ext(43, []byte{2, 3, 4}))), "", true, true},
		{"empty server name list", record(hello(ext(0, nil))), "", true, true},
		{"empty name", record(hello(sni(""))), "", true, true},
		{"name of another type first", record(hello(otherType)), name, true, true},
		{"two names", record(hello(sni(name, "b.example"))), name, true, true},
		{"two extensions", record(hello(sni(name), sni("b.example"))), name, true, true},
		{"split at each byte", split(plain, 1), name, true, true},
		{"split in the name", split(plain, len(plain)-9), name, true, true},
		{"split in the header", split(plain, 3), name, true, true},
		{"long, split", split(long, 700), name, true, true},
		{"empty records between", cat(record(nil), record(plain[:9]), record(nil), record(plain[9:])), name, true, true},
		{"next message behind it", record(cat(plain, message(16, make([]byte, 9)))), name, true, true},
		{"early data behind it", cat(record(plain), []byte{0x17, 3, 3, 0, 1, 0}), name, true, true},
		{"alert in the middle", cat(record(plain[:9]), []byte{0x15, 3, 3, 0, 2, 1, 0}, record(plain[9:])), "", true, false},
		{"record longer than the segment", cat([]byte{0x16, 3, 1, 0x40, 0}, plain), name, true, true},
		{"cut behind the name", record(long)[:5+4+41+4+4+3000+30], name, true, false},
		{"cut in the name", record(plain)[:len(record(plain))-1], "", true, false},
		{"record header alone", []byte{0x16, 3, 1, 2, 0}, "", true, false},
		{"ServerHello", record(message(2, make([]byte, 80))), "", false, false},
		{"version 2", record(bad(4, 2)), "", false, false},
		{"session id of 33", record(bad(38, 33)), "", false, false},
		{"odd cipher suites", record(bad(40, 3)), "", false, false},
		{"no compression method", record(bad(45, 0)), "", false, false},
		{"application data", []byte{0x17, 3, 3, 0, 5, 1, 0, 0, 1, 3}, "", false, false},
		{"empty", nil, "", false, false},
	} {
		if ok := h.Parse(c.in); ok != c.ok || string(h.ServerName) != c.want || h.Complete != c.full {
			t.Errorf("%s: got %q, %v, complete %v", c.what, h.ServerName, ok, h.Complete)
		}
	}
}

// A real ClientHello, whole and cut at every length: the name is either right
// or missing, and once found it stays found.
func TestHelloReal(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client, _, _ := handshake(t, version, "Name.Example.COM")
		var h Hello
		if !h.Parse(client) || string(h.ServerName) != "Name.Example.COM" || !h.Complete {
			t.Fatalf("got %q, complete %v", h.ServerName, h.Complete)
		}
		if string(h.ALPN) != "\x02h2\x08http/1.1" {
			t.Errorf("ALPN %q", h.ALPN)
		}
		if h.Version != 0x0303 || len(h.CipherSuites) < 6 || len(h.Extensions) < 40 {
			t.Errorf("version %x, %d bytes of suites, %d of extensions", h.Version, len(h.CipherSuites), len(h.Extensions))
		}
		body := len(client[5:]) - 5
		found := false
		for n := range client[:body] {
			ok := h.Parse(bytes.Clone(client[:n]))
			if ok != (n >= 3) {
				t.Fatalf("cut at %d: %v", n, ok)
			}
			switch string(h.ServerName) {
			case "":
				if found {
					t.Fatalf("cut at %d: name lost", n)
				}
			case "Name.Example.COM":
				found = true
			default:
				t.Fatalf("cut at %d: name %q", n, h.ServerName)
			}
		}
	}
}

func TestHelloPointsIntoPayload(t *testing.T) {
	b := record(hello(sni("a.example")))
	var h Hello
	h.Parse(b)
	b[bytes.Index(b, []byte("a.example"))] = 'b'
	if string(h.ServerName) != "b.example" {
		t.Error("copied a message that lies in one piece")
	}
	if cap(h.ServerName) != len(h.ServerName) {
		t.Error("an append to the name would write into the payload")
	}
}

func TestHostName(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Repeat("ab.", 84) + "c" // 253
	var buf [255]byte
	for _, c := range []struct{ in, want string }{
		{"WWW.Example.COM", "www.example.com"}, {"a.b", "a.b"}, {"_dmarc.example.com", "_dmarc.example.com"},
		{"x_y-z.example", "x_y-z.example"}, {"1.2.3.4", "1.2.3.4"}, {"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"a-.example", "a-.example"}, {label + ".de", label + ".de"}, {"de." + label, "de." + label}, {long, long},
		{"example.com.", "example.com"}, {long + ".", long},
		{"", ""}, {".", ""}, {"localhost", ""}, {"localhost.", ""}, {"a..b", ""}, {".a.b", ""}, {"a.b..", ""},
		{"-a.example", ""}, {"a.-b", ""}, {"a b.example", ""}, {"a/b.example", ""}, {"a\x00.example", ""},
		{"b\xfccher.example", ""}, {"[::1]", ""}, {"::1", ""}, {"a.example:443", ""},
		{label + "a.de", ""}, {"de.a" + label, ""}, {long + "d", ""}, {strings.Repeat("a.", 4000) + "b", ""},
	} {
		got, ok := HostName(buf[:0], []byte(c.in))
		if ok != (c.want != "") || ok && string(got) != c.want {
			t.Errorf("HostName(%q) = %q, %v", c.in, got, ok)
		}
	}
	if _, ok := HostName(make([]byte, 0, 3), []byte("a.example")); ok {
		t.Error("wrote beyond a short buffer")
	}
}

func TestHelloAllocations(t *testing.T) {
	one, many := record(hello(sni("www.example.com"))), split(hello(sni("www.example.com")), 20)
	var h Hello
	buf := make([]byte, 255)
	if n := testing.AllocsPerRun(100, func() {
		h.Parse(one)
		h.Parse(many)
		HostName(buf, h.ServerName)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzHello(f *testing.F) {
	f.Add(record(hello(sni("www.example.com"))))
	f.Add(split(hello(sni("www.example.com"), ext(16, []byte("\x00\x03\x02h2"))), 7))
	f.Add(record(hello(sni("a", "b"), sni("c"))))
	client, server, _ := handshake(f, tls.VersionTLS13, "fuzz.example")
	f.Add(client)
	f.Add(server)
	h := new(Hello)
	f.Fuzz(func(t *testing.T, b []byte) {
		ok := h.Parse(b)
		if !ok && (h.ServerName != nil || h.Complete) {
			t.Fatal("refused, but not empty")
		}
		if ok && !Looks(b) {
			t.Fatal("parsed what does not look so")
		}
		var buf [255]byte
		if name, ok := HostName(buf[:], h.ServerName); ok {
			if again, ok := HostName(make([]byte, 255), name); !ok || !bytes.Equal(again, name) {
				t.Fatalf("%q is not canonical", name)
			}
		}
		// A whole message reads the same without records and in small ones.
		if ok && h.Complete && len(b) < maxGather {
			r := records{rest: b}
			msg := make([]byte, len(b))
			msg = msg[:r.fill(msg)]
			var p, q Hello
			if !p.ParseHandshake(msg) || !q.Parse(split(msg, 5)) ||
				!bytes.Equal(p.ServerName, h.ServerName) || !bytes.Equal(q.ServerName, h.ServerName) {
				t.Fatalf("%q, %q, %q", h.ServerName, p.ServerName, q.ServerName)
			}
		}
	})
}

func BenchmarkLooks(b *testing.B) {
	p := []byte("GET / HTTP/1.1\r\n")
	for b.Loop() {
		Looks(p)
	}
}

func BenchmarkHello(b *testing.B) {
	client, _, _ := handshake(b, tls.VersionTLS13, "www.example.com")
	one := hello(sni("www.example.com"), ext(43, make([]byte, 40)), ext(51, make([]byte, 1200)))
	h := new(Hello)
	for _, c := range []struct {
		name string
		in   []byte
	}{{"go client", client}, {"one record", record(one)}, {"split", split(one, 300)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !h.Parse(c.in) || h.ServerName == nil {
					b.Fatal("no name")
				}
			}
		})
	}
}

func BenchmarkHostName(b *testing.B) {
	var buf [255]byte
	name := []byte("WWW.subdomain.example.com")
	b.ReportAllocs()
	for b.Loop() {
		HostName(buf[:], name)
	}
}
