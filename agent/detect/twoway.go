package detect

import (
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// pairs find out whether the sensor sees both directions of conversations: it
// does once the answer to a SYN or to a DNS query came by. Until then what was
// asked is remembered; then its memory is given back. A host that nobody answers
// is told from a port that only shows one direction by nothing else.
type pairs struct {
	closed bool // found, or nobody wants to know
	asked  []uint64
	n      int
}

// maxPairs bounds what is remembered. Full, it starts anew.
const maxPairs = 4096

// twoWay takes a packet.
func (w *Worker) twoWay(p *packet.Packet) {
	var asks bool
	switch {
	case p.Proto == packet.ProtoTCP && p.Flags&packet.FlagSYN != 0:
		asks = p.Flags&packet.FlagACK == 0
	case p.Proto == packet.ProtoUDP && p.DstPort == 53 && p.SrcPort != 53:
		asks = true
	case p.Proto == packet.ProtoUDP && p.SrcPort == 53 && p.DstPort != 53:
	default:
		return
	}
	t := &w.pairs
	if asks {
		if t.asked == nil {
			t.asked = make([]uint64, 2*maxPairs)
		}
		t.add(t.hash(p, p.DstPort, p.SrcPort, false))
	} else if t.asked != nil && t.has(t.hash(p, p.SrcPort, p.DstPort, true)) {
		*t = pairs{closed: true}
		w.tell(event.Answer{Outcome: event.Answered})
	}
}

// hash names a conversation with the client's port; never 0.
func (t *pairs) hash(p *packet.Packet, server, client uint16, reply bool) uint64 {
	return mix(conversation(p, reply, server)^mixC, uint64(client)^mixA) | 1
}

func (t *pairs) has(h uint64) bool {
	for i := h >> 1; ; i++ {
		switch t.asked[i%uint64(len(t.asked))] {
		case h:
			return true
		case 0:
			return false
		}
	}
}

func (t *pairs) add(h uint64) {
	if t.n >= maxPairs {
		clear(t.asked)
		t.n = 0
	}
	for i := h >> 1; ; i++ {
		switch p := &t.asked[i%uint64(len(t.asked))]; *p {
		case h:
			return
		case 0:
			*p = h
			t.n++
			return
		}
	}
}
