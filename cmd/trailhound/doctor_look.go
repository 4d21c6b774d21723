package main

import (
	"errors"
	"log/slog"
	"sync"

	"trailhound/agent/capture/live"
	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// lookRings is the most ring memory that looking takes: much less than the
// sensor, which may be running beside it.
const lookRings = 64 << 20

// look is a capture whose packets are only counted.
type look struct {
	capture *live.Capture
	reading sync.WaitGroup
	mu      sync.Mutex
	home    *event.HomeNetworks
	by      map[int]traffic // by index; only what is counted of decoded packets
}

// openLook opens rings as the configuration wants them, but with one worker and
// less memory, and begins to read.
func openLook(c *config.Config) (*look, error) {
	opt, _, err := captureOptions(c)
	if err != nil {
		return nil, err
	}
	opt.Workers, opt.Spare, opt.Log = 1, 0, slog.New(slog.DiscardHandler)
	for i := range opt.Interfaces {
		opt.Interfaces[i].Optional = true // those that are missing have been reported
	}
	wanted := opt.RingTotal
	opt.RingTotal = min(wanted, lookRings)
	l := &look{home: event.NewHome(c.Detection.HomeNetworks, ownAddresses()), by: make(map[int]traffic)}
	l.capture, err = live.Open(opt)
	if err != nil && wanted > lookRings && !errors.Is(err, live.ErrPrivilege) {
		opt.RingTotal = wanted // many interfaces: each needs a ring
		l.capture, err = live.Open(opt)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range l.capture.Sources() {
		l.reading.Go(func() { l.read(s) })
	}
	return l, nil
}

// read counts the packets of a source until its end.
func (l *look) read(s *live.Source) {
	defer s.Close()
	var d packet.Decoder
	var p packet.Packet
	var slots []traffic
	for {
		frames, err := s.Next()
		for i := range frames {
			f := &frames[i]
			if f.Interface < 0 || d.Decode(f.Link, f.Data, &p) != packet.OK {
				continue
			}
			for len(slots) <= f.Interface { // bounded by the source
				slots = append(slots, traffic{})
			}
			slots[f.Interface].countSides(&p, l.home)
			if p.Proto == packet.ProtoTCP {
				slots[f.Interface].countTCP(&p)
			}
		}
		if err != nil {
			break // io.EOF, or there is nothing more to read for another reason
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for slot := range slots {
		index := s.Interface(slot).Index
		t := l.by[index]
		t.addTCP(slots[slot])
		t.addSides(slots[slot])
		l.by[index] = t
	}
}

// end closes the rings and gives what was counted, by index of the device. What
// is in the rings is counted, too: a block that is not full comes late, and so
// does this program on a busy host.
func (l *look) end() (by map[int]traffic, dropped uint64) {
	l.capture.Close()
	l.reading.Wait()
	snapshot := l.capture.Snapshot()
	by = l.by
	for _, i := range snapshot.Interfaces {
		t := by[i.Port.Index]
		t.broadcast += i.Broadcast
		t.multicast += i.Multicast
		t.host += i.Host
		t.other += i.OtherHost
		t.sent += i.Outgoing
		t.received = t.host + t.other + t.broadcast + t.multicast
		t.bytes += i.Bytes
		by[i.Port.Index] = t
	}
	return by, snapshot.Closed.Drops
}
