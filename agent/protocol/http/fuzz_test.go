package http

import (
	"bytes"
	"testing"
)

var seeds = []string{
	browser,
	"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\n\n",
	"\r\n GET  /a\tHTTP/1.1\nHost :\n b\nX-Forwarded-For: 1.2.3.4\nTransfer-Encoding: chunked\n\n1\nx\n0\n\n",
	" / HTTP/1.1\r\n", "GET  HTTP/\r\nHost: a", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html\r\nLocation: /\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 x\n\n",
	"x\nGET http://a/ HTTP/1.0\n", "a HTTP/ HTTP/ b\nHTTP/",
}

func addSeeds(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
}

func FuzzRequest(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Request
		if referenceReads(b) && !r.Parse(b) {
			t.Fatalf("the reference reads %q", b)
		}
		for len(b) > 0 && r.Parse(b) {
			checkInside(t, b, r.Method, r.Target, r.Version, r.Host, r.UserAgent, r.Referer, r.ContentType, r.Forwarded, r.Body)
			if r.Size <= 0 || r.Size > len(b) || r.HasHost != (r.Host != nil) || r.HasHost && r.HostCut || r.HeadEnd != (r.Body != nil) {
				t.Fatalf("%+v", r)
			}
			if bytes.ContainsAny(r.Host, "\n") || bytes.ContainsAny(r.Target, "\n") || !bytes.HasPrefix(r.Version, []byte("HTTP/")) {
				t.Fatalf("%+v", r)
			}
			// The body does not change how the head is read.
			head := b[:r.Size-len(r.Body)]
			var alone Request
			if !alone.Parse(head) || !bytes.Equal(alone.Host, r.Host) || !bytes.Equal(alone.Target, r.Target) || alone.HeadEnd != r.HeadEnd || alone.Size != len(head) {
				t.Fatalf("head alone: %+v, with body: %+v", alone, r)
			}
			if Find(head) != 0 {
				t.Fatalf("Find does not find %q", head)
			}
			b = b[r.Size:]
		}
	})
}

// referenceReads applies the reference's rule for a request line (D 12.1),
// without the lines that only it can make sense of: those with no word for a
// target, or with other white space than spaces.
func referenceReads(b []byte) bool {
	line, _, ok := bytes.Cut(b, []byte("\r\n"))
	if !ok || bytes.ContainsAny(line, "\r\n\t") || bytes.Count(line, []byte(" ")) != 2 {
		return false
	}
	parts := bytes.Split(line, []byte(" "))
	method, target, version := parts[0], parts[1], parts[2]
	if len(method) == 0 && (len(target) == 0 || target[0] != '/') || bytes.HasPrefix(method, []byte("HTTP/")) {
		return false
	}
	return bytes.HasPrefix(version, []byte("HTTP/")) && len(version) <= maxVersion && string(method) != "PRI"
}

func FuzzResponse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r Response
		for len(b) > 0 && r.Parse(b) {
			checkInside(t, b, r.Version, r.Server, r.ContentType, r.Location, r.Head, r.Body)
			if r.Size <= 0 || r.Size > len(b) || r.HeadEnd != (r.Body != nil) || r.Status > 999 {
				t.Fatalf("%+v", r)
			}
			b = b[r.Size:]
		}
	})
}

func FuzzFind(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		Looks(b)
		at := Find(b)
		if at < -1 || at >= len(b) {
			t.Fatalf("%d of %d", at, len(b))
		}
		if at < 0 {
			return
		}
		var r Request
		if !r.Parse(b[at:]) {
			t.Fatalf("%q found at %d, not read", b[at:], at)
		}
		if at > 0 && (b[at-1] != '\n' || len(r.Method) == 0 || len(r.Target) == 0) {
			t.Fatalf("%q found at %d", b[at:], at)
		}
	})
}
