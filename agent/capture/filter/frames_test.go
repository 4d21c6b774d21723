package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// Builders of frames, inside out.

func words(v ...uint16) (b []byte) {
	for _, w := range v {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

func cat(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func addr(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

// tcpSegment has the given ports and flags.
func tcpSegment(from, to uint16, flags byte) []byte {
	return cat(words(from, to), make([]byte, 8), []byte{0x50, flags}, make([]byte, 6), []byte("payload"))
}

func udpDatagram(from, to uint16) []byte {
	return cat(words(from, to, 15, 0), []byte("payload"))
}

// ip4 is an IPv4 packet; fragment is the field with flags and offset.
func ip4(from, to string, proto byte, options int, fragment uint16, body []byte) []byte {
	return cat([]byte{0x45 + byte(options), 0}, words(uint16(20+4*options+len(body)), 7, fragment), []byte{64, proto, 0, 0},
		addr(from), addr(to), make([]byte, 4*options), body)
}

func ip6(from, to string, next byte, body []byte) []byte {
	return cat([]byte{0x60, 0, 0, 0}, words(uint16(len(body))), []byte{next, 64}, addr(from), addr(to), body)
}

// extension is an IPv6 extension header of eight bytes in front of a body.
func extension(next byte, offset uint16, body []byte) []byte {
	return cat([]byte{next, 0}, words(offset, 0, 0), body)
}

func arp(etherType uint16, from, to string) []byte {
	return ether(etherType, cat(words(1, 0x0800, 0x0604, 1), []byte{2, 0, 0, 0, 0, 1}, addr(from), make([]byte, 6), addr(to)))
}

var macA, macB = []byte{2, 0, 0, 0, 0, 1}, []byte{2, 0, 0, 0, 0, 2}

func ether(etherType uint16, body []byte) []byte { return cat(macB, macA, words(etherType), body) }

// tag puts a VLAN tag into an Ethernet frame.
func tag(etherType, id uint16, frame []byte) []byte {
	return cat(frame[:12], words(etherType, id), frame[12:])
}

// strip takes the outer tag out of a frame, as the kernel does.
func strip(frame []byte) given {
	return given{data: cat(frame[:12], frame[16:]), tagged: true, tag: binary.BigEndian.Uint16(frame[14:])}
}

// Values that frames and expressions have in common, so that they meet.
var (
	someFours  = []string{"10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.1", "192.168.1.77", "224.0.0.1", "255.255.255.255", "0.0.0.10"}
	someSixes  = []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::5", "fe80::1", "ff02::1", "::1", "::ffff:10.0.0.1"}
	somePorts  = []uint16{22, 53, 80, 81, 443, 1000, 8080, 65535, 0}
	someProtos = []byte{6, 17, 132, 1, 58, 2, 47, 50, 51, 89, 103, 44}
	someTags   = []uint16{10, 20, 30, 0, 0x2000 | 10, 4095}
	tagTypes   = []uint16{etherVLAN, etherQinQ, etherOld}
)

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// randomIP is an IP packet as networks have them, and some that they have not.
func randomIP(r *rand.Rand) []byte {
	proto := pick(r, someProtos)
	var body []byte
	switch proto {
	case 6:
		body = tcpSegment(pick(r, somePorts), pick(r, somePorts), byte(r.IntN(256)))
	case 17, 132:
		body = udpDatagram(pick(r, somePorts), pick(r, somePorts))
	default:
		body = cat([]byte{byte(r.IntN(18)), byte(r.IntN(4))}, words(pick(r, somePorts), pick(r, somePorts)), make([]byte, r.IntN(40)))
	}
	if r.IntN(5) < 3 {
		options, fragment := 0, uint16(0x4000)
		if r.IntN(4) == 0 {
			options = r.IntN(11)
		}
		if r.IntN(4) == 0 {
			fragment = pick(r, []uint16{0x2000, 0x2001, 0x1fff, 1, 0, 185})
		}
		return ip4(pick(r, someFours), pick(r, someFours), proto, options, fragment, body)
	}
	for range max(0, r.IntN(6)-3) {
		next := pick(r, []byte{0, 43, 44, 60})
		body, proto = extension(proto, uint16(r.IntN(2)*8), body), next
	}
	return ip6(pick(r, someSixes), pick(r, someSixes), proto, body)
}

// randomFrame is an Ethernet frame, or with raw an IP packet.
func randomFrame(r *rand.Rand, raw bool) []byte {
	ip := randomIP(r)
	frame := ip
	if !raw {
		etherType := uint16(etherIPv4)
		if ip[0]>>4 == 6 {
			etherType = etherIPv6
		}
		switch r.IntN(14) {
		case 0:
			frame = arp(pick(r, []uint16{etherARP, etherRARP}), pick(r, someFours), pick(r, someFours))
		case 1: // PPPoE session
			ppp := uint16(0x0021)
			if ip[0]>>4 == 6 {
				ppp = 0x0057
			}
			frame = ether(0x8864, cat([]byte{0x11, 0, 0, 1}, words(uint16(len(ip)+2), ppp), ip))
		case 2: // a length and LLC
			frame = ether(uint16(3+len(ip)), cat([]byte{6, 6, 3}, ip))
		case 3: // the other family's type
			frame = ether(etherIPv4^etherIPv6^etherType, ip)
		case 4: // MPLS
			frame = ether(0x8847, cat([]byte{0, 1, 1, 64}, ip))
		default:
			frame = ether(etherType, ip)
		}
		switch r.IntN(12) {
		case 0:
			copy(frame, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		case 1:
			copy(frame, []byte{1, 0, 0x5e, 0, 0, 1})
		case 2:
			copy(frame, macA)
			copy(frame[6:], macB)
		}
	}
	switch r.IntN(10) {
	case 0:
		frame = frame[:r.IntN(len(frame)+1)]
	case 1:
		frame[r.IntN(len(frame))] ^= byte(1 << r.IntN(8))
	}
	return frame
}
