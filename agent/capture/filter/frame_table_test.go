package filter

import (
	"slices"
	"testing"

	"trailhound/agent/packet"
)

// samples are frames by name, for the table below.
func samples() map[string]given {
	web := ip4("10.0.0.1", "192.168.1.77", 6, 0, 0x4000, tcpSegment(40000, 80, 0x02))
	web6 := ip6("2001:db8::1", "2001:db8::2", 6, tcpSegment(40000, 443, 0x12))
	plain := ether(etherIPv4, web)
	double := tag(etherQinQ, 10, tag(etherVLAN, 20, plain))
	list := map[string]given{
		"syn":         {data: plain},
		"synack6":     {data: ether(etherIPv6, web6)},
		"options":     {data: ether(etherIPv4, ip4("10.0.0.1", "10.0.0.2", 6, 10, 0, tcpSegment(80, 40000, 0x11)))},
		"dns":         {data: ether(etherIPv4, ip4("10.0.0.2", "10.0.0.1", 17, 0, 0, udpDatagram(53, 40000)))},
		"fragment1":   {data: ether(etherIPv4, ip4("10.0.0.1", "192.168.1.77", 17, 0, 0x2000, udpDatagram(53, 53)))},
		"fragment2":   {data: ether(etherIPv4, ip4("10.0.0.1", "192.168.1.77", 17, 0, 0x0010, udpDatagram(53, 53)))},
		"fragment6":   {data: ether(etherIPv6, ip6("fe80::1", "fe80::2", 44, extension(17, 0, udpDatagram(53, 53))))},
		"hop6":        {data: ether(etherIPv6, ip6("fe80::1", "fe80::2", 0, extension(6, 0, tcpSegment(80, 80, 2))))},
		"arp":         {data: arp(etherARP, "10.0.0.1", "10.0.0.2")},
		"rarp":        {data: arp(etherRARP, "10.0.0.1", "10.0.0.2")},
		"pppoe":       {data: ether(0x8864, cat([]byte{0x11, 0, 0, 1, 0, 60, 0, 0x21}, web))},
		"runt":        {data: plain[:20]},
		"empty":       {},
		"in10":        {data: tag(etherVLAN, 10, plain)},
		"in10p":       {data: tag(etherVLAN, 0xa000|10, plain)},
		"in10old":     {data: tag(etherOld, 10, plain)},
		"in10.20":     {data: double},
		"out10":       strip(tag(etherVLAN, 10, plain)),
		"out10p":      strip(tag(etherVLAN, 0xa000|10, plain)),
		"out10.20":    strip(double),
		"out0":        strip(tag(etherVLAN, 0, plain)),
		"out20.10":    strip(tag(etherQinQ, 20, tag(etherVLAN, 10, plain))),
		"out10.20.30": strip(tag(etherQinQ, 10, tag(etherVLAN, 20, tag(etherVLAN, 30, plain)))),
	}
	for name, g := range list {
		g.hardware = 1
		list[name] = g
	}
	return list
}

// TestFrames says by name which samples an expression accepts.
func TestFrames(t *testing.T) {
	untagged := []string{"syn", "synack6", "options", "dns", "fragment1", "fragment2", "fragment6", "hop6", "arp", "rarp", "pppoe"}
	all10 := []string{"in10", "in10p", "in10old", "in10.20", "out10", "out10p", "out10.20", "out10.20.30"}
	for _, c := range []struct {
		expression string
		want       []string
	}{
		// What the kernel has taken out is not there for an expression without vlan.
		{"host 10.0.0.1", []string{"syn", "options", "dns", "fragment1", "fragment2", "arp", "rarp", "out10", "out10p", "out0"}},
		{"src host 10.0.0.1", []string{"syn", "options", "fragment1", "fragment2", "arp", "rarp", "out10", "out10p", "out0"}},
		{"ip host 10.0.0.2", []string{"options", "dns"}},
		{"net 192.168.1.64/26", []string{"syn", "fragment1", "fragment2", "out10", "out10p", "out0"}},
		{"ip6", []string{"synack6", "fragment6", "hop6"}},
		{"src net 2001:db8::/127", []string{"synack6"}},
		{"port 53", []string{"dns", "fragment1"}},
		{"udp", []string{"dns", "fragment1", "fragment2", "fragment6"}},
		{"port 80", []string{"syn", "options", "out10", "out10p", "out0"}},
		{"dst port 80 or 443", []string{"syn", "synack6", "out10", "out10p", "out0"}},
		{"tcp portrange 79-80 and src port 80", []string{"options"}},
		{"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", []string{"syn", "options", "out10", "out10p", "out0"}},
		{"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", []string{"syn", "out10", "out10p", "out0"}},
		{"proto tcp", []string{"syn", "synack6", "options", "out10", "out10p", "out0"}},
		{"ip6 proto tcp or ip6 proto udp", []string{"synack6", "fragment6"}},
		{"ip proto tcp and not tcp port 80", nil},
		{"ether proto arp", []string{"arp"}},
		{"arp or rarp", []string{"arp", "rarp"}},
		{"ether proto 0x8864", []string{"pppoe"}},

		{"vlan", append([]string{"out0", "out20.10"}, all10...)},
		{"not vlan", append([]string{"runt"}, untagged...)},
		{"vlan 10", all10},
		{"vlan 10 or 20", append([]string{"out20.10"}, all10...)},
		{"vlan (10 or not (20 or 30))", append([]string{"runt", "out0"}, append(untagged, all10...)...)},
		{"vlan 0", []string{"out0"}},
		{"vlan and vlan", []string{"in10.20", "out10.20", "out20.10", "out10.20.30"}},
		{"vlan 10 and vlan 20", []string{"in10.20", "out10.20", "out10.20.30"}},
		{"vlan 10 and vlan 20 and host 10.0.0.1", []string{"in10.20", "out10.20"}},
		{"vlan 10 and host 10.0.0.1", []string{"in10", "in10p", "in10old", "out10", "out10p"}},
		{"vlan and vlan and vlan 30 and port 80", []string{"out10.20.30"}},
		{"vlan 10 and not vlan 20", []string{"in10", "in10p", "in10old", "out10", "out10p"}},
		{"host 10.0.0.2 or (vlan 10 and port 80)", []string{"options", "dns", "arp", "rarp", "in10", "in10p", "in10old", "out10", "out10p"}},
	} {
		code := mustProgram(t, c.expression, packet.LinkEthernet)
		for name, g := range samples() {
			got, want := run(t, code, g), slices.Contains(c.want, name)
			if got > 0 != want {
				t.Errorf("%q of %s: %v, want %v", c.expression, name, got > 0, want)
			}
			if got > 0 && got != 1000 {
				t.Errorf("%q of %s: accepts %d bytes, want 1000", c.expression, name, got)
			}
		}
	}
}

// TestRaw: without a link header IP is IP, and the link layer's words are true
// of nothing.
func TestRaw(t *testing.T) {
	four := given{data: ip4("10.0.0.1", "10.0.0.2", 6, 1, 0, tcpSegment(40000, 80, 2))}
	six := given{data: ip6("2001:db8::1", "2001:db8::2", 17, udpDatagram(53, 53))}
	for _, c := range []struct {
		expression string
		four, six  bool
	}{
		{"ip", true, false}, {"ip6", false, true}, {"", true, true},
		{"tcp port 80", true, false}, {"port 53", false, true}, {"host 10.0.0.1", true, false}, {"net 2001:db8::/32", false, true},
		{"tcp[tcpflags] & tcp-syn != 0", true, false}, {"ip proto 6", true, false},
		{"vlan", false, false}, {"not vlan", true, true}, {"vlan 10 or ip", true, false}, {"arp", false, false}, {"not arp", true, true},
		{"ether host 2:0:0:0:0:1", false, false}, {"not ether broadcast", true, true}, {"multicast or ip6", false, true},
	} {
		code := mustProgram(t, c.expression, packet.LinkRaw)
		if got := run(t, code, four) > 0; got != c.four {
			t.Errorf("%q of IPv4: %v", c.expression, got)
		}
		if got := run(t, code, six) > 0; got != c.six {
			t.Errorf("%q of IPv6: %v", c.expression, got)
		}
	}
}

// TestAny: one program for devices with and without a link header.
func TestAny(t *testing.T) {
	raw := ip4("10.0.0.1", "10.0.0.2", 6, 0, 0, tcpSegment(40000, 80, 2))
	for _, options := range []struct {
		expression string
		compiler   string
	}{{"tcp port 80 and not vlan 30", "built-in"}, {"tcp port 80 and ip[9] = 2 + 4", "built-in"}, {"tcp port 80 and ip[0] = ip[0]", "tcpdump"}} {
		f, err := New(options.expression, Options{})
		if err != nil && options.compiler == "tcpdump" {
			t.Log(err) // where there is none
			continue
		} else if err != nil || f.Compiler() != options.compiler {
			t.Fatal(f, err)
		}
		code, err := f.AnyProgram(500)
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(code); err != nil {
			t.Error(err)
		}
		for _, c := range []struct {
			g    given
			want uint32
		}{
			{given{data: ether(etherIPv4, raw), hardware: 1}, 500},
			{given{data: ether(etherIPv4, raw), hardware: 772}, 500},
			{given{data: raw, hardware: 65534}, 500},
			{given{data: raw, hardware: 1}, 0},
			{given{data: ether(etherIPv4, raw), hardware: 65534}, 0},
		} {
			if got := run(t, code, c.g); got != c.want {
				t.Errorf("%q, hardware %d: %d, want %d\n%s", options.expression, c.g.hardware, got, c.want, Text(code))
			}
		}
	}
}
