package http

import "bytes"

// Request is the head of one request. Its slices point into the segment; what
// is absent is nil, what is present and empty is not. Header values are
// trimmed, and of several headers of one name the first counts. A header whose
// line end was not captured is absent.
type Request struct {
	Method  []byte // as sent; may be empty
	Target  []byte // as sent: a path, an absolute URI, an authority (CONNECT), "*"; may be empty
	Version []byte // as sent, from "HTTP/" on

	Host    []byte
	HasHost bool
	HostCut bool // the segment ends within the Host value, which is not given

	UserAgent   []byte
	Referer     []byte
	ContentType []byte
	// Forwarded is the value of the first CF-Connecting-IP, True-Client-IP or
	// X-Forwarded-For that starts like an address: maybe a list, maybe with a port.
	Forwarded []byte

	ContentLength int  // -1 when absent, malformed or with a transfer coding
	Chunked       bool // there is a Transfer-Encoding

	HeadEnd bool // the empty line that ends the head was captured
	// Body is what follows the head, nil when that does not end in the segment.
	// It ends where Content-Length says if that can be believed: if nothing or
	// another request follows. Otherwise it ends before the next request line.
	Body []byte
	Size int // bytes of the segment that the request took; the next one starts there
}

// Parse reads the request that b starts with, behind any line ends and blanks.
// It reports false when the first line is no request line or does not end in b.
func (r *Request) Parse(b []byte) bool {
	*r = Request{ContentLength: -1}
	at := padding(b)
	end := bytes.IndexByte(b[at:], '\n')
	if end < 0 {
		return false
	}
	var ok bool
	if r.Method, r.Target, r.Version, ok = splitRequestLine(b[at : at+end]); !ok {
		return false
	}
	head := r.headers(b, at+end+1)
	if !r.HeadEnd {
		r.Size = len(b)
		return true
	}
	rest := b[head:]
	n := len(rest)
	if n > 0 {
		n = bodyEnd(rest, r.ContentLength)
	}
	r.Body = rest[:n:n]
	r.Size = head + n
	return true
}

// headers reads the header lines at b[at:] and returns where the body starts.
func (r *Request) headers(b []byte, at int) int {
	var folded *[]byte // where the value of the next line belongs if it is a continuation
	for at < len(b) {
		line := b[at:]
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			if _, host := field(line, "host"); host && !r.HasHost {
				r.HostCut = true
			}
			return len(b)
		}
		line = line[:end]
		at += end + 1
		if len(line) == 0 || (line[0] == '\r' && len(trimRight(line)) == 0) {
			r.HeadEnd = true
			return at
		}
		if blank(line[0]) {
			// Obsolete folding (RFC 9112 5.2): a value that starts on its second line
			// is that line, all others are their first.
			if folded != nil {
				*folded = trim(line)
				folded = nil
			}
			continue
		}
		folded = nil
		switch line[0] | 0x20 {
		case 'h':
			if v, ok := field(line, "host"); ok && !r.HasHost {
				r.Host, r.HasHost = v, true
				folded = ifEmpty(&r.Host)
			}
		case 'u':
			if v, ok := field(line, "user-agent"); ok && r.UserAgent == nil {
				r.UserAgent = v
				folded = ifEmpty(&r.UserAgent)
			}
		case 'r':
			if v, ok := field(line, "referer"); ok && r.Referer == nil {
				r.Referer = v
			}
		case 'x':
			r.forwarded(line, "x-forwarded-for")
		case 'c':
			r.lineC(line)
		case 't':
			if _, ok := field(line, "transfer-encoding"); ok {
				r.Chunked = true
				r.ContentLength = -1
			} else {
				r.forwarded(line, "true-client-ip")
			}
		}
	}
	return at
}

// lineC reads the headers that start with a c.
func (r *Request) lineC(line []byte) {
	if v, ok := field(line, "content-length"); ok {
		if r.ContentLength < 0 && !r.Chunked {
			r.ContentLength = length(v)
		}
	} else if v, ok := field(line, "content-type"); ok {
		if r.ContentType == nil {
			r.ContentType = v
		}
	} else {
		r.forwarded(line, "cf-connecting-ip")
	}
}

// forwarded takes the header if it names an address; "unknown" and the like
// leave the place to a later header.
func (r *Request) forwarded(line []byte, name string) {
	if r.Forwarded != nil {
		return
	}
	v, ok := field(line, name)
	if !ok || len(v) == 0 {
		return
	}
	switch c := v[0]; {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == ':', c == '[', c == '"':
		r.Forwarded = v
	}
}

func ifEmpty(v *[]byte) *[]byte {
	if len(*v) == 0 {
		return v
	}
	return nil
}
