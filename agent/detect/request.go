package detect

import (
	"bytes"

	"trailhound/agent/event"
	"trailhound/agent/protocol/attack"
	"trailhound/agent/protocol/http"
	"trailhound/trails"
)

// requests matches every HTTP request of a segment. A segment may start with
// the rest of a body; the next request is then found by its request line.
func (w *Worker) requests(b []byte) {
	for len(b) > 0 {
		if !w.request.Parse(b) {
			i := http.Find(b)
			if i <= 0 || !w.request.Parse(b[i:]) {
				return
			}
			b = b[i:]
		}
		w.httpRequest(&w.request)
		w.facts.app = ""
		if w.request.Size <= 0 {
			return
		}
		b = b[min(w.request.Size, len(b)):]
	}
}

// target is what a request asks for, in canonical form: the host (an address
// when no Host header says otherwise) and the path that URL trails are matched
// with. An absolute target replaces both.
type target struct {
	user       []byte // the userinfo of an absolute target with its '@': shown, never matched
	host, path []byte
	marks      trails.Marks // of the path
	slashes    bool         // the target, as sent, has two slashes in a row
	port, wide bool         // whether the host holds a colon, and bytes beyond ASCII
	far        bool         // no URL of the host is listed, for sure
	told       bool         // http.iot or http.proxyprobe says what the request is
}

// httpRequest runs the checks on one request in the order of D 12.2.
func (w *Worker) httpRequest(r *http.Request) {
	f := &w.facts
	f.app, f.method, f.host, f.target, f.agent = "http", r.Method, r.Host, r.Target, r.UserAgent
	f.forwarded = r.Forwarded
	w.rules.trace.request(r)
	var u target
	w.path, u.marks = trails.AppendPathMarks(w.path[:0], r.Target)
	u.path, u.slashes = w.path, u.marks&trails.MarkSlashes != 0
	if r.HasHost {
		w.setHost(&u, bytes.TrimSpace(r.Host))
		w.hostChecks(&u)
	} else {
		w.setHost(&u, trails.AppendAddr(w.text[:0], w.p.Dst))
		if w.rules.opt.MissingHost && w.rules.heuristic(event.HTTPNoHost) && !r.HostCut {
			t := append(append(w.text[:0], u.host...), u.path...)
			w.heuristic(event.HTTP, event.HTTPNoHost, "missing host header (suspicious)", t, t)
		}
	}
	if len(u.path) > 0 && u.path[0] != '/' {
		if w.pathForms(r, &u); w.asksServer(u.bare()) {
			w.webPath(u.path)
		}
	} else {
		w.webPath(u.path)
	}
	if len(r.UserAgent) > 0 {
		w.userAgent(r.UserAgent)
	}
	key, ok := w.pathKey(r, &u)
	if ok && w.cleanPaths.has(key) {
		w.rules.trace.known("url", u.path)
		return
	}
	if !w.url(r, &u) && !w.attacks(r, &u) && ok {
		w.cleanPaths.add(key)
	}
}

// pathKey is what a path is remembered by as clean. It is false for a request of
// which more than the path is judged: its body, a host of which a URL may be
// listed, or one that has other spellings, a target that canonical form changes.
func (w *Worker) pathKey(r *http.Request, u *target) (key uint64, ok bool) {
	if !u.far || u.wide || u.slashes || len(r.Body) > 0 || len(u.user) > 0 {
		return 0, false
	}
	key = w.cleanPaths.hash(u.path)
	if r.HeadEnd { // path and "?" are looked up, too
		key ^= 1 << 62
	}
	return key, true
}

// setHost makes a host, lower case and without HTTP's own port, that of the target.
func (w *Worker) setHost(u *target, host []byte) {
	w.host = append(w.host[:0], host...)
	var seen uint16
	for i, c := range w.host {
		v := hostBytes[c]
		w.host[i] = byte(v)
		seen |= v
	}
	u.host, u.port, u.wide = w.host, seen&isColon != 0, seen&isWide != 0
	if u.port {
		u.host = bytes.TrimSuffix(u.host, port80)
	}
}

// hostBytes gives for each byte its lower case, and whether it is a colon or beyond
// ASCII.
var hostBytes = func() (t [256]uint16) {
	for c := range t {
		t[c] = uint16(c)
		switch {
		case c >= 'A' && c <= 'Z':
			t[c] |= 0x20
		case c == ':':
			t[c] |= isColon
		case c >= 0x80:
			t[c] |= isWide
		}
	}
	return t
}()

const isColon, isWide = 0x100, 0x200

// bare is the host without its port.
func (u *target) bare() []byte {
	if !u.port {
		return u.host
	}
	return withoutPort(u.host)
}

var (
	port80     = []byte(":80")
	schemeEnd  = []byte("://")
	schemeHTTP = []byte("http://")
	connect    = []byte("CONNECT")
	probeWords = [][]byte{[]byte("probe"), []byte("proxy"), []byte("echo"), []byte("check")}
)

// hostChecks is D 12.3: one of three checks on the Host value. A download for small
// devices is looked up as a name all the same: what is listed must not depend on a
// heuristic.
func (w *Worker) hostChecks(u *target) {
	rules, host := w.rules, u.host
	if len(host) > 0 && host[0] >= 'a' && host[0] <= 'z' {
		if ref := rules.addr(w.p.Dst); ref != 0 {
			t := trails.AppendAddr(w.text[:0], w.p.Dst)
			n := len(t)
			if rules.table.Kind(ref) == trails.Network {
				t = trails.AppendText(t, trails.Network, rules.table.Key(ref))
				t = append(append(append(t, " ("...), t[:n]...), ')')
				t = append(append(append(t, " ("...), withoutPort(host)...), ')')
				w.trail(event.IP, ref, t[n:], t[:n])
				return
			}
			t = append(append(append(t, " ("...), withoutPort(host)...), ')')
			w.trail(event.IP, ref, t, t[:n])
			return
		}
	} else {
		u.told = w.iotDownload(u)
	}
	if rules.opt.HostDomains {
		if u.port {
			w.domain(u.bare())
		} else {
			u.far = w.server(host)&classFar != 0 && !bytes.HasSuffix(host, dot)
		}
		if u.wide {
			w.domain(w.plainHosts.host(u.bare(), true))
		}
	}
}

// pathForms is D 12.4: proxy requests. It is not asked of a target that starts with
// a slash, which is none, whatever stands in its query.
func (w *Worker) pathForms(r *http.Request, u *target) {
	w.text = appendLower(w.text[:0], r.Target) // scheme://host keeps its slashes here
	raw := w.text
	if w.p.DstPort == 80 && w.rules.heuristic(event.HTTPProxyProbe) && w.proxyProbe(raw) {
		u.told = true
	}
	// What runs a command is no proxy's request, whatever URL it fetches (D 12.4).
	if i := bytes.Index(raw, schemeEnd); i >= 0 && !(w.rules.opt.Heuristics && w.matcher.Matches(w.unescaped(raw), attack.RCE)) {
		w.path, u.marks = trails.AppendPathMarks(w.path[:0], raw[i+3:])
	} else if !bytes.EqualFold(r.Method, connect) {
		return
	}
	w.split(u)
	w.domain(u.bare())
}

// asksServer says whether an absolute target is asked of the server itself, which
// takes it like a path (RFC 9112 3.2.2), and not of a proxy: it names the server's
// address, or it comes from outside to a server at home.
func (w *Worker) asksServer(host []byte) bool {
	if home := w.rules.opt.Home; home.Contains(w.p.Dst) && !home.Contains(w.p.Src) {
		return true
	}
	a, ok := dottedQuad(host)
	return ok && a == w.p.Dst
}

// split takes apart the target without scheme that is in w.path: userinfo, host
// and path. A path that is left out is "/", also in front of a query.
func (w *Worker) split(u *target) {
	n := userinfo(w.path)
	end := n + authority(w.path[n:])
	if end == len(w.path) {
		w.path = append(w.path, '/')
	} else if w.path[end] != '/' {
		w.path = append(w.path, 0)
		copy(w.path[end+1:], w.path[end:])
		w.path[end] = '/'
	}
	u.user, u.host, u.path = w.path[:n], w.path[n:end], w.path[end:]
	u.host = bytes.TrimSuffix(u.host, port80)
	u.port, u.wide, u.far = true, true, false // or not: it is looked for
}

// authority gives the length of the authority that b begins with (RFC 3986 3.2).
func authority(b []byte) int {
	if end := bytes.IndexAny(b, "/?#"); end >= 0 {
		return end
	}
	return len(b)
}

// userinfo gives the length of the userinfo, '@' included, that b begins with
// (RFC 3986 3.2.1). Of several '@' the last one counts, as servers have it.
func userinfo(b []byte) int {
	return bytes.LastIndexByte(b[:authority(b)], '@') + 1
}

// appendAuthority appends userinfo and host as events show them: what follows
// the colon of a userinfo is a password (RFC 3986 3.2.1).
func (w *Worker) appendAuthority(dst []byte, u target) []byte {
	user := u.user
	if i := bytes.IndexByte(user, ':'); i >= 0 && w.rules.opt.Redact {
		dst = append(append(dst, user[:i+1]...), "***"...)
		user = user[len(user)-1:]
	}
	return append(append(dst, user...), u.host...)
}

var slash = []byte("/")

// proxyProbe is D 12.4 step 2; raw is the lower-case target.
func (w *Worker) proxyProbe(raw []byte) bool {
	rest, ok := bytes.CutPrefix(raw, schemeHTTP)
	if !ok || !containsAny(raw, probeWords) {
		return false
	}
	rest = rest[userinfo(rest):]
	host, path, hasPath := bytes.Cut(rest, slash)
	if w.rules.whiteName(host) {
		w.rules.trace.whiteName(host)
		return false
	}
	t := append([]byte(nil), schemeHTTP...)
	t = append(t, bytes.TrimRight(withoutPort(host), ".")...)
	if hasPath {
		t = append(t, '/')
	}
	if len(path) > 0 {
		t = append(append(append(t, '('), path...), ')')
	}
	w.heuristic(event.HTTP, event.HTTPProxyProbe, "potential proxy probe (suspicious)", t, raw)
	return true
}

func containsAny(b []byte, words [][]byte) bool {
	for _, word := range words {
		if bytes.Contains(b, word) {
			return true
		}
	}
	return false
}

// withoutPort cuts ":port" from a host; an address in brackets keeps its
// colons.
func withoutPort(host []byte) []byte {
	if bytes.IndexByte(host, ':') < 0 { // the rule, and three times as fast as looking from the end
		return host
	}
	i := bytes.LastIndexByte(host, ':')
	if bytes.IndexByte(host[i:], ']') >= 0 {
		return host
	}
	return host[:i]
}

func appendLower(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, b...)
	for i, c := range dst[at:] {
		if c >= 'A' && c <= 'Z' {
			dst[at+i] = c | 0x20
		}
	}
	return dst
}
