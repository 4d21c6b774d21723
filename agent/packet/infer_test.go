package packet

import "testing"

const linkUnknown = LinkType(147)

// weak is an IPv4 packet that its frame does not bear out: more follows than a
// trailer would be.
var weak = cat(tcp4, make([]byte, 100))

func TestInferStrongFirst(t *testing.T) {
	// Offset 3 has a weak header, offset 30 a strong one.
	frame := cat(make([]byte, 3), with(tcp4, 2, 1)[:20], make([]byte, 7), udp4)
	if off, strong, found := findIP(frame); off != 30 || !strong || !found {
		t.Errorf("offset %d strong %v found %v", off, strong, found)
	}
	frame = cat(make([]byte, 3), weak)
	if off, strong, found := findIP(frame); off != 3 || strong || !found {
		t.Errorf("offset %d strong %v found %v", off, strong, found)
	}
}

func TestInferTrailer(t *testing.T) {
	for _, packet := range [][]byte{tcp4, tcp6} {
		for n, want := range map[int]bool{0: true, 64: true, 65: false} {
			if _, strong, found := findIP(cat(packet, make([]byte, n))); strong != want || !found {
				t.Errorf("%d bytes behind: strong %v found %v", n, strong, found)
			}
		}
	}
	if _, strong, found := findIP(tcp4[:30]); strong || !found {
		t.Errorf("cut packet: strong %v found %v", strong, found)
	}
	if _, strong, found := findIP(with(with(tcp6, 4, 0), 5, 0)); strong || !found {
		t.Errorf("payload length 0: strong %v found %v", strong, found)
	}
	for _, proto := range []byte{0, 3, 18, 255} {
		if _, _, found := findIP(with(tcp4, 9, proto)); found {
			t.Errorf("protocol %d was found", proto)
		}
	}
}

func TestInferLock(t *testing.T) {
	var d Decoder
	var p Packet
	step := func(name string, want Reason, locked bool, frame []byte) {
		t.Helper()
		if r := d.Decode(linkUnknown, frame, &p); r != want || d.guesses[0].locked != locked {
			t.Fatalf("%s: %v, locked %v", name, r, d.guesses[0].locked)
		}
	}
	step("nothing", UnknownLink, false, make([]byte, 40))
	step("first guess is used", OK, false, cat(make([]byte, 5), tcp4))
	step("another offset", OK, false, cat(make([]byte, 9), tcp4))
	step("agreement", OK, true, cat(make([]byte, 9), udp4))
	// An uncommon protocol is no guess, but it is at the locked offset.
	step("locked", OK, true, cat(make([]byte, 9), with(tcp4, 9, 3)))
	step("strong elsewhere", OK, true, cat(make([]byte, 20), tcp4))
	if p.DstPort != 80 {
		t.Errorf("%+v", p)
	}
	step("weak elsewhere", UnknownLink, true, cat(make([]byte, 20), weak))
	step("short", UnknownLink, true, make([]byte, 4))
	// Another link type is judged by itself.
	if r := d.Decode(linkUnknown+1, cat(make([]byte, 20), weak), &p); r != OK || d.guesses[1].locked {
		t.Errorf("other link type: %v", r)
	}
}

func TestInferManyLinks(t *testing.T) {
	var d Decoder
	var p Packet
	for round := range 3 {
		for link := range LinkType(9) {
			if r := d.Decode(linkUnknown+link, cat(make([]byte, int(link)), tcp4), &p); r != OK {
				t.Errorf("round %d link %d: %v", round, link, r)
			}
		}
	}
}
