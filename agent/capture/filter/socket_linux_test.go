package filter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"trailhound/agent/packet"
	"trailhound/tests/namespace"
)

// A sent is a frame with a name in its payload, and what is true of it.
type sent struct {
	name  string
	frame []byte
	tags  []uint16 // VLAN ids, the outer one first
	types []uint16 // of the tags
	host  string
}

// with makes a frame from host with tags.
func with(host string, types []uint16, tags ...uint16) sent {
	s := sent{name: fmt.Sprintf("<%s %x %v>", host, types, tags), types: types, host: host}
	s.frame = ether(etherIPv4, ip4(host, "192.168.1.77", 17, 0, 0, cat(udpDatagram(7, 7), []byte(s.name))))
	for i := len(tags) - 1; i >= 0; i-- {
		s.frame = tag(types[i], tags[i], s.frame)
	}
	for _, id := range tags {
		s.tags = append(s.tags, id&0xfff)
	}
	return s
}

const (
	hostX = "10.0.0.1"
	hostY = "10.0.0.2"
	last  = "10.9.9.9" // the host of the frame that ends a round
)

// expectations are expressions with what a frame must be for them. view is the
// frame as the socket delivers it: what is not about vlan counts in-frame tags.
var expectations = []struct {
	expression string
	want       func(s sent, inFrame int) bool
}{
	{"vlan", func(s sent, _ int) bool { return len(s.tags) > 0 }},
	{"not vlan", func(s sent, _ int) bool { return len(s.tags) == 0 }},
	{"vlan 10", func(s sent, _ int) bool { return len(s.tags) > 0 && s.tags[0] == 10 }},
	{"not vlan 10", func(s sent, _ int) bool { return !(len(s.tags) > 0 && s.tags[0] == 10) }},
	{"vlan 10 or 20", func(s sent, _ int) bool { return len(s.tags) > 0 && (s.tags[0] == 10 || s.tags[0] == 20) }},
	{"vlan 0", func(s sent, _ int) bool { return len(s.tags) > 0 && s.tags[0] == 0 }},
	{"vlan and vlan", func(s sent, _ int) bool { return len(s.tags) > 1 }},
	{"vlan 10 and vlan 20", func(s sent, _ int) bool { return len(s.tags) > 1 && s.tags[0] == 10 && s.tags[1] == 20 }},
	{"vlan 10 and vlan 20 and host " + hostX, func(s sent, _ int) bool {
		return slices.Equal(s.tags, []uint16{10, 20}) && s.host == hostX
	}},
	{"vlan 10 and host " + hostX, func(s sent, _ int) bool { return slices.Equal(s.tags, []uint16{10}) && s.host == hostX }},
	{"vlan and udp port 7 and not host " + hostX, func(s sent, _ int) bool { return len(s.tags) == 1 && s.host != hostX }},
	{"vlan and vlan and vlan and src host " + hostX, func(s sent, _ int) bool { return len(s.tags) == 3 && s.host == hostX }},
	{"host " + hostX, func(s sent, inFrame int) bool { return inFrame == 0 && s.host == hostX }},
	{"host " + hostX + " or (vlan 10 and host " + hostX + ")", func(s sent, inFrame int) bool {
		return s.host == hostX && (inFrame == 0 || slices.Equal(s.tags, []uint16{10}))
	}},
	{"udp port 7", func(_ sent, inFrame int) bool { return inFrame == 0 }},
	{"", func(sent, int) bool { return true }},
}

// TestSocket sends frames over a veth pair and captures them at both ends with
// filters in the kernel. At the receiving end the kernel takes the outer tag out;
// at the sending end it depends on who put it there and on the device.
func TestSocket(t *testing.T) {
	if _, err := exec.LookPath("ethtool"); err != nil {
		t.Skip("needs ethtool to switch offloads: ", err)
	}
	do := namespace.Entered(t).Run
	do("ip link add thfl0 type veth peer name thfl1")
	for _, device := range []string{"thfl0", "thfl1"} {
		do("ip link set " + device + " addrgenmode none mtu 1500")
		do("ip link set " + device + " up")
	}
	q, ad, old := uint16(etherVLAN), uint16(etherQinQ), uint16(etherOld)
	var whole []sent
	for _, host := range []string{hostX, hostY} {
		whole = append(whole,
			with(host, nil),
			with(host, []uint16{q}, 10), with(host, []uint16{q}, 0xa000|10), with(host, []uint16{q}, 20), with(host, []uint16{q}, 0), with(host, []uint16{q}, 4095),
			with(host, []uint16{ad}, 10), with(host, []uint16{old}, 10), with(host, []uint16{old, q}, 10, 20),
			with(host, []uint16{ad, q}, 10, 20), with(host, []uint16{ad, q}, 20, 10), with(host, []uint16{q, q}, 10, 20), with(host, []uint16{ad, q}, 10, 0x6000|20),
			with(host, []uint16{ad, q, q}, 10, 20, 30), with(host, []uint16{ad, ad, ad}, 10, 20, 20))
	}
	all := func(s sent) int { return len(s.tags) }
	received := func(s sent) int {
		if len(s.tags) > 0 && s.types[0] != old { // the kernel does not know that type
			return len(s.tags) - 1
		}
		return len(s.tags)
	}
	// A frame from a packet socket keeps its tags until the other end.
	round(t, "thfl0", "thfl0", whole, all)
	round(t, "thfl0", "thfl1", whole, received)

	// A VLAN device puts its tag beside the frame, and the kernel puts it in when
	// the device below cannot: before the frame is captured.
	for _, outer := range []uint16{q, ad} {
		var list []sent
		for _, s := range whole {
			if len(s.tags) > 0 && s.types[0] == old {
				continue
			}
			s.tags, s.types = slices.Concat([]uint16{10}, s.tags), slices.Concat([]uint16{outer}, s.types)
			list = append(list, s)
		}
		remove := pushTag(t, "thfl0", outer, 10)
		for _, able := range []string{"on", "off"} {
			do("ethtool -K thfl0 tx-vlan-hw-insert " + able)
			do("ethtool -K thfl0 tx-vlan-stag-hw-insert " + able)
			sending := received
			if able == "off" {
				sending = all
			}
			round(t, "thfl0", "thfl0", list, sending)
			round(t, "thfl0", "thfl1", list, received)
		}
		remove()
	}
}

// round sends frames out of one device and captures them on another, once with
// each filter. inFrame says how many tags the socket has to show in a frame.
func round(t *testing.T, from, on string, list []sent, inFrame func(sent) int) {
	t.Helper()
	everything := capture(t, on, nil)
	fds := make([]int, len(expectations))
	programs := make([][]bpf.RawInstruction, len(expectations))
	for i, e := range expectations {
		programs[i] = mustProgram(t, e.expression, packet.LinkEthernet)
		fds[i] = capture(t, on, programs[i])
	}
	for _, s := range list {
		send(t, from, s.frame)
	}
	// What comes after it has been given to all sockets before the last one.
	send(t, from, with(last, nil).frame)
	seen := 0
	for {
		g, _, _ := receive(t, everything, 0)
		if bytes.Contains(g.data, []byte("<"+last)) {
			break
		}
		s := find(list, g.data)
		if s == nil {
			continue // not ours
		}
		seen++
		want := inFrame(*s)
		if got := tagsIn(g.data); got != want || g.tagged != (len(s.tags) > got) {
			t.Errorf("%s on %s: %d tags in the frame, taken out %v; want %d", s.name, on, got, g.tagged, want)
		}
		// The machine of these tests is held to the kernel.
		g.data = slices.Clone(g.data)
		for i, e := range expectations {
			if got, want := run(t, programs[i], g) > 0, e.want(*s, tagsIn(g.data)); got != want {
				t.Errorf("%q of %s on %s, by the test's machine: %v", e.expression, s.name, on, got)
			}
		}
	}
	if seen != len(list) {
		t.Errorf("%d of %d frames arrived on %s", seen, len(list), on)
	}
	for i, e := range expectations {
		got := map[string]bool{}
		for {
			g, _, ok := receive(t, fds[i], unix.MSG_DONTWAIT)
			if !ok {
				break
			}
			if s := find(list, g.data); s != nil {
				got[s.name] = true
			}
		}
		for _, s := range list {
			if want := e.want(s, inFrame(s)); got[s.name] != want {
				t.Errorf("%q of %s sent on %s, captured on %s: %v, want %v\n%s", e.expression, s.name, from, on, got[s.name], want, Text(programs[i]))
			}
		}
	}
}

func find(list []sent, data []byte) *sent {
	for i := range list {
		if bytes.Contains(data, []byte(list[i].name)) {
			return &list[i]
		}
	}
	return nil
}

// tagsIn counts the tags in an Ethernet frame.
func tagsIn(frame []byte) (n int) {
	for at := 12; at+4 <= len(frame) && slices.Contains(tagTypes, binary.BigEndian.Uint16(frame[at:])); at += 4 {
		n++
	}
	return n
}

// TestSocketOnAllInterfaces: one unbound socket tells devices with a link header
// from those without.
func TestSocketOnAllInterfaces(t *testing.T) {
	do := namespace.Entered(t).Run
	do("ip link set lo up")
	do("ip link add thfl0 type veth peer name thfl1")
	do("ip link set thfl0 addrgenmode none up")
	do("ip link set thfl1 addrgenmode none up")
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("needs a tun device: ", err)
	}
	defer unix.Close(tun)
	request, err := unix.NewIfreq("thfltun")
	if err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, request); err != nil {
		t.Skip("cannot make a tun device: ", err)
	}
	do("ip link set thfltun addrgenmode none up")

	f, err := New("udp port 7 and host "+hostX, Options{Tcpdump: "-"})
	if err != nil {
		t.Fatal(err)
	}
	code, err := f.AnyProgram(0)
	if err != nil {
		t.Fatal(err)
	}
	fd := capture(t, "", code)
	x, y := with(hostX, nil), with(hostY, nil)
	for _, s := range []sent{y, x} {
		send(t, "thfl0", s.frame)
		send(t, "lo", s.frame)
		if _, err := unix.Write(tun, s.frame[14:]); err != nil {
			t.Fatal(err)
		}
	}
	// A veth pair and loopback show a frame at both ends.
	want := map[string]int{"thfl0": 1, "thfl1": 1, "lo": 2, "thfltun": 1}
	for n := 5; n > 0; n-- {
		g, from, _ := receive(t, fd, 0)
		if !bytes.Contains(g.data, []byte(x.name)) {
			t.Fatalf("accepted % x", g.data)
		}
		for name := range want {
			if interfaceIndex(t, name) == from.Ifindex {
				want[name]--
			}
		}
	}
	for name, n := range want {
		if n != 0 {
			t.Errorf("%s: %d frames missing", name, n)
		}
	}
}

// TestKernelTakes: the kernel accepts the longest programs.
func TestKernelTakes(t *testing.T) {
	namespace.Entered(t)
	for _, e := range []string{"", "vlan 10 or 20", "host 10.0.0.0" + strings.Repeat(" or 10.0.0.1 or 10.0.0.2", 3)} {
		capture(t, "lo", mustProgram(t, e, packet.LinkEthernet))
	}
	var b strings.Builder
	b.WriteString("not host 10.0.0.0")
	for i := range 500 {
		fmt.Fprintf(&b, " and not 10.1.%d.%d", i>>8, i&255)
	}
	code := mustProgram(t, b.String(), packet.LinkEthernet)
	if len(code) < 2000 {
		t.Errorf("only %d instructions", len(code))
	}
	capture(t, "lo", code)
}
