package config

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

const pathHome = "detection.home_networks"

// ownGroup is the group of the sensor's own addresses, as events name it.
const ownGroup = "sensor"

// home checks the groups of home networks. A network is in one of them: what the
// same file says twice is a problem, else the later file decides, and any file
// against the defaults.
func (k checker) home(rank func(file string) int) {
	groups := k.c.Detection.HomeNetworks
	type place struct {
		group string
		at    pos
	}
	taken := make(map[netip.Prefix]place)
	lost := make(map[string]map[netip.Prefix]bool)
	lose := func(group string, p netip.Prefix) {
		if lost[group] == nil {
			lost[group] = make(map[netip.Prefix]bool)
		}
		lost[group][p] = true
	}
	for _, name := range sortedKeys(groups) {
		if at := pathHome + "." + name; !plainName(name) || name == ownGroup {
			hint := "want 1 to 64 letters, digits, - and _"
			if name == ownGroup {
				hint = "it is that of this host's own addresses"
			}
			k.fail(at, "the key is not a name of networks", hint)
			continue
		}
		for i, raw := range groups[name] {
			at := fmt.Sprintf("%s.%s[%d]", pathHome, name, i)
			p := raw.Masked()
			here := place{name, k.c.origin[at]}
			first, twice := taken[p]
			switch later := rank(here.at.file) - rank(first.at.file); {
			case !p.IsValid() || twice && first.group == name:
			case !twice:
				taken[p] = here
			case later == 0:
				k.fail(at, fmt.Sprintf("%s is in %s as well, at %v", p, first.group, first.at), "a network is in one group")
			case later > 0:
				lose(first.group, p)
				taken[p] = here
			default:
				lose(name, p)
			}
		}
	}
	if len(lost) > 0 {
		k.c.leaveOut(lost)
	}
}

// leaveOut takes networks out of groups, and out of where they were written.
func (c *Config) leaveOut(lost map[string]map[netip.Prefix]bool) {
	groups := maps.Clone(c.Detection.HomeNetworks)
	for name, gone := range lost {
		at := func(i int) string { return fmt.Sprintf("%s.%s[%d]", pathHome, name, i) }
		var kept []netip.Prefix
		var origins []pos
		for i, p := range groups[name] {
			if !gone[p.Masked()] {
				kept, origins = append(kept, p), append(origins, c.origin[at(i)])
			}
			delete(c.origin, at(i))
		}
		for i, from := range origins {
			if from.file != "" {
				c.origin[at(i)] = from
			}
		}
		groups[name] = slices.Clip(kept)
	}
	c.Detection.HomeNetworks = groups
}
