package detect

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// ipv4 makes a packet from one address and port to another.
func ipv4(proto uint8, src, dst netip.Addr, srcPort, dstPort uint16, at time.Time) packet.Packet {
	ip := make([]byte, 20)
	ip[0], ip[9] = 0x45, proto
	copy(ip[12:], src.AsSlice())
	copy(ip[16:], dst.AsSlice())
	return packet.Packet{Src: src, Dst: dst, SrcPort: srcPort, DstPort: dstPort, Proto: proto, IP: ip, Time: at}
}

func v4(n uint32) netip.Addr { return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n))) }

// TestConversation: both directions of a conversation have one hash, and no other
// has it.
func TestConversation(t *testing.T) {
	at := time.Unix(1700000000, 0)
	seen := map[uint64]bool{}
	for i := range 5000 {
		a, b, port := v4(uint32(i)*7919), v4(uint32(i)*104729+1), uint16(i)
		to, from := ipv4(packet.ProtoTCP, a, b, 50000, port, at), ipv4(packet.ProtoTCP, b, a, port, 50000, at)
		h := conversation(&to, false, port)
		if h != conversation(&from, true, port) {
			t.Fatal("the directions differ")
		}
		other := ipv4(packet.ProtoUDP, b, a, port, 50000, at)
		for _, h := range []uint64{h, conversation(&from, false, port), conversation(&from, true, port+1), conversation(&other, true, port)} {
			if seen[h] {
				t.Fatalf("%d: a hash twice", i)
			}
			seen[h] = true
		}
	}
	for _, ip := range [][]byte{nil, {0x45}, make([]byte, 19), append([]byte{0x60}, make([]byte, 38)...)} {
		p := packet.Packet{IP: ip}
		if conversation(&p, true, 1) != 0 {
			t.Errorf("%d bytes have a hash", len(ip))
		}
	}
}

// TestWatchModel holds the table of conversations against a plain map, with
// packets slightly out of order. Only what was pushed out may be missing, and
// that is told.
func TestWatchModel(t *testing.T) {
	const await = 10 * time.Second
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		hosts := []int{10, 40, 400, 20000}[seed]
		type asked struct{ last, since time.Time } // since when it waits; zero: it does not
		model := map[event.Conversation]asked{}
		var told *event.Answer
		pushed := 0
		w := NewWorker(NoRules())
		w.Await = await
		w.Answer = func(a event.Answer) {
			if a.Outcome == event.OutcomeUnknown {
				delete(model, a.Conversation)
				pushed++
				return
			}
			told = &a
		}
		w.pairs.slots, w.pairs.span = []int64{1}, math.MaxUint64 // what is proven is no matter
		at := time.Unix(1700000000, 0)
		for range 30000 {
			at = at.Add(time.Duration(r.IntN(4)) * time.Millisecond)
			when := at.Add(-time.Duration(r.IntN(200)) * time.Millisecond)
			me, it, port := v4(0x0A000000+uint32(r.IntN(hosts))), v4(0xCB007100+uint32(r.IntN(9))), uint16(r.IntN(3))
			own := uint16(5 + r.IntN(2))
			c := event.Conversation{Client: me, Server: it, ClientPort: own, Port: port, Protocol: "TCP"}
			told = nil
			if r.IntN(2) == 0 {
				w.p = ipv4(packet.ProtoTCP, me, it, own, port, when)
				w.watch(&event.Event{Code: event.TrailIP, Src: me, Dst: it, SrcPort: own, DstPort: port, Protocol: "TCP"})
				m := model[c]
				if m.last = when; m.since.IsZero() {
					m.since = when
				}
				model[c] = m
				continue
			}
			w.p = ipv4(packet.ProtoTCP, it, me, port, own, when)
			m, known := model[c]
			over := m.last.Add(await)
			w.listen()
			if told != nil && (!known || told.Conversation != c) {
				t.Fatalf("an answer to what was not asked: %+v", told)
			}
			waits := known && !over.Before(when) && !m.since.IsZero()
			if waits && told == nil && pushed == 0 && when.Sub(m.since) < time.Duration(answerGrace) {
				t.Fatal("an answer was missed")
			}
			if told != nil {
				model[c] = asked{last: m.last}
			}
			if known && over.Before(when) && told != nil {
				t.Fatal("an answer came too late")
			}
		}
		n := 0
		for set := range w.watched.hashes {
			for i, h := range w.watched.hashes[set] {
				if h != 0 {
					n++
					if bit := w.watched.all[set][i].base >> 48; w.watched.front[bit>>6]>>(bit&63)&1 == 0 {
						t.Fatal("the front lets one by")
					}
				}
			}
		}
		if n != w.watched.n || n > maxWatched || (hosts >= 20000) != (pushed > 0) {
			t.Errorf("%d hosts: %d in the table, %d by its count, %d pushed out", hosts, n, w.watched.n, pushed)
		}
		w.p = ipv4(packet.ProtoTCP, v4(1), v4(2), 3, 4, at)
		w.watched.sweep(at.Add(time.Hour).UnixNano())
		if w.watched.n != 0 || *w.watched.front != [frontBits / 64]uint64{} {
			t.Error("what is over stays")
		}
	}
}

// TestTwoWay: an answer shows both directions, its question alone does not.
func TestTwoWay(t *testing.T) {
	at := time.Unix(1700000000, 0)
	me, it := v4(0x0A000001), v4(0xCB007101)
	syn := func(src, dst netip.Addr, sport, dport uint16, flags uint8) packet.Packet {
		p := ipv4(packet.ProtoTCP, src, dst, sport, dport, at)
		p.Flags = flags
		return p
	}
	const synAck = packet.FlagSYN | packet.FlagACK
	for _, c := range []struct {
		name    string
		packets []packet.Packet
		want    bool
	}{
		{"SYN and ACK", []packet.Packet{syn(me, it, 5, 80, packet.FlagSYN), syn(it, me, 80, 5, synAck)}, true},
		{"an answer to nothing", []packet.Packet{syn(it, me, 80, 5, synAck)}, false},
		{"another's answer", []packet.Packet{syn(me, it, 5, 80, packet.FlagSYN), syn(it, me, 80, 6, synAck), syn(it, me, 81, 5, synAck), syn(me, it, 80, 5, synAck)}, false},
		{"the answer first", []packet.Packet{syn(it, me, 80, 5, synAck), syn(me, it, 5, 80, packet.FlagSYN)}, false},
		{"DNS", []packet.Packet{ipv4(packet.ProtoUDP, me, it, 5, 53, at), ipv4(packet.ProtoUDP, it, me, 53, 5, at)}, true},
		{"port 53 to port 53", []packet.Packet{ipv4(packet.ProtoUDP, me, it, 53, 53, at), ipv4(packet.ProtoUDP, it, me, 53, 53, at)}, false},
	} {
		w, told := NewWorker(NoRules()), 0
		w.Answer = func(a event.Answer) {
			if !a.Conversation.Client.IsValid() {
				told++
			}
		}
		for _, p := range c.packets {
			for range 2 {
				if w.p = p; !w.pairs.proven(p.Time.Unix()) {
					w.twoWay(&p)
				}
			}
		}
		if told == 1 != c.want || told > 1 || w.pairs.proven(at.Unix()) != c.want {
			t.Errorf("%s: told %d times", c.name, told)
		}
	}
	w := NewWorker(NoRules())
	w.Answer = func(event.Answer) { t.Error("an answer") }
	for i := range 3 * maxPairs {
		p := syn(v4(uint32(i)), it, 5, 80, packet.FlagSYN)
		w.twoWay(&p)
	}
	if w.pairs.n > maxPairs || len(w.pairs.asked) != 2*maxPairs {
		t.Errorf("%d remembered", w.pairs.n)
	}
}

// TestTwoWaySpans: one proof is found in each span, for each interface that shows
// questions, wherever their answers come by.
func TestTwoWaySpans(t *testing.T) {
	me, it := v4(0x0A000001), v4(0xCB007101)
	type proof struct {
		slot   int
		second int64
	}
	var told []proof
	w := NewWorker(NoRules())
	w.Answer = func(a event.Answer) {
		if !a.Proof() || a.Outcome != event.Answered {
			t.Errorf("%+v", a)
		}
		told = append(told, proof{a.Slot, a.Time.Unix()})
	}
	const day = 1_700_006_400 // a multiple of 600
	asks := func(slot int, second int64, port uint16) {
		w.From(slot)
		w.p = ipv4(packet.ProtoTCP, me, it, port, 80, time.Unix(day+second, 0))
		w.p.Flags = packet.FlagSYN
		w.listen()
	}
	says := func(slot int, second int64, port uint16) {
		w.From(slot)
		w.p = ipv4(packet.ProtoTCP, it, me, 80, port, time.Unix(day+second, 0))
		w.p.Flags = packet.FlagSYN | packet.FlagACK
		w.listen()
	}
	expect := func(what string, want ...proof) {
		t.Helper()
		for i := range want {
			want[i].second += day
		}
		if !slices.Equal(told, want) {
			t.Errorf("%s: %v, want %v", what, told, want)
		}
		told = nil
	}
	asks(0, 0, 5)
	says(0, 1, 5)
	expect("first", proof{0, 1})
	asks(0, 2, 6)
	says(0, 3, 6)
	asks(0, 599, 7)
	expect("proven already")
	says(0, 600, 7)
	expect("across the border")
	asks(0, 600, 8)
	says(0, 1199, 8)
	expect("the whole of the second", proof{0, 1199})
	asks(0, 90_000, 8)
	says(0, 90_001, 8)
	expect("much later", proof{0, 90_001})
	asks(0, -90_000, 8)
	says(0, -89_999, 8)
	expect("a clock set back", proof{0, -89_999})
	asks(3, -89_998, 9)
	asks(0, -89_997, 10)
	says(4, -89_996, 9)
	says(4, -89_996, 10)
	expect("a tap with a port for each direction", proof{3, -89_996})
	asks(3, -89_995, 11)
	says(3, -89_994, 11)
	asks(4, -89_995, 12)
	expect("another interface")
	says(3, -89_994, 12)
	expect("an answer on an interface that is proven")
	asks(4, -89_993, 12)
	says(4, -89_993, 12)
	expect("its own", proof{4, -89_993})
	w.Self = own(func(port uint16) bool { return port == 13 })
	asks(0, 5000, 13)
	says(0, 5000, 13)
	expect("of the sensor itself")
	asks(0, 5000, 14)
	says(0, 5000, 14)
	expect("of another", proof{0, 5000})
	asks(1<<20, 5000, 15)
	says(-1, 5000, 15)
	expect("slots that there are not: as the first")
}

// own are the sensor's flows by the client's port.
type own func(port uint16) bool

func (f own) Own(_ uint8, _ netip.Addr, srcPort uint16, _ netip.Addr, dstPort uint16) bool {
	return f(srcPort) || f(dstPort)
}

// TestSpans: spans lie side by side, before 1970 as well.
func TestSpans(t *testing.T) {
	for second := int64(-3000); second < 3000; second++ {
		from := spanOf(second) &^ 1
		if from > second || second-from >= proofSpan || from%proofSpan != 0 || spanOf(second) == 0 {
			t.Fatalf("%d is in the span of %d", second, from)
		}
	}
}

// FuzzUnreachable reads quoted packets of any form.
func FuzzUnreachable(f *testing.F) {
	quote := ipv4(packet.ProtoUDP, v4(1), v4(2), 5, 53, time.Time{}).IP
	f.Add(false, append(append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, quote...), 0, 5, 0, 53, 0, 20, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1))
	f.Add(true, append([]byte{1, 4, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 8, 17}, make([]byte, 60)...))
	f.Fuzz(func(t *testing.T, six bool, b []byte) {
		w := NewWorker(NoRules())
		w.Answer = func(a event.Answer) {
			if a.Outcome != event.Refused || !a.Conversation.Client.IsValid() || !a.Conversation.Server.IsValid() {
				t.Errorf("%+v", a)
			}
		}
		for _, dst := range []netip.Addr{v4(1), netip.IPv6Unspecified()} {
			w.p = packet.Packet{Proto: packet.ProtoICMP, Dst: dst, Payload: b, Time: time.Unix(1, 0)}
			if six {
				w.p.Proto = packet.ProtoICMPv6
			}
			w.unreachable(&w.p)
		}
	})
}

// BenchmarkListen is what a packet costs that is no answer, with as many
// conversations watched.
func BenchmarkListen(b *testing.B) {
	for _, n := range []int{0, 10, 1000} {
		b.Run(map[int]string{0: "nothing", 10: "10", 1000: "1000"}[n], func(b *testing.B) {
			at := time.Unix(1700000000, 0)
			w := NewWorker(NoRules())
			w.Answer, w.Await = func(event.Answer) {}, time.Hour
			w.pairs.slots, w.pairs.span = []int64{1}, math.MaxUint64
			for i := range n {
				w.p = ipv4(packet.ProtoTCP, v4(uint32(i)), v4(9), 5, 80, at)
				w.watch(&event.Event{Code: event.TrailIP, Src: w.p.Src, Dst: w.p.Dst, DstPort: 80, Protocol: "TCP"})
			}
			var packets []packet.Packet
			for i := range 256 {
				packets = append(packets, ipv4(packet.ProtoTCP, v4(uint32(i)*65599), v4(0x0A000000+uint32(i)), 443, 5, at))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				w.p.IP, w.p.SrcPort, w.p.Proto = packets[i&255].IP, 443, packet.ProtoTCP
				w.listen()
			}
		})
	}
}
