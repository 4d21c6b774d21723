package heuristic

import (
	"bytes"

	"trailhound/agent/event"
)

// nxdomain finds names and domains of which too many answers say that there is
// no such name (D 10.3).
type nxdomain struct {
	on        bool
	threshold int
	window    uint32 // seconds

	full tally // by name
	wild wild  // by the last two labels
	part func(n int) int
}

// maxAnswers is the largest threshold: all answers up to it are remembered.
const maxAnswers = 1000

func (x *nxdomain) configure(opt *Options, anew bool, part func(n int) int) {
	x.on, x.part = opt.on(event.DNSNXDomain), part
	x.window = uint32(min(opt.window(event.DNSNXDomain), 1<<22))
	x.threshold = int(min(max(opt.threshold(event.DNSNXDomain), 1), maxAnswers))
	// Records that hold fewer answers than are now needed cannot be asked.
	if anew || x.threshold >= x.full.size {
		x.full, x.wild = tally{}, wild{} // made again when needed
	}
}

// make is not done before there is an answer.
func (x *nxdomain) make() {
	size := x.threshold + 1
	x.full = makeTally(x.part(3), x.part(2)/(ringBytes+4*size), size)
	x.wild = makeWild(x.part(2), x.part(3), x.part(3), size)
}

const excessive = "excessive no such domain (suspicious)"

// client is what the counts of an answer are kept apart by: clients at home count
// for themselves, since a name that is misspelled in an office is asked for by many;
// all others count together, as in the reference, which leaves those at home out.
func (b *Board) client(e *Evidence) uint64 {
	if !b.opt.Home.Contains(e.DstAddr()) {
		return 0
	}
	return foldAddr(b.opt.Seed, e.Dst)
}

// take counts an answer for its name, then for all names of its domain. What is
// reported begins anew, and the second count is then left out.
func (x *nxdomain) take(b *Board, e *Evidence, name []byte, salt uint64) {
	if !x.on {
		return
	}
	salt ^= b.client(e)
	if x.full.size == 0 {
		x.make()
	}
	now := uint32(b.now)
	i, _ := x.full.record(b, e.Item^salt, now, x.window, func(int) {})
	if i >= 0 && x.full.crossed(i, x.threshold, now, x.window) {
		x.full.remove(i)
		if !b.mutedName(e, event.DNSNXDomain, name) {
			b.findName(e, event.DNSNXDomain, excessive, name, name)
		}
		return
	}
	front, two, more := splitTwo(name)
	if !more {
		return
	}
	w := &x.wild
	if i = w.take(b, hash(b.opt.Seed^salt, two), e.Item, front, now, x.window); i < 0 || !w.crossed(i, x.threshold, now, x.window) {
		return
	}
	for k := range x.threshold {
		if item := w.items[w.at(i, k)]; item != 0 {
			x.full.forget(item ^ salt)
		}
	}
	if b.mutedName(e, event.DNSNXDomain, name) {
		w.remove(i)
		return
	}
	trail := w.list(i, x.threshold, two)
	w.remove(i)
	if !expected(trail) {
		b.findName(e, event.DNSNXDomain, excessive, trail, name)
	}
}

// expected says whether hosts ask for such names by themselves.
func expected(trail []byte) bool {
	for _, word := range [...]string{"wpad", "autodiscover", "_ldap._tcp"} {
		if bytes.Contains(trail, []byte(word)) {
			return true
		}
	}
	return false
}
