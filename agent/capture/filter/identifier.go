package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// identifier reads one identifier, or several in parentheses, and asks for what
// the qualifier says.
func (p *parser) identifier(q qualifier) (*expr, bool) {
	negative := false
	for p.accept("not") {
		negative = !negative
	}
	t := p.take()
	if t.is("(") {
		if p.nesting++; p.nesting > maxNesting {
			p.fail(t, "parentheses are nested too deep")
			return nil, false
		}
		e, ok := p.identifiers(q)
		p.nesting--
		return negate(e, negative), ok
	}
	leaf := p.question(q, t)
	if leaf == nil {
		p.outside(t, "") // unless it has been said what is wrong
		return nil, false
	}
	return negate(&expr{leaf: leaf}, negative), true
}

// identifiers reads what is in parentheses, up to the closing one.
func (p *parser) identifiers(q qualifier) (*expr, bool) {
	e, ok := p.identifier(q)
	for ok && !p.accept(")") {
		op := and
		if p.accept("or") {
			op = or
		} else if !p.accept("and") {
			p.outside(p.peek(), "")
			return nil, false
		}
		var right *expr
		if right, ok = p.identifier(q); ok {
			e = join(op, e, right)
		}
	}
	return e, ok
}

// question makes the primitive for one identifier; nil if there is none.
func (p *parser) question(q qualifier, t token) primitive {
	if p.peek().isOperator() && !p.peek().is("/") {
		p.outside(p.peek(), "") // arithmetic that begins with a number
		return nil
	}
	switch q.what {
	case "vlan":
		return p.vlanNumber(q, t)
	case "port", "portrange":
		return p.ports(q, t)
	case "proto":
		return p.protocolNumber(q, t)
	}
	switch t.kind {
	case name:
		p.fail(t, strconv.Quote(t.text)+notResolved)
		return nil
	case mac:
		return p.station(q, t)
	case dotted, number:
		return p.four(q, t)
	case six:
		return p.six(q, t)
	}
	return nil
}

func (p *parser) vlanNumber(q qualifier, t token) primitive {
	if t.kind != number {
		return nil
	}
	if t.value > 4095 {
		p.fail(t, fmt.Sprintf("VLAN %d is more than 4095", t.value))
		return nil
	}
	return vlanTag{tag: q.tag, id: t.value}
}

// ports reads a port or a range of ports. The names of ports differ between
// systems and transports: they are left to tcpdump.
func (p *parser) ports(q qualifier, t token) primitive {
	var transports []uint32
	switch q.proto {
	case "":
		transports = []uint32{protoSCTP, protoTCP, protoUDP}
	case "tcp", "udp", "sctp":
		transports = []uint32{ipProtocols[q.proto]}
	default:
		return nil
	}
	low, high := t.value, t.value
	if t.kind != number {
		first, last, isRange := strings.Cut(t.text, "-")
		ok1, ok2 := false, false
		if q.what == "portrange" && isRange && t.kind == name && first != "" && last != "" {
			low, ok1 = parseNumber(first)
			high, ok2 = parseNumber(last)
		}
		if !ok1 || !ok2 {
			p.outside(t, strconv.Quote(t.text)+" is not the number of a port")
			return nil
		}
	}
	if low > high {
		low, high = high, low
	}
	if high > 65535 {
		p.fail(t, fmt.Sprintf("port %d is more than 65535", high))
		return nil
	}
	return port{q.dir, transports, []portRange{{low, high}}, p.tags}
}

// protocolNumber reads what proto takes.
func (p *parser) protocolNumber(q qualifier, t token) primitive {
	names, least, most := ipProtocols, uint32(0), uint32(255)
	switch q.proto {
	case "", "ip", "ip6":
	case "ether":
		// Up to 1500 it is not a type but a service access point behind a length.
		names, least, most = etherTypes, 1501, 65535
	default:
		return nil
	}
	value := t.value
	if t.kind != number {
		var ok bool
		if value, ok = names[t.text]; !ok || t.kind != name && t.kind != keyword {
			return nil
		}
	}
	if t.kind == keyword && p.bareProtocolFollows(names) {
		return nil
	}
	if value < least || value > most {
		return nil
	}
	return protocol{name: q.proto, number: value, numbered: true, depth: p.tags}
}

// bareProtocolFollows fails on "ip6 proto tcp or udp". pcap wants "proto \tcp",
// with which "\udp" is the next number; without backslashes, which it refuses,
// "udp" would be a word of its own and IPv4 too.
func (p *parser) bareProtocolFollows(names map[string]uint32) bool {
	if !p.peek().isOneOf("and", "or") {
		return false
	}
	at := p.at + 1
	for p.list[at].is("not") {
		at++
	}
	t := p.list[at]
	if _, ok := names[t.text]; !ok || t.kind != keyword {
		return false
	}
	if after := p.list[at+1]; after.kind != end && !after.isOneOf("and", "or", ")") {
		return false
	}
	p.fail(t, "it is not clear whether "+strconv.Quote(t.text)+" stands for itself: write proto "+t.text+", or put it first")
	return true
}
