package main

import (
	"fmt"

	"trailhound/agent/config"
)

// homeCause is the cause of health.detection.home where it is not an interface's
// traffic that shows it but the configuration.
const homeCause = "home_networks"

// homeFlaw says why detection.home_networks tells no sides apart; empty: it does.
// Both are allowed, for a sensor may have nothing to guard by itself.
func homeFlaw(c *config.Config) string {
	none := true
	for name, list := range c.Detection.HomeNetworks {
		for _, p := range list {
			none = false
			if p.Bits() == 0 {
				return fmt.Sprintf("detection.home_networks.%s has %s, so every such host is at home and no event is inbound or outbound", name, p)
			}
		}
	}
	if none {
		return "detection.home_networks is empty, so the direction of every event is unknown and what goes by home networks finds nothing"
	}
	return ""
}

// checkHome is what doctor says of it.
func checkHome(c *config.Config) finding {
	if flaw := homeFlaw(c); flaw != "" {
		return finding{"home networks", statusWarn, flaw, "list one's own networks in detection.home_networks"}
	}
	n := 0
	for _, list := range c.Detection.HomeNetworks {
		n += len(list)
	}
	return finding{"home networks", statusOK, fmt.Sprintf("%s in %s", count(uint64(n), "network"), count(uint64(len(c.Detection.HomeNetworks)), "group")), ""}
}
