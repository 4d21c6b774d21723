package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// written are expressions as people write them, and the corners of the
// language. All are in our own language and in pcap's.
var written = []string{
	"ip", "ip6", "arp", "rarp", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp", "ah", "esp", "pim",
	"host 10.0.0.1", "src host 10.0.0.1", "dst host 10.0.0.1", "src 10.0.0.1", "dst 10.0.0.1",
	"src or dst host 10.0.0.1", "src and dst 10.0.0.1", "dst or src 10.0.0.1", "ip host 10.0.0.1", "arp host 10.0.0.1", "rarp src host 10.0.0.2",
	"ip src 10.0.0.1", "host 2001:db8::1", "src host 2001:db8::1", "ip6 host fe80::1", "host ::1", "host ::ffff:10.0.0.1", "host 2001:db8::1/128",
	"net 10.0.0.0/8", "src net 10.0.0.0/8", "dst net 192.168.1.0/24", "net 10", "net 10.1", "net 10.0", "net 192.168.1", "net 10.0.0.1", "net 0",
	"net 10.0.0.0 mask 255.0.0.0", "net 10.0 mask 255.255", "net 10.0/16", "net 0.0.0.0/0", "net 10.0.0.0 mask 255.0.0.255", "ip net 10.0.0.0/8", "arp net 10.0.0.0/30", "src and dst net 10.0.0.0/8",
	"net 2001:db8::/32", "ip6 net 2001:db8::/33", "net ::/0", "net fe80::/10", "dst net 2001:db8:0:1::/64", "net 2001:db8::1", "src and dst net 2001:db8::/64", "net 2001:db8:0:1::/65",
	"port 80", "tcp port 80", "udp port 53", "sctp port 1000", "src port 80", "dst port 80", "tcp src port 443", "udp dst port 53", "src and dst port 80", "src or dst port 443", "port 0", "port 0x50", "port 0120",
	"portrange 1-100", "udp portrange 22-80", "portrange 443-80", "tcp dst portrange 1000-8080", "portrange 80", "src portrange 0-65535", "src and dst portrange 80-443",
	"proto 6", "ip proto 6", "ip6 proto 58", "proto 17", `proto \tcp`, `ip proto \icmp`, `ip6 proto \udp`, "ip proto 47", "proto 44", "ip6 proto 44",
	`ether proto \ip`, `ether proto \arp`, "ether proto 0x86dd", "ether proto 0x8864", "ether proto 1501",
	"ether host 02:00:00:00:00:01", "ether src 2:0:0:0:0:1", "ether dst 02-00-00-00-00-02", "ether src host 0200.0000.0001", "ether host 020000000001", "ether src or dst 2:0:0:0:0:2", "ether src and dst 2:0:0:0:0:2",
	"broadcast", "multicast", "ether broadcast", "ether multicast", "ip multicast", "ip6 multicast",
	"less 60", "greater 60", "len > 60", "len <= 60", "length = 61", "len - 14 > 40",
	"not tcp", "! tcp", "not not tcp", "tcp and port 80", "tcp && port 80", "tcp or udp", "tcp||udp", "not (tcp or udp)", "(tcp)", "((tcp) or ((udp)))",
	"tcp or udp and port 80", "tcp and port 80 or udp and port 53", "icmp or tcp and not port 22", "not tcp and not udp", "not tcp and udp or ip6",
	"port 80 or 443", "port 80 or 443 or 8080", "host 10.0.0.1 or 10.0.0.2", "host 10.0.0.1 or 2001:db8::1", "not host 10.0.0.1 and 10.0.0.2", "not port 80 or 443", "port 80 and 443", "port (80 or 443)", "tcp port (80 or 443) and host 10.0.0.1",
	"host not 10.0.0.1", "port not 80", "port 80 or not 443", "src port 80 or dst port 443 or 53", "net 10.0.0.0/8 or 192.168.0.0/16", "proto 6 or 17", "port 80 and (443 or 8080)", "portrange 1-100 or 8080-9000", "port (80 or not (443 and 22))",
	"not host 10.0.0.1 and not host 10.0.0.2 and not net 10.1.0.0/16", "host 10.0.0.1 or host 10.0.0.2 or src host 10.1.2.3", "src host 10.0.0.1 or 10.0.0.2 or 2001:db8::1 or fe80::1", "not (port 80 or 443 or portrange 1000-9000) and not tcp port 22 and not 53", "src and dst port 80 or 443", "not src and dst net 10.0.0.0/8 and not 192.168.0.0/16", "net 10.0.0.0/8 or 0.0.0.0/0", "host 2001:db8::1 or 2001:db8::2 or net fe80::/10", "ip host 10.0.0.1 or arp host 10.0.0.1 or ip host 10.0.0.2", "host 10.0.0.1 and (port 80) or 10.0.0.2", "host 10.0.0.1 and not (port 80) or 10.1.2.3", "ether src 2:0:0:0:0:1 or 2:0:0:0:0:2",
	"tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[tcpflags] & tcp-syn != 0", "tcp[tcpflags] == tcp-syn", "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "(tcp[tcpflags] & tcp-rst) != 0", "tcp[13] & 2 = 2", "tcp[13] = 0x12", "not tcp[tcpflags] & tcp-ack != 0",
	"tcp[tcpflags] & tcp-push|tcp-urg != 0", "tcp[12] >> 4 > 5", "tcp[0:2] = 80", "udp[4:2] >= 15", "udp[4:2] < 16", "ip[8] <= 64", "ip[6:2] & 0x1fff = 0", "ip[6:2] & 0x1fff != 0", "ip[12:4] = 0x0a000001", "ip[0] & 0xf != 5", "ip[0] & 0xf << 2 = 20", "(ip[0] & 0xf) << 2 > 20",
	"icmp[icmptype] = icmp-echo", "icmp[icmptype] != icmp-echo and icmp[icmpcode] = 0", "icmp6[icmp6type] = 3", "icmp6[0] >= 5", "ip6[6] = 58", "ip6[40] = 17", "arp[6:2] = 1", "ether[0] & 1 != 0", "ether[12:2] > 0x600", "ip[2:2] - 20 > 20", "tcp[2+2:4] = 0", "sctp[0:2] = 80", "igmp[0] = 3",
	"ip[9] * 2 = 12", "ip[8] / 2 = 32", "ip[8] + 1 - 1 = 64", "ip[65535] = 0", "tcp[(10+3)] & (1|2) != 0",
	"tcp port 80 and tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8",
	"not (host 10.0.0.1 and port 80) and not (host 10.0.0.2 and port 443)",
	"(host 10.0.0.1 or net 192.168.0.0/16) and (port 80 or 443 or portrange 8000-9000) and not broadcast",
	"ip and not arp", "ip and ip6", "tcp or not tcp", "tcp and not tcp", "ip or not ip or arp", "ip6 or port 80 and ip6", "less 10 or greater 20", "greater 1",
}

// randomExpression is one in both languages, nested up to depth.
func randomExpression(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(4) > 0 {
		n := 2 + r.IntN(3)
		parts := make([]string, n)
		for i := range parts {
			parts[i] = randomExpression(r, depth-1)
			switch r.IntN(5) {
			case 0:
				parts[i] = "not " + parts[i]
			case 1:
				parts[i] = "not (" + parts[i] + ")"
			case 2:
				parts[i] = "(" + parts[i] + ")"
			}
		}
		var b strings.Builder
		for i, part := range parts {
			if i > 0 {
				b.WriteString(pick(r, []string{" and ", " or ", " && ", " || "}))
			}
			b.WriteString(part)
		}
		return b.String()
	}
	dir := pick(r, []string{"", "", "src ", "dst ", "src or dst ", "src and dst "})
	switch r.IntN(13) {
	case 0:
		return pick(r, []string{"", "ip ", "arp "}) + dir + "host " + pick(r, someFours)
	case 1:
		return dir + "host " + pick(r, someSixes)
	case 2, 3:
		return pick(r, []string{"", "", "tcp ", "udp ", "sctp "}) + dir + "port " + fmt.Sprint(pick(r, somePorts))
	case 4:
		return pick(r, []string{"", "tcp ", "udp "}) + dir + fmt.Sprintf("portrange %d-%d", pick(r, somePorts), pick(r, somePorts))
	case 5:
		return dir + "net " + pick(r, []string{"10.0.0.0/8", "192.168.1.0/25", "10.1.0.0/16", "10.0.0", "192.168", "0.0.0.0/1"})
	case 6:
		return dir + "net " + pick(r, []string{"2001:db8::/32", "2001:db8::/63", "fe80::/10", "ff00::/8"})
	case 7:
		return pick(r, []string{"", "ip ", "ip6 "}) + fmt.Sprintf("proto %d", pick(r, someProtos))
	case 8:
		return pick(r, []string{"tcp[tcpflags]", "tcp[13]"}) + " & " + pick(r, []string{"tcp-syn", "(tcp-syn|tcp-ack)", "7"}) + pick(r, []string{" != 0", " = tcp-syn", " == 0", " > 1"})
	case 9:
		return pick(r, []string{"ip[8]", "ip[9]", "udp[0:2]", "icmp[0]", "ip6[6]", "len"}) + pick(r, []string{" < ", " <= ", " > ", " >= ", " = ", " != "}) + fmt.Sprint(pick(r, []int{0, 6, 17, 53, 64, 80}))
	case 10:
		return fmt.Sprintf("port %d or %d", pick(r, somePorts), pick(r, somePorts))
	case 11:
		return fmt.Sprintf("host %s or %s", pick(r, someFours), pick(r, someFours))
	}
	return pick(r, []string{"ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "sctp", "ip multicast", "less 70", "greater 70"})
}
