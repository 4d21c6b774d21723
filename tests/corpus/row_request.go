package corpus

// attacks is a request to a server that is not at home.
func attacks(method, target, body string, headers ...string) []Stamped {
	return Each(sends(Request(method, target, append([]string{"Host: shop.example"}, headers...), body)))
}

// attacked is the event of such a request that its path gives away.
func attacked(code, path, info string) string {
	return sent(code, 0, "URL shop.example("+path+")"+byHeuristic(info+" (suspicious)"))
}

// requestRows are the rows of HTTP requests.
func requestRows() []Subject {
	urls := []string{"evil-url.example/bad/path,malware (test)", "/malicious-login.php,malware (test)", "any.example/,botnet c2 (test)"}
	body := []string{"/gate.php?id=1&os=2,malware (test)"}
	agent := func(value string) []Stamped { return Each(sends(Get("shop.example", "/", "User-Agent: "+value))) }
	tools := func(c Case) Case { c.UserAgents = "masscan\n"; return c }
	iot := func(host, path string) []Stamped { return Each(sends(Get(host, path))) }
	probe := byHeuristic("potential proxy probe (suspicious)")
	return []Subject{
		{"url", "a path, a host with its path, or all of a host", []Case{
			raises("host and path", urls, Each(sends(Get("evil-url.example", "/bad/path"))), sent("trail.url", 0, "URL evil-url.example/bad/path"+malware)),
			raises("path", urls, Each(sends(Get("victim.example", "/malicious-login.php"))), sent("trail.url", 0, "URL (victim.example)/malicious-login.php"+malware)),
			raises("host", urls, Each(sends(Get("any.example", "/x"))), sent("trail.url", 0, "URL any.example/"+botnet)),
			silent("another path, another host", urls, Each(sends(Get("evil-url.example", "/good/path")), sends(Get("clean.example", "/bad/path")))),
		}},
		{"body", "a path with the body of its request", []Case{
			raises("form", body, Each(sends(Request("POST", "/gate.php", []string{"Host: v.net"}, "id=1&os=2"))), sent("trail.http", 0, `HTTP v.net(/gate.php \(POST id=1&os=2\))`+malware)),
			silent("another form", body, Each(sends(Request("POST", "/gate.php", []string{"Host: v.net"}, "id=2&os=2")))),
		}},
		{"missing-host", "a request without a Host header", []Case{
			raises("none", nil, Each(sends(Request("GET", "/x?a=1", nil, ""))), sent("http.nohost", 0, "HTTP 203.0.113.10/x?a=1"+byHeuristic("missing host header (suspicious)"))),
			silent("one", nil, Each(sends(Get("clean.org", "/x?a=1")))),
			silent("none, heuristics off", nil, Each(sends(Request("GET", "/x?a=1", nil, "")))).without(),
		}},
		{"iot-download", "a download as malware for small devices does it", []Case{
			raises("by address", nil, iot(web, "/bins/mirai.x86"), sent("http.iot", 0, "HTTP (203.0.113.10)/bins/mirai.x86"+byHeuristic("potential iot-malware download (suspicious)"))),
			raises("by address, heuristics off", nil, iot(web, "/sora.mips"), sent("http.iot", 0, "HTTP (203.0.113.10)/sora.mips"+byHeuristic("potential iot-malware download (suspicious)"))).without(),
			silent("by name, and another file", nil, append(iot("a.org", "/mips"), iot(web, "/mips/index.html")...)),
		}},
		{"proxy-probe", "a request that looks for open proxies", []Case{
			raises("check", nil, Each(sends(Get("proxy.org", "http://proxycheck.example/"))), sent("http.proxyprobe", 0, "HTTP http://proxycheck.example/"+probe)),
			silent("a proxied request, another port", nil, Each(sends(Get("proxy.org", "http://a.com/clean")), eth(client, web, Data(50030, 8080, Get("proxy.org", "http://a.com/check"))))),
		}},
		{"user-agent", "a user agent of the list", []Case{
			tools(raises("tool", nil, agent("masscan/1.0"), sent("http.ua", 0, "UA masscan(/1.0)"+byHeuristic("user agent (suspicious)")))),
			tools(silent("browser", nil, agent("Mozilla/5.0"))),
		}},
		{"request-category", "an attack in a path or a body (D 12.8)", append(categories(),
			raises("in a body", nil, attacks("POST", "/submit", "q=1 UNION ALL SELECT a FROM b"),
				sent("http.sqli", 0, `HTTP shop.example(/submit \(POST q=1%20UNION%20ALL%20SELECT%20a%20FROM%20b\))`+byHeuristic("potential sql injection (suspicious)"))),
			silent("nothing in a body", nil, attacks("POST", "/submit", "q=hello world")))},
		{"direct-download", "a short path that ends like a program", []Case{
			raises("exe", nil, attacks("GET", "/setup.exe", ""), attacked("http.download", "/setup.exe", "direct .exe download")),
			silent("deep down, a long name, an archive", nil, Each(sends(Get("shop.example", "/cgi/setup.exe")), sends(Get("shop.example", "/averylongname.exe")), sends(Get("shop.example", "/setup.zip")))),
		}},
		{"non-existent-page", "pages that scanners ask for", []Case{
			raises("page", nil, attacks("GET", "/DefaultWebPage.cgi", ""), attacked("http.nonexistent", "/defaultwebpage.cgi", "non-existent page")),
			raises("web scan", nil, attacks("GET", "/long_inexistent_path.html", ""), attacked("http.webscan", "/long_inexistent_path.html", "potential web scan")),
			silent("another page", nil, attacks("GET", "/page.cgi", "")),
		}},
	}
}

// categories are an attack of each kind and what looks like it.
func categories() (all []Case) {
	for _, c := range []struct{ code, info, target, shown, clean string }{
		{"http.sqli", "potential sql injection", "/items?id=1%20UNION%20ALL%20SELECT%20a%20FROM%20b", "/items?id=1%20union%20all%20select%20a%20from%20b", "/items?id=union+station&select=all"},
		{"http.xmli", "potential xml injection", "/x?a=%2ftext()='b", "/x?a=%2ftext%28%29='b", "/x?a=text()='b"},
		{"http.phpi", "potential php injection", "/x?a=php://input", "/x?a=php:/input", "/x.php?a=input"},
		{"http.ldapi", "potential ldap injection", "/x?u=*)(|(cn=*", "/x?u=*%29%28|%28cn=*", "/x?u=(cn=*)"},
		{"http.xss", "potential xss injection", "/x?q=<script>document.cookie</script>", "/x?q=<script>document.cookie</script>", "/x?q=script"},
		{"http.xxe", "potential xxe injection", "/x?q=[<!ENTITY%20a", "/x?q=[<!entity%20a", "/x?q=<!DOCTYPE%20a"},
		{"http.ssti", "potential ssti injection", "/x?q=${7*7}", "/x?q=${7*7}", "/x?q=$7*7"},
		{"http.leak", "potential data leakage", "/x?imei=123456789012345", "/x?imei=123456789012345", "/x?imei=1234"},
		{"http.config", "config file access", "/a/.htaccess", "/a/.htaccess", "/a/htaccess?x=1"},
		{"http.rce", "potential remote code execution", "/x?q=;wget%20http", "/x?q=;wget%20http", "/wget?q=1"},
		{"http.traversal", "potential directory traversal", "/x?f=../../../a", "/x?f=../../../a", "/x/../y?f=1"},
		{"http.webscan", "potential web scan", "/x?acunetix_wvs_security_test=1", "/x?acunetix_wvs_security_test=1", "/x?acunetix=1"},
		{"http.dnschanger", "potential dns changer", "/x?dnsPrimary=1.2.3.4", "/x?dnsprimary=1.2.3.4", "/x?mydnsPrimary=1.2.3.4"},
	} {
		all = append(all, raises(c.info, nil, attacks("GET", c.target, ""), attacked(c.code, c.shown, c.info)),
			silent("no "+c.info, nil, attacks("GET", c.clean, "")),
			silent(c.info+", heuristics off", nil, attacks("GET", c.target, "")).without())
	}
	return all
}

// responseRows are the rows of what servers say of themselves.
func responseRows() []Subject {
	says := func(head, body string) []Stamped {
		return Each(eth(web, client, Data(80, 50040, "HTTP/1.1 200 OK\r\n"+head+"\r\n"+body)))
	}
	said := func(code, trail, info string) string {
		return code + " 0 203.0.113.10 80 10.0.0.66 50040 TCP HTTP " + trail + byHeuristic(info)
	}
	const seized = "This domain name has been seized by the FBI"
	return []Subject{
		{"sinkhole-response", "a server that says it is a sinkhole", []Case{
			raises("header", nil, says("Server: malware-sinkhole\r\n", ""), said("http.sinkhole", "Server: malware-sinkhole", "sinkhole response (malware)")).without(),
			silent("another server", nil, says("Server: nginx\r\n", "kitchen sink holes")).without(),
		}},
		{"seized-domain", "a page that says its domain was seized", []Case{
			raises("title", nil, says("", "<title>"+seized+"</title>"), said("http.seized", seized, "seized domain (suspicious)")).without(),
			silent("another title", nil, says("", "<title>domain seized</title>")).without(),
		}},
		{"content-type", "a content type of programs", []Case{
			raises("hta", nil, says("Content-Type: application/hta\r\n", ""), said("http.ctype", "application/hta", "content type (suspicious)")).without(),
			silent("html", nil, says("Content-Type: text/html\r\n", "")).without(),
		}},
	}
}
