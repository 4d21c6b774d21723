package heuristic

import (
	"bytes"
	"strings"
	"time"

	"trailhound/agent/event"
)

func (x *explainer) names() {
	switch x.e.Kind {
	case Query:
		x.exhaustion()
		if x.e.Flags&LongHead != 0 {
			x.long()
		}
	case LongName:
		x.long()
	case NXDomain:
		x.nxdomain()
		x.dga()
	}
}

// listed says that the whitelist has the name. It counts nothing.
func (x *explainer) listed() string {
	if w := x.board.opt.White; w != nil && w.Domain(x.name) {
		return "the name is whitelisted"
	}
	return ""
}

func (x *explainer) exhaustion() {
	b, n := x.board, &x.board.names
	h := &n.exhaustion
	base := BaseDomain(x.name)
	s := Standing{Code: event.DNSExhaustion, Key: "names below " + string(base), Counts: "distinct names", Note: x.listed(),
		Window: time.Duration(int64(h.span)*h.width) * time.Second}
	front, two, more := splitTwo(x.name)
	switch {
	case !more:
		return
	case sparing(front):
		s.Note = "hosts ask for such names by themselves: the domain is spared for a window, unless one host asks for most of its names"
	case blockList(x.name, front, two):
		s.Note = "the name looks like that of a block list"
	}
	if w, ok := h.peek(hash(b.opt.Seed^n.salt, base), x.now); ok {
		s.Value = float64(w.total)
		if w.spared && h.slot(x.now)-w.sparedAt < h.span && !(baseWindow{&w, nil}).leads(x.e) && s.Note == "" {
			s.Note = "spared: hosts ask for a name of this domain by themselves"
		}
		if w.silent(x.now) {
			s.Silent = time.Unix(w.reportedAt+exhausted, 0).UTC()
		}
	}
	x.list = append(x.list, s)
}

// peek gives a domain's window as it is at a second.
func (x *exhaustion) peek(key uint64, second int64) (baseHead, bool) {
	if x.index.sets == 0 {
		return baseHead{}, false
	}
	i := x.index.find(key)
	if i < 0 {
		return baseHead{}, false
	}
	head, counts := x.heads[i], x.counts[i]
	baseWindow{&head, &counts}.advance(x.slot(second), x.span)
	return head, true
}

// long measures the first label, of which the name is all that is needed.
func (x *explainer) long() {
	key, _ := event.Clean(x.name, event.MaxEvidence)
	s := Standing{Code: event.DNSLong, Key: key, Counts: "bytes of the first label", Value: float64(len(firstLabel(x.name))), Note: x.listed()}
	if bytes.Contains(x.name, blogspot) {
		s.Note = "names of blogspot are often long"
	}
	if s.Note == "" && x.e.Kind == Query && x.over() {
		s.Note = "the domain is over the limit of dns.exhaustion, which is all that is said of it"
	}
	x.list = append(x.list, s)
}

// over says whether a domain was over its limit before the present query.
func (x *explainer) over() bool {
	b, n := x.board, &x.board.names
	w, ok := n.exhaustion.peek(hash(b.opt.Seed^n.salt, BaseDomain(x.name)), x.now)
	return ok && w.total >= n.exhaustion.limit && w.silent(x.now)
}

func (x *explainer) nxdomain() {
	n := &x.board.names
	d := &n.nxdomain
	window := time.Duration(d.window) * time.Second
	one := Standing{Code: event.DNSNXDomain, Key: "the name " + string(x.name), Counts: "answers", Window: window, Note: x.listed()}
	if x.silenced() {
		one.Note = "the domain is over the limit of dns.exhaustion, which is all that is said of it"
	}
	now, salt := uint32(x.now), n.salt^x.board.client(x.e)
	if salt != n.salt {
		one.Counts = "answers to the client"
	}
	one.Value = float64(d.full.peek(x.e.Item^salt, now, d.window))
	x.list = append(x.list, one)
	if _, two, more := splitTwo(x.name); more {
		all := one
		all.Key = "all names below " + string(two)
		all.Value = float64(d.wild.peek(hash(x.board.opt.Seed^salt, two), now, d.window))
		x.list = append(x.list, all)
	}
}

// silenced is nxdomain's question to exhaustion, without a change.
func (x *explainer) silenced() bool {
	b, n := x.board, &x.board.names
	base := BaseDomain(x.name)
	_, two, _ := splitTwo(x.name)
	for _, domain := range [][]byte{base, two} {
		if len(domain) > len(base) || len(domain) == 0 {
			continue
		}
		if w, ok := n.exhaustion.peek(hash(b.opt.Seed^n.salt, domain), x.now); ok && (w.total >= n.exhaustion.limit || w.silent(x.now)) {
			return true
		}
	}
	return false
}

// peek gives how many answers of a key lie within the window, up to what is
// remembered.
func (t *tally) peek(key uint64, now, window uint32) (answers int) {
	if t.size == 0 {
		return 0
	}
	if i := t.index.find(key); i >= 0 {
		for k := range int(t.rings[i].count) {
			if now-t.second[t.at(i, k)] < window {
				answers++
			}
		}
		return answers
	}
	first := setOf(key, t.once.sets)
	for _, s := range t.once.slots[first : first+nameWays] {
		if s != 0 && s>>24 == (key|1)&(1<<40-1) && (now-uint32(s))&onceSecond < window {
			return 1
		}
	}
	return 0
}

// dga measures a name of two labels.
func (x *explainer) dga() {
	label := firstLabel(x.name)
	if len(label) == 0 || len(label) == len(x.name) || strings.Contains(string(x.name[len(label)+1:]), ".") {
		return
	}
	note := x.listed()
	if bytes.IndexByte(label, '-') >= 0 {
		note = "not measured: the label has a dash"
	}
	x.list = append(x.list,
		Standing{Code: event.DNSDGAEntropy, Key: string(label), Counts: "bits of entropy per character", Value: entropy(label), Note: note},
		Standing{Code: event.DNSDGAConsonant, Key: string(label), Counts: "consonants", Value: float64(consonants(label)), Note: note})
}
