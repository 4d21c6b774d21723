package detect

import (
	"net/netip"

	"trailhound/agent/packet"
)

// maxRepeats bounds the memory of repeats. When it is full it starts anew, so
// a flood costs repeated events, never memory.
const maxRepeats = 1 << 16

// repeats remembers in which second a flow last raised an event, so that the
// retransmissions of one second raise it once (D 7.1, D 9). The reference
// keeps one slot for all flows; here each flow has its own.
type repeats struct {
	last map[flow]int64
}

// flow is what makes two packets the same to repeats: the tuple, and for DNS a
// digest of the message.
type flow struct {
	src, dst         netip.Addr
	srcPort, dstPort uint16
	proto            uint8
	digest           uint64
}

func newRepeats() repeats { return repeats{make(map[flow]int64)} }

// again says whether the flow raised an event in this second before, and notes
// that it does now.
func (r *repeats) again(p *packet.Packet, digest uint64) bool {
	f := flow{p.Src, p.Dst, p.SrcPort, p.DstPort, p.Proto, digest}
	second := p.Time.Unix()
	if last, ok := r.last[f]; ok && last == second {
		return true
	}
	if len(r.last) >= maxRepeats {
		clear(r.last)
	}
	r.last[f] = second
	return false
}

// digest is FNV-1a over the length and the first 64 bytes of a payload; never
// 0, which stands for the flow itself.
func digest(b []byte) uint64 {
	h := uint64(14695981039346656037) ^ uint64(len(b))
	for _, c := range b[:min(len(b), 64)] {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h | 1
}
