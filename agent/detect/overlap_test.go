package detect

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/packet"
	"trailhound/tests/corpus"
)

// told gives the events as "protocol source:port destination:port trail".
func told(t *testing.T, rows []string, packets ...corpus.Packet) (list []string) {
	t.Helper()
	w, events := worker(rulesOf(t, Options{}, rows...))
	for i, p := range packets {
		frame(w, p, corpus.Start.Add(time.Duration(i)*time.Second))
	}
	for _, e := range *events {
		list = append(list, fmt.Sprintf("%s %s:%d %s:%d %s", e.Protocol, e.Src, e.SrcPort, e.Dst, e.DstPort, e.Trail))
	}
	return list
}

// TestOverlappingFragments: a fragment that makes a SYN of a first one with
// other flags does not hide the address, in whatever order they come.
func TestOverlappingFragments(t *testing.T) {
	const in, out = "10.0.0.1", "66.66.66.66"
	innocent := func(dst string, flags uint8) corpus.Packet {
		return corpus.Fragments(in, dst, corpus.TCP(4000, 443, flags, "data"), 16)[0]
	}
	rewrite := func(dst string) corpus.Packet { return corpus.Fragments(in, dst, corpus.Syn(1, 2), 8)[1] }
	other := innocent(out, corpus.ACK)
	other.Data = slices.Clone(other.Data)
	other.Data[5] ^= 1 // another datagram
	six := func(fragment corpus.Extension, data []byte) corpus.Packet {
		return corpus.IPv6("dead::1", "dead::beef", corpus.Segment{Proto: 6, Data: data}, fragment)
	}
	six0 := six(corpus.Fragment6(0, true), corpus.TCP(4000, 443, corpus.ACK, "data").Data[:16])
	six1 := six(corpus.Fragment6(1, false), corpus.Syn(1, 2).Data[8:])
	rows := []string{out, "6.6.6.6:443", "dead::beef"}
	want := "TCP 10.0.0.1:4000 66.66.66.66:443 66.66.66.66"
	for _, c := range []struct {
		name    string
		packets []corpus.Packet
		want    []string
	}{
		{"the first one first", []corpus.Packet{innocent(out, corpus.ACK), rewrite(out)}, []string{want}},
		{"the first one last", []corpus.Packet{rewrite(out), innocent(out, corpus.ACK)}, []string{want}},
		{"with other flags", []corpus.Packet{innocent(out, corpus.SYN|corpus.ACK), rewrite(out)}, []string{want}},
		{"address with port", []corpus.Packet{innocent("6.6.6.6", 0), rewrite("6.6.6.6")}, []string{"TCP 10.0.0.1:4000 6.6.6.6:443 6.6.6.6:443"}},
		{"IPv6", []corpus.Packet{six0, six1}, []string{"TCP dead::1:4000 dead::beef:443 dead::beef"}},
		{"the first alone", []corpus.Packet{innocent(out, corpus.ACK)}, nil},
		{"the second alone", []corpus.Packet{rewrite(out)}, nil},
		{"of two datagrams", []corpus.Packet{other, rewrite(out)}, nil},
		{"to two hosts", []corpus.Packet{innocent(out, corpus.ACK), rewrite("6.6.6.6")}, nil},
		{"not listed", []corpus.Packet{innocent("203.0.113.1", corpus.ACK), rewrite("203.0.113.1")}, nil},
		{"no SYN", []corpus.Packet{innocent(out, corpus.ACK), corpus.Fragments(in, out, corpus.TCP(4000, 443, corpus.ACK, "data"), 8)[1]}, nil},
		{"without flags", []corpus.Packet{innocent(out, corpus.ACK), corpus.Fragments(in, out, corpus.Syn(1, 2), 8, 12)[1]}, nil},
		{"further behind", []corpus.Packet{innocent(out, corpus.ACK), corpus.Fragments(in, out, corpus.Data(1, 2, strings.Repeat("\x02", 40)), 16)[1]}, nil},
	} {
		if got := told(t, rows, c.packets...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestOverlapsAreBounded: in memory, in time, and they allocate nothing.
func TestOverlapsAreBounded(t *testing.T) {
	w, events := worker(rulesOf(t, Options{}, "66.66.66.66"))
	first := corpus.Fragments("10.0.0.1", "66.66.66.66", corpus.TCP(4000, 443, corpus.ACK, "data"), 16)[0].Ethernet().Data
	second := corpus.Fragments("10.0.0.1", "66.66.66.66", corpus.Syn(1, 2), 8)[1].Ethernet().Data
	id := 0
	if n := testing.AllocsPerRun(3*maxOverlaps, func() {
		id++
		first[14+4], first[14+5] = byte(id>>8), byte(id)
		w.Frame(packet.LinkEthernet, first, corpus.Start, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(w.overlaps.ring) != maxOverlaps || cap(w.overlaps.ring) != maxOverlaps {
		t.Errorf("%d of %d are kept", len(w.overlaps.ring), maxOverlaps)
	}
	late := func(id int, after time.Duration) {
		second[14+4], second[14+5] = byte(id>>8), byte(id)
		w.Frame(packet.LinkEthernet, second, corpus.Start.Add(after), 1)
	}
	late(id, (patience+1)*time.Second)
	late(1, 0) // long overwritten
	if len(*events) != 0 {
		t.Errorf("%d events", len(*events))
	}
	late(id-5, patience*time.Second)
	if len(*events) != 1 {
		t.Errorf("%d events", len(*events))
	}
}

// TestManyExtensionHeaders: neither does a chain of headers hide the address,
// however long it is.
func TestManyExtensionHeaders(t *testing.T) {
	chain := func(n int) (list []corpus.Extension) {
		for range n {
			list = append(list, corpus.Destination())
		}
		return list
	}
	long := func(n int, s corpus.Segment) corpus.Packet {
		return corpus.IPv6("dead::1", "dead::beef", s, chain(n)...)
	}
	mobile := chain(400)
	for i := range mobile {
		mobile[i].Proto = 135 // which has no label
	}
	cut := long(3, corpus.Syn(1, 443))
	cut.Data = cut.Data[:40+8+4] // within the second header
	const unknown = "IP dead::1:0 dead::beef:0 dead::beef"
	for _, c := range []struct {
		name   string
		packet corpus.Packet
		want   string
	}{
		{"nine", long(9, corpus.Syn(1, 443)), "TCP dead::1:1 dead::beef:443 [dead::beef]:443"},
		{"what a packet holds", long(180, corpus.Syn(1, 443)), "TCP dead::1:1 dead::beef:443 [dead::beef]:443"},
		{"more than are walked", long(400, corpus.Syn(1, 443)), unknown},
		{"more of a kind without a label", corpus.IPv6("dead::1", "dead::beef", corpus.UDP(1, 2, "x"), mobile...), unknown},
		{"cut by the capture", cut, unknown},
		{"ICMPv6 whose type is in the next fragment", corpus.IPv6("dead::1", "dead::beef", corpus.Segment{Proto: 58}, corpus.Fragment6(0, true), corpus.Destination()),
			"ICMPV6 dead::1:0 dead::beef:0 dead::beef"},
	} {
		got := told(t, []string{"dead::beef", "[dead::beef]:443"}, c.packet)
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := told(t, []string{"66.66.66.66"}, c.packet); len(got) != 0 {
			t.Errorf("%s: %q, though nothing is listed", c.name, got)
		}
	}
}
