package packet

import "testing"

func TestPiece(t *testing.T) {
	syn := unhex("c0010050 00000001 00000000 50022000 00000000")
	for _, c := range []struct {
		name   string
		frame  []byte
		id     uint32
		offset int
	}{
		{"ipv4, whole", v4(6, 0, syn), 0, 0},
		{"ipv4, don't fragment", v4(6, 0x4000, syn), 0, 0},
		{"ipv4, first", with(v4(6, 0x2000, syn), 5, 7), 7, 0},
		{"ipv4, second", with(v4(6, 0x2001, syn[8:]), 5, 7), 7, 8},
		{"ipv4, last", with(v4(6, 0x1fff, syn[8:]), 5, 7), 7, 0xfff8},
		{"ipv6, whole", v6(6, syn), 0, 0},
		{"ipv6, atomic", v6(44, cat("0600 0000 00000007", syn)), 0, 0},
		{"ipv6, first", v6(44, cat("0600 0001 00000007", syn)), 7, 0},
		{"ipv6, second", v6(44, cat("0600 0009 00010007", syn[8:])), 0x10007, 8},
		{"ipv6, behind options", v6(60, cat("2c00 0104 00000000", "0600 0009 00000007", syn[8:])), 7, 8},
		{"ipv6, behind an atomic one", v6(44, cat("2c00 0000 00000003", "0600 0008 00000007", syn[8:])), 7, 8},
		{"ipv6, options beyond the packet", v6(60, cat("2c09 0104 00000000")), 0, 0},
	} {
		var d Decoder
		var p Packet
		d.Decode(LinkRaw, c.frame, &p)
		if id, offset := p.Piece(); id != c.id || offset != c.offset {
			t.Errorf("%s: datagram %d, offset %d, want %d, %d", c.name, id, offset, c.id, c.offset)
		}
	}
	if id, offset := new(Packet).Piece(); id != 0 || offset != 0 {
		t.Errorf("nothing: %d, %d", id, offset)
	}
}
