package suppress

import (
	"net/netip"
	"slices"
	"strings"
)

// universal says whether a rule holds for every event without saying so: each
// condition names all that its field can be.
func (r *Rule) universal(conditions []condition) bool {
	if len(r.Code) == 1 && r.Code[0] == "*" {
		return false // that it is meant is what it says
	}
	return !slices.ContainsFunc(conditions, func(c condition) bool { return !r.names(&c) })
}

// names says whether a condition names all that its field can be. Ports and VLAN
// ids are left out: there are events without.
func (r *Rule) names(c *condition) bool {
	if c.avoid != nil {
		return false
	}
	switch c.field {
	case fieldSource, fieldDestination, fieldNetwork:
		all := func(zero netip.Addr) bool {
			return slices.Contains(c.want.networks, netip.PrefixFrom(zero, 0))
		}
		return all(netip.IPv4Unspecified()) && all(netip.IPv6Unspecified())
	case fieldTrail, fieldInfo, fieldReference, fieldType, fieldCode, fieldInterface:
		return slices.ContainsFunc(*r.values(c.field), isWild)
	}
	return false
}

// isWild says whether a pattern fits every text, or every one of some length, or
// every code: "*", "**", "?*", "*.*".
func isWild(text string) bool {
	return strings.Contains(text, "*") && strings.Trim(text, "*?.") == ""
}
