package detect

import (
	"net/netip"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/dns"
	"trailhound/trails"
	"trailhound/trails/table"
)

// maxQuestions bounds the questions that are looked at in one message.
const maxQuestions = 64

// nameBudget is how many bytes of names are read out of a message. Compression
// makes names that are far longer than what was sent; this is more than any
// resolver, or browser of services, asks for or says.
func nameBudget(message []byte) int { return 2*len(message) + 256 }

// dns matches a message and says whether the payload was one at all. On DNS's
// own port the resolver's address is matched together with the name; elsewhere
// the address rules of UDP have their say.
func (w *Worker) dns(p *packet.Packet, b []byte, own bool) bool {
	m := &w.message
	if !m.Parse(b) {
		return false
	}
	if m.Response() {
		return w.answers(p, b, own)
	}
	if m.Questions == 0 {
		return false
	}
	w.kind = KindDNS
	return m.Opcode() == 0 && w.questions(p, b, own)
}

// questions matches those of a query (D 10.2) and says whether there is any.
func (w *Worker) questions(p *packet.Packet, b []byte, own bool) (any bool) {
	f, q := &w.facts, &w.question
	budget := nameBudget(b)
	for range maxQuestions {
		if budget < 0 || !w.message.NextQuestion(q) {
			break
		}
		budget -= len(q.Name)
		w.rules.trace.question(&w.message, q, false)
		f.app, f.question, f.qtype, f.qclass, f.message = "dns", q.Name, q.Type, q.Class, b
		if own && !any {
			w.resolver(p, q.Name)
		}
		any = true
		h, c := w.lookup(q.Name)
		w.noteName(q.Name)
		if h.ref != 0 {
			w.nameTrail(event.TrailDNS, q.Name, h)
		}
		if c&classAsked != 0 {
			w.asked(p, c)
		}
		w.rules.trace.counted(w, q.Name, c, h.ref != 0)
	}
	f.app = ""
	return any
}

// resolver matches the addresses of a query: the first of destination with
// port, destination, source (D 10.2 step 3). No info suppresses it.
func (w *Worker) resolver(p *packet.Packet, name []byte) {
	r := w.rules
	ref, typ := r.endpoint(p.Dst, p.DstPort)
	if ref == 0 {
		if ref = r.addr(p.Src); ref != 0 {
			w.raiseAddr(event.IP, ref, p.Src, 0)
		}
		return
	}
	w.addrTrail(event.CodeOf(typ), typ, ref, p.Dst, name)
}

// addrTrail raises the event of an address with the name that was asked for in
// parentheses. The trail of a network has the address in front of that.
func (w *Worker) addrTrail(code event.Code, typ event.Type, ref table.Ref, a netip.Addr, name []byte) {
	t := trails.AppendAddr(w.text[:0], a)
	n := len(t)
	at := 0
	if w.rules.table.Kind(ref) == trails.Network {
		at = n
		t = trails.AppendText(t, trails.Network, w.rules.table.Key(ref))
		t = append(append(append(t, " ("...), t[:n]...), ')')
	}
	if len(name) > 0 {
		t = append(append(append(t, " ("...), name...), ')')
	}
	w.trailAs(code, typ, ref, t[at:], t[:n])
}

// dnsTCP matches the messages of DNS over TCP that lie whole in this segment.
// On DNS's own port a message may come without its length, which some clients
// send in a segment of its own.
func (w *Worker) dnsTCP(p *packet.Packet, b []byte) {
	msg, rest, ok := dns.TCPMessage(b)
	if !ok {
		if (p.DstPort == 53 || p.SrcPort == 53) && dns.Looks(b) {
			w.dns(p, b, false)
		}
		return
	}
	for ok && dns.Looks(msg) {
		w.dns(p, msg, false)
		msg, rest, ok = dns.TCPMessage(rest)
	}
}
