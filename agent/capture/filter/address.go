package filter

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// station reads an Ethernet address.
func (p *parser) station(q qualifier, t token) primitive {
	a, ok := anyMAC(t.text)
	if !ok || q.what == "net" {
		return nil
	}
	if q.proto != "ether" {
		p.fail(t, "an Ethernet address needs the word ether: ether host "+t.text)
		return nil
	}
	return station{dir: q.dir, address: a}
}

// four reads an IPv4 address or network, and the mask behind it.
func (p *parser) four(q qualifier, t token) primitive {
	switch q.proto {
	case "", "ip", "arp", "rarp":
	default:
		return nil
	}
	ask := func(address, mask uint32) primitive {
		return host4{q.dir, q.proto, []net4{{address, mask}}, p.tags}
	}
	if t.kind == number {
		if q.what != "net" || p.peek().isOneOf("/", "mask") {
			return nil
		}
		// "net 10" is 10.0.0.0/8, and "net 0" is 0.0.0.0, as pcap has it.
		address, mask := t.value, ^uint32(0)
		for address != 0 && address>>24 == 0 {
			address <<= 8
			mask <<= 8
		}
		return ask(address, mask)
	}
	address, bits, ok := parseFour(t.text)
	if !ok {
		return nil
	}
	if p.peek().isOneOf("/", "mask") {
		if q.what != "net" {
			p.fail(t, "a mask makes it a network: net "+t.text)
			return nil
		}
		mask, ok := p.mask4()
		if !ok {
			return nil
		}
		if address&^mask != 0 {
			p.fail(t, t.text+" has bits outside the mask: the network is "+textFour(address&mask))
			return nil
		}
		return ask(address, mask)
	}
	if q.what != "net" && bits != 32 {
		return nil
	}
	return ask(address, ^uint32(0)<<(32-bits))
}

// mask4 reads the mask behind an IPv4 address: /bits or mask and an address.
func (p *parser) mask4() (mask uint32, ok bool) {
	slash := p.take().is("/")
	m := p.take()
	switch {
	case slash && m.kind == number && m.value <= 32:
		return uint32(uint64(^uint32(0)) << (32 - m.value)), true
	case slash && m.kind == number:
		p.fail(m, "an IPv4 mask has at most 32 bits")
		return 0, false
	case !slash && m.kind == dotted:
		if mask, _, ok = parseFour(m.text); ok {
			return mask, true
		}
	}
	p.outside(m, "")
	return 0, false
}

// six reads an IPv6 address or network.
func (p *parser) six(q qualifier, t token) primitive {
	if q.proto != "" && q.proto != "ip6" {
		return nil
	}
	address, err := netip.ParseAddr(t.text)
	if err != nil {
		return nil
	}
	bits := 128
	if p.accept("/") {
		m := p.take()
		if m.kind != number {
			p.outside(m, "")
			return nil
		}
		if m.value > 128 {
			p.fail(m, "an IPv6 mask has at most 128 bits")
			return nil
		}
		bits = int(m.value)
		if q.what != "net" && bits < 128 {
			p.fail(t, "a mask makes it a network: net "+t.text)
			return nil
		}
	}
	network := netip.PrefixFrom(address, bits)
	if rest := network.Masked().Addr(); rest != address {
		p.fail(t, t.text+" has bits outside the mask: the network is "+rest.String())
		return nil
	}
	return host6{q.dir, []net6{newNet6(address.As16(), bits)}, p.tags}
}

// parseFour reads two to four numbers with dots. A short form is the begin of
// an address; bits is how many there are.
func parseFour(s string) (address uint32, bits uint, ok bool) {
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) > 1 && part[0] == '0' {
			return 0, 0, false
		}
		address = address<<8 | uint32(n)
		bits += 8
	}
	return address << (32 - bits), bits, true
}

func textFour(a uint32) string {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, a))).String()
}

// anyMAC reads an Ethernet address in any of pcap's forms: six numbers with
// colons, dashes or dots, three with dots, or twelve digits.
func anyMAC(s string) (a [6]byte, ok bool) {
	for _, separator := range [...]string{":", "-", "."} {
		if a, ok = parseMAC(s, separator); ok {
			return a, true
		}
	}
	if len(s) == 14 && s[4] == '.' && s[9] == '.' {
		s = s[:4] + s[5:9] + s[10:]
	}
	if len(s) != 12 {
		return a, false
	}
	n, err := strconv.ParseUint(s, 16, 48)
	binary.BigEndian.PutUint16(a[:], uint16(n>>32))
	binary.BigEndian.PutUint32(a[2:], uint32(n))
	return a, err == nil
}

// parseMAC reads six numbers of one or two hexadecimal digits.
func parseMAC(s, separator string) (a [6]byte, ok bool) {
	if strings.Count(s, separator) != 5 {
		return a, false
	}
	for i, part := range strings.Split(s, separator) {
		n, err := strconv.ParseUint(part, 16, 8)
		if err != nil || len(part) > 2 {
			return a, false
		}
		a[i] = byte(n)
	}
	return a, true
}
