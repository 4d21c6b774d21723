package detect

import (
	"bytes"

	"trailhound/agent/event"
	"trailhound/agent/protocol/http"
	"trailhound/trails"
	"trailhound/trails/table"
)

// url looks up what a request asks for among the URL trails (D 12.7): the
// reference's candidates in its order, then the host with any path, then what
// the reference misses: the same without the host's port, with the host and the path
// as trails spell them (A-labels, escapes decoded, dot segments resolved), and
// every directory of the host above the path. A whitelisted host stops all of
// it (D 12.2 step 4) for what leaves the home networks, which is asked only when
// something is found: nearly all requests are for neither.
func (w *Worker) url(r *http.Request, asked *target) (hit bool) {
	u := *asked
	c := &w.urls
	c.fill(u.path, u.marks, r)
	v := visit{host: u.host}
	if !u.far {
		v = w.visit(u.host)
	}
	if w.lookURL(r, u, v, true) || w.anyURL(u, v) {
		return true
	}
	if host := u.bare(); len(host) < len(u.host) {
		u.host, v = host, w.visit(host)
		if w.lookURL(r, u, v, false) || w.anyURL(u, v) {
			return true
		}
	}
	if host := w.plainHosts.host(u.host, u.wide); len(host) != len(u.host) || u.wide && !bytes.Equal(host, u.host) {
		u.host, v = host, w.visit(host)
		if w.lookURL(r, u, v, false) || w.anyURL(u, v) {
			return true
		}
	}
	if u.marks&trails.MarkPercent != 0 {
		w.plain = appendUnescaped(w.plain[:0], u.path)
		text, marks := trails.AppendPathMarks(w.text[:0], w.plain)
		w.text = text
		if !bytes.Equal(text, u.path) {
			u.path, u.marks = text, marks
			c.fill(u.path, u.marks, r)
			if w.lookURL(r, u, v, true) {
				return true
			}
		}
	}
	if u.marks&trails.MarkSlashDot != 0 && bytes.Contains(u.path, slashDot) && u.path[0] == '/' {
		w.plain = appendDotless(w.plain[:0], u.path)
		if !bytes.Equal(w.plain, u.path) {
			u.path = w.plain
			c.fill(u.path, u.marks, r)
			if w.lookURL(r, u, v, true) {
				return true
			}
		}
	}
	return w.ancestors(u, v)
}

// visit is a host ready for look-ups.
type visit struct {
	host []byte
	hash table.HostHash
	near bool // whether any URL of it may be listed
}

func (w *Worker) visit(host []byte) visit {
	h := w.rules.table.Host(host)
	return visit{host, h, w.rules.table.HostNear(h)}
}

// lookURL looks up each candidate alone, if that was not done before, and behind
// the host.
func (w *Worker) lookURL(r *http.Request, u target, v visit, alone bool) bool {
	if !alone && !v.near {
		return false
	}
	t := w.rules.table
	for i := range w.urls.n {
		key := w.urls.at(i)
		if len(key) == 0 {
			continue
		}
		ph := t.Path(key)
		var ref table.Ref
		if alone {
			ref = w.rules.listed(w.rules.trace.key("url", key, t.URL(w.rules.noHost, nil, ph, key)))
		}
		if ref == 0 && v.near {
			ref = w.rules.listed(w.rules.trace.url(v.host, key, t.URL(v.hash, v.host, ph, key)))
		}
		if ref == 0 {
			continue
		}
		if w.exempt(&u) {
			return true
		}
		// The directory above a body that holds a slash is part of the body, too.
		if w.urls.body >= 0 && bytes.IndexByte(key, '?') >= 0 {
			w.bodyTrail(r, u, ref)
		} else {
			w.urlTrail(u, ref)
		}
		return true
	}
	return false
}

// anyURL looks up "host/", which stands for every request to that host.
func (w *Worker) anyURL(u target, v visit) bool {
	if !v.near {
		return false
	}
	t := w.rules.table
	ref := w.rules.listed(w.rules.trace.url(v.host, slash, t.URL(v.hash, v.host, t.Path(slash), slash)))
	if ref == 0 {
		return false
	}
	if w.exempt(&u) {
		return true
	}
	seen := append(w.appendAuthority(nil, u), u.path...)
	w.trail(event.URL, ref, t.Key(ref), seen)
	return true
}

// ancestors looks up the directories above the path behind the host.
func (w *Worker) ancestors(u target, v visit) bool {
	if !v.near {
		return false
	}
	path := u.path
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path = path[:i]
	}
	t := w.rules.table
	for range maxAncestors {
		i := bytes.LastIndexByte(path, '/')
		if i <= 0 {
			return false
		}
		path = path[:i]
		if ref := w.rules.listed(w.rules.trace.url(v.host, path, t.URL(v.hash, v.host, t.Path(path), path))); ref != 0 {
			if w.exempt(&u) {
				return true
			}
			w.urlTrail(u, ref)
			return true
		}
	}
	return false
}

const maxAncestors = 16

// urlTrail raises a URL event: host and path with every part that is not the
// key in parentheses.
func (w *Worker) urlTrail(u target, ref table.Ref) {
	seen := append(w.appendAuthority(nil, u), u.path...)
	key := w.rules.table.Key(ref)
	var out []byte
	rest := seen
	for {
		i := bytes.Index(rest, key)
		part := rest
		if i >= 0 {
			part = rest[:i]
		}
		if len(part) > 0 {
			out = append(append(append(out, '('), part...), ')')
		}
		if i < 0 {
			break
		}
		out = append(out, key...)
		rest = rest[i+len(key):]
	}
	w.trail(event.URL, ref, out, seen)
}

// bodyTrail raises the event of a key that is path, '?' and body.
func (w *Worker) bodyTrail(r *http.Request, u target, ref table.Ref) {
	seen := append(w.appendAuthority(nil, u), u.path...)
	t := append(append(w.appendAuthority(nil, u), '('), u.path...)
	t = append(append(append(t, ` \(`...), r.Method...), ' ')
	t = append(append(t, bytes.TrimSpace(r.Body)...), `\))`...)
	w.facts.body = r.Body
	w.trail(event.HTTP, ref, t, seen)
	w.facts.body = nil
}
