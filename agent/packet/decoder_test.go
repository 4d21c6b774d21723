package packet

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// dirty is a Packet full of what an earlier frame left.
func dirty() Packet {
	junk := []byte("junk")
	return Packet{
		Number: 7, Time: time.Unix(1, 0), Src: netip.MustParseAddr("9.9.9.9"), Dst: netip.MustParseAddr("9::9"), Proto: 99,
		SrcPort: 9, DstPort: 9, Flags: 9, Fragment: true, Truncated: true, VLANs: [4]uint16{9, 9, 9, 9}, VLAN: 4,
		IP: junk, Payload: junk, Frame: junk,
	}
}

func TestDecode(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			var d Decoder
			p := dirty()
			got := d.Decode(s.link, s.frame, &p)
			for range s.repetition {
				got = d.Decode(s.link, s.frame, &p)
			}
			if got != s.want {
				t.Fatalf("reason %v, want %v", got, s.want)
			}
			if d.Counts[got] != 1+uint64(s.repetition) {
				t.Errorf("counts %v", d.Counts)
			}
			if p.Number != 7 || !p.Time.Equal(time.Unix(1, 0)) {
				t.Errorf("number and time were changed")
			}
			if v := p.VLANs[:p.VLAN]; !slices.Equal(v, s.vlans) {
				t.Errorf("vlans %v, want %v", v, s.vlans)
			}
			checkSane(t, s.frame, got, &p)
			if got != OK && got != LaterFragment && got != ShortTransport {
				return
			}
			src, dst := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.2")
			if s.v6 {
				src, dst = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
			}
			if p.Src != src || p.Dst != dst {
				t.Errorf("addresses %v %v, want %v %v", p.Src, p.Dst, src, dst)
			}
			if p.Proto != s.proto || p.SrcPort != s.sport || p.DstPort != s.dport || p.Flags != s.flags {
				t.Errorf("proto %d ports %d %d flags %#x, want %d %d %d %#x",
					p.Proto, p.SrcPort, p.DstPort, p.Flags, s.proto, s.sport, s.dport, s.flags)
			}
			if p.Fragment != s.fragment || p.Truncated != s.truncated {
				t.Errorf("fragment %v truncated %v, want %v %v", p.Fragment, p.Truncated, s.fragment, s.truncated)
			}
			if want := unhex(s.payload); !bytes.Equal(p.Payload, want) {
				t.Errorf("payload %x, want %x", p.Payload, want)
			}
		})
	}
}

// within gives the offset of part in whole, or -1 when it is not a part of its
// memory, or when an append to it could write beyond it.
func within(whole, part []byte) int {
	if cap(part) != len(part) && len(part) != 0 {
		return -1
	}
	for off := 0; off+len(part) <= len(whole); off++ {
		if len(part) == 0 || &whole[off] == &part[0] {
			return off
		}
	}
	return -1
}

// checkSane checks what must hold of every outcome.
func checkSane(t *testing.T, frame []byte, r Reason, p *Packet) {
	t.Helper()
	if len(p.Frame) != len(frame) || int(p.VLAN) > len(p.VLANs) {
		t.Fatalf("frame of %d bytes, %d tags", len(p.Frame), p.VLAN)
	}
	for _, v := range p.VLANs {
		if v > 0xfff {
			t.Fatalf("vlan %d", v)
		}
	}
	switch r {
	case OK, LaterFragment, ShortTransport, UnknownTransport:
		if p.IP == nil || p.Payload == nil || !p.Src.IsValid() || !p.Dst.IsValid() || p.Src.Is4() != p.Dst.Is4() ||
			p.Src.Is4() != (p.IP[0]>>4 == 4) || p.Src.Zone() != "" {
			t.Fatalf("%v with %v %v IP %x", r, p.Src, p.Dst, p.IP)
		}
	default:
		q := Packet{Frame: frame, Time: p.Time, Number: p.Number, VLANs: p.VLANs, VLAN: p.VLAN}
		if p.Src != q.Src || p.Dst != q.Dst || p.Proto != 0 || p.Flags != 0 || p.SrcPort != 0 || p.DstPort != 0 ||
			p.Fragment || p.Truncated || p.IP != nil || p.Payload != nil {
			t.Fatalf("%v left %+v", r, *p)
		}
	}
	ports := r == OK && (p.Proto == ProtoTCP || p.Proto == ProtoUDP) || r == ShortTransport && p.Proto == ProtoTCP && len(p.Payload) >= 4
	if !ports && (p.SrcPort != 0 || p.DstPort != 0) || (r != OK || p.Proto != ProtoTCP) && p.Flags != 0 {
		t.Fatalf("%v protocol %d with ports %d %d flags %d", r, p.Proto, p.SrcPort, p.DstPort, p.Flags)
	}
	if within(frame, p.IP) < 0 || within(p.IP, p.Payload) < 0 {
		t.Fatalf("slices outside: frame %d bytes, IP %d, payload %d", len(frame), len(p.IP), len(p.Payload))
	}
}

func TestDecodeTruncated(t *testing.T) {
	for _, s := range samples() {
		var whole Packet
		full := new(Decoder).Decode(s.link, s.frame, &whole)
		for n := range s.frame {
			frame := bytes.Clone(s.frame[:n])
			var d Decoder
			p := dirty()
			r := d.Decode(s.link, frame, &p)
			Fanout(s.link, frame)
			checkSane(t, frame, r, &p)
			if r == ShortTransport && full == OK && whole.Proto == ProtoTCP && len(p.Payload) >= 4 &&
				(p.Src != whole.Src || p.Dst != whole.Dst || p.SrcPort != whole.SrcPort || p.DstPort != whole.DstPort) {
				t.Errorf("%s cut to %d: %+v, whole %+v", s.name, n, p, whole)
			}
			if full != OK || r != OK || p.Src != whole.Src || p.Dst != whole.Dst {
				continue
			}
			// What is decoded of a cut frame agrees with the whole one.
			if p.Proto != whole.Proto || p.SrcPort != whole.SrcPort || p.DstPort != whole.DstPort ||
				p.Flags != whole.Flags || !bytes.HasPrefix(whole.Payload, p.Payload) {
				t.Errorf("%s cut to %d: %+v, whole %+v", s.name, n, p, whole)
			}
		}
	}
}

func TestDecodeAllocates(t *testing.T) {
	for _, s := range samples() {
		var d Decoder
		var p Packet
		if n := testing.AllocsPerRun(20, func() {
			d.Decode(s.link, s.frame, &p)
			Fanout(s.link, s.frame)
		}); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

func TestReasonNames(t *testing.T) {
	want := []string{"ok", "short_link", "not_ip", "unknown_link", "short_ip_header", "bad_ip_header",
		"too_many_headers", "later_fragment", "short_transport", "unknown_transport"}
	if len(want) != NumReasons {
		t.Fatalf("%d names for %d reasons", len(want), NumReasons)
	}
	for i, name := range want {
		if got := Reason(i).String(); got != name {
			t.Errorf("reason %d is %q, want %q", i, got, name)
		}
	}
	if got := Reason(NumReasons).String(); got != "unknown" {
		t.Errorf("a reason out of range is %q", got)
	}
}

func TestLabel(t *testing.T) {
	want := map[uint8]string{0: "IP", 1: "ICMP", 2: "IGMP", 4: "IPIP", 8: "EGP", 12: "PUP", 22: "IDP", 29: "TP",
		41: "IPV6", 43: "ROUTING", 44: "FRAGMENT", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "ICMPV6",
		59: "NONE", 60: "DSTOPTS", 103: "PIM", 132: "SCTP", 136: "UDPLITE", 255: "RAW"}
	for i := range 256 {
		if got := Label(uint8(i)); got != want[uint8(i)] {
			t.Errorf("protocol %d is %q, want %q", i, got, want[uint8(i)])
		}
	}
}
