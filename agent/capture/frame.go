// Package capture is where frames come from: capture files and memory.
//
// A Source hands out batches of frames that point into its own buffer, so a
// frame costs no copy and no allocation between the read(2) and the decoder.
// Capture files are hostile input: every length is checked before it is used,
// memory is bounded whatever the file says, and a damaged file gives each
// frame that can still be read before it gives a *DamageError.
package capture

import (
	"time"

	"trailhound/agent/packet"
)

// MaxFrame is the longest captured frame, in bytes: libpcap's
// MAXIMUM_SNAPLEN, which no capture program exceeds for network traffic. A
// longer record is damage.
const MaxFrame = 256 << 10

// TagPresent marks a Frame.Tag that is set, so that VLAN id 0 (a priority tag)
// is told from no tag.
const TagPresent = 1 << 12

// Frame is one captured frame.
type Frame struct {
	// Data is the frame from its link header on, as long as it was captured
	// or FileOptions.Snaplen allows. It points into the source's buffer and is
	// valid until the next call of Next.
	Data []byte
	// Time is when the frame was captured, in UTC. A frame without a time of
	// its own (pcapng simple packet block) has that of the frame before it.
	Time time.Time
	// Number is the frame's place in the capture, from 1. Frames that were not
	// selected have numbers too, so a number means the same to all workers.
	Number uint64
	Link   packet.LinkType
	// Era counts how often the clock was set back before the frame; see Clock.
	// Live it is 0.
	Era uint32
	// Interface is the pcapng interface index within the section, 0 in a
	// classic pcap file; live it is what the source's Interface method takes.
	Interface int
	// Tag is the VLAN tag that the network card or the kernel took out of the
	// frame before it was captured: TagPresent and the VLAN id; 0: none. Tags
	// that are still in the frame are not in here.
	Tag uint16
	// Length is the frame's length on the wire in bytes. What the capture
	// says is passed on as it is: it may be less than len(Data).
	Length int
}

// A Source gives batches of frames. It is used by one goroutine.
type Source interface {
	// Next returns the next frames, in the order of the capture. The slice and
	// the data of its frames are valid until the next call. A batch may be
	// empty: input was read, but nothing in it was selected. At the end the
	// error is io.EOF; for a damaged capture it is a *DamageError, after the
	// last readable frame. The end is final: further calls return it again.
	Next() ([]Frame, error)
	// Close frees what the source holds. Frames are not valid after it.
	Close() error
}

// Progress is a Source that tells how far it is, counting the frames that
// were not selected: how a worker whose share of a file is small can tell the
// others that it has passed a second. The sources of OpenFile have it.
type Progress interface {
	// Progress returns the number of frames passed and the latest time among
	// them; the zero time before the first frame.
	Progress() (frames uint64, latest time.Time)
}
