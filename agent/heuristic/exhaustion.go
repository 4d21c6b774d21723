package heuristic

import (
	"bytes"

	"trailhound/agent/event"
)

// exhaustion finds domains below which more names are asked for than any of
// them has: tunnels, and floods that are to exhaust a name server (D 10.2 step
// 1).
//
// Per domain it counts the distinct names that were last asked for in the
// window, up to the limit: when there are more, the newest count. That is exact:
// a domain is over its limit when the newest so many lie within the window.
type exhaustion struct {
	on    bool
	limit uint32 // names
	width int64  // seconds of a slot
	span  uint32 // slots of the window, at most baseSlots

	index   nameIndex
	heads   []baseHead
	counts  []baseCounts
	entries entries

	windowBytes, entryBytes int
}

// exhausted is how long (seconds) a domain that was reported is not reported
// again.
const exhausted = 3600

// maxNames is the largest limit: counts are of 16 bits.
const maxNames = 1<<16 - 1

func (x *exhaustion) configure(opt *Options, anew bool, windowBytes, entryBytes int) {
	x.on = opt.on(event.DNSExhaustion)
	x.limit = uint32(min(max(opt.threshold(event.DNSExhaustion), 1), maxNames))
	window := opt.window(event.DNSExhaustion)
	// A window of up to baseSlots seconds slides by the second, a longer one by
	// its part of that.
	width := (window + baseSlots - 1) / baseSlots
	span := uint32((window + width - 1) / width)
	if anew || width != x.width {
		x.index, x.heads, x.counts, x.entries = nameIndex{}, nil, nil, entries{} // made again when needed
	}
	x.windowBytes, x.entryBytes = windowBytes, entryBytes
	if span != x.span || width != x.width {
		x.span, x.width = span, width
		for i := range x.heads {
			x.at(i).shrink(span)
		}
	}
}

// make is not done before there is a query.
func (x *exhaustion) make() {
	x.index = makeIndex(min(x.windowBytes/baseWindowBytes, maxBases))
	x.heads = make([]baseHead, len(x.index.keys))
	x.counts = make([]baseCounts, len(x.index.keys))
	x.entries = makeEntries(x.entryBytes)
}

// slot is the slot of a second.
func (x *exhaustion) slot(second int64) uint32 {
	if x.width != 1 {
		if second < 0 {
			second -= x.width - 1
		}
		second /= x.width
	}
	return uint32(second)
}

// take counts the name of a query and says whether its domain was over the limit
// before, and is reported for it.
func (x *exhaustion) take(b *Board, e *Evidence, name []byte, salt uint64) (reported bool) {
	front, two, more := splitTwo(name)
	if !more {
		return false
	}
	if x.index.sets == 0 {
		x.make()
	}
	// What came late counts for its own time, and reports only what it moves: the
	// same in the same second, which a collector may have left out, then changes
	// nothing.
	second := min(floor(e.At), b.now)
	now, at := x.slot(b.now), x.slot(second)
	if now-at >= x.span {
		return false
	}
	i := x.window(b, hash(b.opt.Seed^salt, BaseDomain(name)), now)
	w := x.at(i)
	over := w.total >= x.limit
	repeated, kept := x.count(b, i, e.Item^salt, at, now)
	w.led(e, kept)
	spared := w.spared && now-w.sparedAt < x.span && !w.leads(e)
	if over && !repeated && (kept || second == b.now) && !spared && x.on && !w.silent(b.now) {
		x.report(b, e, w, name, front, two)
	}
	if sparing(front) && (!w.spared || int32(at-w.sparedAt) > 0) {
		w.spared, w.sparedAt = true, at
	}
	return over && w.silent(b.now)
}

// report raises the finding, unless the name looks like that of a block list.
func (x *exhaustion) report(b *Board, e *Evidence, w baseWindow, name, front, two []byte) {
	if blockList(name, front, two) || b.mutedName(e, event.DNSExhaustion, name) {
		return
	}
	w.reported, w.reportedAt = true, b.now
	b.findName(e, event.DNSExhaustion, "potential dns exhaustion (suspicious)", enclosed(front, two), name)
}

// silences says whether a name lies below a domain that is over its limit, or
// was reported as such within the hour. The reference asks for the last two
// labels only.
func (x *exhaustion) silences(b *Board, name []byte, salt uint64) bool {
	if x.index.sets == 0 {
		return false
	}
	base := BaseDomain(name)
	if x.exceeded(b, hash(b.opt.Seed^salt, base)) {
		return true
	}
	_, two, _ := splitTwo(name)
	return len(two) < len(base) && x.exceeded(b, hash(b.opt.Seed^salt, two))
}

func (x *exhaustion) exceeded(b *Board, key uint64) bool {
	i := x.index.find(key)
	if i < 0 {
		return false
	}
	w := x.at(i)
	w.advance(x.slot(b.now), x.span)
	return w.total >= x.limit || w.silent(b.now)
}

// sparing says whether a host of any network asks for the name by itself: a
// domain with such a name in its window is not reported, unless most of its names
// are asked for by one host.
func sparing(front []byte) bool {
	switch string(front) {
	case "wpad", "autodiscover", "_ldap._tcp":
		return true
	}
	return false
}

// blockList says whether a name is that of a block list of DNS: a word of it ends
// in "bl", and what is asked there is an address, or about a name if the list is
// one that is known: else whoever has a domain of such a name would be free.
func blockList(name, front, two []byte) bool {
	switch string(two) {
	case "spamhaus.org", "spamhaus.net", "surbl.org", "uribl.com":
		return true
	}
	return (listWord(front) || listWord(two)) && reversed(name)
}

// reversed says whether a name begins with the four numbers of an address, or the
// 32 digits of one of IPv6.
func reversed(name []byte) bool {
	quad, digits := true, true
	for labels := 1; quad || digits; labels++ {
		label, rest, more := bytes.Cut(name, []byte{'.'})
		if !more || len(label) == 0 || len(label) > 3 {
			return false
		}
		value := 0
		for _, c := range label {
			switch {
			case c >= '0' && c <= '9':
				value = 10*value + int(c-'0')
			case c >= 'a' && c <= 'f':
				quad = false
			default:
				return false
			}
		}
		quad, digits = quad && value < 256, digits && len(label) == 1
		if quad && labels == 4 || digits && labels == 32 {
			return true
		}
		name = rest
	}
	return false
}

// listWord says whether a word of the text ends in "bl": the names of block lists
// of DNS do.
func listWord(text []byte) bool {
	for i := 1; i < len(text); i++ {
		if text[i] == 'l' && text[i-1] == 'b' && (i+1 == len(text) || !wordByte(text[i+1])) {
			return true
		}
	}
	return false
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
