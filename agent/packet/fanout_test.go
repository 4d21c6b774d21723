package packet

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// reversed is the frame of the other direction: addresses swapped.
func reversed(p *Packet, link LinkType) []byte {
	frame := append([]byte(nil), p.Frame...)
	if link == LinkEthernet {
		copy(frame, p.Frame[6:12])
		copy(frame[6:], p.Frame[:6])
	}
	at := within(p.Frame, p.IP)
	ip, from, size := frame[at:], 12, 4
	if p.Src.Is6() {
		from, size = 8, 16
	}
	copy(ip[from:], p.IP[from+size:from+2*size])
	copy(ip[from+size:], p.IP[from:from+size])
	return frame
}

func TestFanoutSymmetric(t *testing.T) {
	for _, s := range samples() {
		var p Packet
		if r := new(Decoder).Decode(s.link, s.frame, &p); r != OK {
			continue
		}
		a, b := Fanout(s.link, s.frame), Fanout(s.link, reversed(&p, s.link))
		if a != b {
			t.Errorf("%s: %#x there, %#x back", s.name, a, b)
		}
	}
}

// TestFanoutSameForLinks: a host pair has one number, whatever carries it.
func TestFanoutSameForLinks(t *testing.T) {
	want4 := mix(0x0a000001 ^ 0xc0000202)
	want6 := mix(1 ^ 2)
	for _, s := range samples() {
		if s.want != OK || s.proto != 6 {
			continue
		}
		want := want4
		if s.v6 {
			want = want6
		}
		switch got := Fanout(s.link, s.frame); {
		case got == want:
		case s.link == LinkEthernet:
			// MPLS, LLC and deep tags: by the hardware addresses, whose upper halves
			// cancel out.
			if got != mix(0x0002^0x0001) {
				t.Errorf("%s: %#x", s.name, got)
			}
		case got == 0:
		default:
			t.Errorf("%s: %#x", s.name, got)
		}
	}
	for _, name := range []string{"ethernet", "vlan", "qinq", "pppoe", "pppoe compressed", "pppoe vlan", "null little endian", "loop",
		"slip", "ppp", "ppp compressed protocol", "ppp compressed both", "pppoe link", "raw", "raw 12 ipv6", "ipv4", "ipv6", "hdlc", "sll",
		"sll vlan", "sll2", "sll2 vlan", "pflog 61", "first fragment", "later fragment", "last fragment", "truncated"} {
		found := false
		for _, s := range samples() {
			if s.name != name {
				continue
			}
			found = true
			want := want4
			if s.v6 {
				want = want6
			}
			if got := Fanout(s.link, s.frame); got != want {
				t.Errorf("%s: %#x, want %#x", name, got, want)
			}
		}
		if !found {
			t.Errorf("no sample %q", name)
		}
	}
}

// TestFanoutSpread: the host pairs of usual networks are spread evenly over any
// usual number of workers. The bound is six standard deviations.
func TestFanoutSpread(t *testing.T) {
	frame := func(src, dst uint32) []byte {
		f := cat(macs, "0800", tcp4)
		binary.BigEndian.PutUint32(f[26:], src)
		binary.BigEndian.PutUint32(f[30:], dst)
		return f
	}
	random := rand.New(rand.NewPCG(1, 2))
	const pairs = 4096
	networks := map[string]func(i uint32) (src, dst uint32){
		"one server":          func(i uint32) (uint32, uint32) { return 0x0a000001, 0x0a000100 + i },
		"a /24 and a gateway": func(i uint32) (uint32, uint32) { return 0xc0a80000 + i%256, 0x08080000 + i/256<<8 },
		"many /24":            func(i uint32) (uint32, uint32) { return 0x0a000005 + i<<8, 0xc0000201 },
		"the internet":        func(i uint32) (uint32, uint32) { return 0x0a000000 + random.Uint32()%65536, random.Uint32() },
	}
	for name, network := range networks {
		for workers := uint32(2); workers <= 8; workers++ {
			count := make([]int, workers)
			for i := range uint32(pairs) {
				count[Fanout(LinkEthernet, frame(network(i)))%workers]++
			}
			want := pairs / int(workers)
			for w, n := range count {
				if d := n - want; d*d > 36*want {
					t.Errorf("%s: worker %d of %d has %d of %d pairs", name, w, workers, n, pairs)
				}
			}
		}
	}
}
