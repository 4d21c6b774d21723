package detect

import (
	"bytes"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
)

// class says what a name gives evidence of, whoever uses it. It is a matter of
// the name and the rules alone, so it is kept with the names that are clean.
type class uint8

const (
	classAsked class = 1 << iota // a question for it is evidence
	classLong                    // it is a long domain (D 11c)
	classFar                     // no URL of a host of that name is listed
)

// The class of a clean name is in three bits of its hash, so that what is found in
// one place says both.
const (
	classShift = 60
	classBits  = 7 << classShift
)

// class gives the class of a text that is remembered as clean.
func (c *clean) class(h uint64) (class, bool) {
	if len(c.slots) == 0 {
		return 0, false
	}
	differs := c.slots[h&uint64(len(c.slots)-1)] ^ h
	return class(differs >> classShift), differs&^classBits == 0
}

// addClass remembers a text as clean and of a class.
func (c *clean) addClass(h uint64, k class) { c.add(h ^ uint64(k)<<classShift) }

// class gives the class of a name; listed says that a trail matches it, which
// takes precedence over a long label.
func (r *Rules) class(name []byte, listed bool) (c class) {
	o := &r.opt
	head, last := bytes.IndexByte(name, '.'), bytes.LastIndexByte(name, '.')
	if head < 0 {
		return 0
	}
	// A tunnel needs more names below a domain than fit into two labels.
	deep := head < last && (o.Heuristics || !o.Disabled[event.DNSExhaustion])
	long := false
	if n := r.longHead(); head > n && !listed && r.heuristic(event.DNSLong) {
		long = heuristic.HasLongHead(name, n)
	}
	if !deep && !long {
		return 0
	}
	// A tunnel puts what it likes in front of its domain: of the name only the
	// domain has to be one. So does who calls a printer by its place (RFC 6763).
	if !validName(name) {
		if !validName(heuristic.BaseDomain(name)) {
			return 0
		}
		long = long && head+1 < len(name) && name[head+1] != '_'
	}
	if long && !r.whiteName(name) {
		c = classLong
	}
	if deep && (name[0] <= '9' && heuristic.DashedQuad(name) || r.whiteName(heuristic.BaseDomain(name))) {
		deep = false
	}
	if (deep || c != 0) && !homely(name) {
		c |= classAsked
	}
	return c
}

// longHead is the threshold of dns.long.
func (r *Rules) longHead() int {
	v, ok := r.opt.Thresholds[event.DNSLong]
	if !ok {
		v, _, _ = event.DNSLong.Threshold()
	}
	return int(min(v, 255))
}

// homely says whether a name is of a kind that networks make up for themselves,
// and examples (D 10.1): no heuristic of DNS is about them. Trails are.
func homely(name []byte) bool {
	switch string(name[bytes.LastIndexByte(name, '.')+1:]) {
	case "alienvault", "arpa", "corp", "example", "guest", "home", "internal", "intra", "intran", "intranet",
		"lan", "local", "localdomain", "localnet", "test", "url", "workgroup":
		return true
	}
	return bytes.Contains(name, intranet)
}

var intranet = []byte(".intranet.")

// asked gives evidence of the present question.
func (w *Worker) asked(p *packet.Packet, c class) {
	if w.Evidence == nil {
		return
	}
	var f heuristic.Flags
	if c&classLong != 0 {
		f = heuristic.LongHead
	}
	w.Evidence.Name(heuristic.Query, p, w.question.Type, f, 0, w.question.Name)
}

// named gives evidence of a server's name that is long and no question.
func (w *Worker) named(name []byte) {
	if w.Evidence == nil {
		return
	}
	carrier := heuristic.Elsewhere
	switch w.facts.app {
	case "tls":
		carrier = heuristic.InTLS
	case "quic":
		carrier = heuristic.InQUIC
	case "http":
		carrier = heuristic.InHTTP
	}
	w.Evidence.Name(heuristic.LongName, &w.p, uint16(carrier), 0, 0, name)
}

// noSuchName gives evidence of an answer that the name of the present question
// does not exist (D 10.3), unless such answers are to be expected: of names that
// are listed, whose servers were taken down, and of block lists, which are asked
// for addresses.
func (w *Worker) noSuchName(p *packet.Packet, message []byte) {
	r, name := w.rules, w.question.Name
	if w.Evidence == nil || !r.heuristic(event.DNSNXDomain) && !r.heuristic(event.DNSDGAEntropy) && !r.heuristic(event.DNSDGAConsonant) {
		r.trace.noted("no evidence", "the heuristics of such answers are switched off")
		return
	}
	if !validName(name) || homely(name) || numbered(name) || blockList(name) || r.whiteName(name) || w.below(name) {
		r.trace.expected(w, name)
		return
	}
	w.Evidence.Name(heuristic.NXDomain, p, w.question.Type, 0, digest(message), name)
}

// below says whether a name or a parent of it is listed, whatever the info.
func (w *Worker) below(name []byte) bool {
	for i := range w.rules.table.Suffixes(&w.names, name) {
		if ref, _ := w.rules.table.Suffix(&w.names, name, i); w.rules.listed(ref) != 0 {
			return true
		}
	}
	return false
}

// numbered says whether the last label is a number.
func numbered(name []byte) bool {
	_, ok := number(name[bytes.LastIndexByte(name, '.')+1:])
	return ok
}

// blockList says whether a name asks a block list of DNS for an address (RFC
// 5782): in front of the list's name stand the four numbers of IPv4, or the 32
// digits of IPv6, which the reference does not know.
func blockList(name []byte) bool {
	numbers, digits := true, true // all labels so far
	for labels := 1; numbers || digits; labels++ {
		label, rest, more := bytes.Cut(name, dot)
		if !more {
			return false
		}
		n, ok := number(label)
		numbers = numbers && ok && n < 256
		digits = digits && len(label) == 1 && (ok || label[0] >= 'a' && label[0] <= 'f')
		if numbers && labels == 4 || digits && labels == 32 {
			return true
		}
		name = rest
	}
	return false
}

// number reads a label that is digits alone; 256 stands for all that is more.
func number(label []byte) (n int, ok bool) {
	for _, c := range label {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(10*n+int(c-'0'), 256)
	}
	return n, len(label) > 0
}
