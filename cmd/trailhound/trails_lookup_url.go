package main

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"trailhound/trails"
	"trailhound/trails/table"
)

// url explains a URL in canonical form: its texts in the order of matching
// (D 12.7), then its host.
func (l *lookup) url(an *answer, key []byte) {
	host, path := trails.SplitURL(key)
	texts := urlTexts(path)
	if len(host) == 0 {
		for _, c := range texts {
			l.add(an, l.t.Find(trails.URL, []byte(c.text)), c.rule+", on any host")
		}
		l.raised(an, l.prober.Request(nil, path, nil))
		return
	}
	bare := host
	if i := bytes.LastIndexByte(host, ':'); i > 0 && bytes.IndexByte(host[i:], ']') < 0 {
		bare = host[:i]
	}
	l.hostURLs(an, host, texts, "")
	if !bytes.Equal(host, bare) {
		l.hostURLs(an, bare, texts, ", the port left out")
	}
	dir, _, _ := strings.Cut(string(path), "?")
	for i := strings.LastIndexByte(dir, '/'); i > 0; i = strings.LastIndexByte(dir, '/') {
		dir = dir[:i]
		l.add(an, l.findURL(bare, dir), "directory above, on this host")
	}
	l.urlHost(an, host, bare)
	l.raised(an, l.prober.Request(host, path, nil))
}

// hostURLs adds the texts alone and behind a host, then every URL of the host.
func (l *lookup) hostURLs(an *answer, host []byte, texts []urlText, note string) {
	for _, c := range texts {
		l.add(an, l.findURL(nil, c.text), c.rule+", on any host")
		l.add(an, l.findURL(host, c.text), c.rule+", on this host"+note)
	}
	l.add(an, l.findURL(host, "/"), "any URL of the host"+note)
}

func (l *lookup) findURL(host []byte, path string) table.Ref {
	return l.t.Find(trails.URL, append(append([]byte(nil), host...), path...))
}

// urlHost adds what is listed of the host itself.
func (l *lookup) urlHost(an *answer, host, bare []byte) {
	a, err := netip.ParseAddr(strings.Trim(string(bare), "[]"))
	if err != nil {
		l.names(an, bare, " of the host")
		return
	}
	port := uint16(80)
	if at, err := netip.ParseAddrPort(string(host)); err == nil {
		port = at.Port()
	}
	l.address(an, a, port)
}

// urlText is a text that a path is looked up as, and what it is.
type urlText struct{ text, rule string }

// urlTexts lists the texts of a path in the order of D 12.7.
func urlTexts(path []byte) []urlText {
	p := string(path)
	first := strings.TrimRight(p, "/")
	list := []urlText{{first, "the whole path"}}
	if q := strings.IndexByte(p, '?'); q >= 0 {
		list = append(list, urlText{strings.TrimRight(p[:q], "/"), "path before the query"})
		if i := strings.IndexByte(p, '='); i >= 0 {
			list = append(list, urlText{p[:i+1], `path up to the first "="`})
		}
		if bare := withoutValues(p); !slices.ContainsFunc(list, func(t urlText) bool { return t.text == bare }) {
			list = append(list, urlText{bare, "path with the values of its parameters removed"})
			if strings.Count(bare, "/") > 1 {
				list = append(list, urlText{bare[strings.LastIndexByte(bare, '/'):], "last segment, values removed"})
			}
		}
	} else {
		list = append(list, urlText{p + "?", "path with the body of the request, here empty"})
	}
	if last := list[len(list)-1].text; strings.Count(last, "/") > 1 {
		list = append(list, urlText{last[:strings.LastIndexByte(last, '/')], "parent directory"})
		name, _, _ := strings.Cut(first[strings.LastIndexByte(first, '/'):], "?")
		list = append(list, urlText{name, "last segment"})
	}
	return list
}

// withoutValues removes the value behind each "name=".
func withoutValues(path string) string {
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		out.WriteByte(path[i])
		if path[i] != '=' || i == 0 || !isWordByte(path[i-1]) {
			continue
		}
		for i+1 < len(path) && path[i+1] != '&' && path[i+1] != '=' {
			i++
		}
	}
	return out.String()
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_'
}
