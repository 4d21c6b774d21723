package detect

import (
	"bytes"
	"net/netip"

	"trailhound/agent/event"
	"trailhound/agent/protocol/attack"
	"trailhound/agent/protocol/http"
	"trailhound/trails"
)

// categoryCodes are the codes of the request categories.
var categoryCodes = [...]event.Code{
	attack.SQLInjection: event.HTTPSQLi, attack.XMLInjection: event.HTTPXMLi, attack.PHPInjection: event.HTTPPHPi,
	attack.LDAPInjection: event.HTTPLDAPi, attack.XSS: event.HTTPXSS, attack.XXE: event.HTTPXXE, attack.SSTI: event.HTTPSSTI,
	attack.DataLeakage: event.HTTPLeak, attack.ConfigFile: event.HTTPConfig, attack.RCE: event.HTTPRCE,
	attack.Traversal: event.HTTPTraversal, attack.WebScan: event.HTTPWebScan, attack.DNSChanger: event.HTTPDNSChanger,
}

// attacks looks for what a request that no trail names is up to: the categories
// of D 12.8 in path and body, then downloads and the files that scanners ask for
// (D 12.9), unless it was said already what it is. It says whether there is anything
// in it, raised or not.
func (w *Worker) attacks(r *http.Request, u *target) (found bool) {
	if !w.rules.opt.Heuristics {
		return false
	}
	found, stop := w.category(r, u)
	if !stop && !u.told {
		found = w.download(u) || found
	}
	return found || u.told
}

// exempt says whether the request is to a host on the whitelist. That says
// something of what leaves the home networks only: whoever attacks a server at
// home writes there what he likes. It is asked when something was found: nearly
// all requests are no attack.
func (w *Worker) exempt(u *target) bool {
	host := u.bare()
	if !w.rules.whiteName(host) || w.rules.opt.Home.Contains(w.p.Dst) {
		return false
	}
	w.rules.trace.whiteName(host)
	return true
}

// category raises the category of the path, else that of the body. It says whether
// there is one, and whether nothing else is to be looked for.
func (w *Worker) category(r *http.Request, u *target) (any, stop bool) {
	path, found := u.path, attack.None
	if u.marks&(trails.MarkPercent|trails.MarkPlus) == 0 { // the rule
		found = w.judged(path, w.matcher.MatchMarked(path, u.marks&trails.MarkRare != 0))
	} else {
		path = w.unescaped(path)
		found = w.categoryOf(path)
	}
	if found == attack.None && u.slashes && len(u.user) == 0 {
		// Canonical form has one of two slashes, which php://input needs.
		if found = w.categoryOf(w.unescaped(r.Target)); found != attack.None {
			path = w.unescaped(u.path)
		}
	}
	body := attack.None
	if len(r.Body) > 0 && (found == attack.None || found == attack.DataLeakage) {
		// The path is asked for again below: most requests are no attack.
		if body = w.categoryOf(w.unescaped(r.Body)); body != attack.None {
			path = w.unescaped(u.path)
		}
	}
	if found == attack.None && body == attack.None {
		return false, false
	}
	// As with the whitelist, what an attacker of a server at home writes says nothing.
	if !w.rules.opt.Home.Contains(w.p.Dst) && attack.Exempt(path) {
		w.rules.trace.held(whyExempt)
		return true, false
	}
	if w.exempt(u) {
		return true, true
	}
	if found != attack.None && !(found == attack.DataLeakage && w.local(w.p.Dst)) {
		w.categoryEvent(event.URL, found, r, u)
		return true, true
	}
	if body == attack.None {
		return true, false
	}
	w.categoryEvent(event.HTTP, body, r, u)
	return true, true
}

// categoryOf gives the category of a text whose escapes are decoded, if it is worth
// one. A plus is a blank to servers where it stands for one, which nobody else
// can tell, so both readings count. What is worthless as it stands may be a command
// with arguments (cmd.exe+/c+dir).
func (w *Worker) categoryOf(text []byte) attack.Category {
	c := w.matcher.Match(text)
	if found := w.judged(text, c); found != attack.None || bytes.IndexByte(text, '+') < 0 {
		return found
	}
	if c != attack.None && !hasArgument(text) {
		return attack.None
	}
	w.text = append(w.text[:0], text...)
	for i, c := range w.text {
		if c == '+' {
			w.text[i] = ' '
		}
	}
	w.untried(w.text, true)
	return w.rules.trace.category(w.text, w.matcher.MatchForm(w.text))
}

// hasArgument says whether a text holds what may be an argument of a command: a slash
// or a hyphen behind one plus, which is not that of C++.
func hasArgument(text []byte) bool {
	for i := 1; i+1 < len(text); i++ {
		if text[i] == '+' && text[i-1] != '+' && (text[i+1] == '/' || text[i+1] == '-') {
			return true
		}
	}
	return false
}

// judged is the category that a text meets, if it is worth one.
func (w *Worker) judged(text []byte, c attack.Category) attack.Category {
	w.untried(text, false)
	w.rules.trace.category(text, c)
	if c != attack.None && !attack.Worth(text) {
		w.rules.trace.held(whyWorthless)
		return attack.None
	}
	return c
}

// untried tells an explanation which category that is switched off a text meets.
func (w *Worker) untried(text []byte, form bool) {
	if w.rules.trace == nil {
		return
	}
	if c := w.matcher.Omitted(text, form); c != attack.None && (form || attack.Worth(text)) {
		w.rules.trace.category(text, c)
		w.rules.trace.unraised(categoryCodes[c], whyDisabled)
	}
}

// omitted are the categories whose codes are switched off. They are not looked for, so
// that they hide no other: a text that meets two has the first that is on.
func omitted(disabled map[event.Code]bool) (list []attack.Category) {
	for c, code := range categoryCodes {
		if disabled[code] {
			list = append(list, attack.Category(c))
		}
	}
	return list
}

// unescaped is the text itself when there is nothing to decode, else in w.plain.
func (w *Worker) unescaped(text []byte) []byte {
	if bytes.IndexByte(text, '%') < 0 {
		return text
	}
	w.plain = appendUnescaped(w.plain[:0], text)
	return w.plain
}

func (w *Worker) categoryEvent(typ event.Type, c attack.Category, r *http.Request, u *target) {
	seen := append(w.appendAuthority(nil, *u), u.path...)
	t := appendForced(append(w.appendAuthority(nil, *u), '('), u.path)
	if typ == event.HTTP {
		t = append(append(append(t, ` \(`...), r.Method...), ' ')
		t = append(appendForced(t, bytes.TrimSpace(r.Body)), `\)`...)
		w.facts.body = r.Body
	}
	w.heuristic(typ, categoryCodes[c], c.Info()+" (suspicious)", append(t, ')'), seen)
	w.facts.body = nil
}

// download raises requests for programs, and for files that only scanners ask
// for. It says whether the path is such a one.
func (w *Worker) download(u *target) (any bool) {
	w.rules.trace.download(w, u.path)
	if u.marks&trails.MarkDot == 0 {
		return false
	}
	f := attack.FileOf(u.path, u.marks&trails.MarkRare != 0)
	ext, ok := f.Download()
	if ok && w.rules.heuristic(event.HTTPDownload) && !w.local(w.p.Dst) {
		if !w.exempt(u) {
			w.pathEvent(event.HTTPDownload, "direct "+ext+" download (suspicious)", u)
		}
		return true
	}
	info, scans := f.ScanFile()
	if scans {
		code := event.HTTPWebScan
		if info != attack.WebScan.Info() {
			code = event.HTTPNonexistent
		}
		if w.rules.heuristic(code) && !w.exempt(u) {
			w.pathEvent(code, info+" (suspicious)", u)
		}
	}
	return ok || scans
}

func (w *Worker) pathEvent(code event.Code, info string, u *target) {
	seen := append(w.appendAuthority(nil, *u), u.path...)
	t := append(appendForced(append(w.appendAuthority(nil, *u), '('), u.path), ')')
	w.heuristic(event.URL, code, info, t, seen)
}

// appendForced appends text with the escapes that the display of a request has
// whatever was sent (D 12.9).
func appendForced(dst, b []byte) []byte {
	for _, c := range b {
		switch c {
		case '(', ')', ' ', '\r', '\n':
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// local says whether an address is at home, or private as the reference means it.
func (w *Worker) local(a netip.Addr) bool {
	return w.rules.opt.Home.Contains(a) || a.IsLoopback() || a.Is4() && a.IsPrivate()
}

// webPath gives evidence of the first segment of a path. Parameters are no
// segment of their own: many of one page are no scan.
func (w *Worker) webPath(path []byte) {
	if w.Evidence == nil || !w.rules.opt.Heuristics || len(path) == 0 || path[0] != '/' {
		return
	}
	segment := path[1:]
	for i, c := range segment {
		if c == '/' || c == '?' || c == '#' || c == ';' {
			segment = segment[:i]
			break
		}
	}
	w.Evidence.Path(&w.p, segment)
}
