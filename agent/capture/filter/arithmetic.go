package filter

import (
	"fmt"
	"strconv"
)

// A term is a value in arithmetic: a number, or something in the frame with
// numbers applied to it. Whatever is more than that is left to tcpdump.
type term struct {
	constant bool
	value    uint32 // of constant
	header   string // the header that load's offset counts from; "": load is complete
	load     load
}

// relation compares such a value with a number.
type relation struct {
	term
	op       comparison
	right    uint32
	negative bool
	depth    int
}

// isOperator says whether a token can stand behind a value in arithmetic.
func (t token) isOperator() bool {
	return t.isOneOf("|", "&", "<<", ">>", "+", "-", "*", "/", "%", "^", "=", "!=", "<", "<=", ">", ">=")
}

// isRelation says whether what is next is arithmetic. Of a parenthesis, what
// stands behind it tells.
func (p *parser) isRelation() bool {
	t := p.peek()
	switch {
	case t.isOneOf("len", "length", "-"):
		return true
	case t.is("("):
		end := p.closing[p.at]
		return end > 0 && p.list[end+1].isOperator()
	case t.kind == number:
		return p.ahead().isOperator()
	case t.kind == keyword:
		return p.ahead().is("[")
	}
	return false
}

// relation reads a comparison.
func (p *parser) relation() (*expr, bool) {
	left, ok := p.arithmetic(0)
	if !ok {
		return nil, false
	}
	r := relation{term: left, depth: p.tags}
	t := p.take()
	switch {
	case t.is("="):
	case t.is("!="):
		r.negative = true
	case t.is(">"):
		r.op = greater
	case t.is("<="):
		r.op, r.negative = greater, true
	case t.is(">="):
		r.op = atLeast
	case t.is("<"):
		r.op, r.negative = atLeast, true
	default:
		p.outside(t, "")
		return nil, false
	}
	at := p.peek()
	right, ok := p.arithmetic(0)
	if !ok {
		return nil, false
	}
	if left.constant || !right.constant {
		p.outside(at, "only a value of the frame can be compared, and only with a number; "+strconv.Quote(at.text))
		return nil, false
	}
	r.right = right.value
	return &expr{leaf: r}, true
}

// levels are the operators by how tight they bind, the loosest first.
var levels = [...][]string{{"|"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/"}}

// arithmetic reads operators of a level and tighter.
func (p *parser) arithmetic(level int) (term, bool) {
	if level == len(levels) {
		return p.value()
	}
	left, ok := p.arithmetic(level + 1)
	for ok && p.peek().isOneOf(levels[level]...) {
		sign := p.take()
		var right term
		if right, ok = p.arithmetic(level + 1); !ok {
			break
		}
		if left, ok = left.apply(sign.text, right); !ok {
			p.outside(sign, "this use of "+strconv.Quote(sign.text)+" is not known")
		}
	}
	return left, ok
}

// value reads a number, a value of the frame or what is in parentheses.
func (p *parser) value() (t term, ok bool) {
	first := p.take()
	switch {
	case first.kind == number:
		return term{constant: true, value: first.value}, true
	case first.isOneOf("len", "length"):
		return term{load: load{from: length, size: 4}}, true
	case first.is("("):
		if p.nesting++; p.nesting > maxNesting {
			p.fail(first, "parentheses are nested too deep")
			return t, false
		}
		t, ok = p.arithmetic(0)
		p.nesting--
		if ok && !p.accept(")") {
			p.outside(p.peek(), "")
			ok = false
		}
		return t, ok
	case first.isOneOf("link", "ether", "arp", "rarp", "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp", "igmp") && p.accept("["):
		return p.field(first)
	}
	p.outside(first, "")
	return t, false
}

// field reads the offset and the size of a value of the frame, up to the
// closing bracket.
func (p *parser) field(header token) (term, bool) {
	at := p.peek()
	if p.nesting++; p.nesting > maxNesting {
		p.fail(at, "brackets are nested too deep")
		return term{}, false
	}
	offset, ok := p.arithmetic(0)
	p.nesting--
	if !ok {
		return term{}, false
	}
	if !offset.constant {
		p.outside(at, "an offset that the frame gives is not known")
		return term{}, false
	}
	// Far offsets would be the kernel's own (SKF_AD_OFF).
	if offset.value > 65535 {
		p.fail(at, fmt.Sprintf("offset %d is more than 65535", offset.value))
		return term{}, false
	}
	l := load{offset: offset.value, size: 1}
	if p.accept(":") {
		size := p.take()
		if size.kind != number {
			p.outside(size, "")
			return term{}, false
		}
		if size.value != 1 && size.value != 2 && size.value != 4 {
			p.fail(size, "a size is 1, 2 or 4 bytes")
			return term{}, false
		}
		l.size = uint8(size.value)
	}
	if !p.accept("]") {
		p.outside(p.peek(), "")
		return term{}, false
	}
	return term{header: header.text, load: l}, true
}

// apply gives "t sign right", where right is a number.
func (t term) apply(sign string, right term) (term, bool) {
	c := right.value
	if !right.constant || sign == "/" && c == 0 || (sign == "<<" || sign == ">>") && c > 31 {
		return t, false
	}
	if t.constant {
		switch sign {
		case "|":
			t.value |= c
		case "&":
			t.value &= c
		case "<<":
			t.value <<= c
		case ">>":
			t.value >>= c
		case "+":
			t.value += c
		case "-":
			t.value -= c
		case "*":
			t.value *= c
		case "/":
			t.value /= c
		}
		return t, true
	}
	op := map[string]uint16{"|": aluOr, "&": aluAnd, "<<": aluShiftLeft, ">>": aluShiftRight, "+": aluAdd, "-": aluSub, "*": aluMul, "/": aluDiv}[sign]
	var ok bool
	t.load, ok = t.load.then(op, c)
	return t, ok
}

func (q relation) cond(v view) *cond {
	all := allOf()
	network := func(etherType uint32) { all.kids = append(all.kids, v.carries(q.depth, etherType)) }
	value := q.load
	switch q.header {
	case "", "ether", "link": // from the frame's begin, whatever that is
	case "arp", "rarp", "ip", "ip6":
		network(etherTypes[q.header])
		value.offset += v.payload(q.depth)
	case "icmp6":
		network(etherIPv6)
		all.kids = append(all.kids, equals(v.at(q.depth, 6, 1), protoICMP6))
		value.offset += v.payload(q.depth) + 40
	default: // IPv4 only, and not in later fragments
		network(etherIPv4)
		all.kids = append(all.kids, equals(v.at(q.depth, 9, 1), ipProtocols[q.header]), v.whole(q.depth))
		value.from, value.base = transport, v.payload(q.depth)
	}
	c := compare(value, q.op, q.right)
	if q.negative {
		c = noneOf(c)
	}
	all.kids = append(all.kids, c)
	return all
}
