package trails

import (
	"bytes"
	"strconv"
)

// appendURL puts a URL into canonical form: without scheme, lower case, runs
// of slashes collapsed, trailing slashes gone unless the only slash is the one
// behind the host, the host in ASCII (IDNA) and without ":80" (as the host of
// a request is compared), blanks and non-ASCII bytes of the path
// percent-encoded as a client sends them. A scheme and a host without a path
// mean every path: "http://192.0.2.1" is "192.0.2.1/".
func appendURL(dst, text []byte) (Kind, []byte, error) {
	if i := bytes.Index(text, []byte("://")); i >= 0 && bytes.IndexByte(text[:i], '/') < 0 {
		text = text[i+3:]
	}
	host, path := text, []byte{'/'}
	if slash := bytes.IndexByte(text, '/'); slash >= 0 {
		host, path = text[:slash], text[slash:]
	}
	at := len(dst)
	dst, ok := appendHostPort(dst, host)
	if !ok {
		return Invalid, dst[:at], ErrURL
	}
	slash := len(dst)
	dst = AppendPath(dst, path)
	if last := len(dst) - 1; dst[last] == '/' && (last > slash || slash == at) {
		dst = dst[:last]
	}
	switch n := len(dst) - at; {
	case n == 0:
		return Invalid, dst[:at], ErrURL // "/" alone is every request there is
	case n > maxKey-len("http://"):
		return Invalid, dst[:at], ErrTooLong // AppendText may have to put the scheme back
	}
	return URL, dst, nil
}

// appendHostPort appends the host of a URL as a request's Host value is looked
// up; an empty host is allowed: the URL is a path on any host. What no request
// can carry, such as a user name or two ports, is refused.
func appendHostPort(dst, host []byte) ([]byte, bool) {
	if len(host) == 0 {
		return dst, true
	}
	port := uint16(80)
	if i := bytes.LastIndexByte(host, ':'); i >= 0 && bytes.IndexByte(host[i:], ']') < 0 {
		var ok bool
		if port, ok = parsePort(host[i+1:]); !ok {
			return dst, false
		}
		host = host[:i]
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		if a, ok := parseAddr(host[1 : len(host)-1]); !ok || !a.Is6() {
			return dst, false
		}
		dst = appendLower(dst, host)
	} else {
		at := len(dst)
		var err error
		if dst, err = appendHost(dst, bytes.Trim(host, ".")); err != nil {
			return dst, false
		}
		if name := dst[at:]; !ValidName(name) {
			if _, ok := parseQuad(name); !ok {
				return dst, false
			}
		}
	}
	if port != 80 {
		dst = strconv.AppendUint(append(dst, ':'), uint64(port), 10)
	}
	return dst, true
}

// SplitURL cuts the key of a URL into host and path. A path alone has an empty
// host.
func SplitURL(key []byte) (host, path []byte) {
	if i := bytes.IndexByte(key, '/'); i >= 0 {
		return key[:i], key[i:]
	}
	return key, nil
}
