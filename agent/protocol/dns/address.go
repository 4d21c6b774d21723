package dns

import (
	"encoding/binary"
	"net/netip"
)

// Addr is the address that an A or AAAA record gives. An IPv4 address that is
// mapped into IPv6 is an IPv4 address. It reports false for other types and for
// data of another length.
func (r *Record) Addr() (netip.Addr, bool) {
	if r.Type != TypeA && r.Type != TypeAAAA {
		return netip.Addr{}, false
	}
	if len(r.Data) == 4 != (r.Type == TypeA) {
		return netip.Addr{}, false
	}
	a, ok := netip.AddrFromSlice(r.Data)
	return a.Unmap(), ok
}

// Hints are the addresses that an SVCB or HTTPS record names along with its
// target (RFC 9460 7.3), which clients may use without asking for them.
type Hints struct {
	params []byte // those not yet looked at
	list   []byte // addresses of the present one
	size   int    // bytes of one of them
}

// The parameters of SVCB that hold addresses (RFC 9460 14.3.2).
const (
	ipv4Hint = 4
	ipv6Hint = 6
)

// Hints gives the addresses in r; none for other types.
func (r *Record) Hints() (h Hints) {
	if r.Type != TypeSVCB && r.Type != TypeHTTPS || len(r.Data) < 2 {
		return h
	}
	if end := skip(r.Data, 2); end >= 0 {
		h.params = r.Data[end:]
	}
	return h
}

// Next gives the next address. It reports false when there is none, or what
// follows is malformed.
func (h *Hints) Next() (netip.Addr, bool) {
	for len(h.list) == 0 || len(h.list) < h.size {
		if len(h.params) < 4 {
			return netip.Addr{}, false
		}
		key, end := binary.BigEndian.Uint16(h.params), 4+int(binary.BigEndian.Uint16(h.params[2:]))
		if end > len(h.params) {
			h.params = nil
			return netip.Addr{}, false
		}
		h.list = nil
		switch key {
		case ipv4Hint:
			h.list, h.size = h.params[4:end], 4
		case ipv6Hint:
			h.list, h.size = h.params[4:end], 16
		}
		h.params = h.params[end:]
	}
	a, _ := netip.AddrFromSlice(h.list[:h.size])
	h.list = h.list[h.size:]
	return a.Unmap(), true
}
