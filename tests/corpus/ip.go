package corpus

// EtherTypes.
const (
	EtherIPv4  = 0x0800
	EtherIPv6  = 0x86dd
	EtherVLAN  = 0x8100
	EtherQinQ  = 0x88a8
	EtherMPLS  = 0x8847
	EtherPPPoE = 0x8864
)

// Packet is what a link carries, with the EtherType that announces it.
type Packet struct {
	EtherType uint16
	Data      []byte
}

// IP makes an IPv4 or IPv6 packet, as the addresses are.
func IP(src, dst string, s Segment) Packet {
	if addr(src).Is4() {
		return ipv4(src, dst, s.Proto, 0, s.sealed(addr(src).AsSlice(), addr(dst).AsSlice()))
	}
	return IPv6(src, dst, s)
}

// ipv4 makes a packet; fragment is the field of flags and offset.
func ipv4(src, dst string, proto uint8, fragment uint16, body []byte) Packet {
	b := []byte{0x45, 0}
	b = be.AppendUint16(b, uint16(20+len(body)))
	b = be.AppendUint16(b, 4711)
	b = be.AppendUint16(b, fragment)
	b = append(b, 64, proto, 0, 0)
	b = join(b, addr(src).AsSlice(), addr(dst).AsSlice())
	be.PutUint16(b[10:], sum(b))
	return Packet{EtherIPv4, append(b, body...)}
}

// Fragments cuts an IPv4 datagram behind the given numbers of bytes, which are
// multiples of eight.
func Fragments(src, dst string, s Segment, cuts ...int) (all []Packet) {
	body := s.sealed(addr(src).AsSlice(), addr(dst).AsSlice())
	at := 0
	for _, cut := range append(cuts, len(body)) {
		field := uint16(at / 8)
		if cut < len(body) {
			field |= 0x2000 // more fragments
		}
		all = append(all, ipv4(src, dst, s.Proto, field, body[at:cut]))
		at = cut
	}
	return all
}

// Extension is an IPv6 extension header: its protocol number and its bytes,
// the first of which IPv6 fills in.
type Extension struct {
	Proto uint8
	Data  []byte
}

// HopByHop is a hop-by-hop options header with a router alert (RFC 2711), as
// multicast listener reports carry it.
func HopByHop() Extension { return Extension{0, []byte{0, 0, 5, 2, 0, 0, 1, 0}} }

// Destination is a destination options header of padding.
func Destination() Extension { return Extension{60, []byte{0, 0, 1, 4, 0, 0, 0, 0}} }

// Routing is an empty routing header of type 253 (RFC 3692).
func Routing() Extension { return Extension{43, []byte{0, 0, 253, 0, 0, 0, 0, 0}} }

// Fragment6 is a fragment header; offset in units of eight bytes.
func Fragment6(offset uint16, more bool) Extension {
	field := offset << 3
	if more {
		field |= 1
	}
	return Extension{44, join([]byte{0, 0}, be.AppendUint16(nil, field), []byte{0, 0, 0x12, 0x34})}
}

// IPv6 makes a packet with extension headers.
func IPv6(src, dst string, s Segment, extensions ...Extension) Packet {
	next := s.Proto
	body := s.sealed(addr(src).AsSlice(), addr(dst).AsSlice())
	for i := len(extensions) - 1; i >= 0; i-- {
		e := join(extensions[i].Data)
		e[0] = next
		next = extensions[i].Proto
		body = append(e, body...)
	}
	b := []byte{0x60, 0, 0, 0}
	b = be.AppendUint16(b, uint16(len(body)))
	b = append(b, next, 64)
	return Packet{EtherIPv6, join(b, addr(src).AsSlice(), addr(dst).AsSlice(), body)}
}
