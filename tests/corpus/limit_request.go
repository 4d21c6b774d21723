package corpus

// requestLimits are those of HTTP.
func requestLimits() []Subject {
	rows := []string{"evil.com,malware (test)", "/bad.php,malware (test)", "evil.net/x,botnet c2 (test)"}
	name := func(second int) string { return sent("trail.dns", second, "DNS evil.com"+malware) }
	hta := eth(web, client, Data(80, 50040, "HTTP/1.1 200 OK\r\nContent-Type: application/hta; charset=utf-8\r\n\r\n"))
	traversal := Get("white.example", "/x?f=../../../a")
	forwarded := attacks("GET", "/x?f=../../../a", "", "X-Forwarded-For: 192.0.2.77, 10.1.1.1")
	return []Subject{
		{"limit-21", "header names in any case, every request of a segment", []Case{
			raises("case", rows, Each(sends(Request("GET", "/", []string{"host: evil.com"}, "")), sends(Request("GET", "/", []string{"HOST:evil.com"}, ""))), name(0), name(1)),
			raises("pipelined", rows, Each(sends(Get("clean.org", "/")+Get("evil.com", "/"))), name(0)),
			raises("behind a body", rows, Each(sends(Request("POST", "/", []string{"Host: clean.org", "Content-Length: 4"}, "data")+Get("evil.com", "/"))), name(0)),
		}},
		{"limit-22", "URLs in the forms that servers take for the same", []Case{
			raises("escapes", rows, Each(sends(Get("v.net", "/Bad%2ephp"))), sent("trail.url", 0, "URL (v.net)/bad.php"+malware)),
			raises("port", rows, Each(sends(Get("evil.net:8080", "/x"))), sent("trail.url", 0, "URL evil.net/x"+botnet)),
			raises("directories", rows, Each(sends(Get("evil.net", "/x/a/b/c"))), sent("trail.url", 0, "URL evil.net/x(/a/b/c)"+botnet)),
			silent("another path", rows, Each(sends(Get("evil.net", "/xy/a/b/c")), sends(Get("v.net", "/good.php")))),
		}},
		{"limit-23", "attacks that words in the path hide", []Case{
			raises("uploads", nil, attacks("GET", "/uploads/x?f=../../../a", ""), attacked("http.traversal", "/uploads/x?f=../../../a", "potential directory traversal")),
			raises("a password file", nil, attacks("GET", "/x/etc/passwd", ""), attacked("http.traversal", "/x/etc/passwd", "potential directory traversal")),
			raises("a configuration", nil, attacks("GET", "/wp-config.php", ""), attacked("http.config", "/wp-config.php", "config file access")),
			raises("chmod", nil, attacks("GET", "/x?c=chmod%20%2bx%20a", ""), attacked("http.rce", "/x?c=chmod%20%2bx%20a", "potential remote code execution")),
			raises("plus", nil, attacks("GET", "/x?id=1+UNION+ALL+SELECT+a+FROM+b", ""), attacked("http.sqli", "/x?id=1+union+all+select+a+from+b", "potential sql injection")),
			silent("ads", nil, attacks("GET", "/ads/x?f=../../../a", "")),
		}},
		{"limit-25", "content types with parameters, a Host on the whitelist", []Case{
			raises("parameter", nil, Each(hta), "http.ctype 0 203.0.113.10 80 10.0.0.66 50040 TCP HTTP application/hta"+byHeuristic("content type (suspicious)")),
			raises("to a server at home", nil, Each(eth(web, client, Data(50040, 80, traversal))),
				"http.traversal 0 203.0.113.10 50040 10.0.0.66 80 TCP URL white.example(/x?f=../../../a)"+byHeuristic("potential directory traversal (suspicious)")).white("white.example"),
			silent("to the world", nil, Each(eth(client, web, Data(50040, 80, traversal)))).white("white.example"),
		}},
		{"limit-26", "an address in a query string", []Case{
			silent("redirect", rows, Each(sends(Get("clean.org", "/redirect?u=http://evil.com/")))).without(),
			raises("proxied", rows, Each(sends(Get("proxy.org", "http://evil.com/"))), name(0)).without(),
		}},
		{"limit-33", "a forwarded-for value and the whitelist", []Case{
			raises("no whitelist", nil, forwarded, attacked("http.traversal", "/x?f=../../../a", "potential directory traversal")),
			silent("the source is on it", nil, forwarded).white(client),
		}},
		{"limit-34", "lines that end in LF, and blanks in the request line", []Case{
			raises("LF", rows, Each(sends("GET / HTTP/1.1\nHost: evil.com\n\n")), name(0)),
			raises("blanks", rows, Each(sends("GET  /  HTTP/1.1\r\nHost: evil.com\r\n\r\n")), name(0)),
		}},
	}
}
