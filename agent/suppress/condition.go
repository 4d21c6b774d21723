package suppress

import (
	"net/netip"
	"strings"

	"github.com/gaissmai/bart"

	"trailhound/agent/event"
)

// view is an event as rules look at it. Texts are folded.
type view struct {
	e                                                   *event.Event
	src, dst                                            netip.Addr
	trail, indicator, observable, info, reference, code string
	typ, iface, alias                                   string
}

func newView(e *event.Event) view {
	return view{e: e, src: e.Src.Unmap().WithZone(""), dst: e.Dst.Unmap().WithZone(""),
		trail: strings.ToLower(e.Trail), indicator: strings.ToLower(e.Indicator), observable: strings.ToLower(e.Observable),
		info: strings.ToLower(e.Info), reference: strings.ToLower(e.Reference), code: strings.ToLower(string(e.Code)),
		typ: strings.ToLower(string(e.Type)), iface: strings.ToLower(e.Interface), alias: strings.ToLower(e.Alias)}
}

// condition is what a rule says of one field.
type condition struct {
	field       field
	want, avoid *choice // nil: no such value
}

func (c *condition) holds(v *view) bool {
	return (c.want == nil || c.want.has(c.field, v)) && (c.avoid == nil || !c.avoid.has(c.field, v))
}

// choice is several values of a field, of which only the kind is in use that
// the field has.
type choice struct {
	networks []netip.Prefix
	table    *bart.Lite // holds the networks when they are many
	spans    []span
	globs    []glob
	exact    map[string]struct{} // holds the texts without * and ? when they are many
}

// span is a range of ports or VLAN ids, both ends within.
type span struct{ from, to uint16 }

// few is how many values are cheaper to go through than to look up.
const few = 8

// seal makes looking up fast once all values are in.
func (c *choice) seal() {
	if len(c.networks) > few {
		c.table = new(bart.Lite)
		for _, p := range c.networks {
			c.table.Insert(p)
		}
	}
	if len(c.globs) > few {
		c.exact = make(map[string]struct{})
		rest := c.globs[:0:0]
		for _, g := range c.globs {
			if len(g.parts) == 0 {
				c.exact[g.exact] = struct{}{}
			} else {
				rest = append(rest, g)
			}
		}
		c.globs = rest
	}
}

func (c *choice) has(f field, v *view) bool {
	switch f {
	case fieldSource:
		return c.address(v.src)
	case fieldDestination:
		return c.address(v.dst)
	case fieldNetwork:
		return c.address(v.src) || c.address(v.dst)
	case fieldPort:
		return c.port(v.e.SrcPort) || c.port(v.e.DstPort)
	case fieldSourcePort:
		return c.port(v.e.SrcPort)
	case fieldDestinationPort:
		return c.port(v.e.DstPort)
	case fieldTrail:
		return c.trail(v)
	case fieldInfo:
		return c.text(v.info)
	case fieldReference:
		return c.text(v.reference)
	case fieldType:
		return c.text(v.typ)
	case fieldCode:
		return c.text(v.code)
	case fieldInterface:
		return c.text(v.iface) || c.text(v.alias)
	case fieldVLAN:
		for _, id := range v.e.VLANs {
			if c.number(id) {
				return true
			}
		}
	}
	return false
}

func (c *choice) address(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	if c.table != nil {
		return c.table.Contains(a)
	}
	for _, p := range c.networks {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// port is number, save that 0 is no port.
func (c *choice) port(n uint16) bool { return n != 0 && c.number(n) }

func (c *choice) number(n uint16) bool {
	for _, s := range c.spans {
		if s.from <= n && n <= s.to {
			return true
		}
	}
	return false
}

// text says whether a value is that text. What is absent is no value.
func (c *choice) text(s string) bool {
	if s == "" {
		return false
	}
	if _, ok := c.exact[s]; ok {
		return true
	}
	for i := range c.globs {
		if c.globs[i].match(s) {
			return true
		}
	}
	return false
}

// trail compares with the display form and with the indicator. The form
// "*.example.com" is compared with names only, the indicator or what was seen on
// the wire: elsewhere anyone could append ".example.com" to what he sends.
func (c *choice) trail(v *view) bool {
	for _, s := range [...]string{v.trail, v.indicator} {
		if _, ok := c.exact[s]; ok && s != "" {
			return true
		}
	}
	for i := range c.globs {
		g := &c.globs[i]
		switch {
		case g.below != "":
			if isBelow(v.indicator, g.below) || isBelow(v.observable, g.below) {
				return true
			}
		case v.trail != "" && g.match(v.trail), v.indicator != "" && g.match(v.indicator):
			return true
		}
	}
	return false
}

// maxName is the longest host name (RFC 1035 3.1), with a dot at its end.
const maxName = 254

func isBelow(name, suffix string) bool {
	return len(name) > len(suffix) && len(name) <= maxName && strings.HasSuffix(name, suffix) && isName(name)
}
