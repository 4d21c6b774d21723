package packet

import "encoding/binary"

// Piece says of which datagram a fragment is, by the identification that its
// source gave it, and at which byte of the datagram's payload it begins. It is
// for packets with Fragment set and those that ended with LaterFragment; others
// give 0.
func (p *Packet) Piece() (id uint32, offset int) {
	b := p.IP
	switch {
	case len(b) < 20:
		return 0, 0
	case b[0]>>4 == 4:
		field := binary.BigEndian.Uint16(b[6:])
		if field&0x3fff == 0 {
			return 0, 0
		}
		return uint32(binary.BigEndian.Uint16(b[4:])), int(field&0x1fff) * 8
	case len(b) < 40:
		return 0, 0
	}
	next := b[6]
	b = b[40:]
	for n := 0; n <= maxExtensions && len(b) >= 8; n++ {
		size := 8
		switch next {
		case extFragment:
			if field := binary.BigEndian.Uint16(b[2:]); field&0xfff9 != 0 {
				return binary.BigEndian.Uint32(b[4:]), int(field &^ 7)
			}
		case extHopByHop, extRouting, extDestination, extMobility, extHIP, extShim6:
			size = (int(b[1]) + 1) * 8
		default:
			return 0, 0
		}
		if size > len(b) {
			break
		}
		next, b = b[0], b[size:]
	}
	return 0, 0
}
