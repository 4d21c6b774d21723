// Package device says what network devices there are, how they hang together,
// and what the kernel's packet sockets can do. It needs no capability and no
// cgo: devices come from rtnetlink, offloads from the ethtool ioctl.
//
// Everything is asked in the network namespace of the calling thread. A caller
// that has changed the namespace of one thread must stay on it
// (runtime.LockOSThread).
package device

import "net"

// Device is one network device as an RTM_GETLINK dump shows it (rtnetlink(7),
// linux/if_link.h).
type Device struct {
	Index int    // interface index, above 0
	Name  string // as the kernel has it; at most 15 bytes, not always printable
	// Kind is IFLA_INFO_KIND: vlan, bond, bridge, veth, macvlan, tun, vxlan ...;
	// "" for hardware and loopback.
	Kind   string
	Hatype uint16 // ARPHRD_* of linux/if_arp.h
	MTU    int    // bytes of the largest packet, link header not counted
	// GROMax and GSOMax are the most bytes that a merged frame can have, received
	// and sent; 65,536, or more with BIG TCP. 0: this kernel does not say.
	GROMax, GSOMax int

	Up       bool // IFF_UP: switched on by the administrator
	Running  bool // IFF_RUNNING: in an operational state that lets packets pass
	Carrier  bool // IFLA_CARRIER: there is a link
	Loopback bool // IFF_LOOPBACK
	// Promiscuity counts who wants to see all frames; packet sockets count,
	// IFF_PROMISC counts as one.
	Promiscuity uint32

	// Lower is the index of the device that this one is made on (IFLA_LINK), if
	// it is in the same namespace; 0: none. It is 0 for veth and netkit, whose
	// IFLA_LINK is the other end and not something below.
	Lower int
	// Master is the index of the bond, bridge, vrf ... that this device is a
	// member of; 0: none.
	Master int
	// Ports are the indexes of the two ports of an hsr or prp device, which has
	// members without being their master.
	Ports []int

	// Counters of IFLA_STATS64 (rtnl_link_stats64) since the device was made.
	// RxDropped are packets that reached the host and were not passed on, for
	// want of memory as well as of a protocol that takes them.
	RxPackets, TxPackets uint64
	RxBytes, TxBytes     uint64
	RxErrors, RxDropped  uint64
	RxMissed             uint64 // dropped by the hardware: no room in its ring

	HardwareAddr net.HardwareAddr // nil: none
}

// Find gives the device of that name.
func Find(list []Device, name string) (Device, bool) {
	for _, d := range list {
		if d.Name == name {
			return d, true
		}
	}
	return Device{}, false
}
