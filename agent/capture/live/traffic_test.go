package live

import "encoding/binary"

// marked is the UDP destination port of frames that tests send.
const marked = 7777

// udp makes an Ethernet frame from host a to host b of a network: 10.0.a.b
// style numbers. number stands in the payload.
func udp(a, b uint16, number uint32, size int) []byte {
	return ethernet(a, b, ipv4(a, b, number, size))
}

func ethernet(a, b uint16, payload []byte, tags ...uint16) []byte {
	f := []byte{2, 0, 0, 0, byte(b >> 8), byte(b), 2, 0, 0, 0, byte(a >> 8), byte(a)}
	for i := 0; i < len(tags); i += 2 {
		f = binary.BigEndian.AppendUint16(f, tags[i])
		f = binary.BigEndian.AppendUint16(f, tags[i+1])
	}
	kind := uint16(etherIPv4)
	if len(payload) > 0 && payload[0]>>4 == 6 {
		kind = etherIPv6
	}
	return append(binary.BigEndian.AppendUint16(f, kind), payload...)
}

func ipv4(a, b uint16, number uint32, size int) []byte {
	size = max(size, 32)
	p := make([]byte, size)
	p[0] = 0x45
	binary.BigEndian.PutUint16(p[2:], uint16(size))
	p[8], p[9] = 64, 17
	copy(p[12:], []byte{10, 7, byte(a >> 8), byte(a), 10, 7, byte(b >> 8), byte(b)})
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum))
	udpHeader(p[20:], number)
	return p
}

func ipv6(a, b uint16, number uint32) []byte {
	p := make([]byte, 40+12)
	p[0] = 0x60
	binary.BigEndian.PutUint16(p[4:], 12)
	p[6], p[7] = 17, 64
	for i, host := range []uint16{a, b} {
		at := p[8+16*i:]
		copy(at, []byte{0x20, 1, 0xd, 0xb8})
		binary.BigEndian.PutUint16(at[14:], host)
	}
	udpHeader(p[40:], number)
	return p
}

func udpHeader(p []byte, number uint32) {
	binary.BigEndian.PutUint16(p, marked)
	binary.BigEndian.PutUint16(p[2:], marked)
	binary.BigEndian.PutUint16(p[4:], uint16(len(p)))
	binary.BigEndian.PutUint32(p[8:], number)
}

// pppoe wraps an IP packet in a PPPoE session.
func pppoe(a, b uint16, ip []byte, short bool) []byte {
	protocol := []byte{0, pppIPv4}
	if ip[0]>>4 == 6 {
		protocol[1] = pppIPv6
	}
	if short {
		protocol = protocol[1:]
	}
	f := ethernet(a, b, nil)
	binary.BigEndian.PutUint16(f[12:], etherPPPoE)
	f = append(f, 0x11, 0, 0, 9, 0, 0)
	binary.BigEndian.PutUint16(f[18:], uint16(len(protocol)+len(ip)))
	return append(append(f, protocol...), ip...)
}

// number gives the number of a frame of udp.
func number(frame []byte) (uint32, bool) {
	if len(frame) < 46 || frame[12] != 8 || frame[13] != 0 || binary.BigEndian.Uint16(frame[36:]) != marked {
		return 0, false
	}
	return binary.BigEndian.Uint32(frame[42:]), true
}

// ours says whether a frame is one that a test sent.
func ours(g got) bool { _, ok := number(g.Data); return ok }
