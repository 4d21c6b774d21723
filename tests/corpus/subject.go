package corpus

import (
	"fmt"
	"strings"
)

// Subject is a row of D 16 or a limit of D 19, with the captures that show it.
type Subject struct {
	ID    string // of the row, such as "port-scanning", or of the limit, such as "limit-27"
	About string
	Cases []Case
}

// Rows are the rows of D 16: what the reference detects. Each has captures that
// raise its event, and some that look alike and raise none.
func Rows() []Subject {
	return subjects(addressRows(), scanRows(), nameRows(), requestRows(), responseRows())
}

// Limits are those limits of D 19 that a capture can show: what the reference is
// blind to or wrong about.
func Limits() []Subject {
	return subjects(packetLimits(), datagramLimits(), answerLimits(), nameLimits(), requestLimits(), scanLimits(), trailLimits())
}

// Limit gives the captures of one limit by its number in D 19; nil: there are none.
func Limit(number int) []Case {
	id := fmt.Sprintf("limit-%02d", number)
	for _, s := range Limits() {
		if s.ID == id {
			return s.Cases
		}
	}
	return nil
}

func subjects(parts ...[]Subject) (all []Subject) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// raises makes a case of trails, frames and events, each event behind its code.
func raises(name string, trails []string, frames []Stamped, events ...string) Case {
	c := Case{Name: name, Trails: trails, Frames: frames}
	for _, e := range events {
		code, line, _ := strings.Cut(e, " ")
		c.Codes = append(c.Codes, code)
		c.Events = append(c.Events, line)
	}
	return c
}

// silent makes a case that raises nothing.
func silent(name string, trails []string, frames []Stamped) Case {
	return Case{Name: name, Trails: trails, Frames: frames, Codes: []string{}}
}

// without switches the heuristics off.
func (c Case) without() Case {
	c.NoHeuristics = true
	return c
}

// white gives the case a whitelist.
func (c Case) white(entries ...string) Case {
	c.Whitelist = entries
	return c
}

// The hosts of the captures. Servers that are no trail have addresses for
// documentation (RFC 5737, RFC 3849).
const (
	client   = "10.0.0.66"
	resolver = "8.8.8.8"
	web      = "203.0.113.10"
	scanner  = "203.0.113.9"
	victim   = "198.51.100.7"
)

// What stands behind the trail in the events.
const (
	malware = " | malware (test) | (static)"
	botnet  = " | botnet c2 (test) | (static)"
	attack  = " | known attacker | (static)"
)

// byHeuristic is the same of a heuristic.
func byHeuristic(info string) string { return " | " + info + " | (heuristic)" }

// eth is a packet in an Ethernet frame.
func eth(src, dst string, s Segment) Frame { return IP(src, dst, s).Ethernet() }

// asks is the client's DNS query for the address of a name.
func asks(name string) Frame { return eth(client, resolver, UDP(50000, 53, Query(Ask(name)))) }

// asked is an event of such a query.
func asked(code string, second int, trail string) string {
	return fmt.Sprintf("%s %d %s 50000 %s 53 UDP DNS %s", code, second, client, resolver, trail)
}

// replies is a response of the resolver to such a query.
func replies(rcode uint8, name string, records ...Resource) Frame {
	return eth(resolver, client, UDP(53, 50000, Reply(rcode, Query(Ask(name)), records...)))
}

// replied is an event of such a response.
func replied(code string, second int, typeAndTrail string) string {
	return fmt.Sprintf("%s %d %s 53 %s 50000 UDP %s", code, second, resolver, client, typeAndTrail)
}

// sends is a request of the client to the web server.
func sends(payload string) Frame { return eth(client, web, Data(50030, 80, payload)) }

// sent is an event of such a request.
func sent(code string, second int, typeAndTrail string) string {
	return fmt.Sprintf("%s %d %s 50030 %s 80 TCP %s", code, second, client, web, typeAndTrail)
}

// burst makes n frames, so many a second.
func burst(n, perSecond int, frame func(i int) Frame) (all []Stamped) {
	for i := range n {
		all = append(all, At(i/perSecond, frame(i)))
	}
	return all
}
