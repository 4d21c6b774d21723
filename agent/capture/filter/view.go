package filter

import "trailhound/agent/packet"

// A view is what is known of all frames that a piece of the program sees.
type view struct {
	link packet.LinkType
	// untagged: the kernel has taken the outer VLAN tag out of the frame. The
	// first vlan then asks for what the kernel has put aside, and what follows
	// is where it is in a frame without that tag.
	untagged bool
}

// EtherTypes (IEEE 802 numbers).
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherRARP = 0x8035
	etherVLAN = 0x8100 // 802.1Q
	etherIPv6 = 0x86dd
	etherQinQ = 0x88a8 // 802.1ad
	etherOld  = 0x9100 // QinQ before 802.1ad
)

// IP protocols (IANA protocol-numbers).
const (
	protoTCP      = 6
	protoUDP      = 17
	protoFragment = 44
	protoICMP6    = 58
	protoSCTP     = 132
)

// ethernet says whether frames have an Ethernet header.
func (v view) ethernet() bool { return v.link == packet.LinkEthernet }

// payload is where the network header begins behind a number of tags.
func (v view) payload(tags int) uint32 {
	if !v.ethernet() {
		return 0
	}
	if v.untagged && tags > 0 {
		tags--
	}
	return 14 + 4*uint32(tags)
}

// at is a load of size bytes, offset bytes behind the begin of the network
// header.
func (v view) at(tags int, offset uint32, size uint8) load {
	return load{offset: v.payload(tags) + offset, size: size}
}

// behind is a load behind the IPv4 header.
func (v view) behind(tags int, offset uint32, size uint8) load {
	return load{from: transport, base: v.payload(tags), offset: offset, size: size}
}

// carries asks for the EtherType. Without a link header IP is known by its
// version, and nothing else there is.
func (v view) carries(tags int, etherType uint32) *cond {
	if v.ethernet() {
		return equals(load{offset: v.payload(tags) - 2, size: 2}, etherType)
	}
	version := load{size: 1}.masked(0xf0)
	switch etherType {
	case etherIPv4:
		return equals(version, 0x40)
	case etherIPv6:
		return equals(version, 0x60)
	}
	return always(false)
}

// whole asks that an IPv4 packet is no fragment, or the first one: only that
// has the ports.
func (v view) whole(tags int) *cond {
	return equals(v.at(tags, 6, 2).masked(0x1fff), 0)
}
