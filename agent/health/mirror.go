package health

import (
	"fmt"
	"time"

	"trailhound/agent/event"
)

// What five minutes must hold to be judged by.
const (
	minHandshakes = 50 // SYN and SYN-ACK segments together
	minData       = 50 // TCP segments with payload
	minGroup      = 60 // broadcast and multicast frames
)

// fiveMinutes gives what was counted in the sliding five minutes.
func (l *link) fiveMinutes() counts {
	was, _ := l.five.oldest()
	sum, _ := l.total.since(was)
	return sum
}

// judgeDirections: of the two first segments of TCP's handshakes one kind is
// missing, less than 1 in 100 of the other, while data flows: a mirror port or
// tap shows one direction. A SYN scan looks the same but for its data. Where
// there is none it is no matter; amid other traffic some answers are seen, so
// then it takes data as well in proportion: a scan has one segment to a flow, a
// conversation seen from one side several.
func (l *link) judgeDirections() verdict {
	if !l.known {
		return verdict{}
	}
	sum := l.fiveMinutes()
	rare, common := min(sum.syn, sum.synack), max(sum.syn, sum.synack)
	switch {
	case rare+common < minHandshakes: // too few to say anything new
	case rare > 0 && rare >= (common+99)/100:
		l.oneway = false
	case l.five.full() && sum.data >= minData && (rare == 0 || sum.data >= common/2):
		l.oneway = true
	}
	return verdict{
		active: l.oneway,
		since:  5 * time.Minute,
		wrong: func() string {
			return fmt.Sprintf("only one direction of the traffic on %s is seen: %d SYN and %d SYN-ACK in five minutes", l.label(), sum.syn, sum.synack)
		},
		right: func() string { return "both directions of the traffic on " + l.label() + " are seen again" },
		measures: func() []event.Measure {
			return []event.Measure{event.Count("syn", sum.syn), event.Count("synack", sum.synack), event.Count("tcp_data", sum.data)}
		},
	}
}

// judgeUnicast: an interface sees what is sent to all, and nothing that is sent
// to one. That is a switch port that no traffic is mirrored to.
func (l *link) judgeUnicast() verdict {
	if !l.known {
		return verdict{}
	}
	sum := l.fiveMinutes()
	switch {
	case sum.unicast > 0:
		l.onlyGroups = false
	case l.five.full() && sum.broadcast+sum.multicast >= minGroup:
		l.onlyGroups = true
	}
	return verdict{
		active: l.onlyGroups,
		since:  5 * time.Minute,
		wrong: func() string {
			return fmt.Sprintf("%s sees broadcast and multicast only, no unicast frame in five minutes: is anything mirrored to it?", l.label())
		},
		right: func() string { return l.label() + " sees unicast frames again" },
		measures: func() []event.Measure {
			return []event.Measure{event.Count("broadcast", sum.broadcast), event.Count("multicast", sum.multicast)}
		},
	}
}
