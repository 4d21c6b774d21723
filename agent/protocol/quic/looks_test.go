package quic

import "testing"

func TestLooks(t *testing.T) {
	pad := make([]byte, 60)
	dns := func(id string) []byte {
		return append([]byte(id+"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www"), pad...)
	}
	for _, c := range []struct {
		what string
		in   []byte
		want bool
	}{
		{"version 1", samplePacket(Version1), true},
		{"version 2", samplePacket(Version2), true},
		{"draft 29", protect(packetSpec{version: 0xff00001d, dcid: sampleCID}, pad), true},
		{"Q043", q043("Q043", pad), true},
		{"Q046", q046(pad), true},
		{"empty", nil, false},
		{"header alone", samplePacket(Version1)[:27], false},
		{"version negotiation", append([]byte{0xC0, 0, 0, 0, 0, 8}, pad...), false},
		{"Handshake", append([]byte{0xE0, 0, 0, 0, 1, 8}, pad...), false},
		{"version 1's Initial in version 2", append([]byte{0xC0, 0x6b, 0x33, 0x43, 0xcf, 8}, pad...), false},
		{"short header", append([]byte{0x41, 0, 0, 0, 1, 8}, pad...), false},
		{"DNS query", dns("\xC1\x02"), false},
		{"DNS answer", append([]byte("\xC1\x02\x81\x80\x00\x01\x00\x01"), pad...), false},
		{"DTLS", append([]byte{0x16, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0}, pad...), false},
		{"STUN", append([]byte{0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42}, pad...), false},
		{"RTP", append([]byte{0x80, 0x60, 1, 2, 0, 0, 1, 9, 0, 0, 0, 8}, pad...), false},
		{"ChannelData", append([]byte{0x40, 0, 0, 9}, pad...), false},
		{"SIP", append([]byte("OPTIONS sip:a@b.example SIP/2.0\r\n"), pad...), false},
	} {
		if got := Looks(c.in); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}

func FuzzInitial(f *testing.F) {
	hello := clientHello("www.example.com", 100)
	f.Add(samplePacket(Version1), []byte{})
	f.Add(samplePacket(Version2), []byte{})
	f.Add(q043("Q043", stream1(chlo("SNI", "www.example.com"))), []byte{})
	f.Add(q046(stream1(chlo("SNI", "www.example.com"))), []byte{})
	f.Add([]byte{}, cat(crypto(60, hello[60:]), []byte{2, 5, 0, 1, 0, 2, 2, 1, 0}, crypto(0, hello[:60])))
	f.Add([]byte{}, cat([]byte{3, 5, 0, 0, 0, 1, 2, 3}, crypto(0, hello)))
	d := NewDecoder()
	// The second argument is sealed into a packet, for the fuzzer cannot
	// encrypt.
	f.Fuzz(func(t *testing.T, b, frames []byte) {
		if name, ok := d.ServerName(b); ok && (!Looks(b) || len(name) == 0) {
			t.Fatal("a name out of what does not look so")
		}
		if len(frames) > 8000 {
			return
		}
		b = protect(packetSpec{version: 1, dcid: sampleCID}, frames)
		d.Open(b)
		total := 0
		for c, ok := d.Next(); ok; c, ok = d.Next() {
			total += len(c.Data)
		}
		if total > len(frames) {
			t.Fatalf("%d bytes of CRYPTO out of %d", total, len(frames))
		}
		d.ServerName(b)
	})
}

func BenchmarkLooks(b *testing.B) {
	for _, c := range []struct {
		name string
		in   []byte
	}{
		{"dns", append([]byte("\x41\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"), make([]byte, 60)...)},
		{"short header", append([]byte{0x41}, make([]byte, 60)...)},
		{"initial", samplePacket(Version1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Looks(c.in)
			}
		})
	}
}

func BenchmarkServerName(b *testing.B) {
	hello := clientHello("www.example.com", 500)
	var shuffled []byte
	for i := 1000; i >= 0; i -= 200 {
		shuffled = append(shuffled, crypto(i, hello[i:min(i+200, len(hello))])...)
	}
	for _, c := range []struct {
		name string
		in   []byte
		cold bool
	}{
		{"first", samplePacket(Version1), true},
		{"repeat", samplePacket(Version1), false},
		{"first, shuffled over 1200 bytes", protect(packetSpec{version: 1, dcid: sampleCID}, padded(shuffled, 1162)), true},
		{"server's", protect(packetSpec{version: 1, dcid: sampleCID, side: "server in"}, make([]byte, 1100)), true},
		{"Q046", q046(stream1(chlo("PAD", string(make([]byte, 1000)), "SNI", "www.example.com"))), false},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := NewDecoder()
			b.ReportAllocs()
			for b.Loop() {
				if c.cold {
					d.cache[slot(1, sampleCID)].version = 0
				}
				d.ServerName(c.in)
			}
		})
	}
}
