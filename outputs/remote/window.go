package remote

import "time"

// Bounds of what a Stream keeps to send again. The bytes are what a receiver's
// kernel holds of a connection at most (tcp_rmem is 6 MiB by default), and what
// our own holds (tcp_wmem, 4 MiB).
const (
	ResendAge   = 30 * time.Second
	ResendBytes = 8 << 20
)

// window holds the records that were written last, the oldest first.
type window struct {
	age   time.Duration
	most  int // bytes; what is not acknowledged may double it
	list  []piece
	bytes int
	spare [][]byte // of pieces that went, to be used again
}

// piece is some whole records.
type piece struct {
	data    []byte
	records int
	at      time.Time // when the last of them was written
	due     bool      // to be sent again, whatever its age
}

const (
	pieceBytes = 64 << 10 // how much is forgotten at once
	maxSpare   = 16
)

// add keeps records that have just been written; ends are the ends of each in
// data. What is too old or too much goes, but not what is unacknowledged.
func (w *window) add(data []byte, ends []int, at time.Time, unacknowledged int) {
	for start, first := 0, 0; first < len(ends); {
		n := first + 1
		for n < len(ends) && ends[n]-start <= pieceBytes {
			n++
		}
		part := data[start:ends[n-1]]
		last := len(w.list) - 1
		if last >= 0 && len(w.list[last].data)+len(part) <= pieceBytes && at.Sub(w.list[last].at) < time.Second {
			p := &w.list[last]
			p.data, p.records, p.at = append(p.data, part...), p.records+n-first, at
		} else {
			var room []byte
			if last := len(w.spare) - 1; last >= 0 {
				room, w.spare = w.spare[last], w.spare[:last]
			}
			w.list = append(w.list, piece{data: append(room, part...), records: n - first, at: at})
		}
		w.bytes += len(part)
		start, first = ends[n-1], n
	}
	w.trim(at.Add(-w.age), unacknowledged)
}

// trim forgets what was written before a time, and what is too much.
func (w *window) trim(before time.Time, unacknowledged int) {
	n := 0
	for ; n < len(w.list); n++ {
		p := &w.list[n]
		left := w.bytes - len(p.data)
		old := p.at.Before(before) || left >= w.most
		if !(old && !p.due && left >= unacknowledged) && left < 2*w.most {
			break
		}
		w.bytes = left
		if len(w.spare) < maxSpare && cap(p.data) <= 2*pieceBytes {
			w.spare = append(w.spare, p.data[:0])
		}
		*p = piece{}
	}
	w.list = w.list[n:]
	if len(w.list) == 0 {
		w.list = nil
	}
}

// lost makes due what may not have arrived over a connection that is over.
func (w *window) lost(l Loss) {
	if l.Clean {
		n := 0 // what an earlier connection left due is in front or behind
		for _, p := range w.list {
			if p.due {
				w.list[n] = p
				n++
			} else {
				w.bytes -= len(p.data)
			}
		}
		clear(w.list[n:])
		w.list = w.list[:n]
		return
	}
	w.trim(l.At.Add(-w.age), l.Unacknowledged)
	for i := range w.list {
		w.list[i].due = true
	}
}
