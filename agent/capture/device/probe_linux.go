package device

import (
	"os"

	"golang.org/x/sys/unix"
)

// Features says what the kernel's packet sockets can do. An error is why not;
// nil: it works. Everything below Socket is only asked when a socket could be
// made.
type Features struct {
	Socket         error // socket(AF_PACKET): wraps unix.EPERM without CAP_NET_RAW
	Ring           error // a TPACKET_V3 ring (Linux 3.2)
	Filter         error // a classic BPF program (SO_ATTACH_FILTER)
	Fanout         error // PACKET_FANOUT by a classic BPF program (Linux 4.3)
	IgnoreOutgoing error // PACKET_IGNORE_OUTGOING (Linux 4.20)
}

// Probe tries each feature on sockets of its own, which take no packet: their
// filter refuses all. Nothing is left behind.
func Probe() (f Features) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		f.Socket = os.NewSyscallError("socket(AF_PACKET)", err)
		return f
	}
	defer unix.Close(fd)
	f.IgnoreOutgoing = option("PACKET_IGNORE_OUTGOING", unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1))
	refuse := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}
	program := unix.SockFprog{Len: uint16(len(refuse)), Filter: &refuse[0]}
	f.Filter = option("SO_ATTACH_FILTER", unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program))
	f.Ring = probeRing(fd)
	f.Fanout = probeFanout(fd, &program)
	return f
}

// probeRing makes the smallest ring there is.
func probeRing(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return option("PACKET_VERSION", err)
	}
	page := uint32(os.Getpagesize())
	return option("PACKET_RX_RING", unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size: page, Block_nr: 1, Frame_size: page, Frame_nr: 1, Retire_blk_tov: 100,
	}))
}

// probeFanout makes a group of one. The kernel takes only a socket that is
// bound: this one to a protocol that nobody sends.
func probeFanout(fd int, program *unix.SockFprog) error {
	const experimental = 0xB588 // EtherType for local experiments, 88B5 (IEEE 802); nothing is taken of it either
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: experimental}); err != nil {
		return os.NewSyscallError("bind(AF_PACKET)", err)
	}
	const kind = unix.PACKET_FANOUT_CBPF | unix.PACKET_FANOUT_FLAG_UNIQUEID
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, kind<<16); err != nil {
		return option("PACKET_FANOUT", err)
	}
	return option("PACKET_FANOUT_DATA", unix.SetsockoptSockFprog(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, program))
}

// option names the socket option of an error.
func option(name string, err error) error {
	if err == nil {
		return nil
	}
	return os.NewSyscallError("setsockopt("+name+")", err)
}
