package dns

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestLooks(t *testing.T) {
	netbios := join(header(0x0110, 1, 0, 0, 0), wire("FHEPFCELEHFCEPFFFACACACACACACABO"), typeClass(32, 1))
	tests := []struct {
		name string
		msg  []byte
		want bool
	}{
		{"query", typical, true},
		{"edns", edns, true},
		{"response", answered, true},
		{"mdns query", mdns, true},
		{"mdns response", join(header(0x8400, 0, 1, 0, 0), record(wire("x", "local"), TypeA, 0x8001, 120, []byte{1, 2, 3, 4})), true},
		{"truncation bit", join(header(0x0300, 1, 0, 0, 0), wire("x", "y"), typeClass(1, 1)), true},
		{"bytes behind", join(typical, []byte{0, 0, 0}), true},
		{"update", join(header(0x2800, 1, 0, 0, 0), wire("x", "y"), typeClass(6, 1)), false},
		{"netbios name", netbios, false},
		{"class 7", join(header(0, 1, 0, 0, 0), wire("x", "y"), typeClass(1, 7)), false},
		{"type 0", join(header(0, 1, 0, 0, 0), wire("x", "y"), typeClass(0, 1)), false},
		{"count too high", join(header(0, 2, 0, 0, 0), wire("x", "y"), typeClass(1, 1)), false},
		{"control character", join(header(0, 1, 0, 0, 0), wire("x\x01", "y"), typeClass(1, 1)), false},
		{"pointer into header", join(header(0, 1, 0, 0, 0), []byte{0xC0, 4}, typeClass(1, 1)), false},
		{"cut", typical[:len(typical)-1], false},
		{"zeros", make([]byte, 512), false},
		{"stun", unhex(t, "000100002112a442b7e7a701bc34d686fa87dfae"), false},
		{"ntp client", unhex(t, "230006200000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"), false},
		{"ntp server", unhex(t, "240106e9000001000000012dc0a80101e4a1b2c3d4e5f6a7e4a1b2c3d4e5f6a7e4a1b2c3d4e5f6a7e4a1b2c3d4e5f6a7"), false},
		{"dtls", unhex(t, "16feff000000000000000000360100002a000000000000002afefd0000000000000000000000000000000000"), false},
		{"rtp", unhex(t, "800012340000a0000badcafeffffffffffffffffffffffff"), false},
		{"modbus", unhex(t, "00010000000601030000000a0000000000000000"), false},
		{"dhcp", join(unhex(t, "0101060012345678"), make([]byte, 240)), false},
		{"quic", join(unhex(t, "c000000001088394c8f03e515708"), make([]byte, 1200)), false},
		{"wireguard", join(unhex(t, "0100000001000000"), make([]byte, 140)), false},
		{"text", []byte("NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"), false},
	}
	for _, tt := range tests {
		if got := Looks(tt.msg); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Random payloads are not taken for DNS, and neither are random bytes that have
// the zeros of binary protocols.
func TestLooksRefusesNoise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 256)
	taken, sparse := 0, 0
	const rounds = 1_000_000
	for range rounds {
		n := 17 + rnd.IntN(100)
		for i := 0; i < n; i += 8 {
			v := rnd.Uint64()
			for j := range 8 {
				b[i+j] = byte(v >> (8 * j))
			}
		}
		if Looks(b[:n]) {
			taken++
		}
		// three of four bytes zero
		v, w := rnd.Uint64(), rnd.Uint64()
		for i := range n {
			if v>>(i%64)&1|w>>((i*7)%64)&1 != 0 {
				b[i] = 0
			}
		}
		if Looks(b[:n]) {
			sparse++
		}
	}
	t.Logf("taken: %d of %d random payloads, %d of %d sparse ones", taken, rounds, sparse, rounds)
	if taken > 1 || sparse > rounds/10_000 {
		t.Errorf("taken: %d random, %d sparse", taken, sparse)
	}
}

func BenchmarkLooks(b *testing.B) {
	random := make([]byte, 1200)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	b.Run("random", func(b *testing.B) {
		b.ReportAllocs()
		taken := 0
		for i := 0; b.Loop(); i++ {
			if Looks(random[i&511:]) {
				taken++
			}
		}
	})
	b.Run("query", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !Looks(typical) {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkQuery(b *testing.B) {
	for _, bb := range []struct {
		name string
		msg  []byte
	}{
		{"15 bytes", typical},
		{"29 bytes", join(header(0x0100, 1, 0, 0, 0), wire("safebrowsing", "googleapis", "com", "x"), typeClass(1, 1))},
		{"response", answered},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			var m Message
			var q Question
			var r Record
			for b.Loop() {
				if !m.Parse(bb.msg) || !m.NextQuestion(&q) {
					b.Fatal("refused")
				}
				for m.NextRecord(&r) {
				}
			}
		})
	}
}
