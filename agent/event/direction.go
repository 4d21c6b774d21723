package event

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// HomeNetworks are the networks that the sensor guards, by name. It is immutable
// and safe for use by many goroutines; the nil pointer knows no network.
type HomeNetworks struct {
	table bart.Lite          // all of them, for the direction of each event
	names bart.Table[string] // the same by name
	empty bool
}

// GroupSensor is the group of the sensor's own addresses that no named network
// holds.
const GroupSensor = "sensor"

// IsGroup says whether a group of home networks may have that name: 1 to 64
// letters, digits, - and _, which is what suppression rules can name.
func IsGroup(name string) bool {
	if name == "" || len(name) > 64 || name == GroupSensor {
		return false
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// homePrefix is a network without host bits, an IPv4-mapped one as the IPv4 one.
func homePrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// NewHome builds the set from networks by name and the sensor's own addresses,
// which are at home wherever they lie. Where no network is given there is no home
// that they could be part of, so directions stay unknown. Host bits are ignored,
// an IPv4-mapped prefix counts as the IPv4 prefix, an invalid one is left out. A
// network that has two names goes by the one that sorts first.
func NewHome(groups map[string][]netip.Prefix, own []netip.Addr) *HomeNetworks {
	h := &HomeNetworks{empty: true}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(groups))) {
		for _, p := range groups[name] {
			if p = homePrefix(p); !p.IsValid() {
				continue
			}
			h.table.Insert(p)
			h.names.Insert(p, name)
			h.empty = false
		}
	}
	if h.empty {
		return h
	}
	for _, a := range own {
		a = a.Unmap().WithZone("")
		if !a.IsValid() || h.Contains(a) {
			continue
		}
		p := netip.PrefixFrom(a, a.BitLen())
		h.table.Insert(p)
		h.names.Insert(p, GroupSensor)
	}
	return h
}

// NewHomeNetworks is NewHome without names.
func NewHomeNetworks(prefixes []netip.Prefix) *HomeNetworks {
	return NewHome(map[string][]netip.Prefix{"": prefixes}, nil)
}

// Known says whether there is any network.
func (h *HomeNetworks) Known() bool { return h != nil && !h.empty }

// Group gives the name of the smallest network that holds a; GroupSensor for an
// address of the sensor that none holds, empty for one that is not at home or
// never leaves its link.
func (h *HomeNetworks) Group(a netip.Addr) string {
	if h == nil || h.empty || !a.IsValid() {
		return ""
	}
	name, _ := h.names.Lookup(a.Unmap())
	return name
}

// Contains says whether a is at home. So are addresses that no router passes
// on: loopback, link-local multicast, the limited broadcast, the unspecified
// address of a host that has none yet.
func (h *HomeNetworks) Contains(a netip.Addr) bool {
	if h == nil || h.empty || !a.IsValid() {
		return false
	}
	a = a.Unmap()
	return h.table.Contains(a) || staysOnLink(a)
}

// staysOnLink says whether a packet with this address never leaves its link, or
// its host.
func staysOnLink(a netip.Addr) bool {
	return a.IsLoopback() || a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast() || a.IsUnspecified() ||
		a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// Direction says how a packet went. It is Undecided when no network is known or an
// address is missing.
func (h *HomeNetworks) Direction(src, dst netip.Addr) Direction {
	if h == nil || h.empty || !src.IsValid() || !dst.IsValid() {
		return Undecided
	}
	from, to := h.Contains(src), h.Contains(dst)
	switch {
	case from && to:
		return Internal
	case from:
		return Outbound
	case to:
		return Inbound
	}
	return External
}

// Sides says whether a packet has a side at home, and whether that tells
// anything: packets for all or many, and those that stay on their link, have one
// on every link.
func (h *HomeNetworks) Sides(src, dst netip.Addr) (home, tells bool) {
	src, dst = src.Unmap(), dst.Unmap()
	if h == nil || h.empty || dst.IsMulticast() || staysOnLink(src) || staysOnLink(dst) ||
		src.IsLinkLocalUnicast() || dst.IsLinkLocalUnicast() {
		return false, false
	}
	return h.table.Contains(src) || h.table.Contains(dst), true
}
