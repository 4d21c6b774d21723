package detect

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/trails"
	"trailhound/trails/table"
)

// facts is what the present message said, for the event that it may raise.
// All slices point into the packet or the worker's buffers. Only the fields of
// app are valid: clearing the others for every message would cost more than
// reading a DNS name.
type facts struct {
	app                         string
	question, serverName        []byte
	qtype, qclass               uint16
	message                     []byte // a DNS message
	method, host, target, agent []byte
	sha1, sha256                []byte
	transport                   byte   // of a ClientHello (tls.OverTCP, tls.OverQUIC); else 0
	status                      uint16 // of a response
	contentType                 []byte // of a response
	forwarded                   []byte // of a request, as sent
	body                        []byte // of a request, where it is what matched
	reply                       bool   // the packet is the server's
}

// maxRaised bounds the events of one packet: a frame may hold thousands of
// requests, and each event costs more than it did to send. Some are kept for
// trails: anyone can put requests that trip a heuristic in front of one that is
// listed.
const (
	maxRaised    = 64
	maxHeuristic = maxRaised - 16
)

// mark is an event that the present packet raised already.
type mark struct {
	code    event.Code
	display uint64 // a hash of what the trail was made of
	trail   string
}

// trail raises the event of a trail. Display is the trail's display form, seen
// the raw observable.
func (w *Worker) trail(typ event.Type, ref table.Ref, display, seen []byte) {
	w.trailAs(event.CodeOf(typ), typ, ref, display, seen)
}

// trailAs is trail with a code that is not the type's.
func (w *Worker) trailAs(code event.Code, typ event.Type, ref table.Ref, display, seen []byte) {
	t := w.rules.table
	if w.rules.opt.Disabled[code] || w.own() {
		w.rules.trace.unraised(code, whyDisabled)
		return
	}
	h, refused := w.refused(code, display, maxRaised)
	if refused {
		return
	}
	p := t.Provenance(ref)
	w.event = event.Event{Type: typ, Code: code, Info: p.Info, Reference: p.Reference, Sources: p.Sources,
		Kind: t.Kind(ref), Indicator: trails.Text(t.Kind(ref), t.Key(ref)),
		Severity: event.RateTrail(p.Info, p.Reference), Confidence: event.Confidence(p.Reference, false)}
	w.raise(&w.event, h, display, seen)
}

// heuristic raises the event of a heuristic. The caller has asked whether it
// is switched on.
func (w *Worker) heuristic(typ event.Type, code event.Code, info string, display, seen []byte) {
	if w.own() {
		return
	}
	client, _ := w.sides()
	if role, muted := w.rules.opt.Roles.Mutes(code, client); muted {
		w.Stats.Muted[role]++
		w.rules.trace.unraised(code, whyRole)
		return
	}
	h, refused := w.refused(code, display, maxHeuristic)
	if refused {
		return
	}
	w.event = event.Event{Type: typ, Code: code, Info: info, Reference: trails.ReferenceHeuristic,
		Severity: code.Severity(), Confidence: event.Confidence("", true)}
	w.raise(&w.event, h, display, seen)
}

// sides are the client and the server of the conversation, as far as the message
// tells: direction is theirs, whichever of them the packet is from.
func (w *Worker) sides() (client, server netip.Addr) {
	if w.facts.reply {
		return w.p.Dst, w.p.Src
	}
	return w.p.Src, w.p.Dst
}

// own says whether the present packet is the sensor's own. It comes before
// anything is done for an event: of what the sensor sends, every packet would
// raise one.
func (w *Worker) own() bool {
	p := &w.p
	if w.Self == nil || !w.Self.Own(p.Proto, p.Src, p.SrcPort, p.Dst, p.DstPort) {
		return false
	}
	w.Stats.Self++
	return true
}

// refused says whether the present packet raised as many events as it may, or the
// same one, which is asked before anything is made for an event. The hash of
// display is for raise.
func (w *Worker) refused(code event.Code, display []byte, most int) (h uint64, refused bool) {
	if len(w.raised) >= most {
		w.Stats.Crowded++
		w.rules.trace.unraised(code, whyCrowded)
		return 0, true
	}
	h = w.cleanNames.hash(display)
	for i := range w.raised {
		if m := &w.raised[i]; m.display == h && m.code == code {
			w.rules.trace.unraised(code, whyTwice)
			return h, true
		}
	}
	if w.repeated {
		w.rules.trace.unraised(code, whyRepeatedDNS)
		return h, true
	}
	return h, false
}

// raise fills in what all events have and hands the event on, unless this
// packet raised the same already or is a repeated DNS message.
func (w *Worker) raise(e *event.Event, h uint64, display, seen []byte) {
	p, f := &w.p, &w.facts
	if w.rules.opt.Redact && f.app == "http" {
		display, seen = event.Redact(display), event.Redact(seen)
	}
	e.Trail, _ = event.Clean(display, event.MaxTrail)
	e.Observable, _ = event.Clean(seen, event.MaxEvidence)
	if e.Trail == "" { // nothing of it can be shown
		e.Trail, _ = event.Clean(appendEscaped(nil, seen), event.MaxTrail)
	}
	for _, m := range w.raised {
		if m.code == e.Code && m.trail == e.Trail {
			w.rules.trace.unraised(e.Code, whyTwice)
			return
		}
	}
	if f.app == "dns" && p.Proto == packet.ProtoUDP && len(w.raised) == 0 && w.seen.again(p, digest(f.message)) {
		w.Stats.Repeats++
		w.repeated = true
	}
	if w.repeated { // and so is all that the message raises from here on
		w.rules.trace.unraised(e.Code, whyRepeatedDNS)
		return
	}
	e.Time, e.Number = p.Time.UTC().Truncate(time.Microsecond), p.Number
	e.Src, e.Dst, e.SrcPort, e.DstPort = p.Src, p.Dst, p.SrcPort, p.DstPort
	e.Protocol = packet.Label(p.Proto)
	switch p.Proto {
	case packet.ProtoTCP:
		e.Protocol = "TCP"
	case packet.ProtoUDP:
		e.Protocol = "UDP"
	}
	e.SetCommunityID(p.Payload) // ICMP and SCTP: their header
	e.Direction = w.rules.opt.Home.Direction(w.sides())
	e.SrcGroup, e.DstGroup = w.rules.opt.Home.Group(p.Src), w.rules.opt.Home.Group(p.Dst)
	if p.VLAN > 0 {
		e.VLANs = append([]uint16(nil), p.VLANs[:p.VLAN]...)
	}
	e.Aggregate.Count = 1
	w.fill(e)
	if w.NewID != nil {
		e.ID = w.NewID(e, len(w.raised))
	}
	w.raised = append(w.raised, mark{e.Code, h, e.Trail})
	w.Stats.Events++
	if w.Await > 0 {
		w.answeredBy(e)
		w.watch(e)
	}
	if w.Emit != nil {
		w.Emit(*e)
	}
}

// appendEscaped appends b with every byte as a percent escape.
func appendEscaped(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

const upperHex = "0123456789ABCDEF"

// fill copies the facts into the event.
func (w *Worker) fill(e *event.Event) {
	f := &w.facts
	text := func(b []byte) string {
		s, _ := event.Clean(b, event.MaxEvidence)
		return s
	}
	switch f.app {
	case "dns":
		e.DNS = event.DNSFacts{Question: text(f.question), Type: f.qtype, Class: f.qclass}
		w.said(&e.DNS)
	case "tls", "quic":
		if f.transport != 0 {
			e.TLS.ServerName = text(f.serverName)
			w.fingerprinted(&e.TLS)
		} else {
			e.TLS.SHA1, e.TLS.SHA256 = hex.EncodeToString(f.sha1), hex.EncodeToString(f.sha256)
		}
	case "http":
		target := f.target
		if w.rules.opt.Redact {
			target = event.RedactTarget(target)
		}
		e.HTTP = event.HTTPFacts{Method: text(f.method), Host: text(bytes.TrimSpace(f.host)), Target: text(target), UserAgent: text(f.agent),
			Status: f.status, ContentType: text(f.contentType)}
		e.Forwarded = text(forwarded(f.forwarded))
		if f.body != nil {
			body := bytes.TrimSpace(f.body)
			if w.rules.opt.Redact {
				body = event.Redact(body)
			}
			e.HTTP.Body, _ = event.Clean(body, event.MaxBody)
		}
	}
	e.Application = f.app
}
