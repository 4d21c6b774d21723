package detect

import (
	"net/netip"

	"trailhound/agent/packet"
)

// synFlags are those that decide whether hosts take a segment for a SYN, which has
// of them SYN alone. Of the others they ask nothing: ECN's are part of a handshake
// (RFC 3168 6.1.1), PSH and URG are what an evader would add.
const synFlags = packet.FlagSYN | packet.FlagACK | packet.FlagRST | packet.FlagFIN

func isSyn(flags uint8) bool { return flags&synFlags == packet.FlagSYN }

// The flags of TCP lie in its second eight bytes, which a fragment at offset 8
// writes anew on hosts that let a later fragment take the place of an earlier
// one (RFC 1858 4, RFC 3128): the first fragment shows no SYN, the host gets one.
const (
	flagsOffset = 8
	flagsAt     = 13 - flagsOffset // in a fragment at flagsOffset
)

// maxOverlaps is how many datagrams are remembered of which such a fragment may
// come, or came. TCP in fragments is rare, so this is minutes, not packets; who
// sends that many in between hides nothing but what a flood hides.
const maxOverlaps = 256

// overlaps remembers first fragments of TCP with flags other than a SYN's, and
// fragments that make it one, until the other half comes.
type overlaps struct {
	ring []overlap
	next int // the oldest, when the ring is full
}

func newOverlaps() overlaps { return overlaps{ring: make([]overlap, 0, maxOverlaps)} }

// overlap is half of such a datagram.
type overlap struct {
	src, dst         netip.Addr
	id               uint32
	first            bool // it is the first fragment; else the one with the SYN
	srcPort, dstPort uint16
	second           int64 // of its packet
}

// patience is for how many seconds hosts keep fragments (RFC 791 3.2 and RFC 8200
// 4.5, rounded up); identifications are used again.
const patience = 120

// meet looks for the other half of o, and remembers o if there is none.
func (s *overlaps) meet(o overlap) (first overlap, met bool) {
	for i := range s.ring {
		have := &s.ring[i]
		if have.id != o.id || have.first == o.first || have.src != o.src || have.dst != o.dst || max(o.second-have.second, have.second-o.second) > patience {
			continue
		}
		if o.first {
			return o, true
		}
		return *have, true
	}
	if len(s.ring) < maxOverlaps {
		s.ring = append(s.ring, o)
		return overlap{}, false
	}
	s.ring[s.next] = o
	s.next = (s.next + 1) % maxOverlaps
	return overlap{}, false
}

// listed says whether either address of the present packet may be listed: most
// are not, and need no memory.
func (w *Worker) listed() bool {
	return w.rules.table.Near(w.p.Dst) || w.rules.table.Near(w.p.Src)
}

// firstTCP takes note of a first fragment of TCP that is no SYN.
func (w *Worker) firstTCP() {
	if !w.listed() {
		return
	}
	p := &w.p
	w.rules.trace.noted("fragment", whyFirst)
	id, _ := p.Piece()
	if _, met := w.overlaps.meet(overlap{p.Src, p.Dst, id, true, p.SrcPort, p.DstPort, p.Time.Unix()}); met {
		w.syn(p)
	}
}

// laterTCP matches the addresses of a fragment that makes a SYN of a first one
// that was none.
func (w *Worker) laterTCP() {
	p := &w.p
	if len(p.Payload) <= flagsAt || !isSyn(p.Payload[flagsAt]) || !w.listed() {
		return
	}
	w.rules.trace.noted("fragment", whyLater)
	id, offset := p.Piece()
	if offset != flagsOffset {
		return
	}
	first, met := w.overlaps.meet(overlap{src: p.Src, dst: p.Dst, id: id, second: p.Time.Unix()})
	if !met {
		return
	}
	w.kind = KindTCP
	p.SrcPort, p.DstPort = first.srcPort, first.dstPort
	w.syn(p)
}
