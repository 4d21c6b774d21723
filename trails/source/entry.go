package source

import (
	"bytes"

	"trailhound/trails"
)

// entry cuts a line of a list down to its indicator: nil for a blank line or a
// comment. Everything from the first '#' on is comment, even inside a value;
// but behind a prefix such as "ua:", where an expression may hold a '#', only
// from the first '#' that follows a blank.
func entry(line []byte) []byte {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] == '#' {
		return nil
	}
	if trails.Prefixed(line) {
		for i := 1; i < len(line); i++ {
			if line[i] == '#' && (line[i-1] == ' ' || line[i-1] == '\t') {
				return bytes.TrimSpace(line[:i])
			}
		}
		return line
	}
	if i := bytes.IndexByte(line, '#'); i > 0 {
		line = bytes.TrimSpace(line[:i])
	}
	return cutQuery(line)
}

// cutQuery cuts the query from a URL with a host: what lists give there is one
// request as somebody saw it. The query of a path alone is part of the trail.
func cutQuery(text []byte) []byte {
	q := bytes.IndexByte(text, '?')
	if q < 0 || text[0] == '/' || trails.IsPattern(text) {
		return text
	}
	if i := bytes.Index(text[:q], []byte(":///")); i >= 0 && bytes.IndexByte(text[:i], '/') < 0 {
		return text
	}
	return text[:q]
}

// hostsLine gives the names of a line of a hosts file ("0.0.0.0 name name").
func hostsLine(text []byte) ([]byte, bool) {
	blank := bytes.IndexAny(text, " \t")
	if blank < 0 {
		return nil, false
	}
	switch string(text[:blank]) {
	case "0.0.0.0", "127.0.0.1", "::", "::1":
		return bytes.TrimSpace(text[blank:]), true
	}
	return nil, false
}

// hostsOwn are the names that every hosts file begins with.
func hostsOwn(name []byte) bool {
	switch string(name) {
	case "localhost", "localhost.localdomain", "localdomain", "local", "broadcasthost", "loopback", "0.0.0.0",
		"ip6-localhost", "ip6-loopback", "localhost4", "localhost6":
		return true
	}
	return false
}
