package suppress

import (
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"
)

// index finds the rules that may hold for an event. Each rule stands in one
// place: below the values of that of its fields whose most crowded value is
// shared by the fewest rules. What has no such field is tried with every event.
type index struct {
	text     [numFields]map[string][]int32 // exact texts
	grams    [numFields]*grams             // of texts with "*" and "?"
	below    map[string][]int32            // "*.example.com" as ".example.com"
	networks [numFields]*bart.Table[[]int32]
	ports    [numFields]map[uint16][]int32
	rest     []int32
}

// place is a value in the index.
type place struct {
	field   field
	form    form
	text    string
	network netip.Prefix
	port    uint16
}

type form uint8

const (
	formText form = iota
	formGram
	formBelow
	formNetwork
	formPort
)

// maxSpread is how many ports of a rule are written into the index: a range
// with more is tried instead.
const maxSpread = 64

// places lists where a rule has to stand for one of its conditions: for each
// value one of the places given. Nil: that cannot be looked up.
func (c *condition) places() (all [][]place) {
	if c.want == nil {
		return nil
	}
	one := func(p place) { p.field = c.field; all = append(all, []place{p}) }
	switch c.field {
	case fieldSource, fieldDestination, fieldNetwork:
		for _, n := range c.want.networks {
			one(place{form: formNetwork, network: n})
		}
	case fieldPort, fieldSourcePort, fieldDestinationPort:
		for _, s := range c.want.spans {
			if int(s.to)-int(s.from) >= maxSpread-len(all) {
				return nil
			}
			for p := int(s.from); p <= int(s.to); p++ {
				one(place{form: formPort, port: uint16(p)})
			}
		}
	case fieldTrail, fieldInfo, fieldReference, fieldType, fieldCode:
		for t := range c.want.exact {
			one(place{text: t})
		}
		for i := range c.want.globs {
			switch g := &c.want.globs[i]; {
			case len(g.parts) == 0:
				one(place{text: g.exact})
			case g.below != "" && c.field == fieldTrail:
				one(place{form: formBelow, text: g.below})
			default:
				some := g.grams(c.field)
				if some == nil {
					return nil
				}
				all = append(all, some)
			}
		}
	}
	return all
}

func (x *index) build(rules []*compiled) {
	crowd := make(map[place]int)
	for _, c := range rules {
		for i := range c.conditions {
			for _, some := range c.conditions[i].places() {
				for _, p := range some {
					crowd[p]++
				}
			}
		}
	}
	for i, c := range rules {
		var best []place
		least := 0
		for k := range c.conditions {
			if chosen, most := choose(c.conditions[k].places(), crowd); chosen != nil && (best == nil || most < least) {
				best, least = chosen, most
			}
		}
		if best == nil {
			x.rest = append(x.rest, int32(i))
		}
		for _, p := range best {
			x.put(p, int32(i))
		}
	}
}

// choose takes the least crowded place for each value, and says how crowded
// the worst of them is.
func choose(values [][]place, crowd map[place]int) (chosen []place, most int) {
	for _, some := range values {
		best := some[0]
		for _, p := range some[1:] {
			if crowd[p] < crowd[best] {
				best = p
			}
		}
		chosen, most = append(chosen, best), max(most, crowd[best])
	}
	return chosen, most
}

func (x *index) put(p place, rule int32) {
	switch p.form {
	case formText:
		x.text[p.field] = with(x.text[p.field], p.text, rule)
	case formGram:
		if x.grams[p.field] == nil {
			x.grams[p.field] = new(grams)
		}
		x.grams[p.field].put(p.text, rule)
	case formBelow:
		x.below = with(x.below, p.text, rule)
	case formNetwork:
		if x.networks[p.field] == nil {
			x.networks[p.field] = new(bart.Table[[]int32])
		}
		list, _ := x.networks[p.field].Get(p.network)
		x.networks[p.field].Insert(p.network, extend(list, rule))
	case formPort:
		x.ports[p.field] = with(x.ports[p.field], p.port, rule)
	}
}

func with[K comparable](m map[K][]int32, k K, rule int32) map[K][]int32 {
	if m == nil {
		m = make(map[K][]int32)
	}
	m[k] = extend(m[k], rule)
	return m
}

// extend appends a rule that is not there already: one may name a value twice.
func extend(list []int32, rule int32) []int32 {
	if n := len(list); n > 0 && list[n-1] == rule {
		return list
	}
	return append(list, rule)
}

// candidates gives the lists of rules that may hold, each rising. A rule may be
// in several.
func (x *index) candidates(v *view, try func([]int32)) {
	try(x.rest)
	if m := x.text[fieldTrail]; m != nil {
		try(m[v.trail])
		try(m[v.indicator])
	}
	if x.below != nil {
		x.suffixes(v.indicator, try)
		if v.observable != v.indicator {
			x.suffixes(v.observable, try)
		}
	}
	try(x.text[fieldInfo][v.info])
	try(x.text[fieldReference][v.reference])
	try(x.text[fieldType][v.typ])
	try(x.text[fieldCode][v.code])
	x.grams[fieldTrail].find(v.trail, try)
	if v.indicator != v.trail {
		x.grams[fieldTrail].find(v.indicator, try)
	}
	x.grams[fieldInfo].find(v.info, try)
	x.grams[fieldReference].find(v.reference, try)
	x.grams[fieldType].find(v.typ, try)
	x.grams[fieldCode].find(v.code, try)
	x.covering(fieldSource, v.src, try)
	x.covering(fieldDestination, v.dst, try)
	x.covering(fieldNetwork, v.src, try)
	x.covering(fieldNetwork, v.dst, try)
	try(x.ports[fieldPort][v.e.SrcPort])
	try(x.ports[fieldPort][v.e.DstPort])
	try(x.ports[fieldSourcePort][v.e.SrcPort])
	try(x.ports[fieldDestinationPort][v.e.DstPort])
}

// suffixes looks up every ".rest" of a name.
func (x *index) suffixes(name string, try func([]int32)) {
	for len(name) <= maxName {
		dot := strings.IndexByte(name[min(1, len(name)):], '.')
		if dot < 0 {
			return
		}
		name = name[dot+1:]
		try(x.below[name])
	}
}

// covering looks up the networks that an address is in.
func (x *index) covering(f field, a netip.Addr, try func([]int32)) {
	if x.networks[f] == nil || !a.IsValid() {
		return
	}
	for _, list := range x.networks[f].Supernets(netip.PrefixFrom(a, a.BitLen())) {
		try(list)
	}
}
