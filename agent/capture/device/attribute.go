package device

import (
	"encoding/binary"
	"errors"
	"iter"

	"golang.org/x/sys/unix"
)

// native is the byte order of netlink: the host's.
var native = binary.NativeEndian

// errShort is a message whose lengths do not fit what was received.
var errShort = errors.New("netlink message is cut or damaged")

// message is one netlink message (struct nlmsghdr of linux/netlink.h).
type message struct {
	kind, flags uint16
	seq         uint32
	body        []byte
}

// cutMessage takes the first message off a datagram. Messages are aligned to 4
// bytes; the last one need not be padded.
func cutMessage(b []byte) (m message, rest []byte, err error) {
	if len(b) < unix.NLMSG_HDRLEN {
		return m, nil, errShort
	}
	n := uint64(native.Uint32(b))
	if n < unix.NLMSG_HDRLEN || n > uint64(len(b)) {
		return m, nil, errShort
	}
	m = message{
		kind:  native.Uint16(b[4:]),
		flags: native.Uint16(b[6:]),
		seq:   native.Uint32(b[8:]),
		body:  b[unix.NLMSG_HDRLEN:n],
	}
	return m, b[min((n+3)&^3, uint64(len(b))):], nil
}

// attributes walks over netlink attributes (struct nlattr): type without the
// two flag bits, and value. It ends at the first one that does not fit.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= unix.NLA_HDRLEN {
			n := int(native.Uint16(b))
			if n < unix.NLA_HDRLEN || n > len(b) {
				return
			}
			kind := native.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
			if !yield(kind, b[unix.NLA_HDRLEN:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// number reads an attribute of one or four bytes; of any other length it is 0.
func number(b []byte) uint32 {
	switch len(b) {
	case 1:
		return uint32(b[0])
	case 4:
		return native.Uint32(b)
	}
	return 0
}

// text reads a NUL-terminated attribute.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
