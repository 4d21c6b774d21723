package heuristic

import "trailhound/agent/event"

// names are the heuristics of DNS and of names (D 10.2, 10.3, 11c).
type names struct {
	exhaustion exhaustion
	nxdomain   nxdomain
	dga        dga
	long       long
	repeats    repeats
	memory     int
	// salt is part of every key. A new one forgets all at once: what is there
	// can no longer be found, and makes room as anything else that is old.
	salt   uint64
	resets uint64
}

// configure shares out half of the memory. What is known stays unless the
// memory is another, or what a key needs.
func (n *names) configure(opt *Options) {
	memory := opt.Memory / 2
	part := func(n int) int { return memory / 32 * n }
	anew := memory != n.memory
	n.memory = memory
	n.exhaustion.configure(opt, anew, part(10), part(8))
	n.nxdomain.configure(opt, anew, part)
	n.dga.configure(opt)
	n.long.configure(opt)
	if anew {
		n.repeats = repeats{bytes: part(1)}
	}
}

// reset begins all windows anew.
func (n *names) reset() {
	n.resets++
	n.salt = fold(n.resets^mix2, mix1)
}

// take judges a name. A domain over its limit silences what else is said of the
// names below it, for as long as it is (D 10.2, 10.3): else a tunnel would be
// told a thousand times. Long names are silenced only if the domain was reported. Names from elsewhere than DNS are not its queries.
func (n *names) take(b *Board, e *Evidence, name []byte) {
	switch e.Kind {
	case Query:
		// A repeat is one whatever became of the first.
		long := e.Flags&LongHead != 0 && !n.repeated(b, e)
		if reported := n.exhaustion.take(b, e, name, n.salt); long && !reported {
			n.takeLong(b, e, name)
		}
	case LongName:
		if !n.repeated(b, e) {
			n.takeLong(b, e, name)
		}
	case NXDomain:
		if !n.nxdomain.on && !n.dga.on() || n.repeated(b, e) || n.exhaustion.silences(b, name, n.salt) {
			return
		}
		n.nxdomain.take(b, e, name, n.salt)
		n.dga.take(b, e, name)
	}
}

// noSuchName is the response code (RFC 1035 4.1.1) of all evidence of NXDomain.
const noSuchName = 3

// mutedName says whether a finding would be lost to a role or the whitelist, and
// counts it. It comes before texts are made: a busy resolver's role mutes much.
func (b *Board) mutedName(e *Evidence, code event.Code, name []byte) bool {
	client := e.SrcAddr()
	if e.Kind == NXDomain {
		client = e.DstAddr()
	}
	if role, muted := b.opt.Roles.Mutes(code, client); muted {
		b.counts.Muted[role]++
		return true
	}
	if b.opt.White != nil && b.opt.White.Domain(name) {
		b.counts.White++
		return true
	}
	return false
}

// findName raises an event about a name, with what the message said.
func (b *Board) findName(e *Evidence, code event.Code, info string, display, name []byte) {
	trail, _ := event.Clean(display, event.MaxTrail)
	seen, _ := event.Clean(name, event.MaxEvidence)
	b.find(e, event.DNS, code, info, trail, seen, func(f *event.Event) {
		if e.Kind != LongName {
			f.Application = "dns"
			f.DNS = event.DNSFacts{Question: seen, Type: e.QType, Class: 1}
			if e.Kind == NXDomain {
				f.DNS.RCode, f.DNS.HasRCode = noSuchName, true
			}
			return
		}
		if e.Flags&OverTCP == 0 {
			f.Protocol = "UDP"
		}
		Carrier(e.QType).fill(f, seen)
	})
}
