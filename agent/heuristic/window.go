package heuristic

import "math"

// window finds keys that more than so many distinct items were seen of within
// the last so many seconds. It remembers of each key the items seen latest, one
// more than the threshold: that is all it takes to judge exactly.
//
// Memory is bounded by two tables. One holds keys with a single item, which are
// most: of a flood of invented sources each has one. A key with a second item
// moves to the other, where a flood of single ones cannot push it out. Both are
// of sets of ways entries; the entry that a new key takes is one that is over,
// or else the one with the fewest items, or else the oldest.
type window struct {
	threshold int   // raised above it
	length    int64 // seconds

	single []single
	multi  []multi
	items  []item // threshold+1 for each of multi
	mask   struct{ single, multi uint64 }
	// held counts the entries of multi by the low bits of their key: what is not
	// there needs no look at the table, which is seldom in the cache.
	held []uint16

	evicted uint64
}

// ways is how many entries a set has.
const ways = 8

// first is the packet that a key began with.
type first struct {
	at               int64
	number           uint64
	dst              [16]byte
	srcPort, dstPort uint16
	flags            Flags
}

type single struct {
	key uint64 // 0: none
	item
	first
}

type multi struct {
	key    uint64 // 0: none
	silent int64  // raises nothing before this second
	last   int64  // the newest second of its items, or that in which it was raised
	count  int32  // items
	anew   bool   // the next item begins a new first
	first
}

// item is something seen, by a hash of it, and the second in which it last was.
type item struct {
	what   uint32
	second uint32 // of Unix time; a window is far shorter than its period
}

const (
	sizeOfSingle = 56
	sizeOfMulti  = 72
	sizeOfItem   = 8
	heldSize     = 1 << 15
)

// configure makes the tables of the size that fits into memory. What was seen is
// forgotten if the threshold or the size changes.
func (w *window) configure(threshold float64, length int64, memory int) {
	count := int(min(max(math.Floor(threshold), 1), maxThreshold))
	singles := pow2(memory / 2 / sizeOfSingle)
	multis := pow2(memory / 2 / (sizeOfMulti + (count+1)*sizeOfItem))
	w.length = length
	if count == w.threshold && singles == len(w.single) && multis == len(w.multi) {
		return
	}
	w.threshold = count
	w.single, w.multi = make([]single, singles), make([]multi, multis)
	w.items = make([]item, multis*(count+1))
	w.mask.single, w.mask.multi = uint64(singles-1)&^(ways-1), uint64(multis-1)&^(ways-1)
	w.held = make([]uint16, heldSize)
}

// maxThreshold bounds the work for one piece of evidence.
const maxThreshold = 1 << 12

// pow2 is the power of two that is not above n, and at least one set.
func pow2(n int) int {
	p := ways
	for p*2 <= n {
		p *= 2
	}
	return p
}

// alive says whether something seen in a second still counts. What lies far ahead
// is from before the clock was set back.
func (w *window) alive(second, now int64) bool {
	return second > now-w.length && second <= now+stepBack
}

func (i *item) at(now int64) int64 {
	// The nearest second to now that ends in these 32 bits.
	return now - int64(int32(uint32(now)-i.second))
}

// add notes an item of a key and gives the key's entry if it has more than the
// threshold and is not silent; nil otherwise. What came late counts for its own
// second. An item that was seen in its second already, or that is no newer than
// all that are remembered of a key that has enough, changes nothing: collectors
// leave out repeats, each others.
func (w *window) add(key, what uint64, now int64, e *Evidence) *multi {
	at := min(floor(e.At), now)
	if !w.alive(at, now) {
		return nil
	}
	it := item{uint32(what ^ what>>32), uint32(at)}
	if w.held[key>>8%heldSize] > 0 {
		if m := w.find(key, now); m != nil {
			return w.more(m, it, now, e)
		}
	}
	set := w.single[key>>32&w.mask.single:][:ways]
	place := &set[0]
	for i := range set {
		s := &set[i]
		if s.key == key {
			if !w.alive(s.item.at(now), now) {
				place = s
				break
			}
			if s.what == it.what {
				if s.item.at(now) < at {
					s.second = it.second
				}
				return nil
			}
			m := w.promote(s, now)
			*s = single{}
			return w.more(m, it, now, e)
		}
		if s.older(place, now) {
			place = s
		}
	}
	if place.key != 0 && place.key != key && w.alive(place.item.at(now), now) {
		w.evicted++
	}
	*place = single{key: key, item: it, first: firstOf(e)}
	return nil
}

// older says whether s gives way before t does.
func (s *single) older(t *single, now int64) bool {
	if t.key == 0 || s.key == 0 {
		return t.key != 0
	}
	return s.item.at(now) < t.item.at(now)
}

// find gives the entry of a key that still counts.
func (w *window) find(key uint64, now int64) *multi {
	set := w.multi[key>>32&w.mask.multi:][:ways]
	for i := range set {
		if m := &set[i]; m.key == key && w.alive(m.last, now) {
			return m
		}
	}
	return nil
}

func (w *window) itemsOf(m *multi) []item {
	i := w.index(m) * (w.threshold + 1)
	return w.items[i:][:m.count]
}

// index is the entry's place: that of its set, and in it.
func (w *window) index(m *multi) int {
	set := int(m.key >> 32 & w.mask.multi)
	for i := range ways {
		if &w.multi[set+i] == m {
			return set + i
		}
	}
	panic("BUG: an entry is not in its set")
}

// promote gives a key that has a second item an entry among those with several.
func (w *window) promote(s *single, now int64) *multi {
	set := w.multi[s.key>>32&w.mask.multi:][:ways]
	place := &set[0]
	for i := range set {
		if m := &set[i]; m.key == s.key || w.before(m, place, now) {
			place = m
			if m.key == s.key { // over, or it would have been found
				break
			}
		}
	}
	silent := int64(math.MinInt64)
	switch {
	case place.key == s.key:
		silent = place.silent
	case place.key != 0:
		if w.alive(place.last, now) {
			w.evicted++
		}
		w.held[place.key>>8%heldSize]--
		w.held[s.key>>8%heldSize]++
	default:
		w.held[s.key>>8%heldSize]++
	}
	*place = multi{key: s.key, silent: silent, last: s.item.at(now), count: 1, first: s.first}
	w.itemsOf(place)[0] = s.item
	return place
}

// before says whether m gives way before n does.
func (w *window) before(m, n *multi, now int64) bool {
	if m.key == 0 || n.key == 0 {
		return n.key != 0
	}
	if over, other := !w.alive(m.last, now), !w.alive(n.last, now); over != other {
		return over
	}
	if m.count != n.count {
		return m.count < n.count
	}
	return m.last < n.last
}

// more notes an item of a key with several.
func (w *window) more(m *multi, it item, now int64, e *Evidence) *multi {
	list := w.itemsOf(m)
	place := 0
	for i := range list {
		if list[i].what == it.what {
			place = i
			break
		}
		if list[i].at(now) < list[place].at(now) {
			place = i
		}
	}
	if list[place].what != it.what && int(m.count) <= w.threshold {
		place = int(m.count)
		m.count++
		list = w.itemsOf(m)
	} else if list[place].at(now) >= it.at(now) {
		return nil
	}
	list[place] = it
	m.last = max(m.last, it.at(now))
	if m.anew {
		m.first, m.anew = firstOf(e), false
	}
	return w.crossed(m, now)
}

// crossed gives the entry if it is above the threshold and may raise something.
func (w *window) crossed(m *multi, now int64) *multi {
	if int(m.count) <= w.threshold || now < m.silent {
		return nil
	}
	for _, it := range w.itemsOf(m) {
		if !w.alive(it.at(now), now) {
			return nil
		}
	}
	return m
}

// quiet keeps a key silent for a window after it was raised.
func (w *window) quiet(m *multi, now int64) { m.silent, m.last, m.anew = now+w.length, now, true }

func firstOf(e *Evidence) first {
	return first{at: e.At, number: e.Number, dst: e.Dst, srcPort: e.SrcPort, dstPort: e.DstPort, flags: e.Flags}
}
