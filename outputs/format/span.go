package format

import (
	"encoding/binary"
	"encoding/hex"
	"time"

	"trailhound/agent/event"
)

// span gives the times of the first and the last detection that an event
// stands for.
func span(e *event.Event) (first, last time.Time) {
	first, last = e.Aggregate.First, e.Aggregate.Last
	if first.IsZero() {
		first = e.Time
	}
	if last.IsZero() {
		last = first
	}
	return first, last
}

// appendEpoch appends a journal's epoch as 16 hex digits, none when it is 0. It
// is a random number of 64 bits: as a JSON number it would not fit into what
// receivers keep (long, double), so it is text everywhere.
func appendEpoch(dst []byte, epoch uint64) []byte {
	if epoch == 0 {
		return dst
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], epoch)
	return hex.AppendEncode(dst, b[:])
}
