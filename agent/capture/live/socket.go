package live

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ErrPrivilege is in the chain of the error when the process may not open
// packet sockets.
var ErrPrivilege = errors.New("CAP_NET_RAW is missing")

// errFanDown: before Linux 6.17 or so a socket whose device is down joins no
// fan-out group.
var errFanDown = errors.New("the interface must be up for that (EINVAL)")

// openSocket opens a packet socket that receives nothing: its protocol is 0.
// It acts in the network namespace of the calling thread.
func openSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return -1, fmt.Errorf("cannot open a packet socket (%w): %w: grant it with \"setcap cap_net_raw=ep\" on the program, "+
			"with AmbientCapabilities=CAP_NET_RAW in the systemd unit, or run as root (in a container: with a network namespace of its own)", err, ErrPrivilege)
	case errors.Is(err, unix.EAFNOSUPPORT):
		return -1, fmt.Errorf("cannot open a packet socket: %w: the kernel has none (CONFIG_PACKET), or a sandbox forbids it (RestrictAddressFamilies without AF_PACKET)", err)
	case err != nil:
		return -1, fmt.Errorf("cannot open a packet socket: %w", err)
	}
	return fd, nil
}

// attach sets the socket's filter, in place of the one it has.
func attach(fd int, list []bpf.RawInstruction) error {
	filters := sockFilters(list)
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]})
	if errors.Is(err, unix.ENOMEM) {
		return fmt.Errorf("cannot attach the capture filter (%d instructions): %w: raise net.core.optmem_max", len(list), err)
	}
	if err != nil {
		return fmt.Errorf("cannot attach the capture filter (%d instructions): %w", len(list), err)
	}
	return nil
}

func sockFilters(list []bpf.RawInstruction) []unix.SockFilter {
	filters := make([]unix.SockFilter, len(list))
	for i, in := range list {
		filters[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return filters
}

// shut makes the socket take no more frames. What is in its ring stays.
func shut(fd int) error {
	return attach(fd, []bpf.RawInstruction{{Op: 0x06}}) // BPF_RET|BPF_K: 0 bytes
}

// requestRing asks for a ring of count blocks. No block: gives it back.
func requestRing(fd, block, count int) error {
	if count == 0 {
		return unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{})
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("the kernel has no TPACKET_V3: %w", err)
	}
	// The frame size means nothing to version 3 but has to fit the block.
	return unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size: uint32(block), Block_nr: uint32(count), Frame_size: uint32(block), Frame_nr: uint32(count),
		Retire_blk_tov: uint32(retireAfter.Milliseconds()),
	})
}

// bind makes the socket receive what of the protocol passes the device; 0: all
// devices.
func bind(fd, index int, protocol uint16) error {
	var order [2]byte
	binary.BigEndian.PutUint16(order[:], protocol)
	return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(order[:]), Ifindex: index})
}

// promiscuous makes the device receive every frame, or no longer, as long as
// the socket is open.
func promiscuous(fd, index int, on bool) error {
	option := unix.PACKET_ADD_MEMBERSHIP
	if !on {
		option = unix.PACKET_DROP_MEMBERSHIP
	}
	return unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, option, &unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC})
}

// fanOut makes the sockets one group, so that each frame comes to one of them.
// The place in fds is the place in the group; the kernel puts them in the order
// of their creation when the device comes up again, so fds must be in that
// order. It says whether any joined: such a socket can never be bound again.
func fanOut(fds []int) (joined bool, err error) {
	list, err := fanoutProgram()
	if err != nil {
		return false, err
	}
	// The kernel chooses a number that no other process has. No roll-over to
	// other sockets: both directions of a pair of hosts must stay together.
	kind := unix.PACKET_FANOUT_CBPF<<16 | unix.PACKET_FANOUT_FLAG_UNIQUEID<<16
	for i, fd := range fds {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, kind); err != nil {
			if i == 0 && errors.Is(err, unix.EINVAL) {
				err = errFanDown
			}
			return i > 0, fmt.Errorf("cannot join the fan-out group: %w", err)
		}
		if i > 0 {
			continue
		}
		id, err := unix.GetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
		if err != nil {
			return true, fmt.Errorf("cannot read the fan-out group: %w", err)
		}
		kind = unix.PACKET_FANOUT_CBPF<<16 | id&0xffff
		filters := sockFilters(list)
		if err := unix.SetsockoptSockFprog(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, &unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}); err != nil {
			return true, fmt.Errorf("cannot set the fan-out program: %w", err)
		}
	}
	return true, nil
}
