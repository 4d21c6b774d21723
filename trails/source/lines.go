package source

import (
	"bytes"
	"errors"
	"io"
)

const (
	// maxLine bounds a line, in bytes without its end.
	maxLine = 64 << 10
	// bufferSize is the unit of read(2); it must hold several longest lines.
	bufferSize = 1 << 20
	// maxEmptyReads bounds the reads in a row that a reader may answer with
	// neither bytes nor an error.
	maxEmptyReads = 100
)

// What a file can be that no line of it can be read.
var (
	ErrLineTooLong = errors.New("line longer than 64 KiB")
	ErrUTF16       = errors.New("text is UTF-16: convert it to UTF-8")
)

// lines cuts a stream into lines without copying them. Its memory is one
// buffer, whatever the stream holds, and the buffer serves any number of
// streams one after the other.
type lines struct {
	r          io.Reader
	buf        []byte
	start, end int
	number     int // of the line given last, from 1
	opened     bool
	err        error  // what read gave last
	head       []byte // beginning of a line too long
}

func (l *lines) reset(r io.Reader) {
	if l.buf == nil {
		l.buf = make([]byte, bufferSize)
	}
	*l = lines{r: r, buf: l.buf, head: l.head[:0]}
}

// next gives the next line without LF or CR LF; it is valid until the next
// call. With ErrLineTooLong comes the beginning of the line; reading goes on
// behind it. Every other error ends the stream, io.EOF in order.
func (l *lines) next() ([]byte, error) {
	if !l.opened {
		if err := l.open(); err != nil {
			return nil, err
		}
	}
	for {
		if i := bytes.IndexByte(l.buf[l.start:l.end], '\n'); i >= 0 {
			line := l.buf[l.start : l.start+i]
			l.start += i + 1
			return l.give(line)
		}
		if l.end-l.start > maxLine+1 {
			return l.skip()
		}
		if l.err != nil {
			line := l.buf[l.start:l.end]
			l.start = l.end
			if l.err != io.EOF || len(line) == 0 {
				return nil, l.err
			}
			return l.give(line)
		}
		l.fill()
	}
}

func (l *lines) give(line []byte) ([]byte, error) {
	l.number++
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > maxLine {
		return line[:maxProblemText], ErrLineTooLong
	}
	return line, nil
}

// skip passes over a line that may be longer than the buffer.
func (l *lines) skip() ([]byte, error) {
	l.head = append(l.head[:0], l.buf[l.start:l.start+maxProblemText]...)
	l.number++
	for {
		if i := bytes.IndexByte(l.buf[l.start:l.end], '\n'); i >= 0 {
			l.start += i + 1
			break
		}
		l.start, l.end = 0, 0
		if l.err != nil {
			break
		}
		l.fill()
	}
	return l.head, ErrLineTooLong
}

// open looks at the byte order mark.
func (l *lines) open() error {
	l.opened = true
	for l.err == nil && l.end < 3 {
		l.fill()
	}
	switch b := l.buf[:l.end]; {
	case bytes.HasPrefix(b, []byte("\xEF\xBB\xBF")):
		l.start = 3
	case bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("\xFE\xFF")):
		l.start, l.end, l.err = 0, 0, ErrUTF16
		return ErrUTF16
	}
	return nil
}

func (l *lines) fill() {
	copy(l.buf, l.buf[l.start:l.end])
	l.start, l.end = 0, l.end-l.start
	for range maxEmptyReads {
		n, err := l.r.Read(l.buf[l.end:])
		l.end += n
		l.err = err
		if n > 0 || err != nil {
			return
		}
	}
	l.err = io.ErrNoProgress
}
