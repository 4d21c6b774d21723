package detect

import (
	"bytes"
	"net/netip"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/trails"
	"trailhound/trails/table"
)

// Words of a trail's info that change what is raised (D 15).
var (
	wordAttacker   = []byte("attacker")
	wordMalware    = []byte("malware")
	wordParking    = []byte("parking site")
	wordSuspicious = []byte("suspicious")
	wordSinkhole   = []byte("sinkhole")
	wordDynamic    = []byte("dynamic")
	wordFreeWeb    = []byte("free web")
)

// endpoint looks up an address with its port, else the address.
func (r *Rules) endpoint(a netip.Addr, port uint16) (ref table.Ref, typ event.Type) {
	if !r.table.Near(a) {
		r.trace.far(a)
		return 0, event.IP
	}
	if ref := r.addrPort(a, port); ref != 0 {
		return ref, event.IPORT
	}
	return r.addr(a), event.IP
}

func localhost(a netip.Addr) bool {
	return a.IsLoopback() && (a == netip.IPv6Loopback() || a == netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// syn matches the addresses of a SYN (D 7.1). ECN-setup SYNs are SYNs too.
func (w *Worker) syn(p *packet.Packet) {
	r := w.rules
	if ref, typ := r.endpoint(p.Dst, p.DstPort); ref != 0 {
		info, _ := r.table.Info(ref)
		if bytes.Contains(info, wordAttacker) ||
			bytes.Contains(info, wordParking) && p.DstPort != 80 && p.DstPort != 443 {
			r.trace.held(whyDestination)
			return
		}
		w.address(typ, ref, p.Dst, p.DstPort)
		return
	}
	if localhost(p.Dst) {
		return
	}
	if ref, typ := r.endpoint(p.Src, p.SrcPort); ref != 0 {
		if info, _ := r.table.Info(ref); !bytes.Contains(info, wordMalware) {
			w.address(typ, ref, p.Src, p.SrcPort)
		} else {
			r.trace.held(whySource)
		}
	}
}

// datagram matches the addresses of a UDP packet that is no DNS (D 9).
func (w *Worker) datagram(p *packet.Packet) {
	r := w.rules
	if ref, typ := r.endpoint(p.Dst, p.DstPort); ref != 0 {
		if info, _ := r.table.Info(ref); !bytes.Contains(info, wordAttacker) {
			w.address(typ, ref, p.Dst, p.DstPort)
		} else {
			r.trace.held(whyDestination)
		}
		return
	}
	if ref, typ := r.endpoint(p.Src, p.SrcPort); ref != 0 {
		if info, _ := r.table.Info(ref); !bytes.Contains(info, wordMalware) {
			w.address(typ, ref, p.Src, p.SrcPort)
		} else {
			r.trace.held(whySource)
		}
	}
}

// other matches the addresses of what is neither TCP nor UDP (D 14): echo
// requests, and every packet of the protocols the reference has a label for. ICMP
// whose type is in the next fragment, or behind the end of the capture, is taken
// for an echo request.
func (w *Worker) other(p *packet.Packet) {
	r := w.rules
	if !r.table.Near(p.Dst) && !r.table.Near(p.Src) {
		r.trace.far(p.Dst)
		r.trace.far(p.Src)
		return
	}
	switch p.Proto {
	case packet.ProtoICMP:
		if !p.Fragment && !p.Truncated && len(p.Payload) == 0 || len(p.Payload) > 0 && p.Payload[0] != 8 {
			r.trace.noted("icmp", whyICMP)
			return
		}
	case packet.ProtoICMPv6:
		if !p.Fragment && !p.Truncated && len(p.Payload) == 0 || len(p.Payload) > 0 && p.Payload[0] != 128 {
			r.trace.noted("icmp", whyICMP)
			return
		}
	}
	if packet.Label(p.Proto) == "" {
		r.trace.noted("protocol", whyProtocol)
		return
	}
	if ref := r.addr(p.Dst); ref != 0 {
		w.raiseAddr(event.IP, ref, p.Dst, 0)
	} else if ref := r.addr(p.Src); ref != 0 {
		w.raiseAddr(event.IP, ref, p.Src, 0)
	}
}

// tiny matches the addresses of a packet that ends before its transport header
// does: of a first fragment with eight bytes of TCP, or of what the capture cut
// off, or of one behind more extension headers than are walked. Hosts put such
// fragments together, so all of TCP is taken for a SYN. The flow is that of a whole
// SYN when the ports are there, so that both raise one event in a second; later
// fragments raise none.
func (w *Worker) tiny() {
	p := &w.p
	switch p.Proto {
	case packet.ProtoTCP:
		w.kind = KindTCP
		w.syn(p)
	case packet.ProtoUDP:
		w.kind = KindUDP
		w.datagram(p)
	default:
		w.kind = KindOther
		w.other(p)
	}
}

// address raises an address event unless the flow raised one in this second.
func (w *Worker) address(typ event.Type, ref table.Ref, a netip.Addr, port uint16) {
	if w.own() {
		return
	}
	if w.seen.again(&w.p, 0) {
		w.rules.trace.held(whyRepeat)
		w.Stats.Repeats++
		return
	}
	w.raiseAddr(typ, ref, a, port)
}

// raiseAddr raises an address event. The trail of a network is the network
// with the address in parentheses.
func (w *Worker) raiseAddr(typ event.Type, ref table.Ref, a netip.Addr, port uint16) {
	var seen []byte
	if typ == event.IPORT {
		seen = trails.AppendAddrPort(w.text[:0], a, port)
	} else {
		seen = trails.AppendAddr(w.text[:0], a)
	}
	n := len(seen)
	trail := seen
	if w.rules.table.Kind(ref) == trails.Network {
		trail = trails.AppendText(seen, trails.Network, w.rules.table.Key(ref))
		trail = append(append(append(trail, " ("...), trail[:n]...), ')')
		seen, trail = trail[:n], trail[n:]
	}
	w.trail(typ, ref, trail, seen)
}
