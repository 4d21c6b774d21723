package event

import (
	"net/netip"

	"github.com/gaissmai/bart"
)

// HomeNetworks are the networks that the sensor guards. It is immutable and
// safe for use by many goroutines; the nil pointer knows no network.
type HomeNetworks struct {
	table bart.Lite
	empty bool
}

// NewHomeNetworks builds the set. Host bits are ignored, an IPv4-mapped prefix
// counts as the IPv4 prefix, an invalid one is left out.
func NewHomeNetworks(prefixes []netip.Prefix) *HomeNetworks {
	h := &HomeNetworks{empty: true}
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if !p.IsValid() {
			continue
		}
		h.table.Insert(p.Masked())
		h.empty = false
	}
	return h
}

// Contains says whether a is at home. So are addresses that no router passes
// on: link-local multicast, the limited broadcast, the unspecified address of
// a host that has none yet.
func (h *HomeNetworks) Contains(a netip.Addr) bool {
	if h == nil || h.empty || !a.IsValid() {
		return false
	}
	a = a.Unmap()
	return h.table.Contains(a) || staysOnLink(a)
}

// staysOnLink says whether a packet with this address never leaves its link.
func staysOnLink(a netip.Addr) bool {
	return a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast() || a.IsUnspecified() ||
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
