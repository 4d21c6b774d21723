package corpus

import "strings"

// Get makes a GET request with a Host header.
func Get(host, target string, headers ...string) string {
	return Request("GET", target, append([]string{"Host: " + host}, headers...), "")
}

// Request makes a request of header lines and a body. It adds nothing.
func Request(method, target string, headers []string, body string) string {
	var b strings.Builder
	b.WriteString(method + " " + target + " HTTP/1.1\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n" + body)
	return b.String()
}
