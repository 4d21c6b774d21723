package tls

import (
	"bytes"
	"crypto/tls"
	"testing"
)

func certificates(b []byte) (all [][]byte) {
	var c Certificates
	c.Init(b)
	for der, ok := c.Next(); ok; der, ok = c.Next() {
		all = append(all, bytes.Clone(der))
	}
	if _, ok := c.Next(); ok {
		panic("found more after the end")
	}
	return all
}

func TestCertificates(t *testing.T) {
	a, b := bytes.Repeat([]byte("A"), 700), bytes.Repeat([]byte("B"), 900)
	serverHello, done := message(2, make([]byte, 70)), message(14, nil)
	flight := cat(serverHello, certMessage(a, b), done)
	wrong := certMessage(a)
	wrong[6]++ // the list's length
	huge := bytes.Repeat([]byte("H"), maxGather+1)
	for _, c := range []struct {
		what string
		in   []byte
		want [][]byte
	}{
		{"messages share a record", record(flight), [][]byte{a, b}},
		{"a record each", cat(record(serverHello), record(certMessage(a, b)), record(done)), [][]byte{a, b}},
		{"split at each byte", split(flight, 1), [][]byte{a, b}},
		{"split", split(flight, 500), [][]byte{a, b}},
		{"second one cut", record(flight)[:5+74+7+3+700+3+899], [][]byte{a}},
		{"first one cut", record(flight)[:5+74+7+3+699], nil},
		{"certificate first in the segment", record(certMessage(a)), [][]byte{a}},
		{"two Certificate messages", record(cat(certMessage(a), certMessage(b))), [][]byte{a, b}},
		{"empty list, then one", record(cat(certMessage(), certMessage(b))), [][]byte{b}},
		{"empty certificate", record(certMessage(nil, b)), [][]byte{b}},
		{"wrong list length", record(wrong), nil},
		{"resumed: no certificate", cat(record(serverHello), []byte{0x14, 3, 3, 0, 1, 1}, record(certMessage(a))), nil},
		{"too long to gather", split(certMessage(huge), 1000), nil},
		{"application data", []byte{0x17, 3, 3, 0, 1, 11}, nil},
		{"empty", nil, nil},
	} {
		got := certificates(c.in)
		if len(got) != len(c.want) {
			t.Errorf("%s: %d certificates, want %d", c.what, len(got), len(c.want))
			continue
		}
		for i := range got {
			if !bytes.Equal(got[i], c.want[i]) {
				t.Errorf("%s: certificate %d is wrong", c.what, i)
			}
		}
	}
	if got := certificates(record(certMessage(bytes.SplitAfter(bytes.Repeat([]byte("x"), 1000), []byte("x"))...))); len(got) != maxCertificates {
		t.Errorf("%d certificates of one byte", len(got))
	}
}

func TestCertificatesReal(t *testing.T) {
	_, server, der := handshake(t, tls.VersionTLS12, "name.example")
	got := certificates(server)
	if len(got) != 2 || !bytes.Equal(got[0], der) || !bytes.Equal(got[1], der) {
		t.Fatalf("%d certificates", len(got))
	}
	for n := range server {
		for i, c := range certificates(bytes.Clone(server[:n])) {
			if i > 1 || !bytes.Equal(c, der) {
				t.Fatalf("cut at %d: wrong certificate", n)
			}
		}
	}
	client, server, _ := handshake(t, tls.VersionTLS13, "name.example")
	if len(certificates(server)) != 0 || len(certificates(client)) != 0 {
		t.Error("TLS 1.3 has no certificate in clear")
	}
}

func TestCertificatesAllocations(t *testing.T) {
	flight := cat(message(2, make([]byte, 70)), certMessage(make([]byte, 700), make([]byte, 800)))
	one, many := record(flight), split(flight, 300)
	var c Certificates
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range [2][]byte{one, many} {
			c.Init(b)
			for _, ok := c.Next(); ok; _, ok = c.Next() {
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzCertificates(f *testing.F) {
	f.Add(record(cat(message(2, make([]byte, 70)), certMessage([]byte("aa"), []byte("b")), message(14, nil))))
	f.Add(split(certMessage([]byte("aaaaaaaaaa"), nil, []byte("b")), 4))
	_, server, _ := handshake(f, tls.VersionTLS12, "fuzz.example")
	f.Add(server)
	c := new(Certificates)
	f.Fuzz(func(t *testing.T, b []byte) {
		c.Init(b)
		total, count := 0, 0
		for der, ok := c.Next(); ok; der, ok = c.Next() {
			if len(der) == 0 {
				t.Fatal("empty certificate")
			}
			total += len(der)
			count++
		}
		if total > len(b) || count > maxCertificates {
			t.Fatalf("%d certificates of %d bytes out of %d", count, total, len(b))
		}
	})
}

func BenchmarkCertificates(b *testing.B) {
	_, server, _ := handshake(b, tls.VersionTLS12, "name.example")
	c := new(Certificates)
	b.ReportAllocs()
	for b.Loop() {
		c.Init(server)
		if _, ok := c.Next(); !ok {
			b.Fatal("no certificate")
		}
	}
}
