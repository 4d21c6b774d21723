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
func List() (list []Device, err error) {
	err = collect(linkRequest(), unix.RTM_NEWLINK, func() { list = nil }, func(body []byte) {
		if d, ok := parseLink(body); ok && len(list) < maxDevices {
			list = append(list, d)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list network devices: %w", err)
	}
	return list, nil
}

// collect makes a dump and, when what it lists has changed meanwhile, makes it
// again. Each begins with a call of begin; take gets the bodies of the messages
// of one kind.
func collect(request []byte, kind uint16, begin func(), take func(body []byte)) error {
	for try := 1; ; try++ {
		begin()
		err := dump(request, &listing{kind: kind, found: take})
		if err == nil || !errors.Is(err, errChanged) || try == dumpTries {
			return err
		}
	}
}

func dump(request []byte, d *listing) error {
	fd, err := openNetlink(0, unix.SOCK_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: dumpTimeout}); err != nil {
		return os.NewSyscallError("setsockopt(SO_RCVTIMEO)", err)
	}
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	for buf := make([]byte, datagramSize); ; {
		n, _, flags, from, err := unix.Recvmsg(fd, buf, nil, 0)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return os.NewSyscallError("recvmsg", err)
		case flags&unix.MSG_TRUNC != 0:
			return errShort
		}
		if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 {
			continue // not from the kernel
		}
		done, err := d.take(buf[:n])
		if err != nil {
			return err
		}
		if done {
			if d.changed {
				return errChanged
			}
			return nil
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

// listing collects what a dump brings.
type listing struct {
	kind    uint16 // of the messages that are wanted
	found   func(body []byte)
	changed bool
}

// take reads one datagram and says whether it was the last.
func (l *listing) take(b []byte) (done bool, err error) {
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
				return false, os.NewSyscallError("netlink dump", unix.Errno(-code))
			}
			return true, nil
		case l.kind:
			l.found(m.body)
		}
	}
	return false, nil
}
