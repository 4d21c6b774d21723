package main

import (
	"fmt"
	"time"

	"trailhound/agent/packet"
)

// traffic is what passed one device while doctor looked.
type traffic struct {
	took     time.Duration
	captured bool // by a ring; else from the device's counters

	received, sent, bytes uint64
	// Of received, when captured: frames for all, for some, for this host and
	// for others.
	broadcast, multicast, host, other uint64
	// TCP packets by direction, when captured: to and from the lower of the two
	// ports, which is the server's as a rule. Opening ones are counted apart.
	toServer, fromServer, opens, answers uint64

	// IP packets with a side in the home networks and without, when captured.
	home, foreign uint64

	missed uint64 // dropped by the hardware, before the kernel saw them
}

// observed is what came of looking at the traffic.
type observed struct {
	by      map[int]traffic // by index of the device
	dropped uint64          // by the kernel, for want of room in the rings
	none    bool            // nobody looked
	// unprivileged is why all is from counters: packet sockets are not allowed.
	unprivileged error
	failed       error // capturing failed for another reason
}

// Fewer packets than these show nothing about directions.
const (
	enoughTCP   = 50
	enoughOpens = 10
)

// checkPorts judges each port that is up by what was seen on it. A quiet one is
// only worth a warning if it was named; that all are quiet always is.
func checkPorts(ports []port, seen observed) (all []finding) {
	total := uint64(0)
	for _, p := range ports {
		f := finding{Check: portName(p.Device), Status: statusOK, Detail: describe(p.Device)}
		t, looked := seen.by[p.Index]
		if looked {
			total += t.received + t.sent
			f.Detail += ": " + t.String()
		}
		switch problem, action := t.problem(p); {
		case !p.Carrier && p.named:
			f.Status, f.Action = statusWarn, "plug in the cable, or check the other side of the link"
		case looked && problem != "":
			f.Status, f.Action = statusWarn, action
			f.Detail += "; " + problem
		}
		all = append(all, f)
	}
	traffic := func(status, detail, action string) { all = append(all, finding{"traffic", status, detail, action}) }
	switch {
	case len(ports) == 0:
		return all
	case seen.none:
		traffic(statusOK, "not looked at (--watch 0s)", "")
	case total == 0:
		traffic(statusWarn, "no packet on any interface", "check the mirror port or tap; look longer with --watch 30s")
	}
	if seen.dropped > 0 {
		traffic(statusWarn, fmt.Sprintf("%s dropped by the kernel while one worker looked", count(seen.dropped, "packet")),
			"raise capture.ring_total or capture.workers, or shed load with capture.filter")
	}
	if seen.unprivileged != nil {
		traffic(statusWarn, "rates are those of the devices' counters: without CAP_NET_RAW it cannot be seen which packets they are",
			"see privileges")
	}
	if seen.failed != nil {
		traffic(statusFail, fmt.Sprintf("cannot capture: %v", seen.failed), "correct the section capture of the configuration")
	}
	return all
}

// String gives "120 packets/s received, 80 sent (captured 2s)".
func (t traffic) String() string {
	rate := func(n uint64) string {
		r := float64(n) / max(t.took.Seconds(), 1e-3)
		if n > 0 && r < 10 {
			return fmt.Sprintf("%.1f", r)
		}
		return fmt.Sprintf("%.0f", r)
	}
	how := "counters of"
	if t.captured {
		how = "captured"
	}
	return fmt.Sprintf("%s packets/s received, %s sent, %s kbit/s (%s %s)", rate(t.received), rate(t.sent),
		rate(t.bytes/125), how, t.took.Round(100*time.Millisecond))
}

// problem says what is wrong with the traffic of a port; empty: nothing.
func (t traffic) problem(p port) (text, action string) {
	tcp := t.toServer + t.fromServer
	switch {
	case t.received+t.sent == 0:
		if p.named {
			return "nothing seen", "check the mirror port or tap behind it; look longer with --watch 30s"
		}
	case t.missed > 0:
		return fmt.Sprintf("%s dropped by the hardware before capture", count(t.missed, "packet")), fmt.Sprintf("enlarge its ring: ethtool -g %s, ethtool -G %s rx N", p.Name, p.Name)
	case !t.captured:
	case (p.named || p.Kind == "" && !p.Loopback) && t.sent == 0 && t.host+t.other == 0:
		return "broadcast and multicast only: no conversation between hosts is seen", "the switch does not mirror to this port: set up the SPAN session or tap"
	case t.opens >= enoughOpens && t.answers == 0, tcp >= enoughTCP && t.fromServer == 0:
		return fmt.Sprintf("one direction only: %s of TCP to servers, none from them (%d SYN, %d SYN/ACK)", count(t.toServer, "packet"), t.opens, t.answers), oneway
	case t.answers >= enoughOpens && t.opens == 0, tcp >= enoughTCP && t.toServer == 0:
		return fmt.Sprintf("one direction only: %s of TCP from servers, none to them (%d SYN, %d SYN/ACK)", count(t.fromServer, "packet"), t.opens, t.answers), oneway
	case t.strange():
		return t.strangeness()
	}
	return "", ""
}

const oneway = "mirror both directions (rx and tx) to this port, or capture the other tap too, with the same group"

// countTCP counts a TCP packet by its direction.
func (t *traffic) countTCP(p *packet.Packet) {
	switch p.Flags & (packet.FlagSYN | packet.FlagACK) {
	case packet.FlagSYN:
		t.opens++
	case packet.FlagSYN | packet.FlagACK:
		t.answers++
	}
	switch {
	case p.DstPort < p.SrcPort:
		t.toServer++
	case p.DstPort > p.SrcPort:
		t.fromServer++
	}
}

func (t *traffic) addTCP(o traffic) {
	t.opens += o.opens
	t.answers += o.answers
	t.toServer += o.toServer
	t.fromServer += o.fromServer
}
