package device

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Bounds of a dump. The kernel fills at most 32 KiB per datagram
// (netlink_dump in net/netlink/af_netlink.c).
const (
	datagramSize = 64 << 10
	dumpTimeout  = 5 // seconds without an answer
	dumpTries    = 4
	maxDevices   = 1 << 16 // far above what any host has; the list stays bounded
)

// errChanged says that devices came or went during a dump, so that it may hold
// one twice or not at all (NLM_F_DUMP_INTR).
var errChanged = errors.New("the list of devices kept changing")

// List gives the devices of the calling thread's network namespace in the
// order of the kernel (by index).
func List() ([]Device, error) {
	for try := 1; ; try++ {
		list, err := dump()
		if err == nil {
			return list, nil
		}
		if !errors.Is(err, errChanged) || try == dumpTries {
			return nil, fmt.Errorf("cannot list network devices: %w", err)
		}
	}
}

func dump() ([]Device, error) {
	fd, err := openNetlink(0, unix.SOCK_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: dumpTimeout}); err != nil {
		return nil, os.NewSyscallError("setsockopt(SO_RCVTIMEO)", err)
	}
	if err := unix.Sendto(fd, linkRequest(), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	var d links
	for buf := make([]byte, datagramSize); ; {
		n, _, flags, from, err := unix.Recvmsg(fd, buf, nil, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, os.NewSyscallError("recvmsg", err)
		case flags&unix.MSG_TRUNC != 0:
			return nil, errShort
		}
		if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 {
			continue // not from the kernel
		}
		done, err := d.take(buf[:n])
		if err != nil {
			return nil, err
		}
		if done {
			if d.changed {
				return nil, errChanged
			}
			return d.list, nil
		}
	}
}

// openNetlink makes a route socket that gets the notifications of groups.
func openNetlink(groups uint32, flags int) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|flags, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, os.NewSyscallError("socket(AF_NETLINK)", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("bind(AF_NETLINK)", err)
	}
	return fd, nil
}

// linkRequest asks for all devices: a header and an empty struct ifinfomsg.
func linkRequest() []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+unix.SizeofIfInfomsg)
	native.PutUint32(b, uint32(len(b)))
	native.PutUint16(b[4:], unix.RTM_GETLINK)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	native.PutUint32(b[8:], dumpSeq)
	return b
}

// dumpSeq is the sequence number of the one request that a socket makes.
const dumpSeq = 1

// links collects what a dump brings.
type links struct {
	list    []Device
	changed bool
}

// take reads one datagram and says whether it was the last.
func (l *links) take(b []byte) (done bool, err error) {
	for len(b) > 0 {
		m, rest, err := cutMessage(b)
		if err != nil {
			return false, err
		}
		b = rest
		if m.seq != dumpSeq {
			continue
		}
		l.changed = l.changed || m.flags&unix.NLM_F_DUMP_INTR != 0
		switch m.kind {
		case unix.NLMSG_DONE, unix.NLMSG_ERROR: // each starts with a negative errno or 0
			if len(m.body) < 4 {
				return false, errShort
			}
			if code := int32(native.Uint32(m.body)); code != 0 {
				return false, os.NewSyscallError("RTM_GETLINK", unix.Errno(-code))
			}
			return true, nil
		case unix.RTM_NEWLINK:
			if d, ok := parseLink(m.body); ok && len(l.list) < maxDevices {
				l.list = append(l.list, d)
			}
		}
	}
	return false, nil
}
