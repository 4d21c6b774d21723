package quic

import (
	"bytes"
	"encoding/binary"
	"testing"

	"trailhound/agent/protocol/tls"
)

// The samples of the RFCs. The tag at the end depends on every byte, so the
// packets made here are the RFC's.
func TestSamples(t *testing.T) {
	d := NewDecoder()
	for _, c := range []struct {
		version    uint32
		head, tail string
	}{
		{Version1, // RFC 9001 A.2
			"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"},
		{Version2, // RFC 9369 A.2
			"d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485", "a18b2faa745b6fe189cf772a9f84cbfc"},
	} {
		b := samplePacket(c.version)
		if !bytes.HasPrefix(b, unhex(c.head)) || !bytes.HasSuffix(b, unhex(c.tail)) || len(b) != 1200 {
			t.Fatalf("version %x: the packet made is not the sample: %x", c.version, b)
		}
		wantName(t, d, "sample", b, "example.com")
		wantName(t, d, "sample, keys cached", b, "example.com")
	}
	// RFC 9001 A.3 and RFC 9369 A.3: what the server answers.
	for _, s := range []string{`
cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3
dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84
022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
2158407dd074ee`, `
dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698
baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17
f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2
c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca8
4bed8521e2e140`} {
		wantName(t, d, "server's Initial", unhex(s), "")
	}
}

func TestVersions(t *testing.T) {
	d := NewDecoder()
	frames := padded(crypto(0, clientHello("www.example.com", 10)), 1100)
	for _, v := range []uint32{
		Version1, Version2, 0xff000016, 0xff000017, 0xff00001c, 0xff00001d, 0xff000020, 0xff000021, 0xff000022,
		mvfst22, mvfst27, mvfstExp, 0xfaceb011, 0x1a2a3a4a, 0xdeadbeef,
	} {
		wantName(t, d, "version", protect(packetSpec{version: v, dcid: sampleCID}, frames), "www.example.com")
	}
	google := bytes.Clone(frames)
	google[0] = googleCrypto
	google = cat([]byte{googlePing}, google)
	for _, v := range []uint32{googleT050, googleT051} {
		wantName(t, d, "Google's", protect(packetSpec{version: v, dcid: sampleCID}, google), "www.example.com")
	}
	q050 := crypto(0, chlo("PAD", string(make([]byte, 900)), "SNI", "q050.example"))
	q050[0] = googleCrypto
	wantName(t, d, "Q050", protect(packetSpec{version: googleQ050, dcid: sampleCID}, q050), "q050.example")
	wantName(t, d, "version negotiation", protect(packetSpec{version: 0, dcid: sampleCID}, frames), "")
}

func TestHeaders(t *testing.T) {
	d := NewDecoder()
	frames := padded(crypto(0, clientHello("www.example.com", 10)), 1000)
	long := bytes.Repeat([]byte{7}, 20)
	for n := 1; n <= 4; n++ {
		wantName(t, d, "packet number length", protect(packetSpec{version: 1, dcid: sampleCID, pn: 77, pnLen: n}, frames), "www.example.com")
	}
	wantName(t, d, "long ids", protect(packetSpec{version: 1, dcid: long, scid: long}, frames), "www.example.com")
	wantName(t, d, "token", protect(packetSpec{version: 1, dcid: long, token: make([]byte, 300)}, frames), "www.example.com")
	wantName(t, d, "short id, behind a Retry", protect(packetSpec{version: 1, dcid: []byte{1, 2, 3}}, frames), "www.example.com")
	wantName(t, d, "no id", protect(packetSpec{version: 1}, frames), "www.example.com")
	wantName(t, d, "id of 21 bytes", protect(packetSpec{version: 1, dcid: append(long, 1)}, frames), "")
	wantName(t, d, "other keys", protect(packetSpec{version: 1, dcid: sampleCID, keyCID: long}, frames), "")
	b := protect(packetSpec{version: 1, dcid: sampleCID}, frames)
	b[0] &^= 0x40
	wantName(t, d, "fixed bit greased", b, "www.example.com")
	b[0] ^= 0x40 | 0x20
	wantName(t, d, "Handshake packet", b, "")
	b[0] ^= 0x20 | 0x80
	wantName(t, d, "short header", b, "")

	// Two Initials in a datagram, a 0-RTT packet between and behind them.
	hello := clientHello("www.example.com", 300)
	zero := cat([]byte{0xD0, 0, 0, 0, 1, 8}, sampleCID, []byte{0, 0x40, 30}, make([]byte, 30))
	one := protect(packetSpec{version: 1, dcid: sampleCID, pn: 0}, crypto(300, hello[300:]))
	two := protect(packetSpec{version: 1, dcid: sampleCID, pn: 1}, crypto(0, hello[:300]))
	wantName(t, d, "coalesced", cat(one, zero, two, zero), "www.example.com")
	alien := protect(packetSpec{version: 1, dcid: long, pn: 1}, crypto(0, hello[:300]))
	wantName(t, d, "coalesced with another connection's", cat(one, alien), "")
}

func TestFrames(t *testing.T) {
	d := NewDecoder()
	hello := clientHello("www.example.com", 100)
	n := len(hello)
	ack := []byte{2, 5, 0, 1, 0, 2, 2}
	ackECN := []byte{3, 5, 0, 0, 0, 1, 2, 3}
	var bytewise []byte
	for i := n - 1; i >= 0; i-- {
		bytewise = append(bytewise, crypto(i, hello[i:i+1])...)
	}
	for _, c := range []struct {
		what   string
		frames []byte
		want   string
	}{
		{"alone", crypto(0, hello), "www.example.com"},
		{"padding, ping, ACKs before it", cat(make([]byte, 9), []byte{1}, ack, ackECN, []byte{1}, crypto(0, hello)), "www.example.com"},
		{"in two", cat(crypto(0, hello[:50]), crypto(50, hello[50:])), "www.example.com"},
		{"out of order, shuffled with padding", cat(crypto(180, hello[180:]), []byte{0, 0, 1}, crypto(64, hello[64:180]), []byte{1}, crypto(0, hello[:64])), "www.example.com"},
		{"overlapping", cat(crypto(0, hello[:150]), crypto(20, hello[20:]), crypto(0, hello[:30])), "www.example.com"},
		{"byte by byte, last first", bytewise, "www.example.com"},
		{"empty frame first", cat(crypto(0, nil), crypto(0, hello)), "www.example.com"},
		{"gap before the name", cat(crypto(0, hello[:100]), crypto(120, hello[120:])), ""},
		{"beginning missing", crypto(1, hello[1:]), ""},
		{"gap behind the name", cat(crypto(0, hello[:n-100]), crypto(n-50, hello[n-50:])), "www.example.com"},
		{"offset beyond all bounds", cat(crypto(1<<29, hello), crypto(0, hello)), "www.example.com"},
		{"length beyond the packet", cat([]byte{6, 0}, vint(n+1), hello), ""},
		{"a STREAM frame first", cat([]byte{8, 0}, crypto(0, hello)), ""},
		{"ACK with too many ranges", cat([]byte{2, 5, 0}, vint(1<<29), []byte{0}, crypto(0, hello)), ""},
		{"a ServerHello", crypto(0, append([]byte{2}, hello[1:]...)), ""},
		{"nothing but padding", make([]byte, 1000), ""},
	} {
		wantName(t, d, c.what, protect(packetSpec{version: 1, dcid: sampleCID}, c.frames), c.want)
	}

	// A message longer than the bounds: the name before them is found.
	wantName(t, d, "jumbo", protect(packetSpec{version: 1, dcid: sampleCID}, crypto(0, clientHello("www.example.com", 3900))), "www.example.com")
	wantName(t, d, "beyond 4 KiB", protect(packetSpec{version: 1, dcid: sampleCID}, crypto(0, clientHello("www.example.com", 4096))), "")
}

func TestNext(t *testing.T) {
	d := NewDecoder()
	hello := clientHello("www.example.com", 100)
	b := cat(
		protect(packetSpec{version: Version2, dcid: sampleCID, pn: 0}, cat(crypto(90, hello[90:]), []byte{1}, crypto(50, hello[50:90]))),
		protect(packetSpec{version: Version2, dcid: sampleCID, pn: 1}, crypto(0, hello[:50])),
	)
	d.Open(b)
	if _, id := d.Connection(); id != nil {
		t.Error("a connection before the first frame")
	}
	var got []Crypto
	for f, ok := d.Next(); ok; f, ok = d.Next() {
		got = append(got, f)
	}
	if _, ok := d.Next(); ok {
		t.Error("a frame after the end")
	}
	if version, id := d.Connection(); version != Version2 || !bytes.Equal(id, sampleCID) {
		t.Errorf("connection %x %x", version, id)
	}
	want := []Crypto{{90, hello[90:]}, {50, hello[50:90]}, {0, hello[:50]}}
	if len(got) != len(want) {
		t.Fatalf("%d frames", len(got))
	}
	for i := range got { // after all is read: the earlier ones are still valid
		if got[i].Offset != want[i].Offset || !bytes.Equal(got[i].Data, want[i].Data) {
			t.Errorf("frame %d: offset %d, %d bytes", i, got[i].Offset, len(got[i].Data))
		}
	}
}

func TestPlainGoogle(t *testing.T) {
	d := NewDecoder()
	msg := chlo("PAD", string(make([]byte, 1000)), "SNI", "www.example.com", "VER", "Q043", "UAID", "x")
	ack := []byte{0x40, 1, 4, 0x80, 1, 0}
	ackBlocks := []byte{0x60, 9, 4, 0x80, 1, 3, 2, 1, 0}
	ackStamps := []byte{0x40, 1, 4, 0x80, 1, 2, 1, 0, 0, 0, 1, 1, 0, 1}
	little := func() []byte { // Q035: numbers are little-endian, stream id of 4 bytes
		return cat([]byte{0xA3, 1, 0, 0, 0}, binary.LittleEndian.AppendUint16(nil, uint16(len(msg))), msg)
	}
	at := func(offset uint16, b []byte) []byte {
		return cat([]byte{0xA4, 1}, binary.BigEndian.AppendUint16(nil, offset), binary.BigEndian.AppendUint16(nil, uint16(len(b))), b)
	}
	for _, c := range []struct {
		what string
		in   []byte
		want string
	}{
		{"Q043", q043("Q043", stream1(msg)), "www.example.com"},
		{"Q039", q043("Q039", stream1(msg)), "www.example.com"},
		{"Q035", q043("Q035", little()), "www.example.com"},
		{"Q030, private flags", q043("Q030", cat([]byte{0}, little())), "www.example.com"},
		{"Q046", q046(stream1(msg)), "www.example.com"},
		{"padding and ping before", q046(cat([]byte{0, 0, 7}, stream1(msg))), "www.example.com"},
		{"ACKs before", q043("Q043", cat(ack, ackBlocks, ackStamps, stream1(msg))), "www.example.com"},
		{"no length: to the end", q046(cat([]byte{0x80, 1}, msg)), "www.example.com"},
		{"another stream before", q046(cat([]byte{0xA0, 3, 0, 2, 'C', 'H'}, stream1(msg))), "www.example.com"},
		{"later piece before", q046(cat(at(900, []byte("xyz")), stream1(msg))), "www.example.com"},
		{"explicit offset 0", q046(at(0, msg)), "www.example.com"},
		{"later piece only", q046(at(1, msg)), ""},
		{"no SNI", q046(stream1(chlo("VER", "Q046"))), ""},
		{"empty SNI", q046(stream1(chlo("SNI", "", "VER", "Q046"))), ""},
		{"REJ", q046(stream1(append([]byte("REJ\x00"), msg[4:]...))), ""},
		{"too many tags", q046(stream1(append([]byte("CHLO\xFF\xFF\x00\x00"), msg[8:]...))), ""},
		{"unknown version", q043("Q099", stream1(msg)), ""},
		{"no version flag", append([]byte{8}, q043("Q043", stream1(msg))[1:]...), ""},
		{"source id in Q046", append([]byte("\xc3Q046\x55"), q046(stream1(msg))[6:]...), ""},
	} {
		wantName(t, d, c.what, c.in, c.want)
	}
	b := q043("Q043", stream1(msg))
	b = append([]byte{b[0] | 0x30}, append(b[1:13:13], append([]byte{0, 0, 0, 0, 0, 1}, b[14:]...)...)...)
	wantName(t, d, "packet number of 6 bytes", b, "www.example.com")
}

// At every length: no panic, and the name is right or missing.
func TestTruncation(t *testing.T) {
	d := NewDecoder()
	hello := clientHello("www.example.com", 100)
	shuffled := protect(packetSpec{version: 1, dcid: sampleCID, token: make([]byte, 20)},
		padded(cat([]byte{2, 5, 0, 0, 0}, crypto(60, hello[60:]), crypto(0, hello[:60])), 600))
	msg := chlo("PAD", string(make([]byte, 100)), "SNI", "www.example.com", "VER", "Q043")
	for what, full := range map[string][]byte{
		"sample": samplePacket(Version1), "version 2": samplePacket(Version2), "shuffled": shuffled,
		"Q043": q043("Q043", stream1(msg)), "Q046": q046(cat([]byte{0x40, 1, 4, 0x80, 1, 0}, stream1(msg))),
	} {
		want, _ := d.ServerName(full)
		want = bytes.Clone(want)
		found := false
		for n := range full {
			d.cache = [cacheSize]cached{}
			name, ok := d.ServerName(bytes.Clone(full[:n]))
			if ok && !bytes.Equal(name, want) {
				t.Fatalf("%s cut at %d: %q", what, n, name)
			}
			if found && !ok {
				t.Fatalf("%s cut at %d: name lost", what, n)
			}
			found = found || ok
		}
		if !found || len(want) == 0 {
			t.Errorf("%s: a name that ends before the packet does is not found in a cut one", what)
		}
	}
}

// Random bytes in place of the cipher text never make a name.
func TestNoNonsense(t *testing.T) {
	d := NewDecoder()
	b := samplePacket(Version1)
	state := uint64(1)
	for range 20000 {
		for i := 22; i < 60; i++ {
			state = state*6364136223846793005 + 1442695040888963407
			b[i] = byte(state >> 56)
		}
		if name, ok := d.ServerName(b); ok {
			t.Fatalf("%q out of %x", name, b[:60])
		}
	}
}

func TestAllocations(t *testing.T) {
	d := NewDecoder()
	hello := clientHello("www.example.com", 100)
	inputs := [][]byte{
		samplePacket(Version1), samplePacket(Version2),
		protect(packetSpec{version: 1, dcid: sampleCID}, cat(crypto(60, hello[60:]), crypto(0, hello[:60]))),
		q046(stream1(chlo("SNI", "www.example.com"))),
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range inputs {
			d.cache = [cacheSize]cached{}
			if _, ok := d.ServerName(b); !ok {
				panic("no name")
			}
			d.ServerName(b)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestHello: what the name needed is not all there is to a ClientHello.
func TestHello(t *testing.T) {
	d := NewDecoder()
	message := clientHello("www.example.com", 300)
	var want []byte
	for i, frames := range [][]byte{
		crypto(0, message),
		cat(crypto(0, message[:200]), crypto(200, message[200:])),
		cat(crypto(0, message[:200]), crypto(250, message[250:]), crypto(200, message[200:250])),
		cat(crypto(200, message[200:]), crypto(0, message[:200])),
		cat(crypto(0, message[:20]), crypto(20, message[20:])),
		cat(crypto(0, message[:len(message)-9]), crypto(len(message)-9, message[len(message)-9:])),
	} {
		b := protect(packetSpec{version: Version1, dcid: sampleCID}, padded(frames, 1100))
		name, ok := d.ServerName(b)
		h := d.Hello()
		if !ok || h == nil || !h.Complete || string(name) != "www.example.com" {
			t.Fatalf("%d: name %q, hello %v", i, name, h != nil)
		}
		ja4 := tls.AppendJA4(nil, h, tls.OverQUIC)
		if i == 0 {
			want = ja4
		}
		if len(ja4) == 0 || !bytes.Equal(ja4, want) || d.Hello() != h {
			t.Errorf("%d: %s, want %s", i, ja4, want)
		}
	}
	b := protect(packetSpec{version: Version1, dcid: sampleCID}, padded(cat(crypto(0, message[:200]), crypto(250, message[250:])), 1100))
	if d.ServerName(b); d.Hello() == nil || d.Hello().Complete {
		t.Error("a ClientHello with a gap")
	}
	if d.ServerName([]byte("no QUIC")); d.Hello() != nil {
		t.Error("the ClientHello of another datagram")
	}
}
