package event

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// Role is what a host is for, where that trips some detections by nature.
type Role uint8

// The roles, as detection.roles names them.
const (
	Resolver Role = iota
	Scanner
	Proxy
	Mail
	NAT
	NumRoles = iota
)

// String is the role's name in the configuration.
func (r Role) String() string {
	return [NumRoles]string{"resolver", "scanner", "proxy", "mail", "nat"}[r]
}

// Excuses lists the codes that a host of the role trips by nature. Nothing else
// is muted for it, and never a trail.
func (r Role) Excuses() []Code {
	switch r {
	case Resolver:
		return []Code{DNSExhaustion, DNSLong, DNSNXDomain, DNSDGAEntropy, DNSDGAConsonant}
	case Mail: // looks up what it is given in senders and lists
		return []Code{DNSExhaustion, DNSNXDomain, DNSDGAEntropy, DNSDGAConsonant}
	case Proxy:
		return []Code{ScanWeb, HTTPProxyProbe, HTTPDownload, DNSLong}
	case NAT:
		return []Code{ScanPort, ScanUDP, ScanWeb, ScanInfection}
	case Scanner:
		list := []Code{ScanPort, ScanUDP, ScanWeb, ScanInfection, HTTPProxyProbe, HTTPUA, HTTPNoHost, HTTPNonexistent}
		return append(list, Attacks()...)
	}
	return nil
}

// Roles says which hosts have a role. It is immutable; the nil pointer knows
// none.
type Roles struct {
	hosts  [NumRoles]bart.Lite
	any    [NumRoles]bool
	excuse map[Code][]Role
}

// NewRoles builds the set from the networks of each role.
func NewRoles(networks map[Role][]netip.Prefix) *Roles {
	r := &Roles{excuse: make(map[Code][]Role)}
	for role := range Role(NumRoles) {
		for _, p := range networks[role] {
			if p.IsValid() {
				r.hosts[role].Insert(p.Masked())
				r.any[role] = true
			}
		}
		for _, c := range role.Excuses() {
			r.excuse[c] = append(r.excuse[c], role)
		}
	}
	return r
}

// Mutes says whether a role of the host, the client of what is to be raised,
// excuses it.
func (r *Roles) Mutes(code Code, client netip.Addr) (Role, bool) {
	if r == nil || !client.IsValid() {
		return 0, false
	}
	client = client.Unmap()
	for _, role := range r.excuse[code] {
		if r.any[role] && r.hosts[role].Contains(client) {
			return role, true
		}
	}
	return 0, false
}

// Attacks lists the codes of requests that attack a server.
func Attacks() []Code {
	all := Heuristics()
	first, last := slices.Index(all, HTTPSQLi), slices.Index(all, HTTPDNSChanger)
	return all[first : last+1]
}
