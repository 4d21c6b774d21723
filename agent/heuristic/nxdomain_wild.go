package heuristic

import (
	"bytes"
	"slices"
)

// wild is a tally that also keeps which names below the key did not exist.
type wild struct {
	tally
	items []uint64 // parallel to second: the name's hash; 0: not remembered
	names []uint32 // the name's text without the key, if no later answer of the record has it
	texts texts
	hand  int // where room was made last
}

func makeWild(onceBytes, recordBytes, textBytes, size int) wild {
	t := makeTally(onceBytes, recordBytes/(ringBytes+16*size), size)
	return wild{tally: t, items: make([]uint64, len(t.second)), names: make([]uint32, len(t.second)), texts: makeTexts(textBytes)}
}

// take puts an answer into the record of a key, as tally.record does.
func (w *wild) take(b *Board, key, item uint64, front []byte, now, window uint32) (i int) {
	i, at := w.record(b, key, now, window, w.release)
	if i < 0 {
		return i
	}
	if w.names[at] != 0 {
		w.texts.remove(w.names[at])
		w.names[at] = 0
	}
	w.items[at] = item
	// A name that the record has already lives with its latest answer.
	for k := i * w.size; k < (i+1)*w.size; k++ {
		if w.items[k] == item && w.names[k] != 0 {
			w.names[k], w.names[at] = 0, w.names[k]
			return i
		}
	}
	if w.texts.left < blocksOf(len(front)) {
		w.room(b, i, blocksOf(len(front)), now, window)
	}
	if w.names[at] = w.texts.put(front); w.names[at] == 0 {
		b.counts.Refused++
	}
	return i
}

// room gives up the record that is worth least of the next few, so that there is
// room for a text of record keep. If it has none the name goes without.
func (w *wild) room(b *Board, keep, blocks int, now, window uint32) {
	least, victim := ^uint64(0), -1
	for range 4 * nameWays {
		if w.hand++; w.hand >= len(w.rings) {
			w.hand = 0
		}
		if i := w.hand; i != keep && w.rings[i].count > 0 {
			value := w.worth(i, now, window)
			if value < least {
				least, victim = value, i
			}
			if value == 0 {
				w.remove(i)
				if w.texts.left >= blocks {
					return
				}
				least, victim = ^uint64(0), -1
			}
		}
	}
	if victim >= 0 {
		b.counts.NameEvicted++
		w.remove(victim)
	}
}

// list is the trail of a record: the names of so many latest answers, sorted.
func (w *wild) list(i, answers int, two []byte) []byte {
	var names [][]byte
	for k := range answers {
		if at := w.names[w.at(i, k)]; at != 0 {
			names = append(names, w.texts.append(nil, at))
		}
	}
	slices.SortFunc(names, bytes.Compare)
	return enclosed(bytes.Join(names, []byte(",")), two)
}

// release gives the names of a record up.
func (w *wild) release(i int) {
	for k := i * w.size; k < (i+1)*w.size; k++ {
		if w.names[k] != 0 {
			w.texts.remove(w.names[k])
		}
		w.items[k], w.names[k] = 0, 0
	}
}

// remove forgets a record.
func (w *wild) remove(i int) {
	w.release(i)
	w.tally.remove(i)
}
