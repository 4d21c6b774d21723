package main

import (
	"fmt"

	"trailhound/agent/capture/device"
	"trailhound/agent/config"
)

const (
	// linkHeader is the longest header in front of what the MTU counts: Ethernet
	// and two VLAN tags.
	linkHeader = 14 + 2*4
	// mergedMost is the longest merged frame where the kernel does not say:
	// GRO_LEGACY_MAX_SIZE and GSO_LEGACY_MAX_SIZE of linux/netdevice.h.
	mergedMost = 65536
	maxSnaplen = 256 << 10 // of capture.snaplen
)

// checkSnaplen compares capture.snaplen with the longest frames of the ports:
// those of the MTU, and those that offloads merge. Loopback, whose MTU is 64 KiB
// by default, only counts when it was named.
func checkSnaplen(snaplen int64, ports []port, offloads func(name string) (device.Offloads, error)) []finding {
	var all []finding
	var long, merging, unread []string
	needMTU, needMerged, features := int64(0), int64(0), offloadSet{}
	for _, p := range ports {
		if p.Loopback && !p.named {
			continue
		}
		if need := int64(p.MTU) + linkHeader; need > snaplen {
			long, needMTU = append(long, p.Name), max(needMTU, need)
			continue
		}
		o, err := offloads(p.Name)
		if err != nil {
			unread = append(unread, err.Error())
			continue
		}
		need := mergedSize(p, o) + linkHeader
		if need > snaplen {
			merging, needMerged = append(merging, p.Name), max(needMerged, need)
			features.add(o)
		}
	}
	if len(long) > 0 {
		all = append(all, finding{"mtu", statusWarn,
			fmt.Sprintf("frames of up to %d bytes on %s: payload beyond capture.snaplen (%v) is cut", needMTU, some(long), config.Size(snaplen)), raiseTo(needMTU)})
	}
	if len(merging) > 0 {
		action := raiseTo(needMerged)
		if cut := features.off(); cut != "" {
			action += fmt.Sprintf(", or stop the merging: ethtool -K %s %s", merging[0], cut)
		}
		all = append(all, finding{"offloads", statusWarn,
			fmt.Sprintf("%s on %s make frames of up to %d bytes: payload beyond capture.snaplen (%v) is cut", features.names(), some(merging), needMerged, config.Size(snaplen)), action})
	}
	if len(unread) > 0 {
		all = append(all, finding{"offloads", statusWarn, some(unread), "check by hand: ethtool -k"})
	}
	if len(all) == 0 && len(ports) > 0 {
		all = append(all, finding{"offloads", statusOK, fmt.Sprintf("capture.snaplen (%v) holds the longest frames", config.Size(snaplen)), ""})
	}
	return all
}

func raiseTo(need int64) string {
	if need > maxSnaplen {
		return fmt.Sprintf("raise capture.snaplen to its most, %v", config.Size(maxSnaplen))
	}
	return fmt.Sprintf("raise capture.snaplen to %v", config.Size((need+1023)&^1023))
}

// mergedSize is the length of the longest frame that offloads make of others,
// its link header not counted; 0: none do.
func mergedSize(p port, o device.Offloads) (size int64) {
	if o.MergesRx() {
		size = int64(orElse(p.GROMax, mergedMost))
	}
	if o.MergesTx() {
		size = max(size, int64(orElse(p.GSOMax, mergedMost)))
	}
	return size
}

func orElse(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// offloadSet is the offloads that merge, over several devices.
type offloadSet struct{ gro, hwgro, lro, tso, uso bool }

func (s *offloadSet) add(o device.Offloads) {
	s.gro, s.hwgro, s.lro = s.gro || o.GRO, s.hwgro || o.HWGRO, s.lro || o.LRO
	s.tso, s.uso = s.tso || o.TSO, s.uso || o.USO
}

func (s offloadSet) each(f func(name, ethtool string)) {
	for _, one := range []struct {
		on            bool
		name, ethtool string
	}{{s.gro, "GRO", "gro"}, {s.hwgro, "hardware GRO", "rx-gro-hw"}, {s.lro, "LRO", "lro"}, {s.tso, "TSO", "tso"}, {s.uso, "UDP segmentation", "tx-udp-segmentation"}} {
		if one.on {
			f(one.name, one.ethtool)
		}
	}
}

// names gives "GRO, TSO".
func (s offloadSet) names() (text string) {
	s.each(func(name, _ string) {
		if text != "" {
			text += ", "
		}
		text += name
	})
	return text
}

// off gives what ethtool -K takes to switch them off: "gro off tso off".
func (s offloadSet) off() (text string) {
	s.each(func(_, ethtool string) {
		if text != "" {
			text += " "
		}
		text += ethtool + " off"
	})
	return text
}
