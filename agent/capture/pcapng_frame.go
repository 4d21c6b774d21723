package capture

// frame reads a packet block whose header begins b. It returns how many bytes
// of the block are done with, 0 when the block is to be passed over, or how
// many bytes it needs to see.
func (p *pcapng) frame(b []byte, kind uint32, f *Frame) (pass, need int) {
	header := 28 // type, length, interface, time (2), captured, original
	if kind == blockSimple {
		header = 12 // type, length, original
	}
	if int64(p.total) < int64(header)+4 {
		p.passOver("packet block length %d is less than the minimum of %d", p.total, header+4)
		return 0, 0
	}
	if len(b) < header {
		return 0, header
	}
	// What the block has room for; options may follow the data.
	room := p.total - uint32(header) - 4
	var id, captured uint32
	switch kind {
	case blockEnhanced:
		id, captured = p.order.u32(b[8:]), p.order.u32(b[20:])
		f.Length = int(p.order.u32(b[24:]))
	case blockObsolete: // the upper half of the word counts drops
		id, captured = uint32(p.order.u16(b[8:])), p.order.u32(b[20:])
		f.Length = int(p.order.u32(b[24:]))
	case blockSimple: // has no captured length
		captured = p.order.u32(b[8:])
		f.Length = int(captured)
		captured = min(captured, room)
	}
	if uint64(id) >= uint64(len(p.interfaces)) {
		p.passOver("packet block names interface %d, the section has %d", id, len(p.interfaces))
		return 0, 0
	}
	on := &p.interfaces[id]
	if kind == blockSimple && on.snaplen > 0 {
		captured = min(captured, on.snaplen)
	}
	if captured > room {
		p.passOver("captured length %d exceeds the %d bytes of its block", captured, room)
		return 0, 0
	}
	if captured > MaxFrame {
		p.passOver("captured length %d exceeds the maximum of %d", captured, MaxFrame)
		return 0, 0
	}
	n := header + int(captured)
	if len(b) < n {
		return 0, n
	}
	if kind != blockSimple {
		p.last = on.clock.at(uint64(p.order.u32(b[12:]))<<32 | uint64(p.order.u32(b[16:])))
	}
	f.Data, f.Time, f.Link, f.Interface = b[header:n:n], p.last, on.link, int(id)
	return n, 0
}
