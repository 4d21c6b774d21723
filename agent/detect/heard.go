package detect

import (
	"encoding/binary"
	"net/netip"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/dns"
	"trailhound/agent/protocol/http"
)

// listen looks whether the present packet, which was matched, is an answer to
// something that raised an event. The worker calls it only when answers are
// wanted.
func (w *Worker) listen() {
	p, t := &w.p, &w.watched
	if pairing(p) && !w.pairs.proven(p.Time.Unix()) {
		w.twoWay(p)
	}
	if p.Proto == packet.ProtoICMP || p.Proto == packet.ProtoICMPv6 {
		if w.unreachable(p) {
			return
		}
	}
	if t.n == 0 {
		return
	}
	if t.asked++; t.asked&4095 == 0 {
		t.sweep(p.Time.UnixNano())
	}
	if t.maybe(p) {
		w.heard(p)
	}
}

// heard takes a packet that may be an answer.
func (w *Worker) heard(p *packet.Packet) {
	t := &w.watched
	at, base := p.Time.UnixNano(), conversation(p, true, p.SrcPort)
	if e := t.find(t.hashOf(base, p.DstPort), at); e != nil && e.conversation.Client == p.Dst && e.conversation.Server == p.Src {
		w.spoke(e, p)
	}
	if w.kind != KindDNS {
		return
	}
	if p.Proto == packet.ProtoUDP {
		w.resolved(p.Payload, base, at)
		return
	}
	msg, rest, ok := dns.TCPMessage(p.Payload)
	if !ok {
		w.resolved(p.Payload, base, at)
	}
	for ok {
		w.resolved(msg, base, at)
		msg, rest, ok = dns.TCPMessage(rest)
	}
}

// spoke takes a packet of the server of a conversation that is not about a
// question of DNS.
func (w *Worker) spoke(e *watched, p *packet.Packet) {
	a := event.Answer{Conversation: e.conversation, Outcome: event.Answered}
	if p.Proto == packet.ProtoTCP && p.Flags&packet.FlagRST != 0 {
		a.Outcome = event.Refused
	} else if e.status && len(p.Payload) >= 8 && http.Looks(p.Payload) == http.ResponseLike && w.answer.Parse(p.Payload) && w.answer.Status >= 200 {
		a.Status, e.status = w.answer.Status, false
	}
	w.settle(e, a)
}

// settle tells an answer that was waited for. A refusal is told once and leaves
// the conversation waiting.
func (w *Worker) settle(e *watched, a event.Answer) {
	switch {
	case a.Outcome == event.Refused && (!e.waiting || e.refused):
		return
	case a.Outcome == event.Refused:
		e.refused = true
	case !e.waiting && a.Status == 0:
		return
	default:
		e.waiting = false
	}
	w.tell(a)
}

// resolved takes a DNS message: a response answers the question that it repeats.
func (w *Worker) resolved(b []byte, base uint64, at int64) {
	m, q, f := &w.message, &w.question, &w.facts
	if !m.Parse(b) || !m.Response() || !m.NextQuestion(q) || len(q.Name) == 0 {
		return
	}
	e := w.watched.find(w.watched.hashOfQuestion(base, q.Name, q.Type), at)
	if e == nil || !e.waiting || e.conversation.Client != w.p.Dst || e.conversation.Server != w.p.Src {
		return
	}
	a := event.Answer{Conversation: e.conversation, Outcome: event.Answered}
	if m.RCode() != 0 {
		if a.Outcome = event.Refused; e.refused {
			return
		}
	}
	var said event.DNSFacts
	f.reply, f.message = true, b
	w.said(&said)
	f.reply, f.message = false, nil
	a.RCode, a.HasRCode, a.Answers = said.RCode, said.HasRCode, said.Answers
	w.settle(e, a)
}

// maxUnreachable bounds what is told of ICMP errors in one second: a host that is
// flooded sends as many of them. Beyond it silence means nothing.
const maxUnreachable = 64

// unreachable takes an ICMP error (RFC 792, RFC 4443 3.1) and says whether the
// packet is one. It quotes the packet that did not arrive; a router may have sent
// it, so another worker may watch the conversation: it is told to the gate either
// way.
func (w *Worker) unreachable(p *packet.Packet) bool {
	b := p.Payload
	if len(b) < 8 {
		return false
	}
	if p.Proto == packet.ProtoICMP {
		if b[0] == 8 || b[0] == 0 {
			return false
		}
		if b[0] != 3 || b[1] == 4 { // not: a fragment is needed
			return b[0] == 3 || b[0] == 5 || b[0] == 11 || b[0] == 12
		}
	} else if b[0] != 1 {
		return b[0] < 128
	}
	c, ok := quoted(b[8:])
	if !ok || c.Client != p.Dst || p.Fragment {
		return true
	}
	if second := p.Time.Unix(); second != w.errorSecond {
		w.errorSecond, w.errors = second, 0
	}
	if w.errors++; w.errors > maxUnreachable {
		if w.errors == maxUnreachable+1 {
			w.tell(event.Answer{Outcome: event.OutcomeUnknown}) // of anything
		}
		return true
	}
	if c.Port == 53 && c.Protocol == "UDP" {
		if m, q := &w.message, &w.question; m.Parse(b[8+quotedHeaders(b[8:]):]) && m.NextQuestion(q) {
			c.Question, _ = event.Clean(q.Name, event.MaxEvidence)
			if c.Type = q.Type; c.Question != "" {
				c.ClientPort = 0
			}
		}
	}
	w.tell(event.Answer{Conversation: c, Outcome: event.Refused})
	return true
}

// quoted reads the packet in an ICMP error: its IP header and the ports behind.
func quoted(b []byte) (c event.Conversation, ok bool) {
	n := quotedHeaders(b)
	if n == 0 {
		return c, false
	}
	var proto uint8
	if b[0]>>4 == 4 {
		proto = b[9]
		c.Client, c.Server = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		n = int(b[0]&15) * 4
	} else {
		proto = b[6]
		c.Client, c.Server = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		n = 40
	}
	c.Protocol = packet.Label(proto)
	switch proto {
	case packet.ProtoTCP:
		c.Protocol = "TCP"
	case packet.ProtoUDP:
		c.Protocol = "UDP"
	default:
		return c, true
	}
	c.ClientPort, c.Port = binary.BigEndian.Uint16(b[n:]), binary.BigEndian.Uint16(b[n+2:])
	return c, true
}

// quotedHeaders is the size of the IP header and of eight bytes behind it, which
// is all of UDP's; 0 when they are not there, or it is a later fragment.
func quotedHeaders(b []byte) int {
	if len(b) < 28 {
		return 0
	}
	n := 40
	switch b[0] >> 4 {
	case 4:
		n = int(b[0]&15) * 4
		if n < 20 || binary.BigEndian.Uint16(b[6:])&0x1FFF != 0 {
			return 0
		}
	case 6:
	default:
		return 0
	}
	if len(b) < n+8 {
		return 0
	}
	return n + 8
}
