package event

import (
	"net/netip"
	"testing"
)

// The vectors of the specification (its baseline) and of its reference
// implementation's tests.
func TestCommunityID(t *testing.T) {
	for _, c := range []struct {
		proto, src, dst string
		sport, dport    uint16
		head            string
		want            string
	}{
		{"TCP", "128.232.110.120", "66.35.250.204", 34855, 80, "", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"TCP", "66.35.250.204", "128.232.110.120", 80, 34855, "", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"TCP", "10.0.0.1", "10.0.0.2", 10, 11569, "", "1:SXBGMX1lBOwhhoDrZynfROxnhnM="},
		{"TCP", "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, "", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
		{"TCP", "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943, "", "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
		{"UDP", "192.168.1.52", "8.8.8.8", 54585, 53, "", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"UDP", "8.8.8.8", "192.168.1.52", 53, 54585, "", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
		{"RSVP", "10.1.12.1", "10.1.12.2", 0, 0, "", "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
		{"RSVP", "10.1.12.2", "10.1.12.1", 0, 0, "x", "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw="},
		{"RSVP", "10.1.24.4", "10.1.12.1", 0, 0, "", "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="},
		{"SCTP", "192.168.170.8", "192.168.170.56", 0, 0, "\x00\x07\x00\x07", "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="},
		{"SCTP", "192.168.170.8", "192.168.170.56", 0, 0, "\x00\x07\x00\x50", "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
		{"SCTP", "192.168.170.56", "192.168.170.8", 0, 0, "\x00\x50\x00\x07", "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="},
		{"ICMP", "192.168.0.89", "192.168.0.1", 0, 0, "\x08\x00", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{"ICMP", "192.168.0.1", "192.168.0.89", 0, 0, "\x00\x00", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{"ICMP", "192.168.0.1", "192.168.0.89", 0, 0, "\x00\x14", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="},
		{"ICMP", "192.168.0.89", "192.168.0.1", 0, 0, "\x14\x00", "1:3o2RFccXzUgjl7zDpqmY7yJi8rI="},
		{"ICMP", "192.168.0.89", "192.168.0.1", 0, 0, "\x14\x01", "1:tz/fHIDUHs19NkixVVoOZywde+I="},
		{"ICMP", "10.0.0.1", "10.0.0.2", 0, 0, "\x0b\x00", "1:YHxtAirCG//0OzkcVAukqKQN9xM="},
		{"ICMPV6", "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 0, 0, "\x87\x00", "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{"ICMPV6", "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 0, 0, "\x88\x00", "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="},
		{"ICMPV6", "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 0, 0, "\x87\x00", "1:zavyT/cezQr1fmImYCwYnMXbgck="},
		{"ICMPV6", "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 0, 0, "\x88\x00", "1:zavyT/cezQr1fmImYCwYnMXbgck="},
		{"ICMPV6", "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 0, 0, "\x03\x00", "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="},
		{"ICMPV6", "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 0, 0, "\x01\x04", "1:hLZd0XGWojozrvxqE0dWB1iM6R0="},
		{"ICMPV6", "3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 0, 0, "\x03\x00", "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w="},
		{"ICMPV6", "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:507:0:1:260:97ff:fe07:69ea", 0, 0, "\x03\x00", "1:/OGBt9BN1ofenrmSPWYicpij2Vc="},
		{"ICMPV6", "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 0, 0, "\x80\x00", "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
		{"ICMPV6", "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 0, 0, "\x81\x00", "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="},
		{"ICMPV6", "fe80::200:86ff:fe05:80da", "ff02::2", 0, 0, "\x85\x00", "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="},
		{"ICMPV6", "fe80::260:97ff:fe07:69ea", "ff02::1", 0, 0, "\x86\x00", "1:pkvHqCL88/tg1k4cPigmZXUtL00="},

		// What is not known.
		{"TCP", "192.0.2.1", "192.0.2.2", 0, 80, "", ""},
		{"UDP", "192.0.2.1", "192.0.2.2", 80, 0, "\x00\x50\x00\x50", ""},
		{"SCTP", "192.0.2.1", "192.0.2.2", 0, 0, "\x00\x07\x00", ""},
		{"ICMP", "192.0.2.1", "192.0.2.2", 0, 0, "\x08", ""},
		{"FRAGMENT", "2001:db8::1", "2001:db8::2", 0, 0, "", ""},
		{"IP", "192.0.2.1", "192.0.2.2", 0, 0, "", ""},
		{"", "192.0.2.1", "192.0.2.2", 1, 2, "", ""},
		{"GRE", "192.0.2.1", "2001:db8::2", 0, 0, "", ""},
	} {
		e := Event{Protocol: c.proto, Src: netip.MustParseAddr(c.src), Dst: netip.MustParseAddr(c.dst), SrcPort: c.sport, DstPort: c.dport, CommunityID: "old"}
		if e.SetCommunityID([]byte(c.head)); e.CommunityID != c.want {
			t.Errorf("%+v: %s", c, e.CommunityID)
		}
	}
	e := Event{Protocol: "TCP", SrcPort: 1, DstPort: 2}
	if e.SetCommunityID(nil); e.CommunityID != "" {
		t.Errorf("without addresses: %s", e.CommunityID)
	}
}

// Each pair of types answers each other, and only pairs do.
func TestCounterparts(t *testing.T) {
	for name, of := range map[string]func(uint8) (uint8, bool){"ICMP": counterpart, "ICMPv6": counterpart6} {
		pairs := 0
		for i := range 256 {
			if other, ok := of(uint8(i)); ok {
				pairs++
				if back, ok := of(other); !ok || back != uint8(i) || other == uint8(i) {
					t.Errorf("%s: %d answers %d, which answers %d", name, i, other, back)
				}
			}
		}
		if want := map[string]int{"ICMP": 10, "ICMPv6": 12}[name]; pairs != want {
			t.Errorf("%s: %d types in pairs, want %d", name, pairs, want)
		}
	}
}

func BenchmarkSetCommunityID(b *testing.B) {
	e := Event{Protocol: "TCP", Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("198.51.100.1"), SrcPort: 40000, DstPort: 80}
	b.ReportAllocs()
	for b.Loop() {
		e.SetCommunityID(nil)
	}
}
