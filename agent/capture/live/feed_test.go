package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/capture/device"
	"trailhound/agent/packet"
)

func newFeed(t testing.TB, opt FeedOptions) *Feed {
	t.Helper()
	f, err := NewFeed(opt)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var stamp = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

// What the ring carries comes out, for each kind of device.
func TestFeedFrames(t *testing.T) {
	f := newFeed(t, FeedOptions{Ports: []Port{{Index: 3, Name: "eth3"}}})
	long := make([]byte, 9000)
	list := []FeedFrame{
		{Data: udp(1, 2, 3, 100), Time: stamp, Index: 3},
		{Data: udp(1, 2, 3, 100), Time: stamp.Add(time.Nanosecond), Index: 3, Tag: capture.TagPresent | 77, Type: outgoing, Length: 2000},
		{Data: long, Time: stamp.Add(time.Second), Index: 3, Type: toMany, Tag: capture.TagPresent},
		{Data: append([]byte{9, 9, 9, 9}, ipv4(1, 2, 3, 60)...), Network: 4, Time: stamp, Index: 9, Hatype: 65534, Length: 70},
		{Data: ipv6(1, 2, 3), Time: stamp, Index: 9, Hatype: 512},
		{Data: []byte{0, 0, 8, 0, 1}, Time: stamp, Index: 9, Hatype: hatypeRadiotap},
		{Data: []byte{1, 2, 3}, Time: stamp, Index: 9, Hatype: hatype80211},
		{Data: []byte{1, 2, 3}, Time: stamp, Index: 9, Hatype: hatypePrism},
		{Data: nil, Time: stamp, Index: 9, Hatype: hatypeLoopback, Type: toAll},
	}
	want := []capture.Frame{
		{Data: list[0].Data, Link: packet.LinkEthernet, Length: 114},
		{Data: list[1].Data, Link: packet.LinkEthernet, Length: 2000, Tag: capture.TagPresent | 77},
		{Data: long, Link: packet.LinkEthernet, Length: 9000, Tag: capture.TagPresent},
		{Data: list[3].Data[4:], Link: packet.LinkRaw, Length: 66},
		{Data: list[4].Data, Link: packet.LinkRaw, Length: 52},
		{Data: list[5].Data, Link: 127, Length: 5},
		{Data: list[6].Data, Link: 105, Length: 3},
		{Data: list[7].Data, Link: 119, Length: 3},
		{Data: nil, Link: packet.LinkEthernet},
	}
	if err := f.Write(context.Background(), list...); err != nil {
		t.Fatal(err)
	}
	f.Flush()
	s := f.Capture().Sources()[0]
	got, err := s.Next()
	if err != nil || len(got) != len(want) {
		t.Fatal(len(got), err)
	}
	for i, w := range want {
		g := got[i]
		if !bytes.Equal(g.Data, w.Data) || g.Link != w.Link || g.Length != w.Length || g.Tag != w.Tag || !g.Time.Equal(list[i].Time) || g.Number != 0 {
			t.Errorf("%d: got %+v, want %+v", i, g, w)
		}
		name := ""
		if list[i].Index == 3 {
			name = "eth3"
		}
		if p := s.Interface(g.Interface); p.Index != list[i].Index || p.Name != name {
			t.Errorf("%d: %+v", i, p)
		}
	}
	f.Capture().Close()
	if got, err := s.Next(); len(got) != 0 || err != io.EOF {
		t.Error(len(got), err)
	}
	if got, err := s.Next(); len(got) != 0 || err != io.EOF {
		t.Error(len(got), err)
	}
	snap := f.Capture().Snapshot()
	if len(snap.Interfaces) != 2 || snap.Interfaces[0].Traffic != (Traffic{Packets: 3, Bytes: 114 + 2000 + 9000, Truncated: 1, Host: 1, Outgoing: 1, Multicast: 1, Last: stamp.Add(time.Second)}) {
		t.Errorf("%+v", snap.Interfaces)
	}
	if snap.Closed.Packets != 9 || snap.Lost+snap.Damaged != 0 {
		t.Errorf("%+v", snap)
	}
	if err := f.Write(context.Background(), list[0]); !errors.Is(err, errClosed) {
		t.Error(err)
	}
	s.Close()
}

// With a writer and readers at the same time nothing is lost, doubled or mixed
// up, and each frame comes to the worker that packet.Fanout names.
func TestFeedConcurrent(t *testing.T) {
	const frames, workers = 30_000, 3
	f := newFeed(t, FeedOptions{Workers: workers, Block: 8 << 10, Blocks: 3})
	c := f.Capture()
	var mu sync.Mutex
	numbers := make(map[uint32]int)
	r := read(t, c, func(g got) bool {
		n, ok := number(g.Data)
		if !ok || g.Time.Nanosecond() != int(n) || int(packet.Fanout(g.Link, g.Data)%workers) != g.worker {
			t.Errorf("frame %d of worker %d: %x", n, g.worker, g.Data)
		}
		mu.Lock()
		numbers[n]++
		mu.Unlock()
		return false
	})
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for n := w; n < frames; n += 2 {
				if err := f.Write(context.Background(), FeedFrame{Data: udp(uint16(n%97), uint16(n%89+100), uint32(n), 60+n%1400),
					Time: time.Unix(1e9, int64(n)), Index: 1 + n%5}); err != nil {
					t.Error(err)
					return
				}
				if n%999 == 0 {
					f.Flush()
				}
			}
		})
	}
	stop := make(chan struct{})
	writers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.Snapshot()
				c.Sources()[1].Interrupt()
			}
		}
	})
	done := make(chan struct{})
	go func() {
		until(t, "all was written", func() bool { mu.Lock(); defer mu.Unlock(); return len(numbers) > frames/2 })
		close(stop)
		writers.Wait()
		close(done)
	}()
	<-done
	r.rest(c)
	if len(numbers) != frames {
		t.Errorf("%d frames of %d", len(numbers), frames)
	}
	for n, times := range numbers {
		if times != 1 {
			t.Errorf("frame %d came %d times", n, times)
		}
	}
	snap := c.Snapshot()
	var sum Traffic
	for _, i := range snap.Interfaces {
		sum.add(i.Traffic)
	}
	if sum.Packets != frames || snap.Closed.Packets != frames || len(snap.Interfaces) != 5*workers {
		t.Errorf("%+v", snap)
	}
}

// A full ring drops and counts; what was handed over before stays whole.
func TestFeedDrops(t *testing.T) {
	f := newFeed(t, FeedOptions{Block: 4 << 10, Blocks: 2, Drop: true})
	ctx := context.Background()
	for n := range uint32(100) {
		if err := f.Write(ctx, FeedFrame{Data: udp(1, 2, n, 1000), Time: stamp}); err != nil {
			t.Fatal(err)
		}
	}
	c := f.Capture()
	k := c.Snapshot().Rings[0].Kernel
	if k.Packets != 100 || k.Drops != 100-2*3 || k.Freezes == 0 {
		t.Errorf("%+v", k)
	}
	c.Close()
	s := c.Sources()[0]
	seen := uint32(0)
	for {
		frames, err := s.Next()
		if err == io.EOF {
			break
		}
		for _, g := range frames {
			if n, _ := number(g.Data); n != seen {
				t.Errorf("frame %d, want %d", n, seen)
			}
			seen++
		}
	}
	if seen != 6 {
		t.Errorf("%d frames", seen)
	}
	s.Close()
	// Without Drop, Write waits until its context ends.
	f = newFeed(t, FeedOptions{Block: 4 << 10, Blocks: 1})
	defer f.Capture().Sources()[0].Close()
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := f.Write(ctx, FeedFrame{Data: make([]byte, 3000)}, FeedFrame{Data: make([]byte, 3000)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := f.Write(ctx, FeedFrame{Data: make([]byte, 5000)}); err == nil {
		t.Error("a frame larger than a block was taken")
	}
}

// The ring whose block is oldest comes first.
func TestOldestFirst(t *testing.T) {
	f := newFeed(t, FeedOptions{Workers: 2})
	s := f.Capture().Sources()[0]
	s.rings = nil
	s.adopt()
	for i, a := range f.lanes { // both rings to one source
		if i > 0 {
			s.rings = append(s.rings, f.capture.sources[i].coming...)
		}
		for n := range 3 {
			one := FeedFrame{Data: udp(1, 2, uint32(2*n+i), 60), Time: stamp.Add(time.Duration(2*n+i) * time.Millisecond), Hatype: 1}
			if err := a.write(context.Background(), &one, false); err != nil {
				t.Fatal(err)
			}
			a.handOver()
		}
	}
	for want := range uint32(6) {
		frames, err := s.Next()
		if err != nil || len(frames) != 1 {
			t.Fatal(len(frames), err)
		}
		if n, _ := number(frames[0].Data); n != want {
			t.Errorf("frame %d, want %d", n, want)
		}
	}
}

// The reader skips what repeats another device, and what is sent over loopback,
// whatever the kernel let in: bond, bridge, VLAN on each other.
func TestAnySkipsByItself(t *testing.T) {
	f := newFeed(t, FeedOptions{Workers: 2})
	c := f.Capture()
	list := []device.Device{
		{Index: 1, Name: "lo", Loopback: true, Hatype: hatypeLoopback, Up: true},
		{Index: 2, Name: "eth0", Hatype: 1, Master: 4}, {Index: 3, Name: "eth1", Hatype: 1, Master: 4},
		{Index: 4, Name: "bond0", Kind: "bond", Hatype: 1, Master: 5},
		{Index: 5, Name: "br0", Kind: "bridge", Hatype: 1},
		{Index: 6, Name: "br0.7", Kind: "vlan", Hatype: 1, Lower: 5},
		{Index: 7, Name: "mv0", Kind: "macvlan", Hatype: 1, Lower: 2},
	}
	if _, err := c.followAny(c.entries[0], list); err != nil {
		t.Fatal(err)
	}
	c.describe(list)
	r := read(t, c, nil)
	var frames []FeedFrame
	for _, d := range list {
		for _, kind := range []uint8{toHost, outgoing} {
			frames = append(frames, FeedFrame{Data: udp(1, 2, uint32(d.Index), 60), Time: stamp, Index: d.Index, Hatype: d.Hatype, Type: kind})
		}
	}
	if err := f.Write(context.Background(), frames...); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int)
	for _, g := range r.rest(c) {
		got[g.port.Name]++
	}
	if len(got) != 3 || got["lo"] != 1 || got["eth0"] != 2 || got["eth1"] != 2 {
		t.Error(got)
	}
	snap := c.Snapshot()
	var skipped uint64
	for _, i := range snap.Interfaces {
		skipped += i.Skipped
	}
	if skipped != 9 || len(snap.Links) != 7 || !snap.Links[5].Repeats || snap.Links[1].Repeats {
		t.Errorf("%d skipped, %+v", skipped, snap.Links)
	}
}

// Interfaces that come and go for years do not fill the memory; one that comes
// back under its name goes on counting.
func TestSlotsAreBounded(t *testing.T) {
	f := newFeed(t, FeedOptions{})
	c := f.Capture()
	s := c.Sources()[0]
	defer s.Close()
	r := c.rings[0]
	long := time.Now().Add(-2 * keepSlot)
	for i := 1; i <= 3*maxSlots; i++ {
		known := map[int]seen{i: {name: string(rune('a'+i%26)) + time.Duration(i).String()}}
		c.known.Store(&known)
		at := s.slotOf(r, int32(i))
		at.now.packets++
		at.publish()
		s.follow(r.link.port(), nil, long)
	}
	if n := len(*s.slots.Load()); n > 2 {
		t.Errorf("%d slots", n)
	}
	if got, want := s.Reused(), uint64(3*maxSlots-len(*s.slots.Load())); got != want || s.Tenant(0) != 3*maxSlots && s.Tenant(1) != 3*maxSlots {
		t.Errorf("%d slots were given away, want %d; tenants %d and %d", got, want, s.Tenant(0), s.Tenant(1))
	}
	if n := len(s.byIndex); n > 2 {
		t.Errorf("%d indexes", n)
	}
	total := s.former.Packets
	for _, at := range *s.slots.Load() {
		total += at.traffic().Packets
	}
	if total != 3*maxSlots {
		t.Errorf("%d of %d packets are counted", total, 3*maxSlots)
	}
	// All there at once: they share the last slot, and nothing fails.
	for i := 1; i <= maxSlots+100; i++ {
		s.slotOf(r, int32(1_000_000+i))
	}
	if n := len(*s.slots.Load()); n != maxSlots {
		t.Errorf("%d slots", n)
	}
	if p := s.Interface(maxSlots - 1); p.Name != "other" {
		t.Errorf("%+v", p)
	}
	if p := s.Interface(maxSlots); p != (Port{}) || s.Interface(-1) != (Port{}) {
		t.Errorf("%+v", p)
	}
}

func TestSlotComesBack(t *testing.T) {
	f := newFeed(t, FeedOptions{})
	c := f.Capture()
	s := c.Sources()[0]
	defer s.Close()
	r := c.rings[0]
	known := map[int]seen{5: {name: "veth5"}}
	c.known.Store(&known)
	first := s.slotOf(r, 5)
	tenant := s.Tenant(first.number)
	s.follow(r.link.port(), nil, time.Now())
	known = map[int]seen{6: {name: "veth5"}}
	c.known.Store(&known)
	if s.slotOf(r, 6) != first || s.Interface(first.number) != (Port{Index: 6, Name: "veth5"}) {
		t.Errorf("%+v", s.Interface(first.number))
	}
	if s.Tenant(first.number) != tenant || s.Reused() != 0 || s.Tenant(99) != 0 {
		t.Errorf("tenant %d, was %d; %d reused", s.Tenant(first.number), tenant, s.Reused())
	}
}

func TestFeedFrom(t *testing.T) {
	for link, hatype := range map[packet.LinkType]uint16{packet.LinkEthernet: 1, packet.LinkRaw: 65534, packet.LinkIPv6: 65534, 105: 801, 119: 802, 127: 803} {
		f, ok := FeedFrom(capture.Frame{Link: link, Data: make([]byte, 60), Time: stamp, Length: 99, Tag: 5}, 7)
		if !ok || f.Hatype != hatype || f.Length != 99 || f.Index != 7 || f.Tag != 5 || len(f.Data) != 60 || !f.Time.Equal(stamp) {
			t.Errorf("%d: %+v", link, f)
		}
	}
	if _, ok := FeedFrom(capture.Frame{Link: packet.LinkSLL}, 1); ok {
		t.Error("Linux cooked capture passes no device")
	}
	for _, bad := range []FeedOptions{{Block: 1000}, {Block: 5000}, {Block: 2 << 20}} {
		if _, err := NewFeed(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
