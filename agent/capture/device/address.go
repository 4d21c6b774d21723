package device

import (
	"context"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Address is an address of a device of this host, as an RTM_GETADDR dump shows
// it (rtnetlink(7), linux/if_addr.h).
type Address struct {
	Index  int          // of the device
	Prefix netip.Prefix // the address itself, host bits included, in its network
}

// maxAddresses bounds the list: far more than any host has.
const maxAddresses = 1 << 16

// Addresses gives the addresses, IPv4 and IPv6, of all devices of the calling
// thread's network namespace: this host's own, on point-to-point links not the
// peer's. One that was found to be another host's (IFA_F_DADFAILED) is not among
// them.
func Addresses() (list []Address, err error) {
	err = collect(addressRequest(), unix.RTM_NEWADDR, func() { list = nil }, func(body []byte) {
		if a, ok := parseAddress(body); ok && len(list) < maxAddresses {
			list = append(list, a)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list network addresses: %w", err)
	}
	return list, nil
}

// WatchAddresses is Watch for addresses: it calls changed when those of a device
// may have changed.
func WatchAddresses(ctx context.Context, changed func()) error {
	if err := watch(ctx, unix.RTMGRP_IPV4_IFADDR|unix.RTMGRP_IPV6_IFADDR, changed); err != nil {
		return fmt.Errorf("cannot watch network addresses: %w", err)
	}
	return nil
}

// addressRequest asks for all addresses: a header and an empty struct
// ifaddrmsg.
func addressRequest() []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+unix.SizeofIfAddrmsg)
	native.PutUint32(b, uint32(len(b)))
	native.PutUint16(b[4:], unix.RTM_GETADDR)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	native.PutUint32(b[8:], dumpSeq)
	return b
}

// parseAddress reads the body of an RTM_NEWADDR message: a struct ifaddrmsg and
// attributes. IFA_LOCAL is this host's address where there is one; IFA_ADDRESS is
// then the peer's, else this host's (if_addr.h).
func parseAddress(b []byte) (a Address, ok bool) {
	if len(b) < unix.SizeofIfAddrmsg {
		return a, false
	}
	size := 0
	switch b[0] {
	case unix.AF_INET:
		size = 4
	case unix.AF_INET6:
		size = 16
	}
	flags := uint32(b[2])
	a.Index = int(int32(native.Uint32(b[4:])))
	var local, address []byte
	for kind, value := range attributes(b[unix.SizeofIfAddrmsg:]) {
		switch kind {
		case unix.IFA_LOCAL:
			local = value
		case unix.IFA_ADDRESS:
			address = value
		case unix.IFA_FLAGS:
			flags = number(value)
		}
	}
	if local == nil {
		local = address
	}
	if size == 0 || len(local) != size || a.Index <= 0 || flags&unix.IFA_F_DADFAILED != 0 {
		return a, false
	}
	addr, _ := netip.AddrFromSlice(local)
	a.Prefix = netip.PrefixFrom(addr, int(b[1]))
	return a, a.Prefix.IsValid()
}
