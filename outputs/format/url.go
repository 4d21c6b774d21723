package format

import (
	"strconv"
	"strings"

	"trailhound/agent/event"
)

// A location is a request's URL in parts. All parts point into the event.
type location struct {
	scheme, host, rest string // rest: from the first slash of the path on
	port               uint16
	path, query        string
	extension          string
}

// locate takes a request apart. The target is in origin form ("/x?y"), in
// absolute form ("http://host/x", through a proxy), or names no path at all
// ("host:port" of CONNECT, "*"): RFC 9112 3.2.
func locate(e *event.Event) location {
	l := location{host: e.HTTP.Host, rest: e.HTTP.Target}
	if i := strings.Index(l.rest, "://"); i > 0 && isScheme(l.rest[:i]) {
		l.scheme, l.host = l.rest[:i], l.rest[i+3:]
		l.rest = ""
		if i := strings.IndexAny(l.host, "/?#"); i >= 0 {
			l.host, l.rest = l.host[:i], l.host[i:]
		}
	} else if strings.HasPrefix(l.rest, "/") {
		l.scheme = "http" // no request is read on an encrypted connection
	} else {
		if e.HTTP.Method == "CONNECT" && l.host == "" {
			l.host = l.rest
		}
		l.rest = ""
	}
	if i := strings.LastIndexByte(l.host, '@'); i >= 0 {
		l.host = l.host[i+1:]
	}
	l.host, l.port = splitPort(l.host)
	path, _, _ := strings.Cut(l.rest, "#")
	l.path, l.query, _ = strings.Cut(path, "?")
	name := l.path[strings.LastIndexByte(l.path, '/')+1:]
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && len(name)-dot <= 16 {
		l.extension = name[dot+1:]
	}
	return l
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return len(s) <= 10
}

// splitPort cuts a host with or without port; brackets stay on an IPv6 host,
// as ECS url.domain wants it.
func splitPort(host string) (string, uint16) {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.IndexByte(host[colon:], ']') >= 0 {
		return host, 0
	}
	port, err := strconv.ParseUint(host[colon+1:], 10, 16)
	if err != nil {
		return host, 0
	}
	return host[:colon], uint16(port)
}

// appendFullURL appends the URL when its scheme and host are known.
func appendFullURL(dst []byte, e *event.Event, l *location) []byte {
	if l.scheme == "" || l.host == "" {
		return dst
	}
	if e.HTTP.Target != "" && e.HTTP.Target[0] != '/' {
		return append(dst, e.HTTP.Target...)
	}
	dst = append(append(append(dst, l.scheme...), "://"...), e.HTTP.Host...)
	return append(dst, l.rest...)
}

// appendURL appends the best known form of the URL: in full, or else the
// target as it was sent.
func appendURL(dst []byte, e *event.Event) []byte {
	l := locate(e)
	if n := len(dst); n != len(appendFullURL(dst, e, &l)) {
		return appendFullURL(dst, e, &l)
	}
	return append(dst, e.HTTP.Target...)
}

// serverName is the name of the server that the event speaks of, from the TLS
// handshake or the Host header, and whether the server is the packet's source
// (a response, a certificate). An address is no name.
func serverName(e *event.Event) (name string, source bool) {
	name = e.TLS.ServerName
	if name == "" {
		l := locate(e)
		name = l.host
	}
	if parseAddr(strings.Trim(name, "[]")).IsValid() {
		name = ""
	}
	return name, e.HTTP.Status != 0 || e.TLS.SHA1 != "" || e.TLS.SHA256 != ""
}
