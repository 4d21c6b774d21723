package tests

import (
	"fmt"
	"testing"

	. "trailhound/tests/corpus"
)

const (
	scanner = "203.0.113.9"
	victim  = "198.51.100.7"

	portScan  = " | potential port scanning | (heuristic)"
	udpScan   = " | potential udp scanning | (heuristic)"
	infection = " | potential infection | (heuristic)"
	webScan   = " | potential web scanning | (heuristic)"
)

// probes sends one packet to each of n ports, so many a second.
func probes(n, perSecond int, make func(port uint16) Frame) (all []Stamped) {
	for i := range n {
		all = append(all, At(i/perSecond, make(uint16(1000+i))))
	}
	return all
}

func syns(src, dst string) func(uint16) Frame {
	return func(port uint16) Frame { return eth(src, dst, Syn(40000, port)) }
}

func flagged(src, dst string, flags uint8) func(uint16) Frame {
	return func(port uint16) Frame { return eth(src, dst, TCP(40000, port, flags, "")) }
}

func datagrams(src, dst string, sport uint16) func(uint16) Frame {
	return func(port uint16) Frame { return eth(src, dst, UDP(sport, port, "probe")) }
}

// TestPortScan holds D 8: more than ten ports of one host within thirty seconds.
func TestPortScan(t *testing.T) {
	found := func(second int) []string {
		return []string{fmt.Sprintf("%d 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9", second) + portScan}
	}
	again := func(n int) func(uint16) Frame {
		return func(port uint16) Frame { return eth(scanner, victim, Syn(40000, 1000+port%uint16(n))) }
	}
	runCases(t, []Case{
		{Name: "eleven ports", Frames: probes(11, 1, syns(scanner, victim)), Events: found(10)},
		{Name: "ten ports", Frames: probes(10, 1, syns(scanner, victim))},
		{Name: "ten ports again and again", Frames: probes(100, 10, again(10))},
		{Name: "eleven ports in one second", Frames: probes(11, 100, syns(scanner, victim)), Events: found(0)},
		{Name: "once while it lasts, and again after the window", Frames: probes(70, 2, syns(scanner, victim)), Events: []string{
			"5 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + portScan}},
		{Name: "NULL", Frames: probes(11, 1, flagged(scanner, victim, 0)), Events: found(10)},
		{Name: "FIN", Frames: probes(11, 1, flagged(scanner, victim, FIN)), Events: found(10)},
		{Name: "Xmas", Frames: probes(11, 1, flagged(scanner, victim, FIN|PSH|URG)), Events: found(10)},
		{Name: "ACK", Frames: probes(20, 1, flagged(scanner, victim, ACK))},
		{Name: "SYN and ACK", Frames: probes(20, 1, flagged(scanner, victim, SYN|ACK))},
		{Name: "FIN and ACK", Frames: probes(20, 1, flagged(scanner, victim, FIN|ACK))},
		{Name: "eleven hosts", Frames: probes(11, 1, func(port uint16) Frame {
			return eth(scanner, fmt.Sprintf("198.51.100.%d", port-1000), Syn(40000, 8080))
		})},
		{Name: "to localhost", Frames: probes(20, 1, syns(scanner, "127.0.0.1"))},
		{Name: "inside", Frames: probes(11, 1, syns("10.0.0.5", "10.0.0.6")), Events: []string{
			"10 10.0.0.5 40000 10.0.0.6 1000 TCP IP 10.0.0.5" + portScan}},
		{Name: "IPv6", Frames: probes(11, 1, syns("2001:db8::9", "2001:db8::7")), Events: []string{
			"10 2001:db8::9 40000 2001:db8::7 1000 TCP IP 2001:db8::9" + portScan}},
		{Name: "a scanner on the whitelist", Whitelist: []string{scanner}, Frames: probes(20, 1, syns(scanner, victim))},
		{Name: "without heuristics", NoHeuristics: true, Frames: probes(20, 1, syns(scanner, victim))},
	})
}

// TestUDPScan holds the same of datagrams; DNS is none, nor is an answer.
func TestUDPScan(t *testing.T) {
	runCases(t, []Case{
		{Name: "eleven ports", Frames: probes(11, 1, datagrams(scanner, victim, 40000)), Events: []string{
			"10 203.0.113.9 40000 198.51.100.7 1000 UDP IP 203.0.113.9" + udpScan}},
		{Name: "ten ports", Frames: probes(10, 1, datagrams(scanner, victim, 40000))},
		{Name: "from port 53", Frames: probes(20, 1, datagrams(resolver, victim, 53))},
		{Name: "a server answers many ports of a client", Frames: probes(40, 2, func(port uint16) Frame {
			if port%2 == 0 {
				return eth("10.0.0.5", "203.0.113.80", UDP(port, 443, "request"))
			}
			return eth("203.0.113.80", "10.0.0.5", UDP(443, port-1, "answer"))
		})},
		{Name: "from a port that another port spoke to", Frames: append([]Stamped{At(0, eth("10.0.0.7", scanner, UDP(50000, 443, "request")))},
			probes(20, 2, datagrams(scanner, "10.0.0.7", 443))...), Events: []string{"5 203.0.113.9 443 10.0.0.7 1000 UDP IP 203.0.113.9" + udpScan}},
		{Name: "many ports of a client ask in one second", Frames: manyAsk(40)},
		{Name: "without a request an answer is a probe", Frames: probes(11, 1, datagrams("203.0.113.80", "10.0.0.5", 443)), Events: []string{
			"10 203.0.113.80 443 10.0.0.5 1000 UDP IP 203.0.113.80" + udpScan}},
		{Name: "a scanner on the whitelist", Whitelist: []string{"203.0.113.0/24"}, Frames: probes(20, 1, datagrams(scanner, victim, 40000))},
	})
}

// manyAsk has n ports of a client ask a server at once, and later have answers.
func manyAsk(n int) (all []Stamped) {
	for i := range 2 * n {
		f := eth("10.0.0.5", "203.0.113.80", UDP(uint16(50000+i%n), 443, "request"))
		if i >= n {
			f = eth("203.0.113.80", "10.0.0.5", UDP(443, uint16(50000+i%n), "answer"))
		}
		all = append(all, At(i/n*20, f))
	}
	return all
}

// TestInfection holds D 8: one host at home asks more than 32 others for a port
// that worms look for.
func TestInfection(t *testing.T) {
	spread := func(src string, hosts int, port uint16) []Stamped {
		var all []Stamped
		for i := range hosts {
			all = append(all, At(i/4, eth(src, fmt.Sprintf("192.0.2.%d", i), Syn(uint16(53000+i), port))))
		}
		return all
	}
	stealthy := spread("10.0.0.5", 40, 445)
	for i := range stealthy {
		stealthy[i] = At(i/4, eth("10.0.0.5", fmt.Sprintf("192.0.2.%d", i), TCP(uint16(53000+i), 445, FIN, "")))
	}
	runCases(t, []Case{
		{Name: "33 hosts", Frames: spread("10.0.0.5", 33, 445), Events: []string{
			"8 10.0.0.5 53000 192.0.2.0 445 TCP PORT 445" + infection}},
		{Name: "32 hosts", Frames: spread("10.0.0.5", 32, 445)},
		{Name: "another port of the list", Frames: spread("192.168.1.5", 33, 6379), Events: []string{
			"8 192.168.1.5 53000 192.0.2.0 6379 TCP PORT 6379" + infection}},
		{Name: "a port that is not", Frames: spread("10.0.0.5", 40, 443)},
		{Name: "a source that is not at home", Frames: spread(scanner, 60, 445)},
		{Name: "stealth probes", Frames: stealthy},
	})
}

// TestWebScan holds D 8 and 12.5: more than ten first segments of paths, asked of
// one server.
func TestWebScan(t *testing.T) {
	ask := func(src, dst string, n int, path func(i int) string) (all []Stamped) {
		for i := range n {
			all = append(all, At(i, eth(src, dst, TCP(52000, 80, PSH|ACK, Get("victim.example", path(i))))))
		}
		return all
	}
	directory := func(i int) string { return fmt.Sprintf("/dir%d/index", i) }
	runCases(t, []Case{
		{Name: "eleven segments", Frames: ask(scanner, victim, 11, directory), Events: []string{
			"0 203.0.113.9 52000 198.51.100.7 80 TCP PATH *" + webScan}},
		{Name: "ten segments", Frames: ask(scanner, victim, 10, directory)},
		{Name: "one directory", Frames: ask(scanner, victim, 30, func(i int) string { return fmt.Sprintf("/dir/%d", i) })},
		{Name: "both at home", Frames: ask("10.0.0.5", "192.168.0.1", 30, directory)},
		{Name: "from home", Frames: ask("10.0.0.5", victim, 11, directory), Events: []string{
			"0 10.0.0.5 52000 198.51.100.7 80 TCP PATH *" + webScan}},
		{Name: "a source on the whitelist", Whitelist: []string{scanner}, Frames: ask(scanner, victim, 30, directory)},
	})
}
