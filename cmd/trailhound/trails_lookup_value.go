package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"trailhound/trails"
	"trailhound/trails/pattern"
	"trailhound/trails/table"
)

// value explains one value.
func (l *lookup) value(text string) *answer {
	an := &answer{Value: text, Matches: []match{}, Events: []raisedEvent{}}
	text = strings.TrimSpace(text)
	kind, key, err := trails.AppendKey(nil, []byte(text))
	if errors.Is(err, trails.ErrNamePort) {
		an.Notes = append(an.Notes, "a name with a port is looked up as the name: no packet shows both")
		text = text[:strings.LastIndexByte(text, ':')]
		kind, key, err = trails.AppendKey(nil, []byte(text))
	}
	if err != nil {
		an.Error = fmt.Sprintf("not a value that a trail could match: %v", err)
		return an
	}
	an.Kind = kind.String()
	switch kind {
	case trails.Domain:
		l.name(an, observedName(text, key))
	case trails.Address:
		a, _ := netip.AddrFromSlice(key)
		l.address(an, a, 0)
	case trails.AddressPort:
		n := len(key) - 2
		a, _ := netip.AddrFromSlice(key[:n])
		l.address(an, a, uint16(key[n])<<8|uint16(key[n+1]))
	case trails.Network:
		a, _ := netip.AddrFromSlice(key[:len(key)-1])
		l.networks(an, a, int(key[len(key)-1]), "exact network")
		an.Notes = append(an.Notes, "a network is many addresses, so no packet was tried: look one of them up")
	case trails.URL:
		l.url(an, key)
	case trails.UserAgent:
		l.agent(an, key)
	case trails.Certificate:
		l.add(an, l.t.Find(kind, key), "exact digest")
		an.Notes = append(an.Notes, "a certificate cannot be made from its digest, so no packet was tried")
	case trails.JA3, trails.JA4:
		l.add(an, l.t.Find(kind, key), "exact")
		an.Notes = append(an.Notes, "a client cannot be made from its fingerprint, so no packet was tried")
	default:
		l.add(an, l.t.Find(kind, key), "exact")
	}
	return an
}

// observedName is a name as a packet has it: keys lack "www.", packets do not.
func observedName(text string, key []byte) []byte {
	if len(text) > 4 && strings.EqualFold(text[:4], "www.") && !bytes.HasPrefix(key, []byte("www.")) {
		return append([]byte("www."), key...)
	}
	return key
}

// address explains an address, with a port or (0) without.
func (l *lookup) address(an *answer, a netip.Addr, port uint16) {
	key := a.AsSlice()
	if port != 0 {
		ref := l.t.Find(trails.AddressPort, append(append([]byte(nil), key...), byte(port>>8), byte(port)))
		l.add(an, ref, "exact address and port", l.addressWords(ref, port)...)
	}
	rule := "exact address"
	if port != 0 {
		rule = "the address, whatever the port"
	}
	ref := l.t.Find(trails.Address, key)
	l.add(an, ref, rule, l.addressWords(ref, port)...)
	l.networks(an, a, a.BitLen(), "longest network")
	if l.white.Addr(a) {
		entry, _ := l.white.Explain(trails.AddrText(a))
		an.Against = append(an.Against, fmt.Sprintf("whitelist entry %s: nothing from or to this address is reported, except names", entry))
	}
	p := l.prober
	if port == 0 {
		l.raised(an, p.To(netip.AddrPortFrom(a, 80)))
		l.raised(an, p.From(netip.AddrPortFrom(a, 49150)))
		l.raised(an, p.Echo(a))
		return
	}
	l.raised(an, p.To(netip.AddrPortFrom(a, port)))
	l.raised(an, p.From(netip.AddrPortFrom(a, port)))
	l.raised(an, p.Datagram(netip.AddrPortFrom(a, port)))
}

// networks explains the networks around an address, the longest first.
func (l *lookup) networks(an *answer, a netip.Addr, bits int, rule string) {
	for n := bits; n > 0; n-- {
		p, err := a.Prefix(n)
		if err != nil {
			return
		}
		ref := l.t.Find(trails.Network, append(p.Addr().AsSlice(), byte(n)))
		if n < bits && rule == "exact network" || ref != 0 && len(an.Matches) > 0 && rule == "longest network" {
			rule = "wider network"
		}
		l.add(an, ref, rule, l.addressWords(ref, 0)...)
	}
}

// addressWords says what words of an info hold back for an address (D 15).
func (l *lookup) addressWords(ref table.Ref, port uint16) (list []string) {
	if ref == 0 {
		return nil
	}
	info, _ := l.t.Info(ref)
	if bytes.Contains(info, []byte("attacker")) {
		list = append(list, `"attacker" in the info: no event where it is the destination of TCP or UDP`)
	}
	if bytes.Contains(info, []byte("malware")) {
		list = append(list, `"malware" in the info: no event where it is the source of TCP or UDP`)
	}
	if bytes.Contains(info, []byte("parking site")) && port != 80 && port != 443 {
		list = append(list, `"parking site" in the info: TCP to ports 80 and 443 only`)
	}
	return list
}

// name explains a lower-case name.
func (l *lookup) name(an *answer, name []byte) {
	l.names(an, name, "")
	l.raised(an, l.prober.Query(name))
	l.raised(an, l.prober.Request(name, []byte("/"), nil))
}

// names adds the trails of a name: itself and what is above it, expressions,
// and URLs that stand for every request to it. Of says what the name is of.
func (l *lookup) names(an *answer, name []byte, of string) {
	var entry string
	if l.white.Domain(name) {
		entry, _ = l.white.Explain(string(name))
		an.Against = append(an.Against, fmt.Sprintf("whitelist entry %s: the name raises nothing", entry))
	}
	var w table.Names
	for i := range l.t.Suffixes(&w, name) {
		ref, start := l.t.Suffix(&w, name, i)
		rule := "parent name"
		if start == 0 {
			rule = "exact name"
		}
		l.add(an, ref, rule+of, l.nameWords(ref, name, start)...)
	}
	if ref, at := l.expression(trails.Pattern, name); ref != 0 {
		l.add(an, ref, fmt.Sprintf("expression, found in %q%s", at, of))
	}
	l.add(an, l.t.Find(trails.URL, append(append([]byte(nil), name...), '/')), "any URL of the host (HTTP requests only)")
}

// nameWords says what words of an info hold back for a name (D 15).
func (l *lookup) nameWords(ref table.Ref, name []byte, start int) (list []string) {
	if ref == 0 {
		return nil
	}
	info, _ := l.t.Info(ref)
	for _, word := range []string{"dynamic", "free web"} {
		if (start == 0 || bytes.HasPrefix(name, []byte("www."))) && bytes.Contains(info, []byte(word)) {
			list = append(list, fmt.Sprintf("%q in the info: only names below it are reported", word))
		}
	}
	return list
}

// expression gives the trail of an expression that matches a text, and where.
func (l *lookup) expression(kind trails.Kind, text []byte) (table.Ref, string) {
	var list []string
	var refs []table.Ref
	for ref := range l.t.Expressions() {
		if l.t.Kind(ref) != kind {
			continue
		}
		key := string(l.t.Key(ref))
		if kind == trails.UserAgent {
			key = pattern.UserAgentPattern(key)
		} else if fixed, ok := pattern.Repair(key); ok {
			key = fixed
		}
		list, refs = append(list, key), append(refs, ref)
	}
	set, _ := pattern.Compile(list, pattern.Options{Fold: kind == trails.UserAgent})
	i, start, end, ok := set.Find(text)
	if !ok {
		return 0, ""
	}
	return refs[i], string(text[start:end])
}

// agent explains a User-Agent value.
func (l *lookup) agent(an *answer, value []byte) {
	l.add(an, l.t.Find(trails.UserAgent, value), "the trail's own text")
	if ref, at := l.expression(trails.UserAgent, value); ref != 0 {
		l.add(an, ref, fmt.Sprintf("expression, found in %q", at))
	}
	l.raised(an, l.prober.Request(nil, []byte("/"), bytes.ReplaceAll(value, []byte("%"), []byte("%25"))))
}
