package capture

import (
	"math/bits"
	"time"

	"trailhound/agent/packet"
)

// Options of an interface description (draft-ietf-opsawg-pcapng, section 4.2).
const (
	optionEnd        = 0
	optionResolution = 9  // if_tsresol, one byte
	optionOffset     = 14 // if_tsoffset, seconds, signed, 8 bytes
)

// describe adds the interface that the block at the beginning of b describes.
func (p *pcapng) describe(b []byte) (need int, _ *DamageError) {
	switch {
	case p.total < 20:
		return 0, p.damage("interface description length %d is less than the minimum of 20", p.total)
	case p.total > MaxFrame:
		return 0, p.damage("interface description length %d exceeds the maximum of %d", p.total, MaxFrame)
	case len(p.interfaces) == maxInterfaces:
		return 0, p.damage("the section has more than %d interfaces", maxInterfaces)
	case len(b) < int(p.total):
		return int(p.total), nil
	}
	n := netif{
		link:    packet.LinkType(p.order.u16(b[8:])),
		snaplen: p.order.u32(b[12:]),
		clock:   clock{resolution: 6},
	}
	options := b[16 : p.total-4]
	for len(options) >= 4 {
		code, length := p.order.u16(options), int(p.order.u16(options[2:]))
		options = options[4:]
		if code == optionEnd {
			break
		}
		if length > len(options) {
			// The block's frame holds, so go on with what is known.
			p.passOver("option %d of an interface description runs past its block", code)
			break
		}
		switch value := options[:length]; {
		case code == optionResolution && length == 1:
			n.clock.resolution = value[0]
		case code == optionOffset && length == 8:
			n.clock.offset = int64(p.order.u64(value))
		}
		options = options[min((length+3)&^3, len(options)):]
	}
	p.interfaces = append(p.interfaces, n)
	return 0, nil
}

// A clock turns an interface's time stamps into times.
type clock struct {
	// resolution is if_tsresol: ticks per second as a power of 10, or of 2
	// when the highest bit is set.
	resolution uint8
	offset     int64 // seconds to add
}

// lastSecond is the end of the year 9999 in Unix time. Times are kept between
// 1970 and there, because text formats of events know no others.
const lastSecond = 253402300799

// at returns the time of a stamp.
func (c clock) at(stamp uint64) time.Time {
	var sec, nano uint64
	switch n := uint(c.resolution & 0x7f); {
	case c.resolution == 6: // nearly always; division by a constant is cheap
		sec, nano = stamp/1e6, stamp%1e6*1000
	case c.resolution == 9:
		sec, nano = stamp/1e9, stamp%1e9
	case c.resolution&0x80 != 0:
		sec = stamp >> n // 0 when n is 64 or more
		hi, lo := bits.Mul64(stamp-sec<<n, 1e9)
		if n < 64 {
			nano = hi<<(64-n) | lo>>n
		} else {
			nano = hi >> (n - 64)
		}
	case n < 9:
		sec, nano = stamp/power(n), stamp%power(n)*power(9-n)
	case n <= 19:
		sec, nano = stamp/power(n), stamp%power(n)/power(n-9)
	case n <= 28: // ticks too fine for a second to fit in the stamp
		nano = stamp / power(n-9)
	}
	s := int64(min(sec, lastSecond)) // no overflow below: both are far from it
	if c.offset > lastSecond {
		s = lastSecond
	} else if c.offset < -lastSecond {
		s = 0
	} else {
		s += c.offset
	}
	return time.Unix(max(0, min(s, lastSecond)), int64(nano)).UTC()
}

// power is 10 to the n, n at most 19.
func power(n uint) uint64 {
	p := uint64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}
