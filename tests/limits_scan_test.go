package tests

import (
	"fmt"
	"testing"

	. "trailhound/tests/corpus"
)

// Item 6: SYNs with other flags that hosts take no notice of are SYNs, for scans as
// for trails.
func TestLimit06OddSYNs(t *testing.T) {
	runCases(t, []Case{
		{Name: "scan with PSH and URG", Frames: probes(11, 1, flagged(scanner, victim, SYN|PSH|URG)), Events: []string{
			"10 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + portScan}},
		{Name: "what hosts drop", Frames: probes(11, 1, flagged(scanner, victim, SYN|FIN))},
		{Name: "what is answered with a reset", Frames: probes(11, 1, flagged(scanner, victim, SYN|RST))},
		{Name: "flags that make no difference", Trails: fixture,
			Frames: Each(eth(client, "66.66.66.66", TCP(1, 443, SYN|PSH, "")), eth(client, "66.66.66.66", TCP(1, 443, SYN|URG|ECE, "")),
				eth(client, "66.66.66.66", TCP(1, 443, SYN|FIN, "")), eth(client, "66.66.66.66", TCP(1, 443, SYN|RST, ""))),
			Events: []string{"0 10.0.0.66 1 66.66.66.66 443 TCP IP 66.66.66.66" + malware, "1 10.0.0.66 1 66.66.66.66 443 TCP IP 66.66.66.66" + malware}},
	})
}

// Item 24: the parameters of one page are no segments of their own.
func TestLimit24QueryStrings(t *testing.T) {
	runCases(t, Limit(24))
	// And a server takes an absolute target like a path; a proxy is asked for many servers.
	absolute := func(src, dst, host string) (all []Stamped) {
		for i := range 11 {
			all = append(all, At(i, eth(src, dst, Data(52000, 80, Get(host, fmt.Sprintf("http://%s/dir%d/index", host, i))))))
		}
		return all
	}
	runCases(t, []Case{
		{Name: "absolute targets, from outside", Frames: absolute(scanner, "10.0.0.7", "victim.example"), Events: []string{
			"0 203.0.113.9 52000 10.0.0.7 80 TCP PATH *" + webScan}},
		{Name: "absolute targets, of the server's address", Frames: absolute(client, victim, victim), Events: []string{
			"0 10.0.0.66 52000 198.51.100.7 80 TCP PATH *" + webScan}},
		{Name: "absolute targets, of a proxy", Frames: absolute(client, victim, "other.example")},
	})
}

// Item 27: a scan across what would be the border of two windows, and one in the
// last second of a capture.
func TestLimit27Windows(t *testing.T) { runCases(t, Limit(27)) }

// Item 28: a busy scanner from outside makes nothing of its own network the home.
func TestLimit28LocalPrefix(t *testing.T) { runCases(t, Limit(28)) }

// Item 29: scans are found whatever the number of workers; each case here and
// elsewhere runs with 1, 2, 3, 4 and 8.
func TestLimit29Workers(t *testing.T) { runCases(t, Limit(29)) }
