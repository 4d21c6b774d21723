package live

import (
	"time"

	"golang.org/x/sys/unix"

	"trailhound/agent/capture"
	"trailhound/agent/packet"
)

// batchFrames is the most frames in one batch: few, so that the next ones,
// which Ahead fetches meanwhile, stay in the processor's first caches.
const batchFrames = 64

// take hands out frames of the block in hand. Offsets and lengths are the
// kernel's and are right, but a wrong one must not become a read outside the
// ring: each is held against the block. A block that breaks off is given up and
// what is left in it counted.
func (s *Source) take(r *ring) []capture.Frame {
	block := r.current()
	batch := s.batch
	at, left, n := r.at, r.left, 0
	for left > 0 && n < len(batch) {
		rest := block[min(at, len(block)):]
		if len(rest) < frameHeader {
			s.giveUp(r, left)
			left = 0
			break
		}
		seconds, nanos := u32(rest, frameSeconds), u32(rest, frameNanos)
		snaplen, length := u32(rest, frameSnaplen), u32(rest, frameLength)
		mac, net := uint64(u16(rest, frameMac)), uint64(u16(rest, frameNet))
		end := mac + uint64(snaplen)
		next := u32(rest, frameNext)
		if end > uint64(len(rest)) || left > 1 && (next < frameHeader || uint64(next) > uint64(len(rest))) {
			s.giveUp(r, left)
			left = 0
			break
		}
		at += int(next)
		left--
		r.consumed++

		to := r.last
		if index := int32(u32(rest, frameIndex)); index != r.index || to == nil {
			to = s.slotOf(r, index)
		}
		if !to.dirty {
			to.dirty = true
			s.dirty = append(s.dirty, to)
		}
		kind := rest[framePktType]
		if skip := to.skip.Load(); skip != 0 && (skip&skipAll != 0 || kind == outgoing) {
			to.now.skipped++
			continue
		}
		f := &batch[n]
		n++
		f.Link = packet.LinkEthernet
		start := mac
		if hatype := u16(rest, frameHatype); hatype != hatypeEther && hatype != hatypeLoopback {
			if f.Link = linkOf(hatype); f.Link == packet.LinkRaw {
				// The header of the device is of no use: what is wanted is behind it.
				start = min(max(net, mac), end)
				length -= min(length, uint32(start-mac))
			}
		}
		f.Data = rest[start:end:end]
		f.Time = time.Unix(int64(seconds), int64(nanos)).UTC()
		f.Number = 0
		f.Interface = to.number
		f.Length = int(length)
		f.Tag = 0
		if u32(rest, frameStatus)&unix.TP_STATUS_VLAN_VALID != 0 {
			f.Tag = capture.TagPresent | uint16(u32(rest, frameTCI))&0xfff
		}
		c := &to.now
		c.packets++
		c.bytes += uint64(length)
		c.kinds[kind&7]++
		c.stamp = uint64(seconds)<<32 | uint64(nanos)
		if len(f.Data) < int(length) {
			c.truncated++
		}
	}
	r.at, r.left = at, left
	if s.ahead.at < at {
		s.ahead.at, s.ahead.left = at, left
	}
	for _, to := range s.dirty {
		to.publish()
	}
	s.dirty = s.dirty[:0]
	return batch[:n]
}

// giveUp counts the frames of a block that cannot be read.
func (s *Source) giveUp(r *ring, left int) {
	r.consumed += uint64(left)
	s.damaged.Add(uint64(left))
}
