package lint

import (
	"net/netip"
	"strings"
	"time"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// A Prober shows frames to the matcher that the sensor uses and gives the
// events. The other end of a frame is an address and a host that no trail
// lists. It is used by one goroutine.
type Prober struct {
	rules  *detect.Rules
	worker *detect.Worker
	white  *whitelist.List
	events []event.Event
	frame  []byte
	data   []byte
	at     time.Time
	peer4  netip.Addr
	peer6  netip.Addr
	server netip.Addr // resolver and web server; in no network of peer4
	host   []byte
}

// NewProber makes a prober over a table and a whitelist, nil for none, and the
// list of suspicious user agents, nil for none.
func NewProber(t *table.Table, white *whitelist.List, userAgents []byte) *Prober {
	return newProber(detect.NewRules(t, white, detect.Options{Heuristics: true, HostDomains: true, UserAgents: userAgents}), white)
}

func newProber(rules *detect.Rules, white *whitelist.List) *Prober {
	p := &Prober{rules: rules, worker: detect.NewWorker(rules), white: white, at: time.Unix(0, 0)}
	p.worker.Emit = p.take
	t := rules.Table()
	p.peer4 = quiet(t, white, netip.AddrFrom4([4]byte{10, 83, 71, 1}))
	p.peer6 = quiet(t, white, netip.MustParseAddr("fd83:7472:6c68::1"))
	p.server = quiet(t, white, netip.AddrFrom4([4]byte{100, 127, 213, 53}))
	p.host = []byte("host.lint.invalid")
	return p
}

// quiet gives the first address from a on that neither list knows.
func quiet(t *table.Table, white *whitelist.List, a netip.Addr) netip.Addr {
	for range 1 << 16 {
		if !t.Near(a) && !white.Addr(a) || t.Addr(a) == 0 && !white.Addr(a) {
			return a
		}
		a = a.Next()
	}
	return a
}

// take is the gate's whitelist: an event between addresses of which one is
// listed goes no further, unless it is about a name.
func (p *Prober) take(e event.Event) {
	if e.Type == event.DNS || (!p.white.Addr(e.Src) && !p.white.Addr(e.Dst)) {
		p.events = append(p.events, e)
	}
}

func (p *Prober) peer(a netip.Addr) netip.Addr {
	if a.Is4() {
		return p.peer4
	}
	return p.peer6
}

// see gives the events of the frame. Each frame has a second of its own: what
// repeats within a second raises nothing.
func (p *Prober) see() []event.Event {
	p.at = p.at.Add(time.Second)
	p.events = p.events[:0]
	p.worker.Frame(packet.LinkRaw, p.frame, p.at, 0)
	return p.events
}

// The port that frames come from; that of a resolver; that of a web server.
const (
	portAny = 49151
	portDNS = 53
	portWeb = 80
)

// To gives the events of a connection attempt (a SYN) to an address. Events are
// valid until the next call.
func (p *Prober) To(a netip.AddrPort) []event.Event {
	p.frame = appendTCP(p.frame[:0], netip.AddrPortFrom(p.peer(a.Addr()), portAny), a, packet.FlagSYN, nil)
	return p.see()
}

// From gives the events of a connection attempt from an address.
func (p *Prober) From(a netip.AddrPort) []event.Event {
	p.frame = appendTCP(p.frame[:0], a, netip.AddrPortFrom(p.peer(a.Addr()), portWeb), packet.FlagSYN, nil)
	return p.see()
}

// Datagram gives the events of a UDP datagram to an address.
func (p *Prober) Datagram(a netip.AddrPort) []event.Event {
	p.frame = appendUDP(p.frame[:0], netip.AddrPortFrom(p.peer(a.Addr()), portAny), a, []byte{0})
	return p.see()
}

// Echo gives the events of an echo request to an address.
func (p *Prober) Echo(a netip.Addr) []event.Event {
	p.frame = appendEcho(p.frame[:0], p.peer(a), a)
	return p.see()
}

// Query gives the events of a DNS query for a lower-case name, nil if no query
// can carry it.
func (p *Prober) Query(name []byte) []event.Event {
	if nameFault(name) != "" {
		return nil
	}
	p.data = appendQuery(p.data[:0], name)
	p.frame = appendUDP(p.frame[:0], netip.AddrPortFrom(p.peer4, portAny), netip.AddrPortFrom(p.server, portDNS), p.data)
	return p.see()
}

// Request gives the events of an HTTP request, nil if no request can carry the
// target. An empty host is one that no trail lists; a request to a host that is
// an address goes to that address.
func (p *Prober) Request(host, target, agent []byte) []event.Event {
	if len(target) == 0 || targetFault(target) != "" || targetFault(host) != "" {
		return nil
	}
	if len(host) == 0 {
		host = p.host
	}
	p.data = appendRequest(p.data[:0], host, target, agent)
	dst := p.serverOf(host)
	src := netip.AddrPortFrom(p.peer(dst.Addr()), portAny)
	p.frame = appendTCP(p.frame[:0], src, dst, packet.FlagACK|packet.FlagPSH, p.data)
	return p.see()
}

// serverOf gives where a request to a host goes.
func (p *Prober) serverOf(host []byte) netip.AddrPort {
	if c := host[0]; c >= '0' && c <= '9' || c == '[' {
		text := string(host)
		if at, err := netip.ParseAddrPort(text); err == nil {
			return at
		}
		if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
			return netip.AddrPortFrom(a, portWeb)
		}
	}
	return netip.AddrPortFrom(p.server, portWeb)
}

// nameFault says why no DNS message can carry a name (RFC 1035 2.3.4) or why
// matching takes it for none (D 10.1); empty if nothing speaks against it.
func nameFault(name []byte) string {
	if len(name) > 253 {
		return "longer than 253 bytes"
	}
	label, digits := 0, true
	underscore := false
	for _, c := range name {
		switch {
		case c == '.':
			if label == 0 {
				return "empty label"
			}
			label, underscore = 0, false
			continue
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'z', c == '-':
			digits = false
		case c == '_':
			digits, underscore = false, true
		default:
			return "character that no name has"
		}
		if label++; label > 63 {
			return "label longer than 63 bytes"
		}
	}
	switch {
	case label == 0:
		return "empty label"
	case underscore:
		return "underscore in the last label"
	case digits:
		return "digits and dots only"
	}
	return ""
}

// targetFault says why no request line can carry a text.
func targetFault(text []byte) string {
	for _, c := range text {
		switch {
		case c == ' ':
			return "blank"
		case c < ' ' || c == 0x7F:
			return "control character"
		}
	}
	return ""
}
