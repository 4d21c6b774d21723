package detect

import (
	"bytes"

	"golang.org/x/net/idna"
)

// plainHost is a host as trails spell it: without a dot at its end, and a name
// beyond ASCII, if it is wide, as A-labels (RFC 5891). It is the host itself when
// there is nothing to change, or no such form.
func plainHost(host []byte, wide bool) []byte {
	host = bytes.TrimSuffix(host, dot)
	if !wide || len(host) > maxHostText || !beyondASCII(host) {
		return host
	}
	name, err := idna.Lookup.ToASCII(string(host))
	if err != nil || name == "" {
		return host
	}
	return []byte(name)
}

// maxHostText is more than a name of 253 characters takes in UTF-8.
const maxHostText = 1024

func beyondASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

var slashDot = []byte("/.")

// appendDotless appends a path whose dot segments are resolved (RFC 3986 5.2.4);
// the query stays as it is.
func appendDotless(dst, path []byte) []byte {
	query := []byte(nil)
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path, query = path[:i], path[i:]
	}
	start := len(dst)
	for len(path) > 0 {
		end := bytes.IndexByte(path[1:], '/') + 1
		if end <= 0 {
			end = len(path)
		}
		segment := path[:end]
		path = path[end:]
		last := len(path) == 0
		switch string(segment) {
		case "/.":
			if last {
				dst = append(dst, '/')
			}
		case "/..":
			if i := bytes.LastIndexByte(dst[start:], '/'); i >= 0 {
				dst = dst[:start+i]
			}
			if last {
				dst = append(dst, '/')
			}
		default:
			dst = append(dst, segment...)
		}
	}
	return append(dst, query...)
}
