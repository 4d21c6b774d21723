package filter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trailhound/agent/packet"
)

// TestErrors: what is wrong, and where. None of these is handed to tcpdump.
func TestErrors(t *testing.T) {
	path := fakeTcpdump(t, "touch ${0%/*}/called\n"+acceptAll)
	for _, c := range []struct {
		expression string
		column     int
		want       string
	}{
		{"host www.example.com", 6, `"www.example.com" is a name; names are not resolved`},
		{"tcp and src host foo", 18, `"foo" is a name`},
		{"host 10.0.0.1 or foo", 18, `"foo" is a name`},
		{"net loopback", 5, `"loopback" is a name`},
		{"src foo", 5, `"foo" is a name`},
		{`host \tcp`, 6, `"tcp" is a name`},
		{"ether host foo", 12, `"foo" is a name`},
		{"ip[0] = ip[1] and host foo", 24, `"foo" is a name`},
		{"ip[0] = ip[1] and (gateway foo)", 28, `"foo" is a name`},
		{"ip[0] = ip[1] and src host 10.0.0.1 and (port 80) or foo", 54, `"foo" is a name`},
		{"mpls and foo", 10, `"foo" is no word of the filter language`},
		{"foo", 1, `"foo" is no word`},
		{"tpc port 80", 1, `"tpc" is no word`},
		{"TCP", 1, `"TCP" is no word`},
		{"host", 5, "something is missing at the end"},
		{"tcp and", 8, "something is missing at the end"},
		{"(tcp", 5, "something is missing at the end"},
		{"port (80 or 443", 16, "something is missing at the end"},
		{"tcp[13", 7, "something is missing at the end"},
		{"vlan 4096", 6, "VLAN 4096 is more than 4095"},
		{"port 65536", 6, "port 65536 is more than 65535"},
		{"portrange 1-70000", 11, "port 70000 is more than 65535"},
		{"net 10.0.0.1/8", 5, "bits outside the mask: the network is 10.0.0.0"},
		{"net 10.1.0.0 mask 255.0.0.0", 5, "the network is 10.0.0.0"},
		{"net 2001:db8::1/32", 5, "the network is 2001:db8::"},
		{"net 10.0.0.0/33", 14, "at most 32 bits"},
		{"net ::/129", 8, "at most 128 bits"},
		{"host 10.0.0.0/8", 6, "a mask makes it a network: net 10.0.0.0"},
		{"host 2001:db8::/32", 6, "a mask makes it a network: net 2001:db8::"},
		{"host 02:00:00:00:00:01", 6, "ether host 02:00:00:00:00:01"},
		{"ip6 proto tcp or udp", 18, `whether "udp" stands for itself`},
		{"(proto icmp or not igmp)", 20, `whether "igmp" stands for itself`},
		{"tcp[0:3] = 1", 7, "1, 2 or 4 bytes"},
		{"ether[0xfffff000:2] = 1", 7, "more than 65535"},
		{"tcp ; ip", 5, `';' has no meaning`},
		{"ip\x00", 3, `'\x00' has no meaning`},
		{"höst", 2, `'ö' has no meaning`},
		{"tcp \\", 5, "has no meaning"},
		{strings.Repeat("(", 300) + "ip" + strings.Repeat(")", 300), 257, "nested too deep"},
		// vlan is ours alone.
		{"vlan and mpls", 10, `"mpls" is not known here, and an expression with vlan is not handed to tcpdump`},
		{"mpls or vlan", 1, "an expression with vlan is not handed"},
		{"vlan and port http", 15, `"http" is not the number of a port, and an expression with vlan`},
		{"vlan 10 20", 9, `"20" is not known here, and an expression with vlan`},
		{"vlan and ip[0] = ip[1]", 18, "an expression with vlan"},
	} {
		_, err := New(c.expression, Options{Tcpdump: path})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", c.expression, err)
		} else if e.Column != c.column || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "capture filter \"") {
			t.Errorf("%q: column %d, %q; want %d, %q", c.expression, e.Column, err, c.column, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "called")); err == nil {
		t.Error("tcpdump was called")
	}
}

// TestOutside: what our own language does not know needs tcpdump, and the error
// says for which word.
func TestOutside(t *testing.T) {
	for _, c := range []struct {
		expression string
		column     int
		word       string
	}{
		{"pppoes and ip", 1, "pppoes"}, {"tcp port http", 10, "http"}, {"ip[0] = ip[1]", 9, "ip"}, {"tcp[tcp[12]] = 1", 5, "an offset"},
		{"ip proto 300", 10, "300"}, {"gateway 10.0.0.1", 1, "gateway"}, {"(port 80) or 443", 14, "443"}, {"tcp or 80", 8, "80"},
		{"ip port 80", 9, "80"}, {"tcp host 10.0.0.1", 10, "10.0.0.1"}, {"host 10.1", 6, "10.1"}, {"net 10/8", 5, "10"}, {"ip broadcast", 4, "broadcast"},
		{"ip[0] ^ 1 = 2", 7, "^"}, {"tcp[13] & 1 << 33 = 1", 13, "<<"}, {"host 010.0.0.1", 6, "010.0.0.1"}, {"tcp)", 4, ")"}, {"ether", 0, "missing"},
	} {
		_, err := New(c.expression, Options{Tcpdump: "-"})
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.word) || c.column > 0 && (e.Column != c.column || !strings.Contains(err.Error(), "tcpdump, which may know it, is not to be used")) {
			t.Errorf("%q: %v", c.expression, err)
		}
	}
}

// TestLong: programs with jumps beyond 255 instructions, up to what the kernel
// takes, and a clear error behind that.
func TestLong(t *testing.T) {
	list := func(n int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
		}
		return "not (tcp or ip6 or host " + strings.Join(parts, " or ") + ") or udp port 53"
	}
	for _, n := range []int{10, 100, 300, 500} {
		code := mustProgram(t, list(n), packet.LinkEthernet)
		t.Logf("%d hosts: %d instructions", n, len(code))
		for i := range n + 20 {
			last := fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)
			for _, c := range []struct {
				frame []byte
				want  bool
			}{
				{ether(etherIPv4, ip4("192.168.1.1", last, 1, 0, 0, make([]byte, 8))), i >= n},
				{arp(etherARP, last, "192.168.1.1"), i >= n},
				{ether(etherIPv4, ip4(last, "192.168.1.1", 17, 0, 0, udpDatagram(1, 53))), true},
				{ether(etherIPv4, ip4(last, "192.168.1.1", 6, 0, 0, tcpSegment(1, 53, 0))), false},
			} {
				if got := run(t, code, given{data: c.frame}) > 0; got != c.want {
					t.Fatalf("%d hosts, %s: %v: % x", n, last, got, c.frame)
				}
			}
		}
	}
	for _, e := range []string{list(2000), "port 1" + strings.Repeat(" or 2 or 3", 6000), strings.Repeat("ip[8] > 1 or ip[7] < 3 and ", 2300) + "ip"} {
		_, err := New(e, Options{Tcpdump: "-"})
		t.Logf("%.40q: %v", e, err)
		if err != nil && !strings.Contains(err.Error(), "needs more than 4096 instructions") {
			t.Error(err)
		}
	}
	if _, err := New(list(2000), Options{}); err == nil || len(err.Error()) > 300 {
		t.Error(err)
	}
	if _, err := New(strings.Repeat(" ", MaxExpression+1), Options{}); err == nil || !strings.Contains(err.Error(), "more than 65536") {
		t.Error(err)
	}
}

func TestEmpty(t *testing.T) {
	for _, e := range []string{"", "  \t\n"} {
		f, err := New(e, Options{Tcpdump: "-"})
		if err != nil {
			t.Fatal(err)
		}
		code, err := f.Program(packet.LinkEthernet, 0)
		if err != nil || f.Compiler() != "built-in" || f.String() != e || Text(code) != "(000) ret      #4294967295\n" {
			t.Error(Text(code), err)
		}
		if any, err := f.AnyProgram(5); err != nil || Text(any) != "(000) ret      #5\n" {
			t.Error(Text(any), err)
		}
	}
	f, err := New("ip", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Program(packet.LinkSLL, 1); err == nil {
		t.Error("cooked frames have a program")
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		f, err := New("not (host 10.0.0.1 and port 873) and not (vlan 10 and net 192.168.0.0/16) and (tcp or udp port 53 or 443)", Options{Tcpdump: "-"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Program(packet.LinkEthernet, 0); err != nil {
			b.Fatal(err)
		}
	}
}
