package health

import "time"

// A window remembers what a running total was, at the beginning of each of its
// last slots. What was counted in the window is the present total less the
// oldest of them.
type window[T any] struct {
	width  time.Duration // of a slot
	marks  []T           // by slot number modulo their number
	filled int
	slot   int64 // the present one, counted from begin
	begin  time.Duration
}

// newWindow makes a window that, once full, covers length, and up to a slot
// more.
func newWindow[T any](length time.Duration, slots int) window[T] {
	return window[T]{width: length / time.Duration(slots), marks: make([]T, slots+1)}
}

// enter moves on to the slot of the time at. The total is what was counted
// before.
func (w *window[T]) enter(at time.Duration, total T) {
	if w.filled == 0 {
		w.begin, w.slot, w.filled, w.marks[0] = at, 0, 1, total
		return
	}
	slot := int64((at - w.begin) / w.width)
	w.slot = max(w.slot, slot-int64(len(w.marks)))
	for w.slot < slot {
		w.slot++
		w.marks[w.slot%int64(len(w.marks))] = total
		w.filled = min(w.filled+1, len(w.marks))
	}
}

// restart forgets everything.
func (w *window[T]) restart() { w.filled = 0 }

// full says whether the whole length was observed.
func (w *window[T]) full() bool { return w.filled == len(w.marks) }

// oldest gives the total at the beginning of the window, and when that was. It
// must have been entered.
func (w *window[T]) oldest() (total T, at time.Duration) {
	first := w.slot - int64(w.filled) + 1
	return w.marks[first%int64(len(w.marks))], w.begin + time.Duration(first)*w.width
}
