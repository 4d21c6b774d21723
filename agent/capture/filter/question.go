package filter

import (
	"encoding/binary"
	"slices"
)

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

// host4 asks for IPv4 addresses and networks, in ARP and RARP too.
type host4 struct {
	dir   direction
	proto string // "", ip, arp, rarp
	nets  []net4
	depth int
}

type net4 struct{ address, mask uint32 }

func (q host4) or(other primitive) (primitive, bool) {
	o, ok := other.(host4)
	if !ok || q.dir == srcAndDst || o.dir != q.dir || o.proto != q.proto || o.depth != q.depth {
		return nil, false
	}
	q.nets = append(q.nets, o.nets...)
	return q, true
}

func (q host4) cond(v view) *cond {
	in := func(etherType, source, destination uint32) *cond {
		is := func(offset uint32) *cond {
			any := anyOf()
			for _, n := range q.nets {
				if n.mask == 0 {
					return v.carries(q.depth, etherType)
				}
				any.kids = append(any.kids, equals(v.at(q.depth, offset, 4).masked(n.mask), n.address))
			}
			return allOf(v.carries(q.depth, etherType), any)
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

// host6 asks for IPv6 addresses and networks.
type host6 struct {
	dir   direction
	nets  []net6
	depth int
}

type net6 struct{ address, mask [4]uint32 }

func newNet6(address [16]byte, bits int) (n net6) {
	for i := range n.address {
		n.address[i] = binary.BigEndian.Uint32(address[4*i:])
		n.mask[i] = uint32(uint64(^uint32(0)) << (32 - min(max(bits-32*i, 0), 32)))
	}
	return n
}

func (q host6) or(other primitive) (primitive, bool) {
	o, ok := other.(host6)
	if !ok || q.dir == srcAndDst || o.dir != q.dir || o.depth != q.depth {
		return nil, false
	}
	q.nets = append(q.nets, o.nets...)
	return q, true
}

func (q host6) cond(v view) *cond {
	is := func(offset uint32) *cond {
		any := anyOf()
		for _, n := range q.nets {
			all := allOf()
			for i := range n.address {
				if n.mask[i] != 0 {
					all.kids = append(all.kids, equals(v.at(q.depth, offset+4*uint32(i), 4).masked(n.mask[i]), n.address[i]))
				}
			}
			any.kids = append(any.kids, all)
		}
		return allOf(v.carries(q.depth, etherIPv6), any)
	}
	return q.dir.of(is(8), is(24))
}

// port asks for ports and ranges of ports of the given transports. As with
// libpcap, extension headers of IPv6 are not walked.
type port struct {
	dir        direction
	transports []uint32
	ranges     []portRange
	depth      int
}

type portRange struct{ low, high uint32 }

func (q port) or(other primitive) (primitive, bool) {
	o, ok := other.(port)
	if !ok || q.dir == srcAndDst || o.dir != q.dir || !slices.Equal(o.transports, q.transports) || o.depth != q.depth {
		return nil, false
	}
	q.ranges = append(q.ranges, o.ranges...)
	return q, true
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
		any := anyOf()
		for _, r := range q.ranges {
			if r.low == r.high {
				any.kids = append(any.kids, equals(at, r.low))
			} else {
				any.kids = append(any.kids, allOf(compare(at, atLeast, r.low), noneOf(compare(at, greater, r.high))))
			}
		}
		return any
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
