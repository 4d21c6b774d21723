package detect

import (
	"net/netip"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/retro"
	"trailhound/trails"
	"trailhound/trails/table"
)

// noteName notes the name that was looked up last, for trails to come. Names that
// raise nothing when they are listed are left out: those that are whitelisted, and
// those that networks make up for themselves. The parents of a name server's name
// are not noted, since many a rule is not about them (D 11).
func (w *Worker) noteName(name []byte) {
	n, p := w.Notes, &w.p
	if n == nil || !n.FreshName(w.nameHash, p.Time) {
		return
	}
	if len(name) <= maxNoted && validName(name) && !homely(name) && !w.rules.whiteName(name) && !w.ofSelf() {
		n.Name(name, p.Time, p.Src, serviceName(name))
	}
}

// maxNoted is the longest name (RFC 1035 2.3.4).
const maxNoted = 253

// noteEndpoint notes where the present packet goes, unless that is at home.
func (w *Worker) noteEndpoint(p *packet.Packet) {
	n, r := w.Notes, w.rules
	if n == nil || !n.FreshEndpoint(p.Dst, p.DstPort, p.Time) {
		return
	}
	if !r.opt.Home.Contains(p.Dst) && !p.Dst.IsMulticast() && (r.white == nil || !r.white.Addr(p.Dst)) && !w.ofSelf() {
		n.Endpoint(p.Dst, p.DstPort, p.Time, p.Src)
	}
}

// ofSelf is own for what raises nothing anyway, and is not counted.
func (w *Worker) ofSelf() bool {
	p := &w.p
	return w.Self != nil && w.Self.Own(p.Proto, p.Src, p.SrcPort, p.Dst, p.DstPort)
}

// Recall makes the event of a trail that was met before it was listed. It is false
// when the trail would not have raised one: because of the whitelist, because its
// code is switched off, or because of its info (D 15). Which name below a listed one
// was asked for is not remembered, nor the port of an address; where the info makes
// that matter there is no event.
func (r *Rules) Recall(ref table.Ref, seen retro.Seen, now time.Time) (e event.Event, ok bool) {
	t := r.table
	if r.listed(ref) == 0 {
		return e, false
	}
	kind, key := t.Kind(ref), t.Key(ref)
	info, _ := t.Info(ref)
	has := func(words ...[]byte) bool { return containsAny(info, words) }
	switch kind {
	case trails.Domain:
		if r.whiteName(key) || has(wordDynamic, wordFreeWeb) {
			return e, false
		}
		e.Type = event.DNS
	case trails.Address:
		if has(wordAttacker, wordParking) {
			return e, false
		}
		e.Type = event.IP
		e.Dst, _ = netip.AddrFromSlice(key)
	case trails.AddressPort:
		n := len(key) - 2
		e.Dst, _ = netip.AddrFromSlice(key[:n])
		e.DstPort = uint16(key[n])<<8 | uint16(key[n+1])
		if has(wordAttacker) || has(wordParking) && e.DstPort != 80 && e.DstPort != 443 {
			return e, false
		}
		e.Type = event.IPORT
	default:
		return e, false
	}
	e.Code = event.CodeOf(e.Type)
	if r.opt.Disabled[e.Code] {
		return e, false
	}
	p := t.Provenance(ref)
	e.Info, e.Reference, e.Sources = p.Info, p.Reference, p.Sources
	e.Kind, e.Indicator = kind, trails.Text(kind, key)
	e.Trail, _ = event.Clean([]byte(e.Indicator), event.MaxTrail)
	e.Observable, _ = event.Clean([]byte(e.Indicator), event.MaxEvidence)
	e.Severity, e.Confidence = event.RateTrail(p.Info, p.Reference), event.Confidence(p.Reference, false)
	e.Time = now.UTC().Truncate(time.Microsecond)
	e.ID = event.NewID(e.Time)
	e.Retro = event.Retro{First: seen.First, Last: seen.Last, Hosts: seen.Hosts}
	if len(seen.Hosts) > 0 {
		e.Src = seen.Hosts[0]
	}
	home := r.opt.Home
	if e.Direction = home.Direction(e.Src, e.Dst); !e.Dst.IsValid() && home.Contains(e.Src) {
		e.Direction = event.Outbound // where to was not noted with the name
	}
	e.SrcGroup, e.DstGroup = home.Group(e.Src), home.Group(e.Dst)
	e.Aggregate.Count = 1
	return e, true
}
