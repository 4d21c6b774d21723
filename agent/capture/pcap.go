package capture

import (
	"fmt"
	"io"
	"time"

	"trailhound/agent/packet"
)

// Magic numbers of classic pcap files (libpcap sf-pcap.c, pcap-savefile(5)).
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's patched libpcap
)

const pcapHeader = 24

// pcap reads the records of a classic pcap file.
type pcap struct {
	order  byteOrder
	unit   int64 // of the fraction field, in nanoseconds
	record int   // length of a record header
	link   packet.LinkType
	// swapped: before version 2.4 writers disagreed about the order of the two
	// lengths in a record header.
	swapped bool
}

// newPcap recognises a pcap file by its first four bytes.
func newPcap(magic []byte) (*pcap, bool) {
	for _, order := range [...]byteOrder{{big: false}, {big: true}} {
		switch order.u32(magic) {
		case magicMicro:
			return &pcap{order: order, unit: 1000, record: 16}, true
		case magicNano:
			return &pcap{order: order, unit: 1, record: 16}, true
		case magicModified:
			// Record headers go on with interface index, protocol, packet type.
			return &pcap{order: order, unit: 1000, record: 24}, true
		}
	}
	return nil, false
}

// open reads the file header.
func (p *pcap) open(w *window) (format, *DamageError, error) {
	if err := w.fill(pcapHeader); err == io.EOF {
		return nil, cutShort(0, "%d of the %d bytes of its header", len(w.unread()), pcapHeader), nil
	} else if err != nil {
		return nil, &DamageError{Problem: err.Error(), Err: err}, nil
	}
	head := w.unread()
	major, minor := p.order.u16(head[4:]), p.order.u16(head[6:])
	if major != 2 {
		return nil, nil, fmt.Errorf("has pcap version %d.%d, which is not supported", major, minor)
	}
	p.swapped = minor < 4
	// Time zone, accuracy and snap length are not looked at: no reader trusts
	// them, and writers that exceed the snap length are common. The bits above
	// the link type say whether frames end with a check sequence, which the
	// lengths of the IP header cut off.
	p.link = packet.LinkType(p.order.u32(head[20:]))
	w.pos += pcapHeader
	return p, nil, nil
}

func (p *pcap) scan(w *window, in *intake, batch []Frame) ([]Frame, int, *DamageError) {
	for len(batch) < cap(batch) {
		b := w.unread()
		if len(b) < p.record {
			return batch, p.record, nil
		}
		captured, length := p.order.u32(b[8:]), p.order.u32(b[12:])
		if p.swapped && captured > length {
			captured, length = length, captured
		}
		if captured > MaxFrame {
			return batch, 0, &DamageError{Offset: w.offset(),
				Problem: fmt.Sprintf("record length %d exceeds the maximum of %d", captured, MaxFrame)}
		}
		n := p.record + int(captured)
		if len(b) < n {
			return batch, n, nil
		}
		w.pos += n
		// time.Unix carries a fraction of a second and more over.
		t := time.Unix(int64(p.order.u32(b)), int64(p.order.u32(b[4:]))*p.unit).UTC()
		if data, ok := in.keep(p.link, t, b[p.record:n:n]); ok {
			batch = append(batch, Frame{Data: data, Time: t, Number: in.seen, Link: p.link, Era: in.clock.era, Length: int(length)})
		}
	}
	return batch, 0, nil
}

func (p *pcap) end(w *window) *DamageError {
	b := w.unread()
	switch {
	case len(b) == 0:
		return nil
	case len(b) < p.record:
		return cutShort(w.offset(), "%d of the %d bytes of a record header", len(b), p.record)
	}
	captured, length := p.order.u32(b[8:]), p.order.u32(b[12:])
	if p.swapped {
		captured = min(captured, length)
	}
	return cutShort(w.offset(), "%d of the %d bytes of a record", len(b)-p.record, captured)
}
