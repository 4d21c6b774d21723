package heuristic

import (
	"encoding/binary"
	"testing"

	"trailhound/agent/event"
)

func datagram(at int64, src, dst uint32, sport, dport uint16) *Evidence {
	e := &Evidence{At: at, Kind: ProbeUDP, Flags: IPv4, SrcPort: sport, DstPort: dport, Item: uint64(dport)}
	binary.BigEndian.PutUint32(e.Src[12:], src)
	binary.BigEndian.PutUint32(e.Dst[12:], dst)
	return e
}

// TestAnswersAmidFlood: clients talk to servers over QUIC, twenty flows each,
// amid datagrams of invented sources. The servers answer, they do not scan; what
// gave way is counted.
func TestAnswersAmidFlood(t *testing.T) {
	for _, rate := range []int{5_000, 100_000} {
		b := NewBoard(Options{Heuristics: true, Seed: 7, Home: event.NewHomeNetworks(nil)})
		found := 0
		b.SetRaise(func(f *Finding) { found++ })
		const seconds = 10
		for n := range rate * seconds {
			at := int64(n) * 1e9 / int64(rate)
			b.Take(datagram(at, uint32(n)*2654435761, 0x0a000001, uint16(n), 80), nil)
			if step := rate / 1000; n%step == 0 { // 50 servers, 20 flows, each every second
				k := n / step
				server, flow := 0xcb007100+uint32(k%50), 50000+uint16(k/50%20)
				b.Take(datagram(at, 0x0a000005, server, flow, 443), nil)
				b.Take(datagram(at+20e6, server, 0x0a000005, 443, flow), nil)
			}
		}
		if found != 0 {
			t.Errorf("%d datagrams a second: %d servers are said to scan", rate, found)
		}
		if c := b.Counts(); rate > 50_000 && c.ScanEvicted == 0 {
			t.Errorf("nothing gave way: %+v", c)
		}
	}
}

// TestAskedTimes: a mark counts for a window, judged by the time of the answer,
// whatever has come in between; what nobody answered gives way first.
func TestAskedTimes(t *testing.T) {
	var a asked
	a.configure(10, ways*8)
	const now = int64(1_700_000_000)
	a.mark(1, now, now)
	for _, c := range []struct {
		at, now int64
		want    bool
	}{{now, now, true}, {now + 9, now + 9, true}, {now + 10, now + 10, false}, {now + 9, now + 30, true}, {now + 9, now + 39, true}, {now + 9, now + 40, false}} {
		if got := a.answers(1, c.at, c.now, false); got != c.want {
			t.Errorf("at %d, now %d: %v", c.at-now, c.now-now, got)
		}
	}
	if a.answers(2, now, now, false) {
		t.Error("a key that asked nothing")
	}
	a.answers(1, now, now, true)
	for key := range uint64(100) {
		a.mark(key+10, now+1, now+1)
	}
	if !a.answers(1, now+1, now+1, false) {
		t.Error("what was answered gave way to what was not")
	}
	if a.evicted != 100-(ways-1) {
		t.Errorf("%d gave way", a.evicted)
	}
	a.mark(109, now-5, now+1) // late: the newest second stays
	if !a.answers(109, now+10, now+10, false) {
		t.Error("a late mark made another older")
	}
}
