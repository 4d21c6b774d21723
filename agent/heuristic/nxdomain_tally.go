package heuristic

// tally keeps, for keys that were seen more than once, when the latest answers
// came: one more than the threshold, which is crossed when the oldest of these
// lies within the window.
type tally struct {
	once   once
	index  nameIndex
	rings  []ring
	second []uint32 // of answer k of record i: i*size+k
	size   int      // answers of a record
}

// ring says where the answers of a record are.
type ring struct {
	next  uint16 // where the next answer goes
	count uint16
}

const ringBytes = 8 + 4 // key and ring

func makeTally(onceBytes, records, size int) tally {
	x := makeIndex(records)
	return tally{once: makeOnce(onceBytes), index: x, rings: make([]ring, len(x.keys)), second: make([]uint32, len(x.keys)*size), size: size}
}

// worth orders records by the answers within the window.
func (t *tally) worth(i int, now, window uint32) uint64 {
	r := t.rings[i]
	if r.count == 0 {
		return 0
	}
	age := now - t.second[t.at(i, 0)]
	if age >= window {
		return 0
	}
	return worth(uint32(r.count), age)
}

// at is the place of an answer in second, by how many came after it.
func (t *tally) at(i, after int) int {
	k := int(t.rings[i].next) - 1 - after
	if k < 0 {
		k += t.size
	}
	return i*t.size + k
}

// add puts an answer into a record and says where, in second.
func (t *tally) add(i int, now uint32) (at int) {
	r := &t.rings[i]
	at = i*t.size + int(r.next)
	t.second[at] = now
	if r.next++; int(r.next) == t.size {
		r.next = 0
	}
	if int(r.count) < t.size {
		r.count++
	}
	return at
}

// crossed says whether more answers of a record than the threshold lie within the
// window.
func (t *tally) crossed(i, threshold int, now, window uint32) bool {
	return int(t.rings[i].count) > threshold && now-t.second[t.at(i, threshold)] < window
}

// remove forgets a record.
func (t *tally) remove(i int) { t.index.keys[i], t.rings[i] = 0, ring{} }

// forget forgets a key, however often it was seen.
func (t *tally) forget(key uint64) {
	t.once.take(key, 0, 0)
	if i := t.index.find(key); i >= 0 {
		t.remove(i)
	}
}

// record puts an answer into the record of a key that was seen before and gives
// the record and the answer's place; a key that is new is remembered, and gives -1.
// Evicted is told of a record that another key had to give up.
func (t *tally) record(b *Board, key uint64, now, window uint32, evicted func(i int)) (i, at int) {
	if i = t.index.find(key); i >= 0 {
		return i, t.add(i, now)
	}
	second, ok := t.once.take(key, now, window)
	if !ok {
		if t.once.put(key, now, window) {
			b.counts.NameEvicted++
		}
		return -1, 0
	}
	i, used, lost := t.index.place(key, func(i int) uint64 { return t.worth(i, now, window) })
	if lost {
		b.counts.NameEvicted++
	}
	if used {
		evicted(i)
	}
	t.rings[i] = ring{}
	t.add(i, second)
	return i, t.add(i, now)
}
