package http

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// browser is a request as browsers send it, about 600 bytes.
const browser = "GET /search/results.php?q=trail+hound&page=2 HTTP/1.1\r\n" +
	"Host: www.shop.example.com\r\n" +
	"Connection: keep-alive\r\n" +
	"Upgrade-Insecure-Requests: 1\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Referer: http://www.shop.example.com/index.html\r\n" +
	"Accept-Encoding: gzip, deflate\r\n" +
	"Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n" +
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; seen=1\r\n" +
	"\r\n"

func TestRequestLine(t *testing.T) {
	tests := []struct {
		name, in                string
		method, target, version string // all empty: refused
	}{
		{"plain", "GET /a HTTP/1.1\r\n", "GET", "/a", "HTTP/1.1"},
		{"bare line feed (D 19.34)", "GET /a HTTP/1.1\n", "GET", "/a", "HTTP/1.1"},
		{"many spaces (D 19.34)", "GET   /a  HTTP/1.0  \r\n", "GET", "/a", "HTTP/1.0"},
		{"tabs", "GET\t/a\tHTTP/1.1\r\n", "GET", "/a", "HTTP/1.1"},
		{"several carriage returns", "GET /a HTTP/1.1\r\r\n", "GET", "/a", "HTTP/1.1"},
		{"padding", "\r\n\r\n \tGET /a HTTP/1.1\r\n", "GET", "/a", "HTTP/1.1"},
		{"unknown method", "FROB-X /a HTTP/1.1\r\n", "FROB-X", "/a", "HTTP/1.1"},
		{"lower case", "get /a HTTP/1.1\r\n", "get", "/a", "HTTP/1.1"},
		{"bytes before the method (D 12.1)", "\x00\xFFGET /a HTTP/1.1\r\n", "\x00\xFFGET", "/a", "HTTP/1.1"},
		{"absolute", "GET http://a.example/x HTTP/1.1\r\n", "GET", "http://a.example/x", "HTTP/1.1"},
		{"connect", "CONNECT a.example:443 HTTP/1.1\r\n", "CONNECT", "a.example:443", "HTTP/1.1"},
		{"asterisk", "OPTIONS * HTTP/1.1\r\n", "OPTIONS", "*", "HTTP/1.1"},
		{"no slash", "GET a HTTP/1.1\r\n", "GET", "a", "HTTP/1.1"},
		{"spaces in target", "GET /a b  c HTTP/1.1\r\n", "GET", "/a b  c", "HTTP/1.1"},
		{"version in target", "GET /a HTTP/1.1 HTTP/1.0\r\n", "GET", "/a HTTP/1.1", "HTTP/1.0"},
		{"control bytes in target", "GET /a\x00\x01\xFF HTTP/1.1\r\n", "GET", "/a\x00\x01\xFF", "HTTP/1.1"},
		{"odd version", "GET / HTTP/1.10\r\n", "GET", "/", "HTTP/1.10"},
		{"version without number", "GET / HTTP/\r\n", "GET", "/", "HTTP/"},
		{"empty target (D 12.1)", "GET  HTTP/1.1\r\n", "GET", "", "HTTP/1.1"},
		{"empty method (D 12.1)", " /a HTTP/1.1\r\n", "", "/a", "HTTP/1.1"},
		{"http/0.9", "GET /a\r\n", "", "", ""},
		{"no line end", "GET /a HTTP/1.1", "", "", ""},
		{"version glued", "GET /aHTTP/1.1\r\n", "", "", ""},
		{"one word", "GET HTTP/1.1\r\n", "", "", ""},
		{"version alone", " HTTP/1.1\r\n", "", "", ""},
		{"endless version", "GET /a HTTP/" + strings.Repeat("1", 40) + "\r\n", "", "", ""},
		{"response", "HTTP/1.1 200 OK\r\n", "", "", ""},
		{"response quoting a version", "HTTP/1.1 505 no HTTP/1.2\r\n", "", "", ""},
		{"http/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "", ""},
		{"ssh", "SSH-2.0-OpenSSH_9.6 HTTP\r\n", "", "", ""},
		{"smtp", "220 mail.example.com ESMTP Postfix\r\n", "", "", ""},
		{"rtsp", "OPTIONS rtsp://a.example/ RTSP/1.0\r\n", "", "", ""},
		{"sip", "REGISTER sip:a.example SIP/2.0\r\n", "", "", ""},
		{"empty", "", "", "", ""},
		{"line end", "\r\n", "", "", ""},
	}
	for _, tt := range tests {
		var r Request
		ok := r.Parse([]byte(tt.in))
		if ok != (tt.version != "") || string(r.Method) != tt.method && ok || string(r.Target) != tt.target && ok || string(r.Version) != tt.version && ok {
			t.Errorf("%s: %v %q %q %q", tt.name, ok, r.Method, r.Target, r.Version)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	const absent = "-"
	tests := []struct{ name, in, host, agent, forwarded string }{
		{"plain", "Host: a.example\r\nUser-Agent: x/1\r\n\r\n", "a.example", "x/1", absent},
		{"any case (D 19.21)", "hOST:a.example\r\nUSER-AGENT:x\r\n\r\n", "a.example", "x", absent},
		{"bare line feeds (D 19.34)", "Host: a.example\nUser-Agent: x\n\n", "a.example", "x", absent},
		{"white space before the colon", "Host \t:\t a.example \t\r\n\r\n", "a.example", absent, absent},
		{"first of two", "Host: a.example\r\nHost: b.example\r\n\r\n", "a.example", absent, absent},
		{"empty", "Host:\r\nUser-Agent: \r\n\r\n", "", "", absent},
		{"empty one first", "Host:\r\nHost: b.example\r\n\r\n", "", absent, absent},
		{"value on its second line", "Host:\r\n a.example\r\n\tb\r\nUser-Agent:\r\n\tx\r\n\r\n", "a.example", "x", absent},
		{"folded value", "User-Agent: x\r\n y\r\nHost: a.example\r\n\r\n", "a.example", "x", absent},
		{"folding is no header", "Accept: x\r\n Host: a.example\r\n\r\n", absent, absent, absent},
		{"bytes in value", "Host: a\x00b\xFFc\x01\r\nUser-Agent: \x00\r\n\r\n", "a\x00b\xFFc\x01", "\x00", absent},
		{"not its name", "Hosts: a\r\nHos: b\r\nX-Host: c\r\n-Host: d\r\n\r\n", absent, absent, absent},
		{"no colon", "Host a.example\r\nHost\r\n\r\n", absent, absent, absent},
		{"behind the head", "Accept: x\r\n\r\nHost: a.example\r\n", absent, absent, absent},
		{"line end not captured", "User-Agent: x\r\nHost: a.exam", absent, "x", absent},
		{"carriage return captured", "Host: a.example\r", absent, absent, absent},
		{"line end is the last byte", "Host: a.example\r\n", "a.example", absent, absent},
		{"forwarded", "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n\r\n", absent, absent, "192.0.2.1, 10.0.0.1"},
		{"forwarded by others", "true-client-ip: 2001:db8::1\r\nCF-Connecting-IP: 192.0.2.1\r\n\r\n", absent, absent, "2001:db8::1"},
		{"forwarded unknown", "X-Forwarded-For: unknown\r\nCF-Connecting-IP: 192.0.2.1\r\n\r\n", absent, absent, "192.0.2.1"},
	}
	show := func(v []byte) string {
		if v == nil {
			return absent
		}
		return string(v)
	}
	for _, tt := range tests {
		var r Request
		if !r.Parse([]byte("GET / HTTP/1.1\r\n" + tt.in)) {
			t.Errorf("%s: refused", tt.name)
			continue
		}
		if show(r.Host) != tt.host || show(r.UserAgent) != tt.agent || show(r.Forwarded) != tt.forwarded {
			t.Errorf("%s: Host %q, User-Agent %q, forwarded %q", tt.name, r.Host, r.UserAgent, r.Forwarded)
		}
		if r.HasHost != (tt.host != absent) {
			t.Errorf("%s: HasHost %v", tt.name, r.HasHost)
		}
		if end := strings.Contains(tt.in, "\r\n\r\n") || strings.Contains(tt.in, "\n\n"); r.HeadEnd != end {
			t.Errorf("%s: HeadEnd %v", tt.name, r.HeadEnd)
		}
	}
}

func TestBrowserRequest(t *testing.T) {
	var r Request
	if !r.Parse([]byte(browser)) || !r.HeadEnd || r.Size != len(browser) || r.Body == nil || len(r.Body) != 0 || r.ContentLength != -1 {
		t.Fatalf("%+v", r)
	}
	if string(r.Host) != "www.shop.example.com" || string(r.Referer) != "http://www.shop.example.com/index.html" || !bytes.HasPrefix(r.UserAgent, []byte("Mozilla/5.0 (X11")) {
		t.Errorf("%s %s %s", r.Host, r.Referer, r.UserAgent)
	}
}

// requests reads all requests of a segment as the sensor does.
func requests(b []byte) (all []string) {
	var r Request
	for len(b) > 0 && r.Parse(b) {
		all = append(all, fmt.Sprintf("%s %s %q", r.Method, r.Target, r.Body))
		b = b[r.Size:]
	}
	return all
}

func TestPipeline(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"two (D 19.21)", "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", []string{`GET /1 ""`, `GET /2 ""`}},
		{"by length", "POST /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /2 HTTP/1.1\r\n\r\n", []string{`POST /1 "body"`, `GET /2 ""`}},
		{"by length, with padding", "POST /1 HTTP/1.1\r\ncontent-length : 4\r\n\r\nbody\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", []string{`POST /1 "body"`, `GET /2 ""`}},
		{"length, then the start of a line", "POST /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET /2 HT", []string{`POST /1 "body"`}},
		{"length, then padding", "POST /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody\r\n", []string{`POST /1 "body"`}},
		{"length, then blanks, then text", "POST /1 HTTP/1.1\nContent-Length: 4\n\nbody" + strings.Repeat(" ", maxBlanks-1) + "x", []string{`POST /1 "body` + strings.Repeat(" ", maxBlanks-1) + `x"`}},
		{"length, then more blanks than are passed over", "POST /1 HTTP/1.1\nContent-Length: 4\n\nbody" + strings.Repeat(" ", maxBlanks) + "x", []string{`POST /1 "body"`}},
		{"length, then that many blanks, then a request", "POST /1 HTTP/1.1\nContent-Length: 4\n\nbody" + strings.Repeat("\n", 2*maxBlanks) + "GET /2 HTTP/1.1\n\n", []string{`POST /1 "body"`, `GET /2 ""`}},
		{"length beyond the segment", "POST /1 HTTP/1.1\r\nContent-Length: 99\r\n\r\nbody\nGET /2 HTTP/1.1\r\n", []string{`POST /1 "body\nGET /2 HTTP/1.1\r\n"`}},
		{"length too small", "POST /1 HTTP/1.1\r\nContent-Length: 0\r\n\r\n\x01a=1&b=2", []string{`POST /1 "\x01a=1&b=2"`}},
		{"length malformed", "POST /1 HTTP/1.1\r\nContent-Length: -4\r\n\r\nbody\nGET /2 HTTP/1.1\r\n\r\n", []string{`POST /1 "body\n"`, `GET /2 ""`}},
		{"length overflows", "POST /1 HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\nbody", []string{`POST /1 "body"`}},
		{"first length counts", "POST /1 HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 1\r\n\r\nbodyGET /2 HTTP/1.1\r\n\r\n", []string{`POST /1 "body"`, `GET /2 ""`}},
		{"chunked", "POST /1 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", []string{`POST /1 "4\r\nbody\r\n0\r\n\r\n"`, `GET /2 ""`}},
		{"no length", "POST /1 HTTP/1.1\r\n\r\nbody", []string{`POST /1 "body"`}},
		{"head cut", "GET /1 HTTP/1.1\r\nHost: a\r\nAcc", []string{`GET /1 ""`}},
	}
	for _, tt := range tests {
		if got := requests([]byte(tt.in)); strings.Join(got, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestHostCut(t *testing.T) {
	line := "GET / HTTP/1.1\r\n"
	head := line + "Host: a.example\r\n"
	for n := len(line); n <= len(head); n++ {
		var r Request
		if !r.Parse([]byte(head[:n])) {
			t.Fatalf("%d bytes refused", n)
		}
		cut := n >= len(line+"Host:") && n < len(head)
		if r.HostCut != cut || r.HasHost != (n == len(head)) || (r.Host != nil) != r.HasHost {
			t.Errorf("%q: HostCut %v, HasHost %v, Host %q", head[:n], r.HostCut, r.HasHost, r.Host)
		}
	}
}

func TestRequestTruncation(t *testing.T) {
	whole := []byte("\r\n" + browser + "POST /2 HTTP/1.1\nHost: b\nContent-Length: 3\n\nabc" + browser)
	for n := range len(whole) + 1 {
		b := bytes.Clone(whole[:n])
		for len(b) > 0 {
			var r Request
			if !r.Parse(b) {
				break
			}
			checkInside(t, b, r.Method, r.Target, r.Version, r.Host, r.UserAgent, r.Referer, r.ContentType, r.Forwarded, r.Body)
			if r.Size <= 0 || r.Size > len(b) {
				t.Fatalf("%d bytes: Size %d of %d", n, r.Size, len(b))
			}
			b = b[r.Size:]
		}
	}
	if got := len(requests(whole)); got != 3 {
		t.Errorf("%d requests", got)
	}
}

// checkInside fails when a slice does not lie in b.
func checkInside(t *testing.T, b []byte, parts ...[]byte) {
	t.Helper()
	for i, p := range parts {
		if len(p) == 0 {
			continue
		}
		at := -1
		for j := range b {
			if &b[j] == &p[0] {
				at = j
				break
			}
		}
		if at < 0 || at+len(p) > len(b) {
			t.Fatalf("part %d %q lies outside", i, p)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	var req Request
	var resp Response
	segment := []byte(browser + browser)
	answer := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok")
	if n := testing.AllocsPerRun(100, func() {
		for b := segment; Looks(b) == RequestLike && req.Parse(b); {
			b = b[req.Size:]
		}
		if Looks(answer) == ResponseLike {
			resp.Parse(answer)
		}
		Find(segment)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
