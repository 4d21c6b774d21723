package http

import (
	"bytes"
	"strings"
	"testing"
)

func TestResponse(t *testing.T) {
	tests := []struct {
		name, in string
		status   uint16
		want     string // content type, server, location, body, size
	}{
		{"plain", "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\nbody", 200, "text/html; charset=utf-8|x||body|74"},
		{"any case, line feeds", "HTTP/1.0 302 Found\nSERVER:x\nlocation : http://a/\n\n", 302, "|x|http://a/||50"},
		{"no reason", "HTTP/1.1 404\r\n\r\n", 404, "||||16"},
		{"spaces", "HTTP/1.1  200   OK\r\n\r\n", 200, "||||22"},
		{"leading line end", "\r\nHTTP/1.1 200 OK\r\n\r\n", 200, "||||21"},
		{"no number", "HTTP/1.1 OK\r\nServer: x\r\n\r\n", 0, "|x|||26"},
		{"four digits", "HTTP/1.1 2000 OK\r\n\r\n", 0, "||||20"},
		{"status line cut", "HTTP/1.1 20", 0, "||||11"},
		{"version cut", "HTTP/", 0, "||||5"},
		{"header cut", "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: te", 200, "|x|||44"},
		{"pipelined", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n", 200, "|||ok|40"},
		{"continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 100, "||||25"},
		{"length too small", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nThis is a sinkhole", 200, "|||This is a sinkhole|56"},
		{"first of two", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 200, "a/b||||57"},
		{"bytes in value", "HTTP/1.1 200 OK\r\nServer: \x00\xFF\r\n\r\n", 200, "|\x00\xFF|||31"},
	}
	for _, tt := range tests {
		var r Response
		if !r.Parse([]byte(tt.in)) {
			t.Errorf("%s: refused", tt.name)
			continue
		}
		got := strings.Join([]string{string(r.ContentType), string(r.Server), string(r.Location), string(r.Body), itoa(r.Size)}, "|")
		if got != tt.want || r.Status != tt.status {
			t.Errorf("%s: %d %q, want %d %q", tt.name, r.Status, got, tt.status, tt.want)
		}
		if end := strings.Contains(tt.in, "\r\n\r\n") || strings.Contains(tt.in, "\n\n"); r.HeadEnd != end || (r.Body != nil) != end {
			t.Errorf("%s: HeadEnd %v, body %v", tt.name, r.HeadEnd, r.Body != nil)
		}
	}
	for _, in := range []string{"", "HTTP", "GET / HTTP/1.1\r\n", "xHTTP/1.1 200 OK\r\n", " HTTP/1.1 200 OK\r\n"} {
		var r Response
		if r.Parse([]byte(in)) {
			t.Errorf("%q taken", in)
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestResponseTruncation(t *testing.T) {
	whole := []byte("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html\r\nLocation: /\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 204 No\n\n")
	for n := range len(whole) + 1 {
		b := bytes.Clone(whole[:n])
		var r Response
		if r.Parse(b) != (n >= 5) {
			t.Fatalf("%d bytes", n)
		}
		checkInside(t, b, r.Version, r.Server, r.ContentType, r.Location, r.Head, r.Body)
	}
}

func BenchmarkResponse(b *testing.B) {
	in := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: nginx\r\nContent-Type: text/html\r\n" +
		"Content-Length: 1000\r\nConnection: keep-alive\r\nVary: Accept-Encoding\r\n\r\n" + strings.Repeat("x", 1000))
	b.ReportAllocs()
	var r Response
	for b.Loop() {
		if !r.Parse(in) {
			b.Fatal("refused")
		}
	}
}
