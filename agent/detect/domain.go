package detect

import (
	"bytes"
	"net/netip"

	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/table"
)

// domain checks a lower-case name (D 11) and raises at most one event. The
// trail's display form puts what is not the indicator in parentheses.
func (w *Worker) domain(name []byte) {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	name = bytes.TrimSuffix(name, dot)
	h := w.cleanNames.hash(name)
	if w.cleanNames.has(h) {
		return
	}
	if !w.checkDomain(name) {
		w.cleanNames.add(h)
	}
}

// checkDomain says whether the name matched anything.
func (w *Worker) checkDomain(name []byte) bool {
	candidates := w.rules.table.Suffixes(&w.names, name)
	// The rule: no suffix may be listed, so there is nothing to ask further,
	// unless an expression or a gateway name is in play.
	if candidates == 0 && !w.rules.special(name) {
		return false
	}
	if bytes.IndexByte(name, '.') < 0 || w.rules.whiteName(name) {
		return false
	}
	if !validName(name) {
		// A tunnel puts what it likes in front of its domain; what is listed is
		// the domain.
		return candidates > 0 && w.suffixes(name, candidates)
	}
	return w.ipAddress(name) || candidates > 0 && w.suffixes(name, candidates) || w.patterns(name) || w.onion(name)
}

var (
	dot       = []byte(".")
	ipAddress = []byte(".ip-adress.com")
	onion     = []byte(".onion.")
	www       = []byte("www.")
)

// special says whether a name that no suffix of is listed may match all the
// same. The expressions are asked here, so a name is searched once.
func (r *Rules) special(name []byte) bool {
	if r.names.Len() > 0 {
		if _, _, _, ok := r.names.Find(name); ok {
			return true
		}
	}
	return bytes.HasSuffix(name, ipAddress) || bytes.Contains(name, onion)
}

// validName is D 10.1: letters, digits, '.', '_' and '-', at least one dot, the
// last label without '_', and not an address.
func validName(name []byte) bool {
	last := bytes.LastIndexByte(name, '.')
	if last < 0 || last == len(name)-1 || bytes.IndexByte(name[last:], '_') >= 0 {
		return false
	}
	digits := true
	for _, c := range name {
		switch {
		case c >= '0' && c <= '9', c == '.':
		case c >= 'a' && c <= 'z', c == '-', c == '_':
			digits = false
		default:
			return false
		}
	}
	return !digits
}

// ipAddress is step a: a page of an address directory about a listed thing.
func (w *Worker) ipAddress(name []byte) bool {
	part, ok := bytes.CutSuffix(name, ipAddress)
	if !ok || len(part) == 0 {
		return false
	}
	ref := w.rules.listed(w.rules.table.Find(trails.Domain, part))
	if ref == 0 {
		if a, ok := dottedQuad(part); ok {
			ref = w.rules.addr(a)
		}
	}
	if ref == 0 {
		return false
	}
	w.nameTrail(ref, name, 0, len(part))
	return true
}

// dottedQuad reads an IPv4 address. netip would move the text to the heap, and
// a name holds no colon, so no IPv6 address.
func dottedQuad(b []byte) (netip.Addr, bool) {
	var quad [4]byte
	for i := range quad {
		n, digits := 0, 0
		for digits < len(b) && digits < 3 && b[digits] >= '0' && b[digits] <= '9' {
			n = 10*n + int(b[digits]-'0')
			digits++
		}
		if digits == 0 || n > 255 || digits > 1 && b[0] == '0' {
			return netip.Addr{}, false
		}
		quad[i], b = byte(n), b[digits:]
		if i < 3 {
			if len(b) == 0 || b[0] != '.' {
				return netip.Addr{}, false
			}
			b = b[1:]
		}
	}
	return netip.AddrFrom4(quad), len(b) == 0
}

// suffixes is step b: the name, then each parent, the first key found that no
// rule skips.
func (w *Worker) suffixes(name []byte, n int) bool {
	t := w.rules.table
	for i := range n {
		ref, start := t.Suffix(&w.names, name, i)
		if ref = w.rules.listed(ref); ref == 0 {
			continue
		}
		info, _ := t.Info(ref)
		if serviceName(name) && (bytes.Contains(info, wordSuspicious) || bytes.Contains(info, wordSinkhole)) {
			continue
		}
		if (start == 0 || bytes.HasPrefix(name, www)) && (bytes.Contains(info, wordDynamic) || bytes.Contains(info, wordFreeWeb)) {
			continue
		}
		w.nameTrail(ref, name, start, len(name))
		return true
	}
	return false
}

// serviceName says whether a name starts like that of a name or mail server.
func serviceName(name []byte) bool {
	i := bytes.IndexByte(name, '.')
	if i < 2 {
		return false
	}
	label := name[:i]
	for len(label) > 0 && label[len(label)-1] >= '0' && label[len(label)-1] <= '9' {
		label = label[:len(label)-1]
	}
	switch string(label) {
	case "ns", "dns", "rns", "nf", "mx", "nic":
		return true
	}
	return false
}

// patterns is step d.
func (w *Worker) patterns(name []byte) bool {
	if w.rules.names.Len() == 0 {
		return false
	}
	i, start, end, ok := w.rules.names.Find(name)
	if !ok {
		return false
	}
	ref := w.rules.listed(w.rules.nameRefs[i])
	if ref == 0 {
		return false
	}
	w.nameTrail(ref, name, start, end)
	return true
}

// onion is step e: an onion name behind a gateway such as onion.to. The
// reference asks for the whole prefix only; here its parents count too.
func (w *Worker) onion(name []byte) bool {
	i := bytes.Index(name, onion)
	if i < 0 {
		return false
	}
	end := i + len(onion) - 1
	inner := name[:end]
	t := w.rules.table
	for k := range t.Suffixes(&w.names, inner) {
		ref, start := t.Suffix(&w.names, inner, k)
		if ref = w.rules.listed(ref); ref != 0 && start < i {
			w.nameTrail(ref, name, start, end)
			return true
		}
	}
	return false
}

// nameTrail raises a name event; name[start:end] is the indicator.
func (w *Worker) nameTrail(ref table.Ref, name []byte, start, end int) {
	t := w.text[:0]
	if start > 0 {
		// The dot at a border belongs outside the parentheses.
		if name[start-1] == '.' {
			t = append(append(append(t, '('), name[:start-1]...), ")."...)
		} else {
			t = append(append(append(t, '('), name[:start]...), ')')
		}
	}
	t = append(t, name[start:end]...)
	if end < len(name) {
		t = append(append(append(t, '('), name[end:]...), ')')
	}
	w.trail(event.DNS, ref, t, name)
}
