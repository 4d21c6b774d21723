package tests

import (
	"fmt"
	"testing"

	. "trailhound/tests/corpus"
)

// Item 6: ECN-setup SYNs are SYNs, for scans as for trails.
func TestLimit06ECNScans(t *testing.T) {
	runCases(t, []Case{{Name: "scan with ECN", Frames: probes(11, 1, flagged(scanner, victim, SYN|ECE|CWR)), Events: []string{
		"10 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + portScan}}})
}

// Item 24: the parameters of one page are no segments of their own.
func TestLimit24QueryStrings(t *testing.T) {
	var frames []Stamped
	for i := range 40 {
		for _, mark := range []string{"?", "#", ";"} {
			frames = append(frames, At(i, eth(scanner, victim, TCP(52000, 80, PSH|ACK, Get("victim.example", fmt.Sprintf("/index%sid=%d", mark, i))))))
		}
	}
	runCases(t, []Case{{Name: "one page", Frames: frames}})
}

// Item 27: a scan across what would be the border of two windows, and one in the
// last second of a capture.
func TestLimit27Windows(t *testing.T) {
	var across []Stamped
	across = append(across, At(0, eth(client, "192.0.2.1", Syn(1, 80)))) // the reference's window begins here
	for i := range 6 {
		across = append(across, At(27, eth(scanner, victim, Syn(40000, uint16(1000+i)))))
	}
	across = append(across, At(30, eth(client, "192.0.2.1", Syn(1, 80)))) // and ends here
	for i := range 5 {
		across = append(across, At(32, eth(scanner, victim, Syn(40000, uint16(2000+i)))))
	}
	runCases(t, []Case{
		{Name: "across the border, in the last second", Frames: across, Events: []string{
			"32 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + portScan}},
	})
}

// Item 28: a busy scanner from outside makes nothing of its own network the home.
func TestLimit28LocalPrefix(t *testing.T) {
	var frames []Stamped
	for i := range 200 {
		frames = append(frames, At(i/20, eth(scanner, fmt.Sprintf("192.0.2.%d", i), Syn(40000, 445))))
	}
	runCases(t, []Case{{Name: "445 from outside", Frames: frames}})
}

// Item 29: scans are found whatever the number of workers; each case here and
// elsewhere runs with 1, 2, 3, 4 and 8.
func TestLimit29Workers(t *testing.T) {
	var frames []Stamped
	for i := range 40 {
		frames = append(frames,
			At(i/4, eth("10.0.0.5", fmt.Sprintf("192.0.2.%d", i), Syn(uint16(53000+i), 445))),
			At(i/4, eth(scanner, victim, Syn(40000, uint16(1000+i)))),
			At(i/4, eth(scanner, victim, UDP(40000, uint16(1000+i), "x"))),
			At(i/4, eth(scanner, victim, TCP(52000, 80, PSH|ACK, Get("victim.example", fmt.Sprintf("/dir%d/", i))))))
	}
	runCases(t, []Case{{Name: "all scans at once", Frames: frames, Events: []string{
		"2 203.0.113.9 40000 198.51.100.7 1000 TCP IP 203.0.113.9" + portScan,
		"2 203.0.113.9 40000 198.51.100.7 1000 UDP IP 203.0.113.9" + udpScan,
		"0 203.0.113.9 52000 198.51.100.7 80 TCP PATH *" + webScan,
		"8 10.0.0.5 53000 192.0.2.0 445 TCP PORT 445" + infection}}})
}
