package lint

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// Popular is an event that ordinary traffic to something popular raises: an alert
// that every sensor would have, every day.
type Popular struct {
	Name  string // as in the list
	How   string // dns, sni, host, syn, udp, resolver
	Event event.Event
}

// Blame names what is to blame: the trail with its source, or the heuristic.
func (p *Popular) Blame() string {
	e := &p.Event
	if e.Indicator == "" {
		return string(e.Code)
	}
	source := e.Reference
	if len(e.Sources) > 0 {
		source = e.Sources[0].Name
	}
	return fmt.Sprintf("%s [%s]", e.Indicator, source)
}

// Names reads a list of names and addresses, with a port or without, one a line.
// Empty lines are skipped, and what follows a '#'.
func Names(r io.Reader) (names []string, err error) {
	in := bufio.NewScanner(r)
	for n := 1; in.Scan(); n++ {
		text, _, _ := strings.Cut(in.Text(), "#")
		name := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), ".")
		if name == "" {
			continue
		}
		if _, _, ok := endpointOf(name); !ok {
			if fault := nameFault([]byte(name)); fault != "" {
				return nil, fmt.Errorf("line %d: %q is no name and no address: %s", n, name, fault)
			}
		}
		names = append(names, name)
	}
	if err := in.Err(); err != nil {
		return nil, err
	}
	return names, nil
}

// endpointOf reads an address; port is 0 when there is none.
func endpointOf(text string) (a netip.Addr, port uint16, ok bool) {
	if p, err := netip.ParseAddrPort(text); err == nil {
		return p.Addr(), p.Port(), true
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), 0, err == nil && a.Zone() == ""
}

// A browser's user agent: that of the request for each name.
const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"

// RunPopular makes ordinary traffic to names and addresses - for a name a DNS query,
// a TLS handshake and a request, for an address connections to ports that are in
// use everywhere, and datagrams - and reports the events of at least a severity.
// The heuristics over time judge all of it as the traffic of one client, a packet
// a second. It gives the number of frames. A table that is truncated meanwhile
// makes it panic as reading it does.
func RunPopular(t *table.Table, white *whitelist.List, opt detect.Options, names []string, least event.Severity, report func(Popular)) (frames int) {
	rules := detect.NewRules(t, white, opt)
	p := newProber(rules, white)
	board := heuristic.NewBoard(rules.Board())
	board.SetRaise(func(f *heuristic.Finding) { p.take(f.Event) })
	p.worker.Evidence = heuristic.NewCollector(0, func(b *heuristic.Batch) *heuristic.Batch {
		for i := range b.Evidence {
			board.Take(&b.Evidence[i], b.Name(&b.Evidence[i]))
		}
		b.Reset()
		return b
	})
	for _, name := range names {
		told := make(map[string]bool)
		show := func(how string, _ []event.Event) {
			frames++
			p.worker.Evidence.Flush()
			for _, e := range p.events {
				if key := how + string(e.Code) + e.Trail; e.Severity >= least && !told[key] {
					told[key] = true
					report(Popular{name, how, e})
				}
			}
			p.events = p.events[:0]
		}
		a, port, ok := endpointOf(name)
		if !ok {
			b := []byte(name)
			show("dns", p.Query(b))
			show("sni", p.handshake(b))
			show("host", p.Request(b, []byte("/"), []byte(browser)))
			continue
		}
		for _, port := range portsOf(port) {
			show("syn", p.To(netip.AddrPortFrom(a, port)))
			show("udp", p.Datagram(netip.AddrPortFrom(a, port)))
		}
		if port == 0 || port == portDNS {
			show("resolver", p.ask(a))
		}
	}
	return frames
}

// portsOf gives the ports that an address is met at.
func portsOf(port uint16) []uint16 {
	if port != 0 {
		return []uint16{port}
	}
	return []uint16{portWeb, 443, portDNS, 123}
}

// handshake gives the events of a TLS handshake for a name, nil if none can carry it.
func (p *Prober) handshake(name []byte) []event.Event {
	p.data = appendHello(p.data[:0], name)
	p.frame = appendTCP(p.frame[:0], netip.AddrPortFrom(p.peer(p.server), portAny), netip.AddrPortFrom(p.server, 443), packet.FlagACK|packet.FlagPSH, p.data)
	return p.see()
}

// ask gives the events of a DNS query to a resolver, for a name that no trail lists.
func (p *Prober) ask(resolver netip.Addr) []event.Event {
	p.data = appendQuery(p.data[:0], p.host)
	p.frame = appendUDP(p.frame[:0], netip.AddrPortFrom(p.peer(resolver), portAny), netip.AddrPortFrom(resolver, portDNS), p.data)
	return p.see()
}
