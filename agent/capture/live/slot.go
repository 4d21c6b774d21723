package live

import (
	"sync/atomic"
	"time"
)

// Port is an interface as events name it.
type Port struct {
	Index int    // interface index; 0: not known
	Name  string // as the kernel has it now
	Alias string // as configured
	Group string // as configured
}

// Traffic is what a worker saw of an interface. All numbers are of frames
// since the capture was opened, except Bytes.
type Traffic struct {
	Packets   uint64 // handed out
	Bytes     uint64 // of these, as long as they were on the wire
	Truncated uint64 // captured shorter than they were
	Skipped   uint64 // not handed out: repeats of another device, or the sent side of loopback
	// By sll_pkttype, linux/if_packet.h: to this host, to all, to many, to
	// another host (seen because the interface is promiscuous), sent by this host.
	Host, Broadcast, Multicast, OtherHost, Outgoing uint64
	Last                                            time.Time // stamp of the last frame, UTC; zero: none
}

func (t *Traffic) add(o Traffic) {
	t.Packets += o.Packets
	t.Bytes += o.Bytes
	t.Truncated += o.Truncated
	t.Skipped += o.Skipped
	t.Host += o.Host
	t.Broadcast += o.Broadcast
	t.Multicast += o.Multicast
	t.OtherHost += o.OtherHost
	t.Outgoing += o.Outgoing
	if o.Last.After(t.Last) {
		t.Last = o.Last
	}
}

// What is not handed out of an interface.
const (
	skipAll      = 1 << iota // it repeats another one
	skipOutgoing             // what is sent
)

// counts are a slot's counters as the Source's goroutine has them.
type counts struct {
	packets, bytes, truncated, skipped uint64
	kinds                              [8]uint64 // by sll_pkttype; its three low bits, the others are the kernel's own
	stamp                              uint64    // seconds << 32 | nanoseconds of the last frame
}

// slot is one interface of one source: Frame.Interface is its number.
type slot struct {
	number int
	tenant uint64 // no other slot of the source, before or after, has it
	port   atomic.Pointer[Port]
	skip   atomic.Uint32

	// Guarded by the source's mu.
	link *link     // that has it for itself; nil: it is one of "any"
	gone time.Time // since when nothing comes from it; zero: it is there

	now   counts // the source's goroutine alone
	dirty bool   // now is ahead of what is published

	packets, bytes, truncated, skipped atomic.Uint64
	kinds                              [8]atomic.Uint64
	stamp                              atomic.Uint64
}

// publish lets others read the counters. Once per batch: an atomic store costs
// as much as all that is done for a frame.
func (s *slot) publish() {
	s.dirty = false
	s.packets.Store(s.now.packets)
	s.bytes.Store(s.now.bytes)
	s.truncated.Store(s.now.truncated)
	s.skipped.Store(s.now.skipped)
	for i := range outgoing + 1 {
		s.kinds[i].Store(s.now.kinds[i])
	}
	s.stamp.Store(s.now.stamp)
}

func (s *slot) traffic() Traffic {
	t := Traffic{
		Packets: s.packets.Load(), Bytes: s.bytes.Load(), Truncated: s.truncated.Load(), Skipped: s.skipped.Load(),
		Host: s.kinds[toHost].Load(), Broadcast: s.kinds[toAll].Load(), Multicast: s.kinds[toMany].Load(),
		OtherHost: s.kinds[toOther].Load(), Outgoing: s.kinds[outgoing].Load(),
	}
	if v := s.stamp.Load(); v != 0 {
		t.Last = time.Unix(int64(v>>32), int64(uint32(v))).UTC()
	}
	return t
}
