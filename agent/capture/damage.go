package capture

import (
	"fmt"
	"io"
	"strconv"
)

// A DamageError says where a capture is damaged. It comes after every frame
// that can be read: those before the damage, and in pcapng also those behind a
// packet block that is wrong inside but whole outside. Where there are several
// such blocks it tells of the first, but rather of the place where reading had
// to stop, if there is one.
type DamageError struct {
	Path string // as given to OpenFile; "-" is standard input
	// Offset is where the first record or block that is not whole begins, in
	// bytes of the uncompressed stream: where to cut the file to mend it.
	Offset  int64
	Frames  uint64 // frames read, those that were not selected included
	Problem string // what is wrong there
	Err     error  // the cause: io.ErrUnexpectedEOF, a read error, or nil
}

// Error is one line: what, where, why, and how much was read.
func (e *DamageError) Error() string {
	frames := "frames were"
	if e.Frames == 1 {
		frames = "frame was"
	}
	return fmt.Sprintf("%s is damaged at byte %d: %s; %d %s read", title(e.Path), e.Offset, e.Problem, e.Frames, frames)
}

// Unwrap returns the cause, which may be nil.
func (e *DamageError) Unwrap() error { return e.Err }

// cutShort is the damage of a capture that ends where it must not.
func cutShort(offset int64, text string, args ...any) *DamageError {
	return &DamageError{Offset: offset, Problem: "the file ends after " + fmt.Sprintf(text, args...), Err: io.ErrUnexpectedEOF}
}

// title names a capture in messages. Names are quoted: they come from
// directories that anyone may write to, and messages end up on terminals.
func title(path string) string {
	if path == "-" {
		return "capture on standard input"
	}
	return "capture " + strconv.Quote(path)
}
