package packet

import "encoding/binary"

// Fanout gives the number that decides which worker takes a frame: the worker
// is Fanout modulo the number of workers. Both directions of a host pair, and
// all fragments of a datagram, get the same number.
//
// It is a contract with the classic BPF program that does the same in the
// kernel for a live capture (PACKET_FANOUT_CBPF, which takes the program's
// result modulo the number of sockets), so it holds to what such a program can
// do: 32-bit arithmetic, no loops, and a load beyond the frame ends it with 0.
//
//	Ethernet   T is the type at 12. While T is 8100, 88A8 or 9100, but at most twice, T
//	           is the type four bytes further. 0800, 86DD: IP begins behind T. 8864: IP
//	           begins behind the PPP protocol field, six bytes behind T, when that
//	           is 21 or 57 in one byte or 0021 or 0057 in two. Everything else: MAC.
//	IP         By the high nibble of its first byte: 4: mix(w12 ^ w16); 6: mix(w8 ^ w12 ^
//	           w16 ^ ... ^ w36); anything else: MAC.
//	MAC        mix(w0 ^ w6 ^ h4 ^ h10) of the frame.
//	mix(x)     x ^= x >> 16; x *= 85EBCA6B; x ^= x >> 13; x *= C2B2AE35; x ^ x >> 16
//
// where wN and hN are the 32 and 16 bits at byte N in network order. The other
// link types below put their own header in place of Ethernet's and have 0 in
// place of MAC; link types that are not below have 0 altogether.
func Fanout(link LinkType, frame []byte) uint32 {
	switch link {
	case LinkEthernet:
		if len(frame) < 14 {
			return 0
		}
		h, ip := fanoutTyped(binary.BigEndian.Uint16(frame[12:]), frame[14:])
		if !ip {
			return mix(binary.BigEndian.Uint32(frame) ^ binary.BigEndian.Uint32(frame[6:]) ^
				uint32(binary.BigEndian.Uint16(frame[4:])) ^ uint32(binary.BigEndian.Uint16(frame[10:])))
		}
		return h
	case LinkSLL:
		return fanoutCooked(frame, 14, 16)
	case LinkSLL2:
		return fanoutCooked(frame, 0, 20)
	case LinkCiscoHDLC:
		return fanoutCooked(frame, 2, 4)
	}
	offset := 0
	switch link {
	case LinkRaw, LinkRaw12, LinkRaw14, LinkIPv4, LinkIPv6:
	case LinkNull, LinkLoop:
		offset = 4
	case LinkSLIP:
		offset = 16
	case LinkPPP, LinkPPPSerial:
		if len(frame) >= 2 && (frame[0] == 0xff || frame[0] == 0x0f || frame[0] == 0x8f) {
			offset = 2
		}
		offset += pppSize(frame[offset:])
	case LinkPPPoE:
		offset = 6
		if len(frame) > offset {
			offset += pppSize(frame[offset:])
		}
	case LinkPFLog:
		if len(frame) > 0 {
			offset = (int(frame[0]) + 3) &^ 3
		}
	default:
		return 0
	}
	if offset >= len(frame) {
		return 0
	}
	h, _ := fanoutIP(frame[offset:])
	return h
}

// pppSize is the size of the PPP protocol field that b begins with.
func pppSize(b []byte) int {
	if len(b) > 0 && b[0]&1 != 0 {
		return 1
	}
	return 2
}

// fanoutCooked finds the EtherType at offset t, and what it announces at n.
func fanoutCooked(frame []byte, t, n int) uint32 {
	if len(frame) < n {
		return 0
	}
	h, _ := fanoutTyped(binary.BigEndian.Uint16(frame[t:]), frame[n:])
	return h
}

// fanoutTyped goes on behind an EtherType. It says whether that led to IP; a
// frame that ends too early counts as if it did, with 0.
func fanoutTyped(t uint16, b []byte) (h uint32, ip bool) {
	for range 2 {
		if t != etherVLAN && t != etherQinQ && t != etherQinQOld {
			break
		}
		if len(b) < 4 {
			return 0, true
		}
		t, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	switch t {
	case etherIPv4, etherIPv6:
		return fanoutIP(b)
	case etherPPPoE:
		if len(b) < 7 {
			return 0, true
		}
		if b[6] == pppIPv4 || b[6] == pppIPv6 {
			return fanoutIP(b[7:])
		}
		if len(b) < 8 {
			return 0, true
		}
		if t := binary.BigEndian.Uint16(b[6:]); t == pppIPv4 || t == pppIPv6 {
			return fanoutIP(b[8:])
		}
	}
	return 0, false
}

// fanoutIP mixes the addresses of the IP packet b.
func fanoutIP(b []byte) (h uint32, ip bool) {
	if len(b) == 0 {
		return 0, true
	}
	switch b[0] >> 4 {
	case 4:
		if len(b) < 20 {
			return 0, true
		}
		return mix(binary.BigEndian.Uint32(b[12:]) ^ binary.BigEndian.Uint32(b[16:])), true
	case 6:
		if len(b) < 40 {
			return 0, true
		}
		x := binary.BigEndian.Uint64(b[8:]) ^ binary.BigEndian.Uint64(b[16:]) ^
			binary.BigEndian.Uint64(b[24:]) ^ binary.BigEndian.Uint64(b[32:])
		return mix(uint32(x) ^ uint32(x>>32)), true
	}
	return 0, false
}

// mix spreads every bit of x over all bits of the result (the finalizer of
// MurmurHash3): the addresses of one network differ in few bits, and a small
// number of workers looks at few.
func mix(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x85ebca6b
	x ^= x >> 13
	x *= 0xc2b2ae35
	return x ^ x>>16
}
