package lint

import (
	"bytes"
	"net/netip"
	"strings"

	"trailhound/trails"
	"trailhound/trails/table"
)

// below are first labels for a name below a trail: where the trail itself may
// not match ("dynamic dns" providers) or is a single label.
var below = [...]string{"sub.", "a7k2q9.", "q9x0.z3."}

// domain asks for the name, then for one below it.
func (l *linter) domain(ref table.Ref, key []byte) verdict {
	if bytes.IndexByte(key, '.') >= 0 && l.hit(ref, l.prober.Query(key)) {
		return verdict{}
	}
	for _, label := range below {
		if l.hit(ref, l.prober.Query(append([]byte(label), key...))) {
			return verdict{}
		}
	}
	if fault := nameFault(key); fault != "" {
		return verdict{reason: ImpossibleName, detail: fault}
	}
	if v, ok := l.listed(trails.Domain, key); ok {
		return v
	}
	if v, ok := l.covered(key); ok {
		return v
	}
	if l.rival == "" && l.guess == "" && len(key) > 253-len(below[0]) {
		info, _ := l.t.Info(ref)
		if words := wordsOf(info, "dynamic", "free web", "suspicious", "sinkhole"); words != "" {
			return verdict{reason: InfoWord, detail: words}
		}
	}
	return l.missed()
}

// wordsOf lists those of the words that an info holds.
func wordsOf(info []byte, words ...string) string {
	var found []string
	for _, w := range words {
		if bytes.Contains(info, []byte(w)) {
			found = append(found, w)
		}
	}
	return strings.Join(found, ", ")
}

// address connects to the address and from it. What no TCP matches is tried as
// a datagram, and without a port as an echo request.
func (l *linter) address(ref table.Ref, kind trails.Kind, key []byte) verdict {
	a, port, ok := l.member(ref, kind, key)
	if !ok {
		return l.missed()
	}
	p := l.prober
	at := netip.AddrPortFrom(a, port)
	if l.hit(ref, p.To(at)) || l.hit(ref, p.From(at)) {
		return verdict{}
	}
	if port != portDNS && l.hit(ref, p.Datagram(at)) {
		return verdict{}
	}
	if kind != trails.AddressPort && l.hit(ref, p.Echo(a)) {
		return verdict{}
	}
	if v, ok := l.listed(kind, key); ok {
		return v
	}
	if l.white.Addr(a) { // the gate drops whatever comes from there or goes there
		entry, _ := l.white.Explain(trails.AddrText(a))
		return verdict{reason: Whitelisted, detail: entry}
	}
	info, _ := l.t.Info(ref)
	if words := wordsOf(info, "attacker", "malware", "parking site"); words != "" && l.rival == "" {
		return verdict{reason: InfoWord, detail: words}
	}
	return l.missed()
}

// maxMembers bounds the addresses of a network that are tried.
const maxMembers = 512

// member gives an address and port that only this trail stands for: an address
// of a network that no longer network and no address is listed for, a port that
// is not listed with the address.
func (l *linter) member(ref table.Ref, kind trails.Kind, key []byte) (a netip.Addr, port uint16, ok bool) {
	switch kind {
	case trails.AddressPort:
		n := len(key) - 2
		a, ok = netip.AddrFromSlice(key[:n])
		return a, uint16(key[n])<<8 | uint16(key[n+1]), ok
	case trails.Address:
		a, ok = netip.AddrFromSlice(key)
	case trails.Network:
		n := len(key) - 1
		if a, ok = netip.AddrFromSlice(key[:n]); !ok {
			return
		}
		in := netip.PrefixFrom(a, int(key[n]))
		for range maxMembers {
			r := l.t.Addr(a)
			if r == ref && !l.white.Addr(a) {
				break
			}
			if r != 0 && r != ref {
				l.rival = trails.Text(l.t.Kind(r), l.t.Key(r))
			}
			next := a.Next()
			if !in.Contains(next) {
				if l.t.Addr(a) != ref {
					return a, 0, false // every address is listed by itself
				}
				break
			}
			a = next
		}
	}
	for _, port = range [...]uint16{portWeb, 443, 49152, 49153, 49154, 49155, 49156, 49157} {
		if l.t.AddrPort(a, port) == 0 {
			break
		}
	}
	return a, port, ok
}

// url sends a request. A path alone goes to a host that no trail lists.
func (l *linter) url(ref table.Ref, key []byte) verdict {
	host, path := trails.SplitURL(key)
	if l.hit(ref, l.prober.Request(host, path, nil)) {
		return verdict{}
	}
	if fault := targetFault(key); fault != "" || len(path) == 0 {
		return verdict{reason: ImpossibleURL, detail: fault}
	}
	if v, ok := l.listed(trails.URL, key); ok {
		return v
	}
	if v, ok := l.covered(host); ok {
		return v
	}
	if len(host) > 0 {
		if a := l.prober.serverOf(host).Addr(); l.white.Addr(a) { // the gate drops it
			entry, _ := l.white.Explain(trails.AddrText(a))
			return verdict{reason: Whitelisted, detail: entry}
		}
	}
	return l.missed()
}

// digest looks up what no packet can be made from: the digest of a certificate,
// the fingerprint of a client.
func (l *linter) digest(ref table.Ref, kind trails.Kind, key []byte) verdict {
	if v, ok := l.listed(kind, key); ok {
		return v
	}
	if l.t.Find(kind, key) != ref {
		return verdict{reason: Unmatched}
	}
	return verdict{lookup: true}
}
