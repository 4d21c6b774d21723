package packet

import "encoding/binary"

// Spread is Fanout without what binds that to the kernel: frames with the same
// addresses get the same number however deep IP lies in them and whatever their link
// type is, so that what is remembered of a flow is one worker's. Only link types
// that have to be inferred stay with Fanout: they need all their frames in one place.
func Spread(link LinkType, frame []byte) uint32 {
	if link == LinkEthernet && len(frame) >= 14 {
		if t := binary.BigEndian.Uint16(frame[12:]); t == etherIPv4 || t == etherIPv6 { // nearly all
			return Fanout(link, frame)
		}
	}
	var p Packet
	if p.known(link, frame).addressed() {
		h, _ := fanoutIP(p.IP)
		return h
	}
	return Fanout(link, frame)
}
