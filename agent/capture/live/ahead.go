package live

import "trailhound/agent/packet"

// ahead is how far the frames of a block have been fetched into the cache
// before their turn.
type ahead struct {
	block    []byte
	at, left int
}

// Ahead fetches one more frame of the block in hand, without waiting. It is
// called while a frame of the batch is worked on. Frames lie in a chain, each
// with the offset of the next, and in memory that the processor which received
// them wrote last: whoever walks the chain at once waits for memory at each link.
func (s *Source) Ahead() {
	a := &s.ahead
	if a.left == 0 {
		return
	}
	a.left--
	if rest := a.block[min(a.at, len(a.block)):]; len(rest) >= frameHeader {
		if mac := int(u16(rest, frameMac)); mac < len(rest) {
			packet.Prefetch(rest[mac:])
		}
		if next := u32(rest, frameNext); uint64(next) < uint64(len(rest)) {
			a.at += int(next)
			packet.Prefetch(rest[next:])
			return
		}
	}
	a.left = 0 // take finds out what is wrong
}
