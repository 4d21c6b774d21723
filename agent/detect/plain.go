package detect

import "bytes"

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
