package filter

// A qualifier says what an identifier is: "tcp dst port" of 80. An identifier
// without one takes over the one before: "port 80 or 443".
type qualifier struct {
	set   bool   // there is one
	proto string // "": none
	dir   direction
	what  string // host, net, port, portrange, proto, vlan; "": none, which is host
	tag   int    // of vlan: which tag, from 0
}

type direction uint8

const (
	srcOrDst direction = iota
	src
	dst
	srcAndDst
)

// of gives a condition on both ends of a packet as the direction wants it.
func (d direction) of(source, destination *cond) *cond {
	switch d {
	case src:
		return source
	case dst:
		return destination
	case srcAndDst:
		return allOf(source, destination)
	}
	return anyOf(source, destination)
}

// primitive reads a primitive that begins with a word of the language.
func (p *parser) primitive() (*expr, qualifier, bool) {
	t := p.take()
	switch {
	case t.is("vlan"):
		return p.vlan()
	case t.isOneOf("less", "greater"):
		n := p.take()
		if n.kind != number {
			p.outside(n, "")
			return nil, qualifier{}, false
		}
		size := load{from: length, size: 4}
		if t.is("less") {
			return &expr{leaf: lengthTest{size, greater, n.value, true}}, qualifier{}, true
		}
		return &expr{leaf: lengthTest{size, atLeast, n.value, false}}, qualifier{}, true
	case t.isOneOf("broadcast", "multicast"):
		return &expr{leaf: group{broadcast: t.is("broadcast"), depth: p.tags}}, qualifier{}, true
	case t.isOneOf("src", "dst", "host", "net", "port", "portrange", "proto"):
		p.at--
		return p.qualified("")
	case t.isOneOf("link", "ether", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "ah", "esp", "pim"):
		if t.text == "link" {
			t.text = "ether"
		}
		return p.protocol(t)
	}
	p.outside(t, "")
	return nil, qualifier{}, false
}

// protocol reads on behind the name of a protocol.
func (p *parser) protocol(proto token) (*expr, qualifier, bool) {
	t := p.peek()
	switch {
	case t.isOneOf("src", "dst", "host", "net", "port", "portrange", "proto"):
		return p.qualified(proto.text)
	case t.isOneOf("broadcast", "multicast"):
		broadcast := t.is("broadcast")
		if proto.is("ether") || !broadcast && proto.isOneOf("ip", "ip6") {
			p.at++
			return &expr{leaf: group{proto.text, broadcast, p.tags}}, qualifier{}, true
		}
		p.outside(t, "")
		return nil, qualifier{}, false
	case t.isOneOf("protochain", "gateway", "type", "subtype", "dir", "direction") || proto.is("ether"):
		p.outside(t, "")
		return nil, qualifier{}, false
	}
	return &expr{leaf: protocol{name: proto.text, depth: p.tags}}, qualifier{}, true
}

// qualified reads direction and kind, and the first identifier.
func (p *parser) qualified(proto string) (*expr, qualifier, bool) {
	q := qualifier{set: true, proto: proto}
	if t := p.peek(); t.isOneOf("src", "dst") {
		p.at++
		q.dir = src
		if t.is("dst") {
			q.dir = dst
		}
		other := "dst"
		if q.dir == dst {
			other = "src"
		}
		if both := p.peek(); both.isOneOf("or", "and") && p.ahead().is(other) {
			p.at += 2
			q.dir = srcOrDst
			if both.is("and") {
				q.dir = srcAndDst
			}
		}
		if p.peek().is("proto") {
			p.outside(p.peek(), "")
			return nil, q, false
		}
	}
	if t := p.peek(); t.isOneOf("host", "net", "port", "portrange", "proto") {
		p.at++
		q.what = t.text
	}
	e, ok := p.identifier(q)
	return e, q, ok
}

// vlan reads on behind vlan. A list of numbers is about one tag: "vlan 10 or
// 20", which pcap does not know; "vlan 10 or vlan 20" is about two.
func (p *parser) vlan() (*expr, qualifier, bool) {
	q := qualifier{set: true, what: "vlan", tag: p.tags}
	if t := p.peek(); t.isIdentifier() || t.is("(") {
		e, ok := p.identifier(q)
		p.tags++
		return e, q, ok
	}
	p.tags++
	return &expr{leaf: vlanTag{tag: q.tag, any: true}}, qualifier{}, true
}
