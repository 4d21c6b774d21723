package tests

import (
	"fmt"
	"slices"

	. "trailhound/tests/corpus"
)

// The hosts of the cases.
const (
	client   = "10.0.0.66"
	resolver = "8.8.8.8"
	web      = "203.0.113.10" // nobody lists it
)

// fixture is the trails that most cases run with.
var fixture = []string{
	"evil-test-domain.com,malware (test)",
	"sub.evil-parent.com,malware (test)",
	"evil-parent.com,malware (test)",
	"badsite.onion,malware (test)",
	"evilname,malware (test)",
	"66.66.66.66,malware (test)",
	"6.6.6.6:8443,malware (test)",
	"198.51.100.53,known attacker",
	"203.0.113.44,malware (test)",
	"198.51.100.66,botnet c2 (test)",
	"198.51.100.91,parking site (suspicious)",
	"/malicious-login.php,malware (test)",
	"evil-url.example/bad/path,malware (test)",
	"dead::beef,malware (test)",
	"[dead::beef]:443,malware (test)",
	`dga[0-9]+\.wildcard-test\.com,malware (test)`,
	"tls-evil.example,malware (test)",
	"quic-evil.example,malware (test)",
}

const (
	malware = " | malware (test) | (static)"
	botnet  = " | botnet c2 (test) | (static)"
	attack  = " | known attacker | (static)"
	parking = " | parking site (suspicious) | (static)"
)

// eth is a packet in an Ethernet frame.
func eth(src, dst string, s Segment) Frame { return IP(src, dst, s).Ethernet() }

// query is a DNS query of the client for the address of a name.
func query(name string) Frame {
	return eth(client, resolver, UDP(50000, 53, Query(Ask(name))))
}

// asked is the event of such a query.
func asked(second int, trail string) string {
	return fmt.Sprintf("%d %s 50000 %s 53 UDP DNS %s", second, client, resolver, trail)
}

// request is a payload of the client to the web server.
func request(payload string) Frame { return eth(client, web, Data(50030, 80, payload)) }

// requested is the event of such a request.
func requested(second int, typeAndTrail string) string {
	return fmt.Sprintf("%d %s 50030 %s 80 TCP %s", second, client, web, typeAndTrail)
}

// queries makes a case of one query a second. Wanted are the trails by name
// asked for; "" is silence.
func queries(name string, rows []string, wanted ...[2]string) Case {
	c := Case{Name: name, Trails: rows}
	for i, w := range wanted {
		c.Frames = append(c.Frames, At(i, query(w[0])))
		if w[1] != "" {
			c.Events = append(c.Events, asked(i, w[1]))
		}
	}
	return c
}

// requests makes a case of one request a second in the same way.
func requests(name string, rows []string, wanted ...[2]string) Case {
	c := Case{Name: name, Trails: rows}
	for i, w := range wanted {
		c.Frames = append(c.Frames, At(i, request(w[0])))
		if w[1] != "" {
			c.Events = append(c.Events, requested(i, w[1]))
		}
	}
	return c
}

// oneByOne makes a case for each trail, alone in its table, and one request.
func oneByOne(name, payload string, wanted ...[2]string) (all []Case) {
	for _, w := range wanted {
		c := Case{Name: name + " " + w[0], Trails: []string{w[0] + ",malware (test)"}, Frames: Each(request(payload))}
		if w[1] != "" {
			c.Events = []string{requested(0, w[1]+malware)}
		}
		all = append(all, c)
	}
	return all
}

func plus(rows ...string) []string { return append(slices.Clone(fixture), rows...) }
