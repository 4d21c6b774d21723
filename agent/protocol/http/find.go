package http

import "bytes"

// maxProbe bounds how far behind a body the end of a request line is looked
// for, so that many requests with invented lengths cost no more than one.
const maxProbe = 4096

// maxBlanks bounds how many line ends and blanks behind a body are passed over in
// search of that line.
const maxBlanks = 64

var httpSlash = []byte("HTTP/")

// Find returns the offset of the first request line in b, -1 when there is
// none. At offset 0 it takes what Request.Parse takes. Further on, where the
// rest of a body may stand before it, the line must be whole and strict: a
// method of token characters, a target that starts with a slash or an
// asterisk, or holds a colon (a URI, or the authority of CONNECT), and
// "HTTP/" with a digit. Its time is linear in the size of b.
func Find(b []byte) int {
	first := padding(b)
	end := bytes.IndexByte(b[first:], '\n')
	if end < 0 {
		return -1
	}
	if _, _, _, ok := splitRequestLine(b[first : first+end]); ok {
		return 0
	}
	start := first + end + 1 // of the line that holds b[seen]
	seen := start            // everything before was searched for line starts
	tried := -1              // the line judged last
	for {
		i := bytes.Index(b[seen:], httpSlash)
		if i < 0 {
			return -1
		}
		i += seen
		if nl := bytes.LastIndexByte(b[seen:i], '\n'); nl >= 0 {
			start = seen + nl + 1
		}
		seen = i + len(httpSlash)
		// A line is judged once, or the time would grow with its square.
		if start == tried || i == start || !blank(b[i-1]) {
			continue
		}
		tried = start
		if end = bytes.IndexByte(b[i:], '\n'); end < 0 {
			return -1
		}
		if strictRequestLine(b[start : i+end]) {
			return start
		}
	}
}

// bodyEnd returns how much of rest, what follows a head, is its body.
func bodyEnd(rest []byte, length int) int {
	if length >= len(rest) {
		return len(rest)
	}
	if length >= 0 {
		next := rest[length:]
		blanks := next[:min(len(next), maxBlanks)]
		at := padding(blanks)
		if at == len(blanks) { // nothing follows, as far as is looked
			return length
		}
		next = next[at:min(len(next), at+maxProbe)]
		end := bytes.IndexByte(next, '\n')
		if end < 0 {
			// A request line that goes on in the next segment, if it starts like one.
			if word := bytes.IndexByte(next, ' '); isToken(next[:max(word, 0)]) {
				return length
			}
		} else if _, _, _, ok := splitRequestLine(next[:end]); ok {
			return length
		}
	}
	if at := Find(rest); at >= 0 {
		return at
	}
	return len(rest)
}

func strictRequestLine(line []byte) bool {
	method, target, version, ok := splitRequestLine(line)
	if !ok || !isToken(method) || len(target) == 0 || len(version) < 6 || version[5] < '0' || version[5] > '9' {
		return false
	}
	if bytes.IndexByte(target, ' ') >= 0 || bytes.IndexByte(target, '\t') >= 0 {
		return false
	}
	return target[0] == '/' || target[0] == '*' || bytes.IndexByte(target, ':') > 0
}

// isToken reports whether b is a token (RFC 9110 5.6.2) of at most 32 bytes.
func isToken(b []byte) bool {
	if len(b) == 0 || len(b) > 32 {
		return false
	}
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0:
		default:
			return false
		}
	}
	return true
}
