package detect

import (
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// pairs find out whether the sensor sees both directions of conversations: it
// does when the answer to a SYN or to a DNS query comes by. A host that nobody
// answers is told from a port that only shows one direction by nothing else, and
// routes change; so one answer is looked for in each span of packet time, for
// each interface that shows questions. Once it was found, a packet costs one
// comparison until the span is over; answers that come by there are then not looked
// at for the questions of another interface.
//
// Spans begin at the same times everywhere and a pair has to lie in one of them:
// that is why any number of workers finds the same.
type pairs struct {
	slot  int     // of the interface of the packet under way
	known int     // the slot that from and spans are about
	from  int64   // Unix seconds: where the last span that has a proof began
	span  uint64  // its length; 0: there is none
	slots []int64 // the last spans with a proof, by slot; 0: none
	asked []uint64
	n     int
}

const (
	// proofSpan is how often a proof is looked for (seconds).
	proofSpan = 600
	// maxPairs bounds what is remembered. Full, it starts anew.
	maxPairs = 4096
	// maxSlots bounds the interfaces that are told apart.
	maxSlots = 1 << 13
)

// From names the interface of the next frame by its slot (capture.Frame.Interface).
func (w *Worker) From(slot int) { w.pairs.slot = slot }

// proven says that nothing is to be looked for with the packet under way.
func (t *pairs) proven(second int64) bool {
	return t.slot == t.known && uint64(second-t.from) < t.span
}

// spanOf names the span of a time by where it begins, and one: never 0.
func spanOf(second int64) int64 {
	from := second - second%proofSpan
	if second < 0 && from != second {
		from -= proofSpan
	}
	return from | 1
}

// turn makes the slot of the packet the one that is known.
func (t *pairs) turn() {
	if t.slot >= maxSlots || t.slot < 0 {
		t.slot = 0
	}
	for t.slot >= len(t.slots) {
		t.slots = append(t.slots, 0)
	}
	t.known, t.from, t.span = t.slot, t.slots[t.slot]&^1, 0
	if t.slots[t.slot] != 0 {
		t.span = proofSpan
	}
}

// pairing says whether a packet may be a question that twoWay remembers, or the
// answer to one.
func pairing(p *packet.Packet) bool {
	switch p.Proto {
	case packet.ProtoTCP:
		return p.Flags&packet.FlagSYN != 0
	case packet.ProtoUDP:
		return p.SrcPort == 53 || p.DstPort == 53
	}
	return false
}

// twoWay takes a packet of which nothing is proven yet.
func (w *Worker) twoWay(p *packet.Packet) {
	t := &w.pairs
	second := p.Time.Unix()
	if t.slot != t.known || t.slots == nil {
		if t.turn(); t.proven(second) {
			return
		}
	}
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
	span := spanOf(second)
	if asks {
		if t.asked == nil {
			t.asked = make([]uint64, 2*maxPairs)
		}
		t.add(t.hash(p, p.DstPort, p.SrcPort, false, span), t.slot)
		return
	}
	if t.asked == nil {
		return
	}
	slot, ok := t.find(t.hash(p, p.SrcPort, p.DstPort, true, span))
	if !ok || t.slots[slot] == span {
		return
	}
	// What the sensor itself asks it sees both ways on any port.
	if w.Self != nil && w.Self.Own(p.Proto, p.Src, p.SrcPort, p.Dst, p.DstPort) {
		return
	}
	t.slots[slot] = span
	t.turn()
	w.tell(event.Answer{Outcome: event.Answered, Slot: slot})
}

// The low bits of what is remembered are the slot, of which one is added: an
// entry is never 0.
const slotBits = 1<<16 - 1

// hash names a conversation with the client's port in a span; its low bits are
// free.
func (t *pairs) hash(p *packet.Packet, server, client uint16, reply bool, span int64) uint64 {
	return mix(conversation(p, reply, server)^mixC^uint64(span), uint64(client)^mixA) &^ slotBits
}

// find gives the slot of the question with a hash.
func (t *pairs) find(h uint64) (slot int, ok bool) {
	for i := h >> 16; ; i++ {
		switch e := t.asked[i%uint64(len(t.asked))]; {
		case e == 0:
			return 0, false
		case e&^slotBits == h:
			return int(e&slotBits) - 1, true
		}
	}
}

func (t *pairs) add(h uint64, slot int) {
	if t.n >= maxPairs {
		clear(t.asked)
		t.n = 0
	}
	for i := h >> 16; ; i++ {
		switch e := &t.asked[i%uint64(len(t.asked))]; {
		case *e == 0:
			*e = h | uint64(slot+1)
			t.n++
			return
		case *e&^slotBits == h:
			return
		}
	}
}
