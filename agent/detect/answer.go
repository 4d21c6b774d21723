package detect

import (
	"bytes"
	"net/netip"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/protocol/dns"
	"trailhound/trails"
	"trailhound/trails/table"
)

// reply is what of a response has been matched so far.
type reply struct {
	judged bool // a sinkhole or a parking site was reported
	asked  bool // the trail of the question is among known
	// known are the trails of names that are not to be raised again: that of the
	// question, which the query raised, and those raised.
	known [16]table.Ref
	n     int
}

// answers matches what a server says: every address and name in the answer
// section (D 10.3), and that a name does not exist. It says whether the payload
// was a DNS message. Of the flags only the response code matters. Time is
// bounded by the size of the message, since records do not overlap; names, which
// may, have a budget.
func (w *Worker) answers(p *packet.Packet, b []byte, own bool) bool {
	m, q, f := &w.message, &w.question, &w.facts
	switch {
	case m.Questions > 0:
		w.kind = KindDNS
		if !m.NextQuestion(q) {
			return m.Truncated() && m.Opcode() == 0
		}
	case own || m.Answers == 0:
		return false
	default: // multicast DNS, and the later messages of a zone transfer
		w.kind = KindDNS
		*q = dns.Question{}
	}
	const noError, noSuchName = 0, 3
	code := m.RCode()
	if m.Opcode() != 0 || code != noError && code != noSuchName {
		return true // clients take nothing from it
	}
	w.rules.trace.question(m, q, true)
	if code == noSuchName {
		w.noSuchName(p, b)
	}
	if m.Answers == 0 {
		return true
	}
	f.app, f.question, f.qtype, f.qclass, f.message, f.reply = "dns", q.Name, q.Type, q.Class, b, true
	var r dns.Record
	var done reply
	budget := nameBudget(b) + 4*dns.MaxName
	for m.NextAnswer(&r) {
		if r.Class&dns.ClassMask != dns.ClassIN {
			continue
		}
		w.rules.trace.record(m, &r)
		switch r.Type {
		case dns.TypeA, dns.TypeAAAA:
			if a, ok := r.Addr(); ok {
				w.answerAddr(a, &r, &done)
			}
		case dns.TypeCNAME, dns.TypeDNAME, dns.TypeNS, dns.TypeMX, dns.TypeSRV, dns.TypePTR, dns.TypeSVCB, dns.TypeHTTPS:
			if budget >= 0 {
				budget -= w.answerName(&r, &done)
			}
			for hints := r.Hints(); ; {
				a, ok := hints.Next()
				if !ok {
					break
				}
				w.answerAddr(a, &r, &done)
			}
		}
	}
	f.app, f.reply = "", false
	return true
}

// ask gives the name that a record answers: that of the question, else its own.
func (w *Worker) ask(r *dns.Record) []byte {
	if f := &w.facts; w.message.Questions == 0 {
		f.question, f.qtype, f.qclass = w.message.Owner(r), r.Type, r.Class
	}
	return w.facts.question
}

// answerAddr matches an address that a name has. That of a sinkhole or a parking
// site says something of the name, once for a response; others are trails. A name
// that is whitelisted may have any address.
func (w *Worker) answerAddr(a netip.Addr, r *dns.Record, done *reply) {
	ref := w.rules.addr(a)
	if ref == 0 {
		return
	}
	name := w.ask(r)
	if w.rules.whiteName(name) {
		w.rules.trace.whiteName(name)
		return
	}
	info, _ := w.rules.table.Info(ref)
	sinkhole := bytes.Contains(info, wordSinkhole)
	if w.rules.opt.Heuristics && (sinkhole || bytes.Contains(info, wordParked)) && w.message.RCode() == 0 && validName(name) && !homely(name) {
		if !done.judged {
			done.judged = true
			w.takenOver(name, info, sinkhole)
		}
		return
	}
	if bytes.Contains(info, wordAttacker) {
		return // as for a packet to it (D 15): who attacks others is no danger to call
	}
	w.addrTrail(event.TrailIPAnswer, event.IP, ref, a, name)
}

var wordParked = []byte("parking")

// takenOver raises that a name leads to a sinkhole, or to a parking site.
func (w *Worker) takenOver(name, info []byte, sinkhole bool) {
	code, text := event.DNSParked, "parked site (suspicious)"
	if sinkhole {
		code = event.DNSSinkholed
	}
	if w.rules.opt.Disabled[code] {
		w.rules.trace.unraised(code, whyDisabled)
		return
	}
	if sinkhole {
		_, rest, _ := bytes.Cut(info, blank)
		who, _, _ := bytes.Cut(rest, blank)
		text = "sinkholed by " + string(who) + " (malware)"
	}
	last := bytes.LastIndexByte(name, '.')
	t := append(append(w.text[:0], '('), name[:last]...)
	t = append(append(t, ')'), name[last:]...)
	w.heuristic(event.DNS, code, text, t, name)
}

var blank = []byte(" ")

// answerName matches the name that a record leads to, and gives what of the
// budget that took. A trail that the question itself matched is not raised
// again, and none twice.
func (w *Worker) answerName(r *dns.Record, done *reply) (cost int) {
	target := w.message.Target(r)
	if len(target) == 0 {
		if target == nil {
			return dns.MaxName // malformed: as much may have been read
		}
		return 1
	}
	h, _ := w.lookup(target)
	if h.ref == 0 {
		return len(target)
	}
	name := w.ask(r)
	if !done.asked {
		done.asked = true
		if own := w.find(name); own.ref != 0 {
			done.first(own.ref)
		}
	}
	if !w.rules.whiteName(name) && done.first(h.ref) {
		w.nameTrail(event.TrailDNSAnswer, target, h)
	}
	return len(target)
}

// first says whether a trail is not known yet, and notes it. What does not fit
// is told apart by its text only, when it is raised.
func (d *reply) first(ref table.Ref) bool {
	for _, known := range d.known[:d.n] {
		if known == ref {
			return false
		}
	}
	if d.n < len(d.known) {
		d.known[d.n] = ref
		d.n++
	}
	return true
}

// said adds what the present response says: its code, and the first addresses
// and names. They are looked for among a bounded number of records, since a
// message may raise many events.
func (w *Worker) said(e *event.DNSFacts) {
	f := &w.facts
	var m dns.Message
	if !f.reply || !m.Parse(f.message) {
		return
	}
	e.RCode, e.HasRCode = m.RCode(), true
	var r dns.Record
	for range 4 * event.MaxAnswers {
		if len(e.Answers) == event.MaxAnswers || !m.NextAnswer(&r) {
			return
		}
		if r.Class&dns.ClassMask != dns.ClassIN {
			continue
		}
		if a, ok := r.Addr(); ok {
			e.Answers = append(e.Answers, trails.AddrText(a))
		} else if target := m.Target(&r); len(target) > 0 {
			text, _ := event.Clean(target, event.MaxEvidence)
			e.Answers = append(e.Answers, text)
		}
	}
}
