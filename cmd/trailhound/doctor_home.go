package main

import (
	"fmt"
	"net/netip"

	"trailhound/agent/capture/device"
	"trailhound/agent/event"
	"trailhound/agent/packet"
)

// enoughSides is how many packets it takes to say whose they are.
const enoughSides = 100

// countSides counts a packet by whether it has a side at home.
func (t *traffic) countSides(p *packet.Packet, home *event.HomeNetworks) {
	switch at, tells := home.Sides(p.Src, p.Dst); {
	case !tells:
	case at:
		t.home++
	default:
		t.foreign++
	}
}

func (t *traffic) addSides(o traffic) {
	t.home += o.home
	t.foreign += o.foreign
}

// strange says whether most packets have no side at home: the finding of
// health.detection.home, on less traffic.
func (t traffic) strange() bool {
	return t.home+t.foreign >= enoughSides && t.foreign > t.home
}

func (t traffic) strangeness() (text, action string) {
	return fmt.Sprintf("%d of %d packets have no side in detection.home_networks", t.foreign, t.home+t.foreign),
		"list all of one's own networks in detection.home_networks: they decide the direction of events"
}

// ownAddresses are those of this host's interfaces; none if they cannot be
// read.
func ownAddresses() []netip.Addr {
	list, _ := hostAddresses()
	return list
}

// hostAddresses lists the addresses of this host's interfaces.
func hostAddresses() ([]netip.Addr, error) {
	list, err := device.Addresses()
	if err != nil {
		return nil, err
	}
	all := make([]netip.Addr, 0, len(list))
	for _, a := range list {
		all = append(all, a.Prefix.Addr())
	}
	return all, nil
}
