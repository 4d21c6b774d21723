package packet_test

import (
	"testing"

	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// TestSpread: one flow is one worker's, whatever its frames look like.
func TestSpread(t *testing.T) {
	for _, ip := range []corpus.Packet{
		corpus.IP("10.0.0.1", "198.51.100.7", corpus.Syn(40000, 443)),
		corpus.IP("2001:db8::1", "2001:db8:7::2", corpus.Syn(40000, 443)),
	} {
		plain := ip.Ethernet()
		want := packet.Spread(packet.LinkEthernet, plain.Data)
		if want == 0 || want != packet.Fanout(packet.LinkEthernet, plain.Data) {
			t.Errorf("%d, %d", want, packet.Fanout(packet.LinkEthernet, plain.Data))
		}
		frames := map[string]corpus.Frame{
			"tag": ip.VLAN(7).Ethernet(), "three tags": ip.VLAN(3).VLAN(2).QinQ(1).Ethernet(), "labels": ip.MPLS(5, 6).Ethernet(),
			"PPPoE with a label": ip.MPLS(5).PPPoE(false).Ethernet(), "raw": ip.Raw(), "cooked": ip.SLL2(),
		}
		// Link types that the kernel's program has no rule for.
		for _, link := range []packet.LinkType{packet.LinkTokenRing, packet.LinkFDDI, packet.LinkARCNET, packet.LinkPPPDir} {
			for pad := range 24 {
				data := append(make([]byte, pad), plain.Data[12:]...)
				if link == packet.LinkPPPDir {
					data = append([]byte{1, 0, 0x21}, ip.Data...)
				}
				var d packet.Decoder
				var p packet.Packet
				if d.Decode(link, data, &p) == packet.OK {
					frames[string(rune('a'+int(link)))] = corpus.Frame{Link: uint16(link), Data: data}
				}
			}
		}
		if len(frames) < 9 {
			t.Errorf("%d frames", len(frames))
		}
		for name, f := range frames {
			if got := packet.Spread(packet.LinkType(f.Link), f.Data); got != want {
				t.Errorf("%s (link type %d): %d, not %d", name, f.Link, got, want)
			}
		}
	}
	// What has no address, or has to be inferred, is Fanout's.
	for _, f := range []corpus.Frame{{Link: 1, Data: make([]byte, 60)}, {Link: 1, Data: []byte{1}}, {Link: 250, Data: make([]byte, 60)}, {}} {
		if got, want := packet.Spread(packet.LinkType(f.Link), f.Data), packet.Fanout(packet.LinkType(f.Link), f.Data); got != want {
			t.Errorf("%v: %d, not %d", f, got, want)
		}
	}
}

func TestSpreadAllocations(t *testing.T) {
	f := corpus.IP("10.0.0.1", "198.51.100.7", corpus.Syn(40000, 443)).MPLS(5).Ethernet()
	if n := testing.AllocsPerRun(100, func() { packet.Spread(packet.LinkEthernet, f.Data) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
