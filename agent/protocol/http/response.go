package http

import "bytes"

// Response is the head of one response. Its slices point into the segment;
// rules for absent, empty and repeated headers are those of Request.
type Response struct {
	Version []byte // as sent, from "HTTP/" on
	Status  uint16 // 0 when the status line has no three digits

	ContentType []byte
	Server      []byte
	Location    []byte

	ContentLength int  // -1 when absent, malformed or with a transfer coding
	Chunked       bool // there is a Transfer-Encoding

	HeadEnd bool   // the empty line that ends the head was captured
	Head    []byte // status line and headers as far as captured, the empty line included
	// Body is what follows the head, nil when that does not end in the segment.
	// It ends where Content-Length says if another response follows there, and
	// is empty for the statuses that have none.
	Body []byte
	Size int // bytes of the segment that the response took; the next one starts there
}

// Parse reads the response that b starts with. It reports false when b does not
// start with "HTTP/" behind any line ends. The status line need not be whole:
// what was captured of the head is in Head.
func (r *Response) Parse(b []byte) bool {
	*r = Response{ContentLength: -1}
	at := 0
	for at < len(b) && (b[at] == '\r' || b[at] == '\n') {
		at++
	}
	if !bytes.HasPrefix(b[at:], httpSlash) {
		return false
	}
	line := b[at:]
	end := bytes.IndexByte(line, '\n')
	if end >= 0 {
		line = line[:end]
	}
	r.statusLine(trimRight(line))
	head := len(b)
	if end >= 0 {
		head = r.headers(b, at+end+1)
	}
	r.Head = b[at:head:head]
	r.Size = len(b)
	if !r.HeadEnd {
		return true
	}
	rest := b[head:]
	n := len(rest)
	switch {
	case r.Status >= 100 && r.Status < 200, r.Status == 204, r.Status == 304:
		// RFC 9110 6.4.1: no body. Other bytes than a response are shown as one.
		if bytes.HasPrefix(rest, httpSlash) {
			n = 0
		}
	case r.ContentLength >= 0 && r.ContentLength < n && bytes.HasPrefix(rest[r.ContentLength:], httpSlash):
		n = r.ContentLength
	}
	r.Body = rest[:n:n]
	r.Size = head + n
	return true
}

func (r *Response) statusLine(line []byte) {
	end := 0
	for end < len(line) && !blank(line[end]) {
		end++
	}
	r.Version = line[:end]
	code := trim(line[end:])
	if len(code) < 3 || (len(code) > 3 && !blank(code[3])) {
		return
	}
	status := uint16(0)
	for _, c := range code[:3] {
		if c < '0' || c > '9' {
			return
		}
		status = status*10 + uint16(c-'0')
	}
	r.Status = status
}

// headers reads the header lines at b[at:] and returns where the body starts.
func (r *Response) headers(b []byte, at int) int {
	for at < len(b) {
		line := b[at:]
		end := bytes.IndexByte(line, '\n')
		if end < 0 {
			return len(b)
		}
		line = line[:end]
		at += end + 1
		if len(line) == 0 || (line[0] == '\r' && len(trimRight(line)) == 0) {
			r.HeadEnd = true
			return at
		}
		switch line[0] | 0x20 {
		case 's':
			if v, ok := field(line, "server"); ok && r.Server == nil {
				r.Server = v
			}
		case 'l':
			if v, ok := field(line, "location"); ok && r.Location == nil {
				r.Location = v
			}
		case 't':
			if _, ok := field(line, "transfer-encoding"); ok {
				r.Chunked = true
				r.ContentLength = -1
			}
		case 'c':
			if v, ok := field(line, "content-type"); ok {
				if r.ContentType == nil {
					r.ContentType = v
				}
			} else if v, ok := field(line, "content-length"); ok && r.ContentLength < 0 && !r.Chunked {
				r.ContentLength = length(v)
			}
		}
	}
	return at
}
