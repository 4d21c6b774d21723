package http

import "bytes"

// maxVersion bounds what is taken as the version at the end of a request line.
// Real ones are 8 bytes.
const maxVersion = 32

func blank(c byte) bool { return c == ' ' || c == '\t' }

// trim takes white space and carriage returns off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && (blank(b[0]) || b[0] == '\r') {
		b = b[1:]
	}
	return trimRight(b)
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && (blank(b[len(b)-1]) || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// padding returns how many bytes of line ends and white space stand in front.
// Servers skip empty lines before a request (RFC 9112 2.2).
func padding(b []byte) int {
	i := 0
	for i < len(b) && (b[i] == '\r' || b[i] == '\n' || blank(b[i])) {
		i++
	}
	return i
}

// splitRequestLine cuts a line without its line end into its parts. Between
// them stand one or more spaces or tabs; what is between the first and the last
// gap is the target, white space included. As in the reference the method may
// be any bytes and either of method and target may be missing: a line of one
// part is a target when it starts with a slash, else a method if two blanks
// show where the target is missing.
func splitRequestLine(line []byte) (method, target, version []byte, ok bool) {
	line = trimRight(line)
	// The version first: it is what tells a request line from all other text.
	at := len(line) - 8
	if at < 1 || !blank(line[at-1]) || string(line[at:at+5]) != "HTTP/" {
		at = len(line)
		for at > 0 && len(line)-at <= maxVersion && !blank(line[at-1]) {
			at--
		}
		if at == 0 || !blank(line[at-1]) || !bytes.HasPrefix(line[at:], []byte("HTTP/")) {
			return nil, nil, nil, false
		}
	}
	version = line[at:]
	front := trimRight(line[:at])
	end := 0
	for end < len(front) && !blank(front[end]) {
		end++
	}
	method = front[:end]
	target = trim(front[end:])
	switch {
	case len(target) > 0:
	case len(method) > 0 && method[0] == '/':
		method, target = method[:0], method
	case at-len(front) < 2:
		return nil, nil, nil, false
	}
	if bytes.HasPrefix(method, []byte("HTTP/")) {
		return nil, nil, nil, false // a status line that quotes a version
	}
	if string(method) == "PRI" && string(target) == "*" && bytes.HasPrefix(version, []byte("HTTP/2")) {
		return nil, nil, nil, false // the HTTP/2 preface (RFC 9113 3.4)
	}
	return method, target, version, true
}

// field returns the value of a header line if its name is the given one, which
// is in lower case. Names match in any case, and white space may stand before
// the colon.
func field(line []byte, name string) ([]byte, bool) {
	if len(line) <= len(name) {
		return nil, false
	}
	for i := range len(name) {
		if c := line[i]; c != name[i] && (c-'A' >= 26 || c|0x20 != name[i]) {
			return nil, false
		}
	}
	rest := line[len(name):]
	for len(rest) > 0 && blank(rest[0]) {
		rest = rest[1:]
	}
	if len(rest) == 0 || rest[0] != ':' {
		return nil, false
	}
	return trim(rest[1:]), true
}

// length reads a Content-Length, -1 when it is none. Larger than any segment is
// as good as right.
func length(value []byte) int {
	if len(value) == 0 {
		return -1
	}
	n := 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return -1
		}
		n = min(n*10+int(c-'0'), 1<<40)
	}
	return n
}
