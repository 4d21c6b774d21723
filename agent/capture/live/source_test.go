package live

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Nothing on the way of a packet allocates, whatever Next does: a block handed
// out in parts, handed back, several devices, an empty wait.
func TestNextDoesNotAllocate(t *testing.T) {
	f := newFeed(t, FeedOptions{Idle: time.Millisecond, Block: 256 << 10})
	s := f.Capture().Sources()[0]
	defer s.Close()
	frames := make([]FeedFrame, 1500)
	for i := range frames {
		frames[i] = FeedFrame{Data: udp(1, 2, uint32(i), 60), Time: stamp, Index: 1 + i%3, Type: uint8(i % 5)}
	}
	seen := 0
	round := func() {
		for {
			list, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				return
			}
			for i := range list {
				if s.Interface(list[i].Interface).Index == 0 {
					t.Fatal("no interface")
				}
			}
			seen += len(list)
		}
	}
	write := func() {
		if err := f.Write(context.Background(), frames...); err != nil {
			t.Fatal(err)
		}
		f.Flush()
	}
	write()
	round()
	write()
	seen = 0
	if n := testing.AllocsPerRun(1, round); n != 0 { // the second round is an empty wait
		t.Errorf("%v allocations", n)
	}
	if seen != len(frames) {
		t.Errorf("%d frames of %d", seen, len(frames))
	}
}

// Offsets and lengths that no kernel writes lead to no read outside the block:
// the frames before them come out, the others are counted.
func TestDamagedBlock(t *testing.T) {
	const frames = 5
	for name, damage := range map[string]func(block []byte, third int){
		"next is 0":       func(b []byte, at int) { put32(b, at+frameNext, 0) },
		"next is small":   func(b []byte, at int) { put32(b, at+frameNext, 16) },
		"next is far":     func(b []byte, at int) { put32(b, at+frameNext, 1<<20) },
		"next is huge":    func(b []byte, at int) { put32(b, at+frameNext, 0xffffffff) },
		"snaplen is huge": func(b []byte, at int) { put32(b, at+frameSnaplen, 0xfffffff0) },
		"snaplen is long": func(b []byte, at int) { put32(b, at+frameSnaplen, uint32(len(b)-at)) },
		"mac is far": func(b []byte, at int) {
			binary.NativeEndian.PutUint16(b[at+frameMac:], 0xffff)
		},
	} {
		f := newFeed(t, FeedOptions{Block: 4 << 10, Blocks: 2, Idle: time.Millisecond})
		c := f.Capture()
		s := c.Sources()[0]
		a := f.lanes[0]
		third := 0
		for n := range uint32(frames) {
			one := FeedFrame{Data: udp(1, 2, n, 100), Time: stamp, Hatype: 1}
			a.write(context.Background(), &one, false)
			if n == 2 {
				third = a.last
			}
		}
		damage(a.mem[:a.block], third)
		f.Flush()
		list, err := s.Next()
		if err != nil || len(list) != 2 {
			t.Errorf("%s: %d frames, %v", name, len(list), err)
		}
		one := FeedFrame{Data: udp(1, 2, 9, 100), Time: stamp, Hatype: 1}
		a.write(context.Background(), &one, false)
		c.Close()
		if list, err := s.Next(); err != nil || len(list) != 1 {
			t.Errorf("%s: %d frames in the next block, %v", name, len(list), err)
		}
		s.Next()
		if snap := c.Snapshot(); snap.Damaged != frames-2 || snap.Lost != 0 || len(snap.Rings) != 0 {
			t.Errorf("%s: %+v", name, snap)
		}
		s.Close()
	}
	// A head that lies about the first frame, and about how many there are.
	f := newFeed(t, FeedOptions{Block: 4 << 10, Blocks: 2, Idle: time.Millisecond})
	s := f.Capture().Sources()[0]
	defer s.Close()
	block := f.lanes[0].current()
	put32(block, blockFirst, 0xffffffff)
	put32(block, blockPackets, 0xffffffff)
	storeStatus(block, unix.TP_STATUS_USER)
	if list, err := s.Next(); err != nil || len(list) != 0 {
		t.Error(len(list), err)
	}
}

func put32(b []byte, at int, v uint32) { binary.NativeEndian.PutUint32(b[at:], v) }

// FuzzBlock reads blocks of any content: nothing is read outside them.
func FuzzBlock(f *testing.F) {
	feed := newFeed(f, FeedOptions{Block: 4 << 10, Blocks: 2, Idle: time.Millisecond})
	one := FeedFrame{Data: udp(1, 2, 3, 100), Time: stamp, Hatype: 1, Tag: 0x1005}
	for range 3 {
		feed.lanes[0].write(context.Background(), &one, false)
	}
	put32(feed.lanes[0].current(), blockPackets, 3)
	f.Add(append([]byte(nil), feed.lanes[0].current()[:feed.lanes[0].end]...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		feed := newFeed(t, FeedOptions{Block: 4 << 10, Blocks: 2, Idle: time.Millisecond})
		s := feed.Capture().Sources()[0]
		defer s.Close()
		block := feed.lanes[0].current()
		copy(block, content)
		storeStatus(block, unix.TP_STATUS_USER)
		for s.open == nil || s.open.left > 0 {
			list, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for i := range list {
				for _, b := range list[i].Data {
					sum += int(b)
				}
			}
		}
	})
}

// BenchmarkNext is the cost of a frame between the ring and the decoder, with
// headers that no cache holds.
func BenchmarkNext(b *testing.B) {
	for _, c := range []struct {
		name    string
		devices int
	}{{"one device", 1}, {"four devices", 4}} {
		b.Run(c.name, func(b *testing.B) {
			const block, blocks = 1 << 20, 64
			f := newFeed(b, FeedOptions{Block: block, Blocks: blocks, Idle: time.Millisecond})
			s := f.Capture().Sources()[0]
			defer s.Close()
			a := f.lanes[0]
			total := 0
			data := udp(1, 2, 3, 700)
			for n := 0; total == 0 || a.at > 0 || a.frames > 0; n++ {
				one := FeedFrame{Data: data, Time: stamp, Hatype: 1, Index: 1 + n%c.devices}
				if a.at == blocks-1 && a.end > block-4096 {
					a.handOver()
					break
				}
				if err := a.write(context.Background(), &one, false); err != nil {
					b.Fatal(err)
				}
				total++
			}
			b.ReportAllocs()
			for b.Loop() {
				for seen := 0; seen < total; {
					list, err := s.Next()
					if err != nil {
						b.Fatal(err)
					}
					seen += len(list)
				}
				for i := range blocks { // as if they were filled again
					storeStatus(a.mem[i*block:(i+1)*block], unix.TP_STATUS_USER)
				}
				// The last block is handed back by the next call.
				s.open, s.rings[0].next = nil, 0
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(total), "ns/frame")
		})
	}
}
