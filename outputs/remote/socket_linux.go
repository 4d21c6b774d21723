package remote

import (
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// control runs f with the descriptor of a connection. It says whether that was
// possible.
func control(c net.Conn, f func(fd int)) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	return err == nil && raw.Control(func(fd uintptr) { f(int(fd)) }) == nil
}

// keep makes the kernel find out by itself that a TCP peer is gone: by probes
// when nothing is sent, and by what was sent and not acknowledged (tcp(7)
// TCP_USER_TIMEOUT) otherwise.
func keep(c net.Conn, unacknowledged time.Duration) {
	control(c, func(fd int) {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 30)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 10)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unacknowledged.Milliseconds()))
	})
}

// States of a TCP connection (include/net/tcp_states.h).
const (
	stateEstablished = 1 // neither side has ended it
	stateCloseWait   = 8 // the other side has
)

// connectionState is the state of a TCP connection as far as this kernel knows;
// stateEstablished for what is no TCP socket.
func connectionState(c net.Conn) (state uint8) {
	state = stateEstablished
	control(c, func(fd int) {
		if info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			state = info.State
		}
	})
	return state
}

// unacknowledged is the number of bytes that were written to a TCP connection
// and that the other kernel has not acknowledged (tcp(7) SIOCOUTQ).
func unacknowledged(c net.Conn) (n int, ok bool) {
	control(c, func(fd int) {
		var err error
		n, err = unix.IoctlGetInt(fd, unix.SIOCOUTQ)
		ok = err == nil
	})
	return n, ok
}

// isReset says whether the other side has broken a connection off.
func isReset(err error) bool {
	return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)
}

// isRefused says whether an ICMP message said that nobody listens.
func isRefused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }
