package corpus

import (
	"encoding/binary"
	"time"
)

// Stamped is a frame with the time when it was captured.
type Stamped struct {
	Time time.Time
	Frame
}

// Pcap makes a capture file with stamps in microseconds. All frames must have
// the link type of the first one.
func Pcap(frames []Stamped) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint32(b, 262144)
	b = le.AppendUint32(b, uint32(linkOf(frames)))
	for _, f := range frames {
		b = le.AppendUint32(b, uint32(f.Time.Unix()))
		b = le.AppendUint32(b, uint32(f.Time.Nanosecond()/1000))
		b = le.AppendUint32(b, uint32(len(f.Data)))
		b = le.AppendUint32(b, uint32(len(f.Data)))
		b = append(b, f.Data...)
	}
	return b
}

// Pcapng makes a capture file with an interface for each link type, its stamps
// in nanoseconds, in big-endian byte order.
func Pcapng(frames []Stamped) []byte {
	b := block(0x0a0d0d0a, be.AppendUint32(nil, 0x1a2b3c4d), []byte{0, 1, 0, 0}, be.AppendUint64(nil, ^uint64(0)))
	interfaces := map[uint16]uint32{}
	for _, f := range frames {
		if _, ok := interfaces[f.Link]; !ok {
			interfaces[f.Link] = uint32(len(interfaces))
			resolution := []byte{0, 9, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0} // if_tsresol 10^-9, end of options
			b = append(b, block(1, be.AppendUint16(nil, f.Link), []byte{0, 0, 0, 4, 0, 0}, resolution)...)
		}
		stamp := be.AppendUint64(nil, uint64(f.Time.UnixNano()))
		size := be.AppendUint32(nil, uint32(len(f.Data)))
		data := append(join(f.Data), make([]byte, -len(f.Data)&3)...)
		b = append(b, block(6, be.AppendUint32(nil, interfaces[f.Link]), stamp, size, size, data)...)
	}
	return b
}

func block(kind uint32, parts ...[]byte) []byte {
	body := join(parts...)
	size := be.AppendUint32(nil, uint32(12+len(body)))
	return join(be.AppendUint32(nil, kind), size, body, size)
}

func linkOf(frames []Stamped) uint16 {
	if len(frames) == 0 {
		return LinkEthernet
	}
	return frames[0].Link
}
