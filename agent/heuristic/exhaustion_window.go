package heuristic

// baseSlots is how many slots a window has at most; a power of two.
const baseSlots = 64

// maxBases is the most domains that are watched: entries have 16 bits for them.
const maxBases = 1 << 16

// baseWindow counts the names of one domain by the slot they were last seen in.
// The counts are apart: what decides who makes room for whom is all that is
// touched of the others then.
type baseWindow struct {
	*baseHead
	counts *baseCounts
}

// baseCounts are at slot%baseSlots; 0 outside the window.
type baseCounts [baseSlots]uint16

type baseHead struct {
	total      uint32 // of all counts
	slot       uint32 // the present one when last touched
	oldest     uint32 // no count is older than this slot
	sparedAt   uint32 // slot of the last name that spares the domain
	reportedAt int64  // second
	reported   bool
	spared     bool
	life       uint8  // changes when what entries say of the window no longer holds
	leader     uint16 // a part of the hash of the host that asks for most names
	lead       uint16 // by how many more than all others, since the window was empty
}

// baseWindowBytes is what a domain takes: head, counts, key.
const baseWindowBytes = 32 + 2*baseSlots + 8

func (x *exhaustion) at(i int) baseWindow { return baseWindow{&x.heads[i], &x.counts[i]} }

// window gives the place of a domain's window, a new one if it has none.
func (x *exhaustion) window(b *Board, key uint64, now uint32) int {
	i := x.index.find(key)
	if i >= 0 {
		x.at(i).advance(now, x.span)
		return i
	}
	i, used, lost := x.index.place(key, func(i int) uint64 { return x.heads[i].worth(b.now, now, x.span) })
	if lost {
		b.counts.NameEvicted++
	}
	h := &x.heads[i]
	if used {
		h.life++
		if h.total > 0 {
			x.counts[i] = baseCounts{}
		}
	}
	*h = baseHead{slot: now, oldest: now, life: h.life & lifeMask}
	return i
}

// worth is 0 for a window that says nothing any more.
func (w *baseHead) worth(second int64, now, span uint32) uint64 {
	switch age := now - w.slot; {
	case w.silent(second):
		return worth(maxNames, age)
	case age >= span || w.total == 0:
		return 0
	default:
		return worth(w.total, age)
	}
}

// silent says whether the domain was reported less than an hour ago.
func (w *baseHead) silent(second int64) bool {
	return w.reported && second >= w.reportedAt && second-w.reportedAt < exhausted
}

// advance moves the window to a slot.
func (w baseWindow) advance(now, span uint32) {
	moved := now - w.slot
	if moved == 0 {
		return
	}
	w.slot = now
	if moved >= span || w.total == 0 {
		if w.total > 0 {
			*w.counts, w.total = baseCounts{}, 0
		}
		w.oldest, w.lead = now, 0
		w.life = (w.life + 1) & lifeMask
		return
	}
	for now-w.oldest >= span {
		w.drop(w.oldest, w.counts[w.oldest%baseSlots])
		w.oldest++
	}
}

// shrink drops what a shorter window no longer holds.
func (w baseWindow) shrink(span uint32) {
	for w.slot-w.oldest >= span {
		w.drop(w.oldest, w.counts[w.oldest%baseSlots])
		w.oldest++
	}
}

// first gives the oldest slot that has a count; the window has one.
func (w baseWindow) first() uint32 {
	for w.counts[w.oldest%baseSlots] == 0 {
		w.oldest++
	}
	return w.oldest
}

// led notes whose question made a name count.
func (w baseWindow) led(e *Evidence, kept bool) {
	host := uint16(foldAddr(mix1, e.Src))
	switch {
	case !kept:
	case w.lead == 0:
		w.leader, w.lead = host, 1
	case w.leader != host:
		w.lead--
	case uint32(w.lead) < w.total:
		w.lead++
	}
}

// leads says whether the host that asks is the one that asks for most names, by
// far: of four in five.
func (w baseWindow) leads(e *Evidence) bool {
	return w.leader == uint16(foldAddr(mix1, e.Src)) && 5*uint32(w.lead) > 3*w.total
}

func (w baseWindow) drop(slot uint32, n uint16) {
	w.counts[slot%baseSlots] -= n
	w.total -= uint32(n)
}

// add counts a name for a slot, in place of one of the oldest slot if the limit
// is reached. Kept is false if the name need not be remembered: it is not newer
// than what counts, so that forgetting it changes nothing.
func (w baseWindow) add(slot, limit uint32) (kept bool) {
	for w.total >= limit {
		first := w.first()
		if int32(slot-first) <= 0 {
			return false
		}
		w.drop(first, 1)
	}
	if w.total == 0 || int32(slot-w.oldest) < 0 {
		w.oldest = slot
	}
	w.counts[slot%baseSlots]++
	w.total++
	return true
}
