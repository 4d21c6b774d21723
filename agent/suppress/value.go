package suppress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"trailhound/agent/event"
	"trailhound/trails"
)

// readCondition reads the values of a field. It goes on after a problem, so
// that all of them are reported.
func readCondition(f field, values []string, scope *Scope) (c condition, errs []error) {
	c.field = f
	for _, text := range values {
		to, value := &c.want, text
		if strings.HasPrefix(text, "!") {
			to, value = &c.avoid, text[1:]
		}
		if *to == nil {
			*to = new(choice)
		}
		if err := (*to).add(f, value, scope); err != nil {
			errs = append(errs, fmt.Errorf("%v: %w", f, err))
		}
	}
	for _, side := range []*choice{c.want, c.avoid} {
		if side != nil {
			side.seal()
		}
	}
	return c, errs
}

// errEmpty is most often a "!" without quotes, which is a tag in YAML.
var errEmpty = errors.New(`an empty value; one that begins with ! is written in quotes: "!value"`)

func (c *choice) add(f field, text string, scope *Scope) error {
	if text == "" {
		return errEmpty
	}
	switch f {
	case fieldSource, fieldDestination, fieldNetwork:
		networks, err := readNetworks(text, scope)
		c.networks = append(c.networks, networks...)
		return err
	case fieldPort, fieldSourcePort, fieldDestinationPort:
		return c.addSpan(text, "port", 1, 65535)
	case fieldVLAN:
		return c.addSpan(text, "VLAN id", 0, 4095)
	}
	g, err := readGlob(text)
	if err != nil {
		return fmt.Errorf("%q: %w", clip(text), err)
	}
	if len(g.parts) == 0 {
		switch {
		case f == fieldCode && !isCode(g.exact):
			return fmt.Errorf("%q is no code of a detection", clip(text))
		case f == fieldType && !isType(g.exact):
			return fmt.Errorf("%q is no type, write one of %s", clip(text), strings.Join(typeNames(), ", "))
		}
	}
	c.globs = append(c.globs, g)
	if f == fieldTrail && len(g.parts) == 0 {
		// One address has two spellings, that of RFC 5952 and that of trails.
		if same := strings.ToLower(trails.Spelled(g.exact)); same != g.exact {
			c.globs = append(c.globs, glob{exact: same})
		}
	}
	return nil
}

// readNetworks reads an address, a network, or the name of home networks.
func readNetworks(text string, scope *Scope) ([]netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		p = unmap(p)
		if p.Addr().Is4In6() { // ::ffff:10.0.0.0/8 is all of ::/8
			if p.Bits() <= 32 {
				return nil, fmt.Errorf("%q is a network of IPv6, did you mean %v?", clip(text), netip.PrefixFrom(p.Addr().Unmap(), p.Bits()).Masked())
			}
			return nil, fmt.Errorf("%q holds IPv4 addresses and others: write the IPv4 form", clip(text))
		}
		if p != p.Masked() {
			return nil, fmt.Errorf("%q has host bits, did you mean %v?", clip(text), p.Masked())
		}
		return []netip.Prefix{p}, nil
	}
	named, ok := scope.Networks[text]
	if !ok {
		if scope.elsewhere && event.IsGroup(text) {
			return nil, nil
		}
		return nil, fmt.Errorf("%q is no address, no network such as 10.0.0.0/8, and no name of home networks", clip(text))
	}
	var all []netip.Prefix
	for _, p := range named {
		if p.IsValid() {
			all = append(all, unmap(p).Masked())
		}
	}
	return all, nil
}

// unmap makes a network of IPv4-mapped addresses one of IPv4 addresses, as
// which they come.
func unmap(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

func (c *choice) addSpan(text, what string, least, most uint64) error {
	first, last, isSpan := strings.Cut(text, "-")
	if !isSpan {
		last = first
	}
	from, err := strconv.ParseUint(strings.TrimSpace(first), 10, 16)
	to, err2 := strconv.ParseUint(strings.TrimSpace(last), 10, 16)
	if err != nil || err2 != nil || from < least || to > most || from > to {
		return fmt.Errorf("%q is no %s from %d to %d, nor a range such as 1000-2000", clip(text), what, least, most)
	}
	c.spans = append(c.spans, span{uint16(from), uint16(to)})
	return nil
}

func types() []event.Type {
	return []event.Type{event.DNS, event.IP, event.IPORT, event.URL, event.HTTP, event.UA, event.PATH, event.PORT, event.CERT}
}

func typeNames() (names []string) {
	for _, t := range types() {
		names = append(names, string(t))
	}
	return names
}

func isType(folded string) bool {
	for _, t := range types() {
		if strings.ToLower(string(t)) == folded {
			return true
		}
	}
	return false
}

// isCode knows the codes of what passes a gate. Health events do not.
func isCode(folded string) bool {
	return slices.Contains(event.Heuristics(), event.Code(folded)) || slices.Contains(event.Trails(), event.Code(folded))
}
