package filter

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}

// capture is a packet socket that receives what passes code, nil: everything;
// on one interface, or on all with "".
func capture(t *testing.T, device string, code []bpf.RawInstruction) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skip("needs CAP_NET_RAW to open a packet socket: ", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20); err != nil {
		t.Fatal(err)
	}
	if code != nil {
		list := make([]unix.SockFilter, len(code))
		for i, in := range code {
			list[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
		}
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(list)), Filter: &list[0]}); err != nil {
			t.Fatalf("the kernel refuses the program of %d instructions: %v", len(code), err)
		}
	}
	timeout := unix.NsecToTimeval(int64(10 * time.Second))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		t.Fatal(err)
	}
	index := 0
	if device != "" {
		index = interfaceIndex(t, device)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index}); err != nil {
		t.Fatal(err)
	}
	return fd
}

func interfaceIndex(t *testing.T, name string) int {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return i.Index
}

// receive gives the next frame as the socket delivers it; false: there is none.
func receive(t *testing.T, fd, flags int) (g given, from *unix.SockaddrLinklayer, ok bool) {
	t.Helper()
	buffer, control := make([]byte, 4096), make([]byte, 256)
	for {
		n, m, _, sender, err := unix.Recvmsg(fd, buffer, control, flags)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.EAGAIN) && flags&unix.MSG_DONTWAIT != 0 {
			return g, nil, false
		}
		if err != nil {
			t.Fatal(err)
		}
		g.data = buffer[:n]
		messages, err := unix.ParseSocketControlMessage(control[:m])
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range messages {
			if c.Header.Level == unix.SOL_PACKET && c.Header.Type == unix.PACKET_AUXDATA && len(c.Data) >= int(unsafe.Sizeof(unix.TpacketAuxdata{})) {
				aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&c.Data[0]))
				g.tagged, g.tag = aux.Status&unix.TP_STATUS_VLAN_VALID != 0, aux.Vlan_tci
			}
		}
		from, _ = sender.(*unix.SockaddrLinklayer)
		return g, from, true
	}
}

// send puts frames on a device as they are.
func send(t *testing.T, device string, frames ...[]byte) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	to := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: interfaceIndex(t, device)}
	for _, frame := range frames {
		if err := unix.Sendto(fd, frame, 0, to); err != nil {
			t.Fatal(err)
		}
	}
}
