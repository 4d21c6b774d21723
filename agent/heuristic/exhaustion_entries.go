package heuristic

// entries remember the names that the windows count, 8 bytes each: a part of
// the name's hash, the window and its life, and the slot in which the name was
// last seen. Together with the place 60 bits tell names apart.
type entries struct {
	slots []uint64 // sets of nameWays; 0: free
	sets  uint64
}

// The fields of an entry, from the lowest bit: slot 16, window 16, life 4, hash
// 28, of which one bit is always set.
const (
	windowShift = 16
	lifeShift   = windowShift + 16
	lifeMask    = 1<<4 - 1
	hashShift   = lifeShift + 4
)

func makeEntries(bytes int) entries {
	sets := max(bytes/8/nameWays, 1)
	return entries{slots: make([]uint64, sets*nameWays), sets: uint64(sets)}
}

// set gives the places that a name may be in.
func (t *entries) set(item uint64) []uint64 {
	first := setOf(item, t.sets)
	return t.slots[first : first+nameWays]
}

// count counts a name for window i as seen in a slot, and says whether it was
// seen in that slot or later already, and whether it now counts.
func (x *exhaustion) count(b *Board, i int, item uint64, at, now uint32) (repeated, kept bool) {
	w, set := x.at(i), x.entries.set(item)
	who := (item|1)<<hashShift | uint64(w.life)<<lifeShift | uint64(i)<<windowShift
	for k, s := range set {
		if s&^0xffff != who {
			continue
		}
		if age := uint32(uint16(now) - uint16(s)); age < x.span {
			seen := now - age
			if int32(seen-at) >= 0 {
				return true, false
			}
			if w.counts[seen%baseSlots] > 0 {
				w.drop(seen, 1)
			}
		}
		kept = w.add(at, x.limit)
		set[k] = who | uint64(uint16(at))
		return false, kept
	}
	if kept = w.add(at, x.limit); kept {
		x.enter(b, set, who|uint64(uint16(at)), now)
	}
	return false, kept
}

// enter puts an entry into its set, in place of one that is of no use any more,
// else of one whose domain has the fewest names: that one's window counts it no
// longer. So many domains with a name each cannot hide one with many names.
func (x *exhaustion) enter(b *Board, set []uint64, entry uint64, now uint32) {
	at, least := 0, ^uint64(0)
	for k, s := range set {
		value := x.entryWorth(s, now)
		if value < least {
			at, least = k, value
		}
		if value == 0 {
			break
		}
	}
	if least > 0 {
		b.counts.NameEvicted++
		w := x.at(int(uint16(set[at] >> windowShift)))
		w.drop(now-uint32(uint16(now)-uint16(set[at])), 1)
	}
	set[at] = entry
}

// entryWorth is 0 if no window counts the entry, or it makes no difference
// whether it is remembered.
func (x *exhaustion) entryWorth(s uint64, now uint32) uint64 {
	age := uint32(uint16(now) - uint16(s))
	if s == 0 || age >= x.span {
		return 0
	}
	w := x.at(int(uint16(s >> windowShift)))
	seen := now - age
	if uint8(s>>lifeShift)&lifeMask != w.life || int32(seen-w.oldest) < 0 || int32(seen-w.slot) > 0 || w.counts[seen%baseSlots] == 0 {
		return 0
	}
	if w.total >= x.limit && w.first() == seen && seen != now {
		return 0
	}
	return worth(w.total, age)
}
