package corpus

import "time"

// Start is the time of a case's first packet: 2023-11-14 22:13:20 UTC.
var Start = time.Unix(1700000000, 0).UTC()

// Case is a capture with the events that must come of it. Unless it says
// otherwise, heuristics, Host names and missing Hosts are on, redaction and
// aggregation off, and there is no whitelist.
type Case struct {
	Name   string
	Trails []string // "trail,info" with reference (static), or "trail,info,reference"
	Frames []Stamped
	Pcapng bool

	Whitelist    []string
	UserAgents   string
	NoHeuristics bool
	NoHostNames  bool
	Aggregate    time.Duration // of repeats; 0: each is an event of its own

	// Events in order, as "second src sport dst dport protocol type trail | info
	// | reference", the second counted from Start.
	Events []string
	// Codes of the events, in the same order; nil: they are not compared.
	Codes []string
}

// At stamps a frame with a second of the case.
func At(second int, f Frame) Stamped {
	return Stamped{Start.Add(time.Duration(second) * time.Second), f}
}

// Each stamps frames with one second after the other.
func Each(frames ...Frame) (all []Stamped) {
	for i, f := range frames {
		all = append(all, At(i, f))
	}
	return all
}

// File makes the capture file of a case.
func (c *Case) File() []byte {
	if c.Pcapng {
		return Pcapng(c.Frames)
	}
	return Pcap(c.Frames)
}
