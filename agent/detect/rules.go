// Package detect turns packets into events: it matches addresses, names, URLs,
// user agents and certificates against the trails.
//
// Rules is what is matched against, immutable and shared; a Worker owns the
// state of one stream of packets and is run by one goroutine. A packet that
// raises nothing costs no allocation.
package detect

import (
	"net/netip"
	"sync"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/protocol/attack"
	"trailhound/trails"
	"trailhound/trails/pattern"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// Options of detection.
type Options struct {
	Heuristics  bool                // everything that is not a trail
	HostDomains bool                // check the Host header as a name
	MissingHost bool                // report requests without Host
	Redact      bool                // mask secrets in evidence
	Disabled    map[event.Code]bool // codes that raise nothing
	Home        *event.HomeNetworks
	Roles       *event.Roles // hosts that trip some heuristics by nature
	// Thresholds and Windows of heuristics by code, where they are not the
	// reference's, and the most memory of those over time.
	Thresholds map[event.Code]float64
	Windows    map[event.Code]time.Duration
	Memory     int
	NoCaches   bool // for measurements: look up every name and user agent anew
	// UserAgents is the list of suspicious user agents (D 12.6), as text.
	UserAgents []byte
}

// Rules is one generation of what is matched against. It is safe for
// concurrent use; the table must stay open as long as any worker uses it.
type Rules struct {
	opt      Options
	table    *table.Table
	trace    *Trace // nil but in a copy of one worker's own
	white    *whitelist.List
	names    *pattern.Set
	nameRefs []table.Ref
	agents   func() *agents
	noHost   table.HostHash // finds paths alone
	digests  bool           // any certificate trails at all
	omitted  []attack.Category
	// fingerprints: any trails of clients' fingerprints at all.
	fingerprints bool
	Unusable     []pattern.Problem
}

// agents is the compiled list of user agents: the built-in ones first, then
// those of the trails.
type agents struct {
	set     *pattern.Set
	builtin int
	refs    []table.Ref
}

// NewRules prepares a table for matching. Name patterns are compiled now, user
// agents when the first request is seen. Patterns that cannot be used are
// listed in Unusable; trails lint shows them too.
func NewRules(t *table.Table, white *whitelist.List, opt Options) *Rules {
	r := &Rules{opt: opt, table: t, white: white, noHost: t.Host(nil), omitted: omitted(opt.Disabled), digests: t.Count(trails.Certificate) > 0, fingerprints: t.Count(trails.JA3)+t.Count(trails.JA4) > 0}
	var names, uas []string
	var uaRefs []table.Ref
	for ref := range t.Expressions() {
		key := string(t.Key(ref))
		switch t.Kind(ref) {
		case trails.Pattern:
			if fixed, ok := pattern.Repair(key); ok {
				key = fixed
			}
			names = append(names, key)
			r.nameRefs = append(r.nameRefs, ref)
		case trails.UserAgent:
			uas = append(uas, pattern.UserAgentPattern(key))
			uaRefs = append(uaRefs, ref)
		}
	}
	r.names, r.Unusable = pattern.Compile(names, pattern.Options{})
	r.agents = sync.OnceValue(func() *agents {
		a := &agents{refs: uaRefs}
		var list []string
		if opt.Heuristics && !opt.Disabled[event.HTTPUA] {
			list = pattern.UserAgentPatterns(opt.UserAgents)
		}
		a.builtin = len(list)
		a.set, _ = pattern.Compile(append(list, uas...), pattern.Options{Fold: true})
		return a
	})
	return r
}

// NoRules matches nothing: what is left when no table can be read.
func NoRules() *Rules {
	t, err := table.NewBuilder(table.Options{}).Memory()
	if err != nil {
		panic("BUG: a table of nothing cannot be built: " + err.Error())
	}
	return NewRules(t, nil, Options{Disabled: map[event.Code]bool{event.HTTPIoT: true}})
}

// Board says what the heuristics over time look for.
func (r *Rules) Board() heuristic.Options {
	o := heuristic.Options{Heuristics: r.opt.Heuristics, Disabled: r.opt.Disabled, Thresholds: r.opt.Thresholds, Windows: r.opt.Windows,
		Home: r.opt.Home, Roles: r.opt.Roles, Memory: r.opt.Memory}
	if r.white != nil {
		o.White = r.white
	}
	return o
}

// Table is the trails matched against.
func (r *Rules) Table() *table.Table { return r.table }

// listed drops a hit that the whitelist takes out: an entry equal to the trail,
// or a range around its address.
func (r *Rules) listed(ref table.Ref) table.Ref {
	if ref != 0 && r.white != nil && r.white.Trail(r.table.Kind(ref), r.table.Key(ref)) {
		r.trace.white(ref)
		return 0
	}
	return ref
}

func (r *Rules) addr(a netip.Addr) table.Ref { return r.listed(r.trace.addr(a, r.table.Addr(a))) }

func (r *Rules) addrPort(a netip.Addr, port uint16) table.Ref {
	return r.listed(r.trace.addrPort(a, port, r.table.AddrPort(a, port)))
}

// whiteName is the domain test of the whitelist.
func (r *Rules) whiteName(name []byte) bool { return r.white != nil && r.white.Domain(name) }

func (r *Rules) heuristic(code event.Code) bool { return r.opt.Heuristics && !r.opt.Disabled[code] }
