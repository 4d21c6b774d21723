package self

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// hook is what net.Dialer calls between socket(2) and connect(2): the hook of
// the base first, then the flow is prepared.
func (d *Dialer) hook(t *attempt) func(context.Context, string, string, syscall.RawConn) error {
	return func(ctx context.Context, network, address string, c syscall.RawConn) error {
		var err error
		if d.base.ControlContext != nil {
			err = d.base.ControlContext(ctx, network, address, c)
		} else if d.base.Control != nil {
			err = d.base.Control(network, address, c)
		}
		if err != nil {
			return err
		}
		return t.prepare(address, func(ask netip.AddrPort) (local netip.AddrPort, err error) {
			if cerr := c.Control(func(fd uintptr) { local, err = bind(int(fd), ask) }); cerr != nil {
				return netip.AddrPort{}, cerr
			}
			return local, err
		})
	}
}

// bind binds a socket that is not yet connected: to the address asked for, else
// to any address and a port of the kernel's choice (ip(7),
// ip_local_port_range). It returns what the socket is bound to. One that is
// bound already stays so.
func bind(fd int, ask netip.AddrPort) (netip.AddrPort, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if have := fromSockaddr(sa); have.Port() != 0 {
		return have, nil
	}
	var want unix.Sockaddr
	addr := ask.Addr().Unmap()
	switch sa.(type) {
	case *unix.SockaddrInet4:
		to := &unix.SockaddrInet4{Port: int(ask.Port())}
		if addr.Is4() {
			to.Addr = addr.As4()
		} else if !unspecified(addr) {
			return netip.AddrPort{}, unix.EAFNOSUPPORT
		}
		want = to
	case *unix.SockaddrInet6:
		to := &unix.SockaddrInet6{Port: int(ask.Port())}
		if addr.Is6() {
			to.Addr = addr.As16()
			if to.ZoneId, err = zone(addr.Zone()); err != nil {
				return netip.AddrPort{}, err
			}
		} else if !unspecified(addr) {
			return netip.AddrPort{}, unix.EAFNOSUPPORT
		}
		want = to
	default:
		return netip.AddrPort{}, unix.EAFNOSUPPORT
	}
	if err := unix.Bind(fd, want); err != nil {
		return netip.AddrPort{}, err
	}
	if sa, err = unix.Getsockname(fd); err != nil {
		return netip.AddrPort{}, err
	}
	return fromSockaddr(sa), nil
}

// zone gives the index of a zone: an interface's name or number.
func zone(name string) (uint32, error) {
	if name == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return uint32(n), nil
	}
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, fmt.Errorf("zone %q: %w", name, err)
	}
	return uint32(i.Index), nil
}

func fromSockaddr(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port))
	}
	return netip.AddrPort{}
}
