package tests

import (
	"fmt"
	"strings"
	"testing"

	. "trailhound/tests/corpus"
)

// attackOf is one request to a server that is not at home.
func attackOf(method, target, body string, headers ...string) Frame {
	return eth(client, web, TCP(50040, 80, PSH|ACK, Request(method, target, append([]string{"Host: shop.example"}, headers...), body)))
}

func suspiciousURL(path, info string) []string {
	return []string{fmt.Sprintf("0 10.0.0.66 50040 %s 80 TCP URL shop.example(%s) | %s (suspicious) | (heuristic)", web, path, info)}
}

func suspiciousBody(path, body, info string) []string {
	return []string{fmt.Sprintf(`0 10.0.0.66 50040 %s 80 TCP HTTP shop.example(%s \(POST %s\)) | %s (suspicious) | (heuristic)`, web, path, body, info)}
}

// TestCategories holds D 12.8: each category in a path, and what it is not.
func TestCategories(t *testing.T) {
	var cases []Case
	for _, c := range []struct{ name, target, shown, info string }{
		{"sql injection", "/items?id=1%20UNION%20ALL%20SELECT%20a%20FROM%20b", "/items?id=1%20union%20all%20select%20a%20from%20b", "potential sql injection"},
		{"sql, no injection", "/items?id=union+station&select=all", "", ""},
		{"xml injection", "/x?a=%2ftext()='b", "/x?a=%2ftext%28%29='b", "potential xml injection"},
		{"xml, no injection", "/x?a=text()='b", "", ""},
		{"php injection", "/x?a=php://input", "/x?a=php:/input", "potential php injection"},
		{"php, no injection", "/x.php?a=input", "", ""},
		{"ldap injection", "/x?u=*)(|(cn=*", "/x?u=*%29%28|%28cn=*", "potential ldap injection"},
		{"ldap, no injection", "/x?u=(cn=*)", "", ""},
		{"xss injection", "/x?q=<script>document.cookie</script>", "/x?q=<script>document.cookie</script>", "potential xss injection"},
		{"xss, no injection", "/x?q=script", "", ""},
		{"xxe injection", "/x?q=[<!ENTITY%20a", "/x?q=[<!entity%20a", "potential xxe injection"},
		{"xxe, no injection", "/x?q=<!DOCTYPE%20a", "", ""},
		{"ssti injection", "/x?q=${7*7}", "/x?q=${7*7}", "potential ssti injection"},
		{"ssti, no injection", "/x?q=$7*7", "", ""},
		{"data leakage", "/x?imei=123456789012345", "/x?imei=123456789012345", "potential data leakage"},
		{"no data leakage", "/x?imei=1234", "", ""},
		{"config file", "/a/.htaccess", "/a/.htaccess", "config file access"},
		{"no config file", "/a/htaccess?x=1", "", ""},
		{"remote code execution", "/x?q=;wget%20http", "/x?q=;wget%20http", "potential remote code execution"},
		{"no remote code execution", "/wget?q=1", "", ""},
		{"traversal", "/x?f=../../../a", "/x?f=../../../a", "potential directory traversal"},
		{"no traversal", "/x/../y?f=1", "", ""},
		{"web scan", "/x?acunetix_wvs_security_test=1", "/x?acunetix_wvs_security_test=1", "potential web scan"},
		{"no web scan", "/x?acunetix=1", "", ""},
		{"dns changer", "/x?dnsPrimary=1.2.3.4", "/x?dnsprimary=1.2.3.4", "potential dns changer"},
		{"no dns changer", "/x?mydnsPrimary=1.2.3.4", "", ""},
		{"the first in order: code before traversal", "/x?f=../../../etc/passwd;cat%20/etc/passwd", "/x?f=../../../etc/passwd;cat%20/etc/passwd", "potential remote code execution"},
	} {
		one := Case{Name: c.name, Frames: Each(attackOf("GET", c.target, ""))}
		if c.info != "" {
			one.Events = suspiciousURL(c.shown, c.info)
		}
		cases = append(cases, one)
	}
	quiet := cases[0]
	quiet.Name, quiet.NoHeuristics, quiet.Events = "without heuristics", true, nil
	trail := cases[0]
	trail.Name, trail.Trails = "a trail comes first", []string{"shop.example/items,malware (test)"}
	trail.Events = []string{"0 10.0.0.66 50040 " + web + " 80 TCP URL shop.example/items(?id=1%20union%20all%20select%20a%20from%20b)" + malware}
	runCases(t, append(cases, quiet, trail,
		Case{Name: "in a body", Frames: Each(attackOf("POST", "/submit", "q=1 UNION ALL SELECT a FROM b")),
			Events: suspiciousBody("/submit", "q=1%20UNION%20ALL%20SELECT%20a%20FROM%20b", "potential sql injection")},
		Case{Name: "nothing in a body", Frames: Each(attackOf("POST", "/submit", "q=hello world"))},
		Case{Name: "the path exempts the body", Frames: Each(attackOf("POST", "/gwx/?a", "q=1 UNION ALL SELECT a FROM b"))},
		Case{Name: "data leakage to a server at home, the body still counts", Frames: Each(eth(client, "192.168.1.1", TCP(50040, 80, PSH|ACK,
			Request("POST", "/x?imei=123456789012345", []string{"Host: shop.example"}, "a=${7*7}")))),
			Events: []string{`0 10.0.0.66 50040 192.168.1.1 80 TCP HTTP shop.example(/x?imei=123456789012345 \(POST a=${7*7}\)) | potential ssti injection (suspicious) | (heuristic)`}},
		Case{Name: "data leakage to a server at home", Frames: Each(eth(client, "192.168.1.1", TCP(50040, 80, PSH|ACK,
			Get("shop.example", "/x?imei=123456789012345"))))},
	))
}

// TestDownloads holds D 12.9.
func TestDownloads(t *testing.T) {
	var cases []Case
	for _, c := range []struct{ target, info string }{
		{"/setup.exe", "direct .exe download"}, {"/a/b.PS1", "direct .ps1 download"}, {"/setup.exe?x", "direct .exe download"},
		{"/setup.exe?x=1", ""}, {"/averylongname.exe", ""}, {"/setup.zip", ""}, {"/cgi/setup.exe", ""}, {"/.exe", ""},
		{"/DefaultWebPage.cgi", "non-existent page"}, {"/long_inexistent_path.html", "potential web scan"}, {"/page.cgi", ""},
	} {
		one := Case{Name: c.target, Frames: Each(attackOf("GET", c.target, ""))}
		if c.info != "" {
			one.Events = suspiciousURL(strings.ToLower(c.target), c.info)
		}
		cases = append(cases, one)
	}
	runCases(t, append(cases, Case{Name: "from a server at home", Frames: Each(eth(client, "192.168.1.1", TCP(50040, 80, PSH|ACK, Get("shop.example", "/setup.exe"))))}))
}

// TestResponses holds D 12.10: what servers say of themselves.
func TestResponses(t *testing.T) {
	answer := func(head, body string) Frame {
		return eth(web, client, TCP(80, 50040, PSH|ACK, "HTTP/1.1 200 OK\r\n"+head+"\r\n"+body))
	}
	from := func(trail, info string) []string {
		return []string{"0 " + web + " 80 10.0.0.66 50040 TCP HTTP " + trail + " | " + info + " | (heuristic)"}
	}
	runCases(t, []Case{
		{Name: "sinkhole", Frames: Each(answer("Server: malware-sinkhole\r\n", "")), Events: from("Server: malware-sinkhole", "sinkhole response (malware)")},
		{Name: "sinkhole, also without heuristics", NoHeuristics: true, Frames: Each(answer("X-Sinkhole: yes\r\n", "")), Events: from("X-Sinkhole:", "sinkhole response (malware)")},
		{Name: "no sinkhole", Frames: Each(answer("Server: nginx\r\n", "kitchen sink holes"))},
		{Name: "seized", Frames: Each(answer("", "<html><title>This domain name has been seized by the FBI</title>")),
			Events: from("This domain name has been seized by the FBI", "seized domain (suspicious)")},
		{Name: "not seized", Frames: Each(answer("", "<title>domain seized</title>"))},
		{Name: "content type", Frames: Each(answer("Content-Type: application/hta\r\n", "")), Events: from("application/hta", "content type (suspicious)")},
		{Name: "harmless content type", Frames: Each(answer("Content-Type: text/html\r\n", ""))},
		{Name: "two in one segment", Frames: Each(answer("Content-Length: 2\r\n", "okHTTP/1.1 200 OK\r\nContent-Type: text/x-sh\r\n\r\n")),
			Events: from("text/x-sh", "content type (suspicious)")},
	})
}

// Item 23: words that exempt a request count as words, and exempt none to a
// server at home, where an attacker could add them; preconditions know what they
// are for, chmod +x is recognised, and a plus is a blank as well.
func TestLimit23Categories(t *testing.T) {
	athome := func(target, body string) Frame {
		return eth(web, client, TCP(50040, 80, PSH|ACK, Request("POST", target, []string{"Host: shop.example"}, body)))
	}
	inbound := func(what string) []string {
		return []string{"0 " + web + " 50040 10.0.0.66 80 TCP " + what + " (suspicious) | (heuristic)"}
	}
	runCases(t, []Case{
		{Name: "uploads", Frames: Each(attackOf("GET", "/uploads/x?f=../../../a", "")), Events: suspiciousURL("/uploads/x?f=../../../a", "potential directory traversal")},
		{Name: "ads", Frames: Each(attackOf("GET", "/ads/x?f=../../../a", ""))},
		{Name: "ads, at a server at home", Frames: Each(athome("/x?f=../../../a&ads=1", "")), Events: inbound(`URL shop.example(/x?f=../../../a&ads=1) | potential directory traversal`)},
		{Name: "a folder, at a server at home", Frames: Each(athome("/x?f=../../../a&g=../js/", "")), Events: inbound(`URL shop.example(/x?f=../../../a&g=../js/) | potential directory traversal`)},
		{Name: "a body, at a server at home", Frames: Each(athome("/gwx/", "a=${7*7}")), Events: inbound(`HTTP shop.example(/gwx/ \(POST a=${7*7}\)) | potential ssti injection`)},
		{Name: "a password file", Frames: Each(attackOf("GET", "/x/etc/passwd", "")), Events: suspiciousURL("/x/etc/passwd", "potential directory traversal")},
		{Name: "a configuration", Frames: Each(attackOf("GET", "/wp-config.php", "")), Events: suspiciousURL("/wp-config.php", "config file access")},
		{Name: "chmod +x", Frames: Each(attackOf("GET", "/x?c=chmod%20%2bx%20a", "")), Events: suspiciousURL("/x?c=chmod%20%2bx%20a", "potential remote code execution")},
		{Name: "plus behind a command", Frames: Each(attackOf("GET", "/scripts/cmd.exe+/c+dir", "")), Events: suspiciousURL("/scripts/cmd.exe+/c+dir", "potential remote code execution")},
		{Name: "plus in ordinary searches", Frames: Each(attackOf("GET", "/search?q=select+one+from+many", ""), attackOf("GET", "/search?jql=project=a+order+by+1st", ""),
			attackOf("GET", "/search?q=asp.net+view", ""), attackOf("GET", "/tagged/ipconfig+windows", ""), attackOf("GET", "/c++/cmd.exe/", ""))},
		{Name: "plus", Frames: Each(attackOf("GET", "/x?id=1+UNION+ALL+SELECT+a+FROM+b", "")), Events: suspiciousURL("/x?id=1+union+all+select+a+from+b", "potential sql injection")},
	})
}

// Item 25: parameters of a content type, and a Host on the whitelist, which
// anybody can write who attacks a server at home.
func TestLimit25ContentTypes(t *testing.T) {
	attack := TCP(50040, 80, PSH|ACK, Get("white.example", "/x?f=../../../a"))
	listed := []string{"/gate.php,malware (test)", "www.white.example/d,malware (test)", "any.white.example/,malware (test)"}
	gate, deep, any := Data(50040, 80, Get("white.example", "/gate.php?f=../../../a")), Data(50041, 80, Get("www.white.example:8080", "/d/e/f/g")), Data(50042, 80, Get("any.white.example", "/x"))
	runCases(t, []Case{
		{Name: "a parameter", Frames: Each(eth(web, client, TCP(80, 50040, PSH|ACK, "HTTP/1.1 200 OK\r\nContent-Type: application/hta; charset=utf-8\r\n\r\n"))),
			Events: []string{"0 " + web + " 80 10.0.0.66 50040 TCP HTTP application/hta | content type (suspicious) | (heuristic)"}},
		{Name: "a request to the world", Whitelist: []string{"white.example"}, Frames: Each(eth(client, web, attack))},
		{Name: "a request to a server at home", Whitelist: []string{"white.example"}, Frames: Each(eth(web, client, attack)),
			Events: []string{"0 " + web + " 50040 10.0.0.66 80 TCP URL white.example(/x?f=../../../a) | potential directory traversal (suspicious) | (heuristic)"}},
		{Name: "listed paths, to the world", Trails: listed, Whitelist: []string{"white.example"}, Frames: Each(eth(client, web, gate), eth(client, web, deep), eth(client, web, any))},
		{Name: "listed paths, to a server at home", Trails: listed, Whitelist: []string{"white.example"}, Frames: Each(eth(web, client, gate), eth(web, client, deep), eth(web, client, any)),
			Events: []string{"0 " + web + " 50040 10.0.0.66 80 TCP URL (white.example)/gate.php(?f=../../../a)" + malware,
				"1 " + web + " 50041 10.0.0.66 80 TCP URL www.white.example/d(/e/f/g)" + malware,
				"2 " + web + " 50042 10.0.0.66 80 TCP URL any.white.example/" + malware}},
	})
}

// Item 33: a forwarded-for value is shown, and is no way around the whitelist.
func TestLimit33Forwarded(t *testing.T) {
	c := Case{Name: "forwarded", Frames: Each(attackOf("GET", "/x?f=../../../a", "", "X-Forwarded-For: 192.0.2.77, 10.1.1.1")),
		Events: suspiciousURL("/x?f=../../../a", "potential directory traversal")}
	runCases(t, []Case{c})
	events, _ := replay(t, setup{rules: caseRules(t, &c), workers: 1}, caseFile(t, &c))
	if len(events) != 1 || events[0].Forwarded != "192.0.2.77" {
		t.Errorf("%+v", events)
	}
	c.Name, c.Whitelist, c.Events = "from the whitelist", []string{client}, nil
	runCases(t, []Case{c})
}

// Item 22: paths and hosts in the forms that servers take for the same.
func TestLimit22Forms(t *testing.T) {
	trails := []string{"evil-url.example/bad/path,malware (test)", "xn--bse-sna.example,malware (test)", "xn--bse-sna.example/drop,malware (test)"}
	hit := func(host, shown string) []string {
		return []string{"0 10.0.0.66 50040 " + web + " 80 TCP URL " + shown + malware}
	}
	ask := func(host, target string) []Stamped {
		return Each(eth(client, web, TCP(50040, 80, PSH|ACK, Get(host, target))))
	}
	runCases(t, []Case{
		{Name: "dot segments", Trails: trails, Frames: ask("evil-url.example", "/x/../bad/./path"), Events: hit("", "evil-url.example/bad/path")},
		{Name: "escaped dot segments", Trails: trails, Frames: ask("evil-url.example", "/x/%2e%2e/bad/path"), Events: hit("", "evil-url.example/bad/path")},
		{Name: "too many of them", Trails: trails, Frames: ask("evil-url.example", "/../../bad/path"), Events: hit("", "evil-url.example/bad/path")},
		{Name: "a dot behind the host", Trails: trails, Frames: ask("evil-url.example.", "/bad/path"), Events: hit("", "evil-url.example/bad/path")},
		{Name: "another port", Trails: trails, Frames: ask("evil-url.example:8080", "/bad/path"), Events: hit("", "evil-url.example/bad/path")},
		{Name: "a host in UTF-8", Trails: trails, NoHostNames: true, Frames: ask("böse.example", "/drop"), Events: hit("", "xn--bse-sna.example/drop")},
		{Name: "a host in UTF-8, as a name", Trails: trails, Frames: ask("böse.example", "/other"), Events: []string{
			"0 10.0.0.66 50040 " + web + " 80 TCP DNS xn--bse-sna.example" + malware}},
		{Name: "another path", Trails: trails, Frames: ask("evil-url.example", "/bad/../path")},
	})
}
