package capture

import "io"

const (
	// readSize is how much one read(2) asks for. Reading 1 MiB at a time costs
	// less per frame than smaller reads and than mapping the file.
	readSize = 1 << 20
	// reserve is the room before the read area for a record that straddles
	// two reads; it must hold the longest record with its header.
	reserve = MaxFrame + 4<<10
	// shortRead is the room below which the window rather starts over than
	// read into the rest of its buffer (pipes give 64 KiB at most at a time).
	shortRead = 64 << 10
)

// A window is the part of a stream that is in memory. Records are parsed in
// place; what is left of the last one is moved in front of the next read, so
// reads of a file stay whole and page-aligned.
type window struct {
	r        io.Reader
	buf      []byte // reserve + readSize
	pos, end int    // unread bytes are buf[pos:end]
	read     int64  // bytes read from r so far
	err      error  // of r, given when the bytes before it are used up
}

func newWindow(r io.Reader) *window {
	return &window{r: r, buf: make([]byte, reserve+readSize), pos: reserve, end: reserve}
}

// unread returns the bytes at hand.
func (w *window) unread() []byte { return w.buf[w.pos:w.end] }

// offset is where unread begins in the stream.
func (w *window) offset() int64 { return w.read - int64(w.end-w.pos) }

// fill reads until n bytes are unread; n is at most reserve. It moves bytes:
// no frame may be in use. When the stream ends before, it returns the reader's
// error, io.EOF included, and leaves what there is.
func (w *window) fill(n int) error {
	for idle := 0; w.end-w.pos < n; {
		if w.err != nil {
			return w.err
		}
		if left := w.end - w.pos; left == 0 || len(w.buf)-w.end < shortRead {
			copy(w.buf[reserve-left:], w.buf[w.pos:w.end])
			w.pos, w.end = reserve-left, reserve
		}
		var m int
		m, w.err = w.r.Read(w.buf[w.end:])
		w.end += m
		w.read += int64(m)
		if m > 0 {
			idle = 0
		} else if idle++; idle == 100 && w.err == nil {
			w.err = io.ErrNoProgress
		}
	}
	return nil
}
