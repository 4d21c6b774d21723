package device

import (
	"net"

	"golang.org/x/sys/unix"
)

// maxAddress is MAX_ADDR_LEN of linux/netdevice.h.
const maxAddress = 32

// parseLink reads the body of an RTM_NEWLINK message: a struct ifinfomsg and
// attributes. It reports false for what is no device: no index, no name, or the
// view that another address family has of one (a bridge's of its ports).
func parseLink(b []byte) (d Device, ok bool) {
	if len(b) < unix.SizeofIfInfomsg || b[0] != unix.AF_UNSPEC {
		return d, false
	}
	flags := native.Uint32(b[8:])
	d = Device{
		Hatype:   native.Uint16(b[2:]),
		Index:    int(int32(native.Uint32(b[4:]))),
		Up:       flags&unix.IFF_UP != 0,
		Running:  flags&unix.IFF_RUNNING != 0,
		Loopback: flags&unix.IFF_LOOPBACK != 0,
	}
	elsewhere := false // IFLA_LINK is an index of another namespace
	for kind, value := range attributes(b[unix.SizeofIfInfomsg:]) {
		switch kind {
		case unix.IFLA_IFNAME:
			d.Name = text(value)
		case unix.IFLA_MTU:
			d.MTU = int(number(value))
		case unix.IFLA_GRO_MAX_SIZE:
			d.GROMax = int(number(value))
		case unix.IFLA_GSO_MAX_SIZE:
			d.GSOMax = int(number(value))
		case unix.IFLA_LINK:
			d.Lower = index(value)
		case unix.IFLA_LINK_NETNSID:
			elsewhere = true
		case unix.IFLA_MASTER:
			d.Master = index(value)
		case unix.IFLA_CARRIER:
			d.Carrier = number(value) != 0
		case unix.IFLA_PROMISCUITY:
			d.Promiscuity = number(value)
		case unix.IFLA_ADDRESS:
			if len(value) > 0 && len(value) <= maxAddress {
				d.HardwareAddr = append(net.HardwareAddr(nil), value...)
			}
		case unix.IFLA_STATS64:
			d.count(value)
		case unix.IFLA_LINKINFO:
			d.describe(value)
		}
	}
	// A device without anything below is its own link.
	if elsewhere || d.Lower == d.Index || d.Kind == "veth" || d.Kind == "netkit" {
		d.Lower = 0
	}
	return d, d.Index > 0 && d.Name != ""
}

// describe reads IFLA_LINKINFO: what kind of device this is, and of an hsr
// device its ports (IFLA_HSR_SLAVE1 and 2).
func (d *Device) describe(b []byte) {
	var data []byte
	for kind, value := range attributes(b) {
		switch kind {
		case unix.IFLA_INFO_KIND:
			d.Kind = text(value)
		case unix.IFLA_INFO_DATA:
			data = value
		}
	}
	if d.Kind != "hsr" {
		return
	}
	for kind, value := range attributes(data) {
		if port := index(value); port != 0 && (kind == hsrSlave1 || kind == hsrSlave2) && len(d.Ports) < 2 {
			d.Ports = append(d.Ports, port)
		}
	}
}

// IFLA_HSR_SLAVE1 and IFLA_HSR_SLAVE2 of linux/if_link.h.
const (
	hsrSlave1 = 1
	hsrSlave2 = 2
)

// count reads struct rtnl_link_stats64. Later kernels made it longer.
func (d *Device) count(b []byte) {
	field := func(i int) uint64 {
		if len(b) < i*8+8 {
			return 0
		}
		return native.Uint64(b[i*8:])
	}
	d.RxPackets, d.TxPackets = field(0), field(1)
	d.RxBytes, d.TxBytes = field(2), field(3)
	d.RxErrors, d.RxDropped = field(4), field(6)
	d.RxMissed = field(15)
}

// index reads an interface index; negative ones are 0.
func index(b []byte) int {
	return max(0, int(int32(number(b))))
}
