package live

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/packet"
)

// FeedOptions say what a Feed is like.
type FeedOptions struct {
	Ports   []Port        // interfaces by index; frames of others have no name
	Workers int           // 0: 1
	Block   int           // bytes of a block, a power of two; 0: 128 KiB
	Blocks  int           // of each worker; 0: 8
	Idle    time.Duration // as Options.Idle
	Drop    bool          // drop frames when the ring is full, as the kernel does; else Write waits
	Log     *slog.Logger  // nil: slog.Default
}

// FeedFrame is a frame as it passes a device.
type FeedFrame struct {
	Data    []byte // from the link header on
	Network int    // where in Data the network header begins
	Time    time.Time
	Length  int    // on the wire, bytes; 0: len(Data)
	Tag     uint16 // capture.TagPresent and the VLAN id; 0: none was taken out
	Index   int    // of the interface
	Hatype  uint16 // ARPHRD_* of linux/if_arp.h; 0: Ethernet
	Type    uint8  // sll_pkttype: 0 to this host, 1 broadcast, 2 multicast, 3 to another host, 4 sent
}

// Feed is a capture whose rings lie in plain memory and are filled by Write
// instead of the kernel. Everything behind the rings is what a live capture
// has, and it needs no privileges: it is for tests of link types, timing and
// amounts that no device in the test can carry. Its methods may be called from
// any goroutine.
type Feed struct {
	capture *Capture
	lanes   []*lane
	drop    bool
}

// NewFeed makes a feed. Read the sources of its Capture.
func NewFeed(opt FeedOptions) (*Feed, error) {
	opt.Workers, opt.Blocks = max(opt.Workers, 1), max(opt.Blocks, 0)
	if opt.Block == 0 {
		opt.Block = 128 << 10
	}
	if opt.Blocks == 0 {
		opt.Blocks = 8
	}
	if opt.Block < os.Getpagesize() || opt.Block > maxBlock || opt.Block&(opt.Block-1) != 0 {
		return nil, fmt.Errorf("blocks of %d bytes: want a power of two from the page size to %d", opt.Block, maxBlock)
	}
	c, err := newCapture(Options{Interfaces: []Interface{{Name: Any}}, Workers: opt.Workers, Idle: opt.Idle, Log: opt.Log})
	if err != nil {
		return nil, err
	}
	known := make(map[int]seen)
	for _, p := range opt.Ports {
		known[p.Index] = seen{name: p.Name}
	}
	c.known.Store(&known)
	f := &Feed{capture: c, drop: opt.Drop}
	l := &link{entry: c.entries[0], wide: make(map[int]bool)}
	l.name()
	for _, s := range c.sources {
		a := &lane{source: s, mem: make([]byte, opt.Block*opt.Blocks), block: opt.Block, blocks: opt.Blocks, free: make(chan struct{}, 1)}
		f.lanes = append(f.lanes, a)
		l.rings = append(l.rings, &ring{link: l, worker: s.worker, intake: a, fd: -1, block: opt.Block, blocks: opt.Blocks,
			want: int64(len(a.mem)), mem: a.mem})
	}
	c.handOver(l)
	return f, nil
}

// Capture gives the capture that reads the feed. Closing it lets what was
// written come out, and then io.EOF.
func (f *Feed) Capture() *Capture { return f.capture }

// FeedFrom makes a frame of a capture file into one that a device would pass;
// ok is false for link types that no Linux device has.
func FeedFrom(from capture.Frame, index int) (f FeedFrame, ok bool) {
	f = FeedFrame{Data: from.Data, Time: from.Time, Length: from.Length, Tag: from.Tag, Index: index}
	switch from.Link {
	case packet.LinkEthernet:
		f.Hatype, f.Network = hatypeEther, min(etherHeader, len(f.Data))
	case packet.LinkRaw, packet.LinkRaw12, packet.LinkRaw14, packet.LinkIPv4, packet.LinkIPv6:
		f.Hatype = 65534 // ARPHRD_NONE
	case 105:
		f.Hatype = hatype80211
	case 119:
		f.Hatype = hatypePrism
	case 127:
		f.Hatype = hatypeRadiotap
	default:
		return FeedFrame{}, false
	}
	return f, true
}

// Write puts frames into the rings, each into that of the worker that
// packet.Fanout gives. The data are copied. Frames come out when a block is full
// or after Flush. When a ring is full, Write waits until ctx ends, or drops and
// counts if the feed was made so. It is an error to write to a feed whose
// capture was closed, and a frame that fits no block.
func (f *Feed) Write(ctx context.Context, frames ...FeedFrame) error {
	for i := range frames {
		one := &frames[i]
		if one.Hatype == 0 {
			one.Hatype = hatypeEther
		}
		one.Network = min(max(one.Network, 0), len(one.Data))
		a := f.lanes[0]
		if n := uint32(len(f.lanes)); n > 1 {
			link, data := linkOf(one.Hatype), one.Data
			if link == packet.LinkRaw {
				data = data[one.Network:]
			}
			a = f.lanes[packet.Fanout(link, data)%n]
		}
		if err := a.write(ctx, one, f.drop); err != nil {
			return err
		}
	}
	return nil
}

// Flush hands over blocks that are not full, as the kernel does in time.
func (f *Feed) Flush() {
	for _, a := range f.lanes {
		a.mu.Lock()
		a.handOver()
		a.mu.Unlock()
	}
}

// lane is the writing end of one ring.
type lane struct {
	source *Source
	free   chan struct{} // has something when a block was handed back
	block  int
	blocks int

	mu      sync.Mutex // guards all below
	mem     []byte     // nil: closed
	stopped bool
	at      int // number of the block that is filled
	frames  int // in it; 0: it is not begun
	end     int // of the last frame in it
	last    int // where the last frame begins
	seq     uint64
	counted Kernel // not read yet
}
