package detect

import (
	"bytes"

	"trailhound/agent/event"
	"trailhound/trails/table"
)

// harmlessAgents are parts of user agents that are never reported (D 12.6).
var harmlessAgents = [][]byte{[]byte("antivir-ngupd"), []byte("tmsps"), []byte("avgsetup"), []byte("sdds"), []byte("sophos"),
	[]byte("symantec"), []byte("internal dummy connection"), []byte("microsoft-cryptoapi")}

// userAgent searches a User-Agent value for the suspicious ones and for those
// of the trails (D 12.6).
func (w *Worker) userAgent(raw []byte) {
	h := w.cleanAgents.hash(raw)
	if w.cleanAgents.has(h) {
		w.rules.trace.known("user agent", raw)
		return
	}
	value := raw
	if bytes.IndexByte(raw, '%') >= 0 {
		w.text = appendUnescaped(w.text[:0], raw)
		value = w.text
	}
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return
	}
	a := w.rules.agents()
	i, start, end, ok := a.set.Find(value)
	w.rules.trace.agent(value, start, end, ok)
	var ref table.Ref
	if ok && i >= a.builtin {
		ref = w.rules.listed(w.rules.trace.key("user agent", value, a.refs[i-a.builtin]))
		ok = ref != 0
	}
	if ok {
		w.plain = appendLower(w.plain[:0], value)
		if ok = !containsAny(w.plain, harmlessAgents); !ok {
			w.rules.trace.held(whyHarmless)
		}
	}
	if !ok {
		w.cleanAgents.add(h)
		return
	}
	// The reference splits at the first place where the matched text stands,
	// which need not be where it matched.
	match := value[start:end]
	if at := bytes.Index(value, match); at >= 0 {
		start, end = at, at+len(match)
	}
	var t []byte
	switch before, after := value[:start], value[end:]; {
	case len(before) > 0 && len(after) > 0:
		t = append(appendAgent(append(appendAgent(t, match), " ("...), value), ')')
	case len(after) > 0:
		t = append(appendAgent(append(appendAgent(t, match), '('), after), ')')
	case len(before) > 0:
		t = appendAgent(append(appendAgent(append(t, '('), before), ')'), match)
	default:
		t = appendAgent(t, match)
	}
	if ref == 0 {
		w.heuristic(event.UA, event.HTTPUA, "user agent (suspicious)", t, value)
	} else {
		w.trail(event.UA, ref, t, value)
	}
}

// appendAgent appends text without trailing backslashes, its parentheses
// escaped.
func appendAgent(dst, b []byte) []byte {
	for _, c := range bytes.TrimRight(b, `\`) {
		if c == '(' || c == ')' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}
