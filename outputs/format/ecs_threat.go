package format

import (
	"net/netip"
	"strings"

	"trailhound/agent/event"
	"trailhound/trails"
)

// threat writes what a trail's event matched, and the technique that a heuristic
// points to.
func (d *document) threat(e *event.Event, opt ECSOptions) {
	t := e.Code.Technique()
	if t.ID == "" && !e.Code.IsTrail() {
		return
	}
	m := d.object("threat")
	if e.Code.IsTrail() {
		d.match(e, opt)
	}
	if t.ID != "" {
		d.technique(t)
	}
	d.close(m)
}

// technique writes a technique in ECS's lists, a sub-technique below its parent.
// Its texts are this program's own, in which nothing needs escaping.
func (d *document) technique(t event.Technique) {
	id, _, sub := strings.Cut(t.ID, ".")
	name, subname, _ := strings.Cut(t.Name, ": ")
	d.raw(`"framework":"MITRE ATT&CK","technique":{"id":["`)
	d.b = append(append(d.b, id...), `"],"name":["`...)
	d.b = append(append(d.b, name...), `"]`...)
	if sub {
		d.b = append(append(d.b, `,"subtechnique":{"id":["`...), t.ID...)
		d.b = append(append(d.b, `"],"name":["`...), subname...)
		d.b = append(d.b, `"]}`...)
	}
	d.b = append(d.b, '}')
}

// match writes what the event matched, twice: at top level, where dashboards
// find it, and as the enrichment that ECS has for a match.
func (d *document) match(e *event.Event, opt ECSOptions) {
	start := len(d.b)
	d.indicator(e)
	end := len(d.b)
	f := d.object("feed")
	d.string("name", bare(e.Reference))
	d.string("reference", publication(e.Sources))
	d.close(f)
	if !opt.NoEnrichments {
		d.raw(`"enrichments":[{`)
		d.b = append(d.b, d.b[start:end]...) // the indicator again; it is the first member there and here
		d.matched(e)
		d.b = append(d.b, `}]`...)
	}
}

func (d *document) indicator(e *event.Event) {
	m := d.object("indicator")
	addr, port := indicatorAddr(e)
	d.word("type", indicatorType(e.Kind, addr, e.Indicator))
	d.string("name", indicatorName(e))
	d.addr("ip", addr)
	d.number("port", uint64(port))
	d.string("description", e.Info)
	d.string("provider", bare(e.Reference))
	d.string("reference", publication(e.Sources))
	d.word("confidence", event.ConfidenceLabel(e.Confidence))
	u := d.object("url")
	switch e.Kind {
	case trails.Domain:
		d.string("domain", e.Indicator)
	case trails.URL:
		host, _, _ := strings.Cut(e.Indicator, "/")
		path, _, _ := strings.Cut(e.Indicator[len(host):], "?")
		d.string("original", e.Indicator)
		host, port := splitPort(host)
		d.string("domain", host)
		d.number("port", uint64(port))
		d.string("path", path)
	}
	d.close(u)
	d.close(m)
}

// indicatorAddr is the address of an indicator that is one, and its port.
func indicatorAddr(e *event.Event) (netip.Addr, uint16) {
	switch e.Kind {
	case trails.Address:
		return parseAddr(e.Indicator), 0
	case trails.AddressPort:
		a, _ := netip.ParseAddrPort(e.Indicator)
		return a.Addr(), a.Port()
	}
	return netip.Addr{}, 0
}

// indicatorType is a word of the vocabulary of threat.indicator.type; for some
// kinds it has none.
func indicatorType(k trails.Kind, a netip.Addr, indicator string) string {
	switch k {
	case trails.Domain, trails.Pattern:
		return "domain-name"
	case trails.Address, trails.AddressPort, trails.Network:
		if a.Is4() || !a.IsValid() && strings.IndexByte(indicator, ':') < 0 {
			return "ipv4-addr"
		}
		return "ipv6-addr"
	case trails.URL:
		return "url"
	case trails.Certificate:
		return "x509-certificate"
	case trails.UserAgent, trails.JA3, trails.JA4:
		return "software" // which they tell
	}
	return ""
}
