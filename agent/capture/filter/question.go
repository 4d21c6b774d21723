package filter

import "encoding/binary"

// The primitives. Each asks as libpcap does, in the same order: on frames that
// end too early the order decides. depth is the number of vlan keywords before
// the primitive, and so the number of tags before the network header.

// vlanTag asks for a tag: whether it is there, or whether it is of one VLAN.
type vlanTag struct {
	tag int    // which one, from 0
	any bool   // whatever its VLAN
	id  uint32 // VLAN id otherwise
}

func (q vlanTag) cond(v view) *cond {
	if !v.ethernet() {
		return always(false)
	}
	if v.untagged && q.tag == 0 {
		if q.any {
			return always(true)
		}
		return equals(load{from: ancillary, offset: adVLANTag, size: 4}.masked(0x0fff), q.id)
	}
	there := anyOf(v.carries(q.tag, etherVLAN), v.carries(q.tag, etherQinQ), v.carries(q.tag, etherOld))
	if q.any {
		return there
	}
	return allOf(there, equals(v.at(q.tag, 0, 2).masked(0x0fff), q.id))
}

// station asks for an Ethernet address.
type station struct {
	dir     direction
	address [6]byte
}

func (q station) cond(v view) *cond {
	if !v.ethernet() {
		return always(false)
	}
	is := func(offset uint32) *cond {
		return allOf(
			equals(load{offset: offset + 2, size: 4}, binary.BigEndian.Uint32(q.address[2:])),
			equals(load{offset: offset, size: 2}, uint32(binary.BigEndian.Uint16(q.address[:]))))
	}
	return q.dir.of(is(6), is(0))
}

// group asks for a broadcast or multicast destination.
type group struct {
	proto     string // "", ether, ip, ip6
	broadcast bool   // ff:ff:ff:ff:ff:ff, and of ether only
	depth     int
}

func (q group) cond(v view) *cond {
	switch {
	case q.proto == "ip":
		return allOf(v.carries(q.depth, etherIPv4), compare(v.at(q.depth, 16, 1), atLeast, 224))
	case q.proto == "ip6":
		return allOf(v.carries(q.depth, etherIPv6), equals(v.at(q.depth, 24, 1), 255))
	case q.broadcast:
		return station{dst, [6]byte{255, 255, 255, 255, 255, 255}}.cond(v)
	case !v.ethernet():
		return always(false)
	}
	return noneOf(equals(load{size: 1}.masked(1), 0))
}

// host4 asks for an IPv4 address or network, in ARP and RARP too.
type host4 struct {
	dir           direction
	proto         string // "", ip, arp, rarp
	address, mask uint32
	depth         int
}

func (q host4) cond(v view) *cond {
	in := func(etherType, source, destination uint32) *cond {
		is := func(offset uint32) *cond {
			if q.mask == 0 {
				return v.carries(q.depth, etherType)
			}
			return allOf(v.carries(q.depth, etherType), equals(v.at(q.depth, offset, 4).masked(q.mask), q.address))
		}
		return q.dir.of(is(source), is(destination))
	}
	switch q.proto {
	case "ip":
		return in(etherIPv4, 12, 16)
	case "arp":
		return in(etherARP, 14, 24)
	case "rarp":
		return in(etherRARP, 14, 24)
	}
	return anyOf(in(etherIPv4, 12, 16), in(etherARP, 14, 24), in(etherRARP, 14, 24))
}

// host6 asks for an IPv6 address or network.
type host6 struct {
	dir           direction
	address, mask [4]uint32
	depth         int
}

func newHost6(dir direction, address [16]byte, bits, depth int) host6 {
	h := host6{dir: dir, depth: depth}
	for i := range h.address {
		h.address[i] = binary.BigEndian.Uint32(address[4*i:])
		h.mask[i] = uint32(uint64(^uint32(0)) << (32 - min(max(bits-32*i, 0), 32)))
	}
	return h
}

func (q host6) cond(v view) *cond {
	is := func(offset uint32) *cond {
		all := allOf(v.carries(q.depth, etherIPv6))
		for i := range q.address {
			if q.mask[i] == 0 {
				continue
			}
			all.kids = append(all.kids, equals(v.at(q.depth, offset+4*uint32(i), 4).masked(q.mask[i]), q.address[i]))
		}
		return all
	}
	return q.dir.of(is(8), is(24))
}

// port asks for a port or a range of ports of the given transports. As with
// libpcap, extension headers of IPv6 are not walked.
type port struct {
	dir        direction
	transports []uint32
	low, high  uint32
	ranged     bool // written as a range, even one of one port
	depth      int
}

func (q port) cond(v view) *cond {
	carried := func(at load) *cond {
		any := anyOf()
		for _, proto := range q.transports {
			any.kids = append(any.kids, equals(at, proto))
		}
		return any
	}
	within := func(at load) *cond {
		if !q.ranged {
			return equals(at, q.low)
		}
		return allOf(compare(at, atLeast, q.low), noneOf(compare(at, greater, q.high)))
	}
	return anyOf(
		allOf(
			v.carries(q.depth, etherIPv6),
			carried(v.at(q.depth, 6, 1)),
			q.dir.of(within(v.at(q.depth, 40, 2)), within(v.at(q.depth, 42, 2)))),
		allOf(
			v.carries(q.depth, etherIPv4),
			carried(v.at(q.depth, 9, 1)),
			v.whole(q.depth),
			q.dir.of(within(v.behind(q.depth, 0, 2)), within(v.behind(q.depth, 2, 2)))))
}

// protocol asks for a protocol by its own word ("tcp") or by number ("ip proto
// 6").
type protocol struct {
	name     string // the word; of a number: "", ip, ip6, ether
	numbered bool
	number   uint32
	depth    int
}

func (q protocol) cond(v view) *cond {
	if !q.numbered {
		if etherType, ok := etherTypes[q.name]; ok {
			return v.carries(q.depth, etherType)
		}
		only := map[string]string{"icmp": "ip", "igmp": "ip", "icmp6": "ip6"}[q.name]
		return protocol{only, true, ipProtocols[q.name], q.depth}.cond(v)
	}
	four := func() *cond {
		return allOf(v.carries(q.depth, etherIPv4), equals(v.at(q.depth, 9, 1), q.number))
	}
	// Of the extension headers only a fragment header that comes first is seen.
	six := func() *cond {
		next := v.at(q.depth, 6, 1)
		return allOf(v.carries(q.depth, etherIPv6), anyOf(
			equals(next, q.number),
			allOf(equals(next, protoFragment), equals(v.at(q.depth, 40, 1), q.number))))
	}
	switch q.name {
	case "ether":
		return v.carries(q.depth, q.number)
	case "ip":
		return four()
	case "ip6":
		return six()
	}
	return anyOf(four(), six())
}

// lengthTest asks for the length of the frame as the socket delivers it.
type lengthTest struct {
	load     load
	op       comparison
	value    uint32
	negative bool
}

func (q lengthTest) cond(view) *cond {
	c := compare(q.load, q.op, q.value)
	if q.negative {
		return noneOf(c)
	}
	return c
}
