package live

import (
	"net"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"trailhound/agent/capture/device"
	"trailhound/agent/packet"
)

// Under "any" each frame counts once: not again at the bridge above a port, nor
// at the macvlan above a device.
func TestAnyCountsOnce(t *testing.T) {
	s := newSpace(t)
	o := s.room()
	for _, pair := range [][2]string{{"lv0", "lv1"}, {"lv2", "lv3"}} {
		s.IP("link add " + pair[0] + " type veth peer name " + pair[1] + " netns " + o.Name() + "\nlink set " + pair[0] + " up")
		o.IP("link set " + pair[1] + " up")
		s.running(pair[0])
		o.running(pair[1])
	}
	s.IP("link add br0 type bridge\nlink set lv0 master br0\nlink set br0 up\nlink add mv0 link lv2 type macvlan mode bridge\nlink set mv0 up")
	s.running("br0", "mv0")
	c := openOne(t, Options{Interfaces: []Interface{{Name: Any}}, Workers: 2})
	r := read(t, c, ours)
	macOf := func(name string) net.HardwareAddr {
		list, err := device.List()
		if err != nil {
			t.Fatal(err)
		}
		d, _ := device.Find(list, name)
		return d.HardwareAddr
	}
	to := func(name string, n uint32) []byte {
		f := udp(1, 2, n, 60)
		copy(f, macOf(name))
		return f
	}
	toBridge, toMacvlan := to("br0", 1), to("mv0", 2)
	lv1, lv3 := o.sender("lv1"), o.sender("lv3")
	br0, mv0 := s.sender("br0"), s.sender("mv0")
	until(t, "the bridge forwards", func() bool { // its port is learning at first
		br0.send(udp(3, 4, 99, 60))
		for _, i := range c.Snapshot().Interfaces {
			if i.Name == "lv0" && i.Outgoing > 0 {
				return true
			}
		}
		return false
	})
	lv1.send(toBridge)
	lv3.send(toMacvlan)
	br0.send(udp(3, 4, 3, 60))
	mv0.send(udp(3, 4, 4, 60))
	where := make(map[uint32][]string)
	for len(where[1]) == 0 || len(where[2]) == 0 || len(where[3]) == 0 || len(where[4]) == 0 {
		for _, f := range r.want(t, 1) {
			n, _ := number(f.Data)
			where[n] = append(where[n], f.port.Name)
		}
	}
	for _, f := range r.rest(c) {
		n, _ := number(f.Data)
		where[n] = append(where[n], f.port.Name)
	}
	for n, want := range map[uint32]string{1: "lv0", 2: "lv2", 3: "lv0", 4: "lv2"} {
		if !slices.Equal(where[n], []string{want}) {
			t.Errorf("frame %d at %v, want once at %s", n, where[n], want)
		}
	}
	// The kernel already left out what repeats.
	for _, i := range c.Snapshot().Interfaces {
		if i.Name == "br0" || i.Name == "mv0" {
			t.Errorf("%+v reached the ring", i)
		}
	}
}

// What is sent over loopback is captured once.
func TestAnyLoopbackOnce(t *testing.T) {
	s := newSpace(t)
	s.IP("link set lo up")
	c := openOne(t, Options{Interfaces: []Interface{{Name: Any}}, Workers: 2})
	r := read(t, c, func(g got) bool { return len(g.Data) > 42 && g.Data[23] == 17 })
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 10 {
		if err := unix.Sendto(fd, []byte("hello"), 0, &unix.SockaddrInet4{Port: marked, Addr: [4]byte{127, 0, 0, 1}}); err != nil && err != unix.ECONNREFUSED {
			t.Fatal(err)
		}
	}
	sent := 10
	frames := r.want(t, sent)
	frames = append(frames, r.rest(c)...)
	if len(frames) != sent || frames[0].port.Name != "lo" || frames[0].Link != packet.LinkEthernet {
		t.Errorf("%d frames of %d: %+v", len(frames), sent, frames[0].port)
	}
	for _, row := range c.Snapshot().Interfaces {
		if row.Name == "lo" && (row.Outgoing != 0 || row.Skipped != 0) {
			t.Errorf("%+v", row)
		}
	}
}

// A device without link header comes from its network header on.
func TestAnyTunnel(t *testing.T) {
	s := newSpace(t)
	s.IP("tuntap add tun0 mode tun\nlink set tun0 up")
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no /dev/net/tun: ", err)
	}
	defer unix.Close(tun)
	request, _ := unix.NewIfreq("tun0")
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, request); err != nil {
		t.Fatal(err)
	}
	s.running("tun0")
	for _, name := range []string{Any, "tun0"} {
		c := openOne(t, Options{Interfaces: []Interface{{Name: name}}, Workers: 2, Filter: version4{}})
		r := read(t, c, nil)
		out := s.sender("tun0")
		for i := range 10 {
			if _, err := unix.Write(tun, ipv4(uint16(i), 99, 1, 60)); err != nil {
				t.Fatal(err)
			}
			out.send(ipv4(99, uint16(i), 1, 60))
			unix.Write(tun, ipv6(uint16(i), 99, 1)) // not for the filter
		}
		worker := make(map[byte]int)
		for _, f := range r.want(t, 20) {
			if f.Link != packet.LinkRaw || f.Length != 60 || len(f.Data) != 60 || f.Data[0] != 0x45 || f.port.Name != "tun0" {
				t.Errorf("%s: %+v %x", name, f.port, f.Data)
			}
			if want := int(packet.Fanout(packet.LinkRaw, f.Data) % 2); f.worker != want {
				t.Errorf("worker %d, packet.Fanout says %d", f.worker, want)
			}
			host := f.Data[15] ^ f.Data[19]
			if had, ok := worker[host]; ok && had != f.worker {
				t.Errorf("host %d at two workers", host)
			}
			worker[host] = f.worker
		}
		if more := r.rest(c); len(more) > 0 {
			t.Errorf("%s: %d frames passed the filter", name, len(more))
		}
	}
}

// New devices under "any": one is captured, one that repeats it is left out.
func TestAnyFollows(t *testing.T) {
	s := newSpace(t)
	s.veth("lv0", "lv1")
	c := openOne(t, Options{Interfaces: []Interface{{Name: Any, Alias: "all"}}, Workers: 1})
	r := read(t, c, ours)
	s.watch(c)
	s.veth("lv2", "lv3")
	s.IP("link add mv2 link lv2 type macvlan\nlink set mv2 up")
	links := func() map[string]Link {
		all := make(map[string]Link)
		for _, l := range c.Snapshot().Links {
			all[l.Name] = l
		}
		return all
	}
	until(t, "the new links are known", func() bool { return links()["mv2"].Repeats && links()["lv2"].Promiscuous && links()["lv2"].Up })
	if l := links()["mv2"]; l.Promiscuous {
		t.Errorf("%+v", l)
	}
	s.sender("lv2").send(udp(1, 2, 7, 60))
	for _, f := range r.want(t, 2) { // sent by one, received by the other
		if f.port.Alias != "all" || f.port.Name != "lv2" && f.port.Name != "lv3" {
			t.Errorf("%+v", f.port)
		}
	}
	s.IP("link set lv3 name lan3")
	until(t, "the new name is known", func() bool { return links()["lan3"].Up })
	s.sender("lv2").send(udp(1, 2, 8, 60))
	names := []string{}
	for _, f := range r.want(t, 2) {
		names = append(names, f.port.Name)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"lan3", "lv2"}) {
		t.Error(names)
	}
	s.IP("link del mv2\nlink add link lv0 name mv0 type macvlan\nlink set mv0 up")
	until(t, "the deleted link is forgotten", func() bool { _, there := links()["mv2"]; return !there && links()["mv0"].Repeats })
}

// version4 is a filter for IPv4, with all ways in which a program reads a
// packet.
type version4 struct{}

func (version4) Program(link packet.LinkType, snaplen uint32) ([]bpf.RawInstruction, error) {
	offset := uint32(0)
	if link == packet.LinkEthernet {
		offset = etherHeader
	}
	return bpf.Assemble([]bpf.Instruction{
		bpf.LoadMemShift{Off: offset}, // X: length of the IP header
		bpf.LoadIndirect{Off: offset + 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: marked, SkipTrue: 4},
		bpf.LoadAbsolute{Off: offset, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 4, SkipTrue: 1},
		bpf.RetConstant{Val: snaplen},
		bpf.RetConstant{Val: 0},
	})
}
