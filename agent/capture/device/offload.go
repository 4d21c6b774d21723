package device

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Offloads is what a device's driver and the kernel do to frames before a
// packet socket sees them. Receive offloads merge frames of a flow into one of
// up to 64 KiB. Of what this host sends, a frame of that size is seen if the
// hardware cuts it; what the kernel cuts itself (GSO without TSO) it cuts before
// packet sockets see it (xmit_one in net/core/dev.c).
type Offloads struct {
	GRO   bool // rx-gro: merged by the kernel
	HWGRO bool // rx-gro-hw: merged by the hardware
	LRO   bool // rx-lro: merged by the driver, not always reversibly
	GSO   bool // tx-generic-segmentation: cut by the kernel where the hardware cannot
	TSO   bool // any tx-tcp*-segmentation: TCP is cut by the hardware
	USO   bool // tx-udp-segmentation: UDP is, for programs that ask for it
	// RxVLAN: the hardware takes VLAN tags out of frames (rx-vlan-hw-parse); a
	// packet socket gets them beside the frame.
	RxVLAN bool

	Driver string // as `ethtool -i` has it; "" if unknown
	// RxRing and RxRingMost are the frames that the hardware's receive ring
	// holds, as set and at most; 0 if the driver has none.
	RxRing, RxRingMost uint32
}

// MergesRx says whether received frames can be larger than on the wire.
func (o Offloads) MergesRx() bool { return o.GRO || o.HWGRO || o.LRO }

// MergesTx says whether frames that this host sends can be larger than on the
// wire.
func (o Offloads) MergesTx() bool { return o.TSO || o.USO }

// GetOffloads asks for the offloads of the device of that name in the calling
// thread's namespace. A device or driver that does not know a feature does not
// have it. The error is unix.ENODEV if there is no such device.
func GetOffloads(name string) (Offloads, error) {
	o, err := getOffloads(name)
	if err != nil {
		return Offloads{}, fmt.Errorf("cannot read the offloads of %q: %w", name, err)
	}
	return o, nil
}

func getOffloads(name string) (o Offloads, err error) {
	e, err := newEthtool(name)
	if err != nil {
		return o, err
	}
	defer e.close()
	names, err := e.featureNames()
	if err != nil {
		return o, err
	}
	on, err := e.features(len(names))
	if err != nil {
		return o, err
	}
	for i, name := range names {
		if on(i) {
			o.set(name)
		}
	}
	if info, err := unix.IoctlGetEthtoolDrvinfo(e.fd, name); err == nil {
		o.Driver = unix.ByteSliceToString(info.Driver[:])
	}
	o.RxRing, o.RxRingMost = e.ring()
	return o, nil
}

// set takes one feature that is on (netdev_features_strings in
// net/ethtool/common.c).
func (o *Offloads) set(feature string) {
	switch feature {
	case "rx-gro":
		o.GRO = true
	case "rx-gro-hw":
		o.HWGRO = true
	case "rx-lro":
		o.LRO = true
	case "tx-generic-segmentation":
		o.GSO = true
	case "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-tcp-ecn-segmentation", "tx-tcp-mangleid-segmentation":
		o.TSO = true
	case "tx-udp-segmentation":
		o.USO = true
	case "rx-vlan-hw-parse":
		o.RxVLAN = true
	}
}
