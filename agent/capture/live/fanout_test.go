package live

import (
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"trailhound/agent/capture"
	"trailhound/agent/packet"
)

// encapsulations are the ways in which two hosts' frames may look, from host a
// to b. Each carries its number in the last four bytes.
var encapsulations = []struct {
	name string
	make func(a, b uint16, n uint32) []byte
}{
	{"IPv4", func(a, b uint16, n uint32) []byte { return udp(a, b, n, 40) }},
	{"IPv6", func(a, b uint16, n uint32) []byte { return ethernet(a, b, ipv6(a, b, n)) }},
	{"VLAN", func(a, b uint16, n uint32) []byte { return ethernet(a, b, ipv4(a, b, n, 40), etherVLAN, 5) }},
	{"VLAN IPv6", func(a, b uint16, n uint32) []byte { return ethernet(a, b, ipv6(a, b, n), etherVLAN, 0x6005) }},
	{"QinQ", func(a, b uint16, n uint32) []byte {
		return ethernet(a, b, ipv4(a, b, n, 40), etherQinQ, 6, etherVLAN, 7)
	}},
	{"three tags", func(a, b uint16, n uint32) []byte {
		return ethernet(a, b, ipv4(a, b, n, 40), etherQinQ, 6, etherVLAN, 7, etherVLAN, 8)
	}},
	{"four tags", func(a, b uint16, n uint32) []byte {
		return ethernet(a, b, ipv4(a, b, n, 40), etherQinQ, 6, etherVLAN, 7, etherVLAN, 8, etherVLAN, 9)
	}},
	{"PPPoE", func(a, b uint16, n uint32) []byte { return pppoe(a, b, ipv4(a, b, n, 40), false) }},
	{"PPPoE short", func(a, b uint16, n uint32) []byte { return pppoe(a, b, ipv6(a, b, n), true) }},
	{"not IP", func(a, b uint16, n uint32) []byte {
		f := ethernet(a, b, make([]byte, 50))
		binary.BigEndian.PutUint16(f[12:], 0x88cc)
		return f
	}},
	{"IP of no version", func(a, b uint16, n uint32) []byte {
		p := ipv4(a, b, n, 40)
		p[0] = 0x75
		return ethernet(a, b, p)
	}},
	{"cut IP", func(a, b uint16, n uint32) []byte { return ethernet(a, b, ipv4(a, b, n, 40)[:15]) }},
}

// Both directions of a pair of hosts come to one worker, sent or received, on
// both interfaces of a group, and that is the worker packet.Fanout names.
func TestFanoutOfKernel(t *testing.T) {
	const pairs, workers = 500, 4
	s := newSpace(t)
	s.veth("lv0", "lv1")
	s.veth("lv2", "lv3")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0", Group: "tap"}, {Name: "lv2", Group: "tap"}}, Workers: workers, RingTotal: 32 << 20})
	r := read(t, c, nil)
	senders := []*sender{s.sender("lv1"), s.sender("lv0"), s.sender("lv3"), s.sender("lv2")}
	perCase := pairs * len(senders)
	for _, e := range encapsulations {
		t.Run(e.name, func(t *testing.T) {
			for i := range pairs {
				a, b := uint16(3*i+1), uint16(60000-7*i)
				for at, sender := range senders {
					f := e.make(a, b, uint32(i))
					if at%2 == 1 {
						f = e.make(b, a, uint32(i))
					}
					if sender.send(f) != 1 {
						t.Fatal("not sent")
					}
				}
			}
			worker := make(map[string]int)
			used := make(map[int]int)
			tagged := 0
			for _, f := range r.want(t, perCase) {
				want := int(packet.Fanout(f.Link, f.Data) % workers)
				if f.worker != want {
					t.Fatalf("worker %d, packet.Fanout says %d: %x", f.worker, want, f.Data)
				}
				a, b := binary.BigEndian.Uint16(f.Data[4:]), binary.BigEndian.Uint16(f.Data[10:])
				pair := fmt.Sprint(min(a, b), max(a, b))
				if had, ok := worker[pair]; ok && had != f.worker {
					t.Fatalf("pair %s at workers %d and %d", pair, had, f.worker)
				}
				worker[pair] = f.worker
				used[f.worker]++
				if f.Tag&capture.TagPresent != 0 {
					tagged++
				}
			}
			if len(worker) != pairs {
				t.Errorf("%d pairs", len(worker))
			}
			if e.name == "cut IP" {
				return // all at worker 0
			}
			for i := range workers {
				if used[i] < perCase/workers/2 {
					t.Errorf("worker %d got %d of %d frames", i, used[i], perCase)
				}
			}
			if e.name == "VLAN" && tagged == 0 {
				t.Error("no tag was taken out: the test shows nothing")
			}
		})
	}
}

// The order in the fan-out group, and so the share of each worker, stays when
// the link goes down and up.
func TestFanoutAfterDownAndUp(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 4})
	r := read(t, c, ours)
	for range 3 {
		s.IP("link set lv0 down\nlink set lv0 up")
		s.running("lv0", "lv1")
		out := s.sender("lv1")
		for i := range 100 {
			out.send(udp(uint16(i), 9, uint32(i), 60))
		}
		for _, f := range r.want(t, 100) {
			if want := int(packet.Fanout(f.Link, f.Data) % 4); f.worker != want {
				t.Fatalf("worker %d, packet.Fanout says %d", f.worker, want)
			}
		}
	}
}

// The program can be loaded, whatever the direction.
func TestFanoutProgram(t *testing.T) {
	list, err := fanoutProgram()
	if err != nil {
		t.Fatal(err)
	}
	if err := tryFilter(list); err != nil {
		t.Fatal(err)
	}
	if _, all := bpf.Disassemble(list); !all {
		t.Error("unknown instructions")
	}
	t.Logf("%d instructions", len(list))
}

// Frames of which only the Ethernet header lies in the packet's first piece of
// memory, as some drivers deliver them, come to the right worker, too.
func TestFanoutOfScatteredFrames(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	s.IP("link set lv0 mtu 9000\nlink set lv1 mtu 9000")
	c := openOne(t, Options{Interfaces: []Interface{{Name: "lv0"}}, Workers: 4})
	r := read(t, c, nil)
	for _, name := range []string{"lv1", "lv0"} {
		out := s.sender(name)
		// With a virtio header and more than a page only hdr_len bytes go into the
		// first piece (packet_snd of the kernel's net/packet/af_packet.c).
		if err := unix.SetsockoptInt(out.fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 10) // struct virtio_net_hdr
		binary.NativeEndian.PutUint16(head[2:], etherHeader)
		for i := range uint16(50) {
			for _, payload := range [][]byte{ipv4(i, 900, uint32(i), 6000), append(ipv6(i, 900, uint32(i)), make([]byte, 6000)...)} {
				if out.send(append(append([]byte(nil), head...), ethernet(i, 900, payload)...)) != 1 {
					t.Fatal("not sent")
				}
			}
		}
		used := make(map[int]bool)
		for _, f := range r.want(t, 100) {
			if want := int(packet.Fanout(f.Link, f.Data) % 4); f.worker != want {
				t.Fatalf("%s: worker %d, packet.Fanout says %d", name, f.worker, want)
			}
			used[f.worker] = true
		}
		if len(used) != 4 {
			t.Errorf("workers %v", used)
		}
	}
}
