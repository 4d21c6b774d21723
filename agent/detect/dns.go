package detect

import (
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/dns"
	"trailhound/trails"
)

// maxQuestions bounds the questions that are looked at in one message.
const maxQuestions = 64

// dns matches the questions of a query (D 10.2) and says whether the payload
// was a DNS message at all. On DNS's own port the resolver's address is matched
// together with the name; elsewhere the address rules of UDP have their say.
func (w *Worker) dns(p *packet.Packet, b []byte, own bool) bool {
	m := &w.message
	if !m.Parse(b) || m.Questions == 0 {
		return false
	}
	w.kind = KindDNS
	if m.Response() {
		return m.NextQuestion(&w.question) || m.Truncated() && m.Opcode() == 0
	}
	if m.Opcode() != 0 {
		return false
	}
	asked := false
	// Compression makes names that are far longer than what was sent. Twice the
	// message is more than any resolver or browser of services asks for.
	names := 2*len(b) + 256
	for range maxQuestions {
		if names < 0 || !m.NextQuestion(&w.question) {
			break
		}
		q := &w.question
		names -= len(q.Name)
		f := &w.facts
		f.app, f.question, f.qtype, f.qclass, f.message = "dns", q.Name, q.Type, q.Class, b
		if own && !asked {
			w.resolver(p, q.Name)
		}
		asked = true
		w.domain(q.Name)
	}
	w.facts.app = ""
	return asked
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
	seen := trails.AppendAddr(w.text[:0], p.Dst)
	n := len(seen)
	t := seen
	if r.table.Kind(ref) == trails.Network {
		t = trails.AppendText(t, trails.Network, r.table.Key(ref))
		t = append(append(append(append(t, " ("...), t[:n]...), ") ("...), name...)
		w.trail(typ, ref, append(t, ')')[n:], seen)
		return
	}
	t = append(append(append(t, " ("...), name...), ')')
	w.trail(typ, ref, t, t[:n])
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
