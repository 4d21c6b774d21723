package remote

import "time"

// Bounds of what a Stream keeps to send again. The bytes are what a receiver's
// kernel holds of a connection at most (tcp_rmem is 6 MiB by default), and what
// our own holds (tcp_wmem, 4 MiB).
const (
	ResendAge   = 30 * time.Second
	ResendBytes = 8 << 20
)

// mostAgain is how often a record is sent again that the other kernel had
// acknowledged. A receiver that breaks a connection off had not read all of it,
// so what its kernel had acknowledged may not have got there.
const mostAgain = 5

// window holds the records that were written last, the oldest first. Those that
// are not due were written to the present connection, in their order.
type window struct {
	age   time.Duration
	most  int // bytes; what is not acknowledged may double it
	list  []piece
	bytes int
	spare [][]byte // of pieces that went, to be used again
}

// piece is some whole records, written within a second.
type piece struct {
	data    []byte
	records int
	first   time.Time // when the first of them was written for the first time
	at      time.Time // and the last of them
	again   int       // how often they were sent again
	due     bool      // to be sent again, whatever their age
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
		if last >= 0 && w.list[last].again == 0 && len(w.list[last].data)+len(part) <= pieceBytes && at.Sub(w.list[last].first) < time.Second {
			p := &w.list[last]
			p.data, p.records, p.at = append(p.data, part...), p.records+n-first, at
		} else {
			var room []byte
			if last := len(w.spare) - 1; last >= 0 {
				room, w.spare = w.spare[last], w.spare[:last]
			}
			w.list = append(w.list, piece{data: append(room, part...), records: n - first, first: at, at: at})
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
		w.forget(p)
	}
	w.list = w.list[n:]
	if len(w.list) == 0 {
		w.list = nil
	}
}

// forget takes a piece out of the count and keeps its room.
func (w *window) forget(p *piece) {
	w.bytes -= len(p.data)
	if len(w.spare) < maxSpare && cap(p.data) <= 2*pieceBytes {
		w.spare = append(w.spare, p.data[:0])
	}
	*p = piece{}
}

// lost makes due what may not have arrived over a connection that is over, and
// forgets the rest. What was due before never went over it, and stays.
func (w *window) lost(l Loss) {
	unacknowledged := l.Unacknowledged
	if l.Clean {
		unacknowledged = 0
	}
	behind := 0 // bytes that were written to it behind a piece
	for i := range w.list {
		if p := &w.list[i]; !p.due {
			behind += len(p.data)
		}
	}
	n := 0
	for i := range w.list {
		p := &w.list[i]
		if !p.due {
			behind -= len(p.data)
			p.due = behind < unacknowledged || !l.Clean && w.doubtful(p, l, behind)
		}
		if !p.due {
			w.forget(p)
			continue
		}
		w.list[n] = *p
		n++
	}
	clear(w.list[n:])
	if w.list = w.list[:n]; n == 0 {
		w.list = nil
	}
}

// doubtful says whether a piece may not have got to the receiver although its
// kernel has acknowledged it. One that ended the connection in order had read
// all of it: only what it had under way in itself may be gone, and for that once
// is enough.
func (w *window) doubtful(p *piece, l Loss, behind int) bool {
	most := mostAgain
	if l.Ended {
		most = 1
	}
	return p.again < most && !p.at.Before(l.At.Add(-w.age)) && behind < w.most
}
