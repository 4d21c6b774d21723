package capture

import (
	"encoding/binary"
	"fmt"
	"time"

	"trailhound/agent/packet"
)

// Block types (draft-ietf-opsawg-pcapng, section 10.1).
const (
	blockInterface = 1
	blockObsolete  = 2 // packet block
	blockSimple    = 3
	blockEnhanced  = 6
	blockSection   = 0x0a0d0d0a // reads the same in both byte orders
)

const (
	blockMin = 12 // type, length, length again
	// maxInterfaces bounds memory: a file of nothing but interface
	// descriptions must not grow the process with it.
	maxInterfaces = 1 << 16
	byteOrderMark = 0x1a2b3c4d
)

// pcapng reads the blocks of a pcapng file. A block is entered at its header
// and left behind its second length; what lies between and is of no use is
// skipped without being held in memory, so its length needs no bound.
type pcapng struct {
	order      byteOrder // of the section
	interfaces []netif   // of the section
	last       time.Time // of the latest frame that had one

	start int64  // offset of the present block
	total uint32 // its stated length
	rest  uint32 // bytes of it that are not yet passed; 0 between blocks
	// odd is the first block that was passed over because its content does not
	// fit together although its frame does: later blocks are still readable.
	odd *DamageError
}

// netif is an interface as its description block tells it.
type netif struct {
	link    packet.LinkType
	snaplen uint32 // 0: none
	clock   clock
}

func newPcapng() *pcapng { return &pcapng{last: time.Unix(0, 0).UTC()} }

func (p *pcapng) scan(w *window, in *intake, batch []Frame) ([]Frame, int, *DamageError) {
	for len(batch) < cap(batch) {
		if p.rest > 0 {
			if need, damage := p.leave(w); need > 0 || damage != nil {
				return batch, need, damage
			}
		}
		b := w.unread()
		if len(b) < blockMin {
			return batch, blockMin, nil
		}
		p.start = w.offset()
		kind := p.order.u32(b)
		if kind == blockSection {
			switch binary.LittleEndian.Uint32(b[8:]) {
			case byteOrderMark:
				p.order.big = false
			case 0x4d3c2b1a:
				p.order.big = true
			default:
				return batch, 0, p.damage("a section begins with the unknown byte order mark %x", b[8:12])
			}
		}
		p.total = p.order.u32(b[4:])
		if p.total < blockMin {
			return batch, 0, p.damage("block length %d is less than the minimum of %d", p.total, blockMin)
		}
		pass, need := 0, 0 // bytes of the block that are done with
		var damage *DamageError
		switch kind {
		case blockSection:
			need, damage = p.section(b)
		case blockInterface:
			need, damage = p.describe(b)
		case blockEnhanced, blockSimple, blockObsolete:
			var f Frame
			if pass, need = p.frame(b, kind, &f); pass > 0 {
				var ok bool
				if f.Data, ok = in.keep(f.Link, f.Time, f.Data); ok {
					f.Number, f.Era = in.seen, in.clock.era
					batch = append(batch, f)
				}
			}
		}
		if need > 0 || damage != nil {
			return batch, need, damage
		}
		w.pos += pass
		p.rest = p.total - uint32(pass)
	}
	return batch, 0, nil
}

// leave goes to the end of the present block and compares its two lengths.
func (p *pcapng) leave(w *window) (need int, _ *DamageError) {
	n := min(int64(p.rest)-4, int64(len(w.unread())))
	w.pos += int(n)
	p.rest -= uint32(n)
	if p.rest > 4 {
		return 1, nil
	}
	b := w.unread()
	if len(b) < 4 {
		return 4, nil
	}
	if again := p.order.u32(b); again != p.total {
		return 0, p.damage("block length is %d at its beginning and %d at its end", p.total, again)
	}
	w.pos += 4
	p.rest = 0
	return 0, nil
}

// section begins a new section: interfaces are counted anew.
func (p *pcapng) section(b []byte) (need int, _ *DamageError) {
	if p.total < 28 {
		return 0, p.damage("section header length %d is less than the minimum of 28", p.total)
	}
	if len(b) < 16 {
		return 16, nil
	}
	// 1.2 was written by mistake for 1.0 (draft, section 4.1).
	if major, minor := p.order.u16(b[12:]), p.order.u16(b[14:]); major != 1 || minor != 0 && minor != 2 {
		return 0, p.damage("pcapng version %d.%d is not supported", major, minor)
	}
	p.interfaces = p.interfaces[:0]
	return 0, nil
}

// passOver remembers a block whose content is of no use.
func (p *pcapng) passOver(text string, args ...any) {
	if p.odd == nil {
		p.odd = p.damage(text, args...)
	}
}

func (p *pcapng) damage(text string, args ...any) *DamageError {
	return &DamageError{Offset: p.start, Problem: fmt.Sprintf(text, args...)}
}

func (p *pcapng) end(w *window) *DamageError {
	left := len(w.unread())
	if p.rest > 0 {
		return cutShort(p.start, "%d of the %d bytes of a block", int64(p.total-p.rest)+int64(left), p.total)
	}
	if left == 0 {
		return p.odd
	}
	if left < blockMin {
		return cutShort(w.offset(), "%d of the %d bytes of a block header", left, blockMin)
	}
	return cutShort(w.offset(), "%d of the %d bytes of a block", left, p.total)
}
