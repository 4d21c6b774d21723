// Package dead keeps the events that a receiver refused for good: dead letters.
// Each output has a file of its own, with one JSON object a line: when, why,
// the event as people read it, and the event whole, so that it can be sent
// again.
//
// The file is bounded. When it has grown to half of its limit it becomes
// NAME.1.jsonl, in place of the one before, whose letters are lost then and
// counted. A letter that cannot be written is lost, too, and the caller is told:
// a full disk must not stop delivery.
package dead

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"trailhound/agent/event"
	"trailhound/outputs/journal/codec"
)

// A Letter is an event that was refused.
type Letter struct {
	Time   time.Time       // when it was refused
	Output string          // the output's name
	Reason string          // what the receiver said
	Event  event.Event     // with its sequence number and epoch
	Shown  json.RawMessage // the event as a document for people; may be empty
}

// line is a letter in the file.
type line struct {
	Time   time.Time       `json:"time"`
	Output string          `json:"output"`
	Reason string          `json:"reason"`
	Seq    uint64          `json:"seq"`
	Epoch  uint64          `json:"epoch"`
	Record []byte          `json:"record"` // codec, in base64
	Event  json.RawMessage `json:"event,omitempty"`
}

// maxLine bounds a line that is read: an event's limits and its base64.
const maxLine = 1 << 20

func (l *Letter) line() ([]byte, error) {
	b, err := json.Marshal(line{l.Time.UTC(), l.Output, l.Reason, l.Event.Seq, l.Event.Epoch, codec.Append(nil, &l.Event), l.Shown})
	if err != nil {
		return nil, fmt.Errorf("cannot write a dead letter: %w", err)
	}
	if len(b) >= maxLine { // the document is for people only
		l.Shown = nil
		return l.line()
	}
	return append(b, '\n'), nil
}

// Read hands out the letters of a file, oldest first, until take returns false.
// Lines that are no letters, such as the last one of a crash, are passed over
// and counted.
func Read(path string, take func(*Letter) bool) (damaged int, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read dead letters: %w", err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	var buf []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(buf) <= maxLine {
			buf = append(buf, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err == nil || len(buf) > 0 {
			if l := parse(buf, err == nil); l == nil {
				damaged++
			} else if !take(l) {
				return damaged, nil
			}
			buf = buf[:0]
		}
		if err == io.EOF {
			return damaged, nil
		}
		if err != nil {
			return damaged, fmt.Errorf("cannot read dead letters %q: %w", path, err)
		}
	}
}

// parse reads a line; nil: it is none.
func parse(b []byte, whole bool) *Letter {
	var in line
	if !whole || len(b) > maxLine || json.Unmarshal(b, &in) != nil || len(in.Record) == 0 {
		return nil
	}
	l := &Letter{Time: in.Time, Output: in.Output, Reason: in.Reason, Shown: in.Event}
	if codec.Decode(in.Record, &l.Event) != nil {
		return nil
	}
	l.Event.Seq, l.Event.Epoch = in.Seq, in.Epoch
	return l
}
