package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"trailhound/agent/packet"
)

// A format parses the records of one kind of capture file in a window.
type format interface {
	// scan appends the selected frames that are whole in w to batch, up to its
	// capacity. When it stops for want of input, need is how many unread bytes
	// it must see to go on. Damage is found after the frames of batch.
	scan(w *window, in *intake, batch []Frame) (frames []Frame, need int, damage *DamageError)
	// end says what is missing when the input ends although scan needed more;
	// nil when it ends where a capture may end.
	end(w *window) *DamageError
}

// byteOrder reads integers in a file's byte order without an interface call.
type byteOrder struct{ big bool }

func (o byteOrder) u16(b []byte) uint16 {
	if o.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (o byteOrder) u32(b []byte) uint32 {
	if o.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (o byteOrder) u64(b []byte) uint64 {
	if o.big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// An intake numbers frames and decides which are kept, and how long.
type intake struct {
	pick    func(link packet.LinkType, data []byte) bool
	snaplen int
	seen    uint64
	latest  time.Time
	clock   *Clock
}

// keep counts a frame and returns its data as they are to be handed out;
// false: not selected.
func (in *intake) keep(link packet.LinkType, t time.Time, data []byte) ([]byte, bool) {
	in.seen++
	if t.After(in.latest) {
		in.latest = t
	}
	in.clock.pass(t)
	if in.snaplen > 0 && len(data) > in.snaplen {
		data = data[:in.snaplen:in.snaplen]
	}
	if in.pick != nil && !in.pick(link, data) {
		return nil, false
	}
	return data, true
}

// newFormat recognises the capture at the beginning of w. Its error completes
// the sentence "capture x ...".
func newFormat(w *window) (format, *DamageError, error) {
	if err := w.fill(4); err != nil {
		head := w.unread()
		switch {
		case err != io.EOF:
			return nil, &DamageError{Problem: err.Error(), Err: err}, nil
		case len(head) == 0:
			return nil, nil, fmt.Errorf("is empty")
		}
		return nil, nil, fmt.Errorf("is not a capture file: it is only %+q", head)
	}
	head := w.unread()
	if binary.LittleEndian.Uint32(head) == blockSection {
		return newPcapng(), nil, nil
	}
	if p, ok := newPcap(head); ok {
		return p.open(w)
	}
	if name := foreign(head); name != "" {
		return nil, nil, fmt.Errorf("is %s, which cannot be read: convert it first", name)
	}
	return nil, nil, fmt.Errorf("is not a capture file: it begins with %+q", head[:min(len(head), 16)])
}

// foreign names what else people take for a capture file.
func foreign(head []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\xfd7zXZ", "xz-compressed"},
		{"BZh", "bzip2-compressed"},
		{"PK\x03\x04", "a zip archive"},
		{"\x04\x22\x4d\x18", "lz4-compressed"},
		{"7z\xbc\xaf", "a 7z archive"},
		{"snoop\x00", "a snoop file"},
	} {
		if len(head) >= len(f.magic) && string(head[:len(f.magic)]) == f.magic {
			return f.name
		}
	}
	return ""
}
