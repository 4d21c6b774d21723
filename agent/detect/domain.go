package detect

import (
	"bytes"
	"net/netip"

	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/table"
)

// hit is a trail that a name matches; name[start:end] is the indicator.
type hit struct {
	ref        table.Ref // 0: none
	start, end int
}

// domain checks the name of a server (D 11) as TLS, QUIC or HTTP give it, in
// lower case, and raises at most one event.
func (w *Worker) domain(name []byte) {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	w.server(name)
}

// server is domain for a name without a colon. It gives the name's class.
func (w *Worker) server(name []byte) class {
	name = bytes.TrimSuffix(name, dot)
	h, c := w.lookup(name)
	w.noteName(name)
	if h.ref != 0 {
		w.nameTrail(event.TrailDNS, name, h)
	}
	if c&classLong != 0 {
		w.named(name)
	}
	return c
}

// lookup gives the trail that a name matches, and what the name is evidence of.
// It raises nothing.
func (w *Worker) lookup(name []byte) (hit, class) {
	key := w.cleanNames.hash(name)
	w.nameHash = key
	if c, ok := w.cleanNames.class(key); ok {
		w.rules.trace.known("name", name)
		return hit{}, c
	}
	h := w.find(name)
	w.rules.trace.name(name, h.ref)
	c := w.rules.class(name, h.ref != 0)
	if h.ref == 0 {
		if t := w.rules.table; !t.HostNear(t.Host(name)) {
			c |= classFar
		}
		w.cleanNames.addClass(key, c)
	}
	return h, c
}

// find gives the trail that a name matches: of the steps of D 11 the first that
// has one.
func (w *Worker) find(name []byte) hit {
	candidates := w.rules.table.Suffixes(&w.names, name)
	// The rule: no suffix may be listed, so there is nothing to ask further,
	// unless an expression or a gateway name is in play.
	if candidates == 0 && !w.rules.special(name) {
		return hit{}
	}
	if bytes.IndexByte(name, '.') < 0 || w.rules.whiteName(name) {
		w.rules.trace.passed(name)
		return hit{}
	}
	if !validName(name) {
		// A tunnel puts what it likes in front of its domain; what is listed is
		// the domain.
		return w.suffixes(name, candidates)
	}
	h := w.ipAddress(name)
	if h.ref == 0 {
		h = w.suffixes(name, candidates)
	}
	if h.ref == 0 {
		h = w.patterns(name)
	}
	if h.ref == 0 {
		h = w.onion(name)
	}
	return h
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
func (w *Worker) ipAddress(name []byte) hit {
	part, ok := bytes.CutSuffix(name, ipAddress)
	if !ok || len(part) == 0 {
		return hit{}
	}
	ref := w.rules.listed(w.rules.trace.key("name", part, w.rules.table.Find(trails.Domain, part)))
	if ref == 0 {
		if a, ok := dottedQuad(part); ok {
			ref = w.rules.addr(a)
		}
	}
	return hit{ref, 0, len(part)}
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
func (w *Worker) suffixes(name []byte, n int) hit {
	t := w.rules.table
	for i := range n {
		ref, start := t.Suffix(&w.names, name, i)
		if ref = w.rules.listed(w.rules.trace.suffix(name, ref)); ref == 0 {
			continue
		}
		info, _ := t.Info(ref)
		if serviceName(name) && (bytes.Contains(info, wordSuspicious) || bytes.Contains(info, wordSinkhole)) {
			w.rules.trace.held(whyService)
			continue
		}
		if (start == 0 || bytes.HasPrefix(name, www)) && (bytes.Contains(info, wordDynamic) || bytes.Contains(info, wordFreeWeb)) {
			w.rules.trace.held(whyDynamic)
			continue
		}
		return hit{ref, start, len(name)}
	}
	return hit{}
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
func (w *Worker) patterns(name []byte) hit {
	if w.rules.names.Len() == 0 {
		return hit{}
	}
	i, start, end, ok := w.rules.names.Find(name)
	if !ok {
		return hit{}
	}
	return hit{w.rules.listed(w.rules.trace.key("name", name, w.rules.nameRefs[i])), start, end}
}

// onion is step e: an onion name behind a gateway such as onion.to. The
// reference asks for the whole prefix only; here its parents count too.
func (w *Worker) onion(name []byte) hit {
	i := bytes.Index(name, onion)
	if i < 0 {
		return hit{}
	}
	end := i + len(onion) - 1
	inner := name[:end]
	t := w.rules.table
	for k := range t.Suffixes(&w.names, inner) {
		ref, start := t.Suffix(&w.names, inner, k)
		if ref = w.rules.listed(w.rules.trace.suffix(inner, ref)); ref != 0 && start < i {
			return hit{ref, start, end}
		}
	}
	return hit{}
}

// nameTrail raises a name event. The trail's display form puts what is not the
// indicator in parentheses.
func (w *Worker) nameTrail(code event.Code, name []byte, h hit) {
	start, end := h.start, h.end
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
	w.trailAs(code, event.DNS, h.ref, t, name)
}
