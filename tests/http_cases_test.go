package tests

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	. "trailhound/tests/corpus"
)

func digests(der []byte) (one, two string) {
	a, b := sha1.Sum(der), sha256.Sum256(der)
	return hex.EncodeToString(a[:]), hex.EncodeToString(b[:])
}

const heuristic = " | (heuristic)"

// TestHost holds the three branches of D 12.3.
func TestHost(t *testing.T) {
	to := func(dst, host, target string) Frame { return eth(client, dst, Data(50031, 80, Get(host, target))) }
	runCases(t, []Case{
		{Name: "listed server", Trails: fixture, Frames: Each(
			to("203.0.113.44", "shop.org", "/"), to("203.0.113.44", "SHOP.org:8080", "/"), to("203.0.113.44", "1shop.org", "/"), to("203.0.113.44", "203.0.113.44", "/"),
			to("198.51.100.53", "shop.org", "/"), to("203.0.113.44", "localhost", "/")),
			Events: []string{
				"0 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (shop.org)" + malware,
				"1 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (shop.org)" + malware,
				"4 10.0.0.66 50031 198.51.100.53 80 TCP IP 198.51.100.53 (shop.org)" + attack,
				"5 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (localhost)" + malware}},
		{Name: "not limited to one a second", Trails: fixture, Frames: []Stamped{At(0, to("203.0.113.44", "shop.org", "/")), At(0, to("203.0.113.44", "shop.org", "/"))},
			Events: []string{
				"0 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (shop.org)" + malware,
				"0 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (shop.org)" + malware}},
		{Name: "the address hides the name, not the path", Trails: plus("shop.org,malware (test)", "shop.org/x,botnet c2 (test)"), Frames: Each(to("203.0.113.44", "shop.org", "/x")),
			Events: []string{
				"0 10.0.0.66 50031 203.0.113.44 80 TCP IP 203.0.113.44 (shop.org)" + malware,
				"0 10.0.0.66 50031 203.0.113.44 80 TCP URL shop.org/x" + botnet}},
		requests("name", []string{"evil.com,malware (test)", `abc[0-9]+\.evil\.net,botnet c2 (test)`},
			[2]string{Get("evil.com", "/"), "DNS evil.com" + malware},
			[2]string{Get("www.Evil.com:8080", "/"), "DNS (www).evil.com" + malware},
			[2]string{Get("evil.com:80", "/"), "DNS evil.com" + malware},
			[2]string{Get("x.abc1.evil.net", "/"), "DNS (x).abc1.evil.net" + botnet},
			[2]string{Get("1.evil.com", "/"), "DNS (1).evil.com" + malware},
			[2]string{Get("clean.com", "/"), ""},
			[2]string{"HTTP/1.1 200 OK\r\nHost: evil.com\r\n\r\n", ""}),
		{Name: "name check off", Trails: []string{"evil.com,malware (test)"}, NoHostNames: true, Frames: Each(request(Get("evil.com", "/")))},
		{Name: "no heuristics needed", Trails: []string{"evil.com,malware (test)"}, NoHeuristics: true, Frames: Each(request(Get("evil.com", "/"))),
			Events: []string{requested(0, "DNS evil.com"+malware)}},
		requests("missing Host", nil,
			[2]string{Request("GET", "/X?a=1", nil, ""), "HTTP 203.0.113.10/x?a=1 | missing host header (suspicious)" + heuristic},
			[2]string{Get("", "/x"), ""}),
		{Name: "missing Host needs heuristics", NoHeuristics: true, Frames: Each(request(Request("GET", "/x", nil, "")))},
	})
}

// TestIoT holds the hits and misses of D 12.3.
func TestIoT(t *testing.T) {
	const server = "198.51.100.99"
	one := func(name, host, target string, hit bool) Case {
		c := Case{Name: name, Frames: Each(eth(client, server, Data(50045, 80, Get(host, target))))}
		if hit {
			c.Events = []string{"0 10.0.0.66 50045 198.51.100.99 80 TCP HTTP (" + host + ")" + target + " | potential iot-malware download (suspicious)" + heuristic}
		}
		return c
	}
	var cases []Case
	for _, path := range []string{"/mips", "/a/b.mips", "/bins/sora.arm7", "/x.sh", "/i686", "/mirai.x86", "/aarch", "/amd64", "/arm", "/armv7", "/arcle-750d", "/arcle-hs38",
		"/exploit", "/m68", "/m68k", "/m1ps", "/mipsel", "/mips64el"[:8], "/mpsl", "/pcc", "/powerpc", "/powerppc", "/ppc", "/pp-c", "/riscv64"[:7], "/root", "/s390", "/s390x",
		"/x32", "/x64", "/i4", "/i38", "/sparc", "/sh", "/wtf", "/yarn", "/zte", "/a-b/c.arm"} {
		cases = append(cases, one("hit "+path, server, path, true))
	}
	for _, path := range []string{"/x86_64", "/aarch64", "/armv7l", "/foo-mips", "/x.sh?", "/", "/mips/", "/mips/index.html", "/mips?x=1", "/shell", "/a%20b/mips", "/ix86", "/xmips"} {
		cases = append(cases, one("miss "+path, server, path, false))
	}
	cases = append(cases, one("host with port", server+":8080", "/mips", false), one("host with name", "a.org", "/mips", false))
	quiet := one("no heuristics needed", server, "/mips", true)
	quiet.NoHeuristics = true
	goes := one("what is listed is raised as well", server, "/x.sh", true)
	goes.Trails = []string{server + "/x.sh,malware (test)", "ua:evilbot,malware (test)"}
	goes.Frames = Each(eth(client, server, Data(50045, 80, Get(server, "/x.sh", "User-Agent: EvilBot"))))
	for _, event := range []string{"UA EvilBot", "URL " + server + "/x.sh"} {
		goes.Events = append(goes.Events, "0 10.0.0.66 50045 198.51.100.99 80 TCP "+event+malware)
	}
	runCases(t, append(cases, quiet, goes))
}

// TestProxyForms holds D 12.4.
func TestProxyForms(t *testing.T) {
	probe := " | potential proxy probe (suspicious)" + heuristic
	get := func(target string) string { return Get("proxy.org", target) }
	runCases(t, []Case{
		whitelisted(requests("probes", nil,
			[2]string{get("http://a.com/check?x=1"), "HTTP http://a.com/(check?x=1)" + probe},
			[2]string{get("http://proxycheck.example/"), "HTTP http://proxycheck.example/" + probe},
			[2]string{get("http://proxycheck.example"), "HTTP http://proxycheck.example" + probe},
			[2]string{get("http://proxycheck.example.:80"), "HTTP http://proxycheck.example" + probe},
			[2]string{get("http://a.com.:80/Echo"), "HTTP http://a.com/(echo)" + probe},
			[2]string{get("http://a.com/clean"), ""},
			[2]string{get("http://white.com/check"), ""},
			[2]string{get("https://a.com/check"), ""}), "white.com"),
		{Name: "probe on another port", Frames: Each(eth(client, web, Data(50030, 8080, get("http://a.com/check"))))},
		{Name: "probe without heuristics", NoHeuristics: true, Frames: Each(request(get("http://a.com/check")))},
		{Name: "what is listed is raised behind a probe", Trails: []string{"a.com,malware (test)", "a.com/check,malware (test)", "ua:evilbot,malware (test)"},
			Frames: Each(request(Get("proxy.org", "http://a.com/check", "User-Agent: EvilBot"))),
			Events: []string{requested(0, "HTTP http://a.com/(check)"+probe), requested(0, "DNS a.com"+malware), requested(0, "UA EvilBot"+malware), requested(0, "URL a.com/check"+malware)}},
		{Name: "attacks behind a probe, but no download", Frames: Each(request(get("http://a.com/echo?id=1%20union%20select%20a")), request(get("http://a.com/echo.exe"))),
			Events: []string{requested(0, "HTTP http://a.com/(echo?id=1%20union%20select%20a)"+probe),
				requested(0, "URL a.com(/echo?id=1%20union%20select%20a) | potential sql injection (suspicious)"+heuristic),
				requested(1, "HTTP http://a.com/(echo.exe)"+probe)}},
		requests("absolute target", []string{"evil.com,malware (test)", "evil.net/x,botnet c2 (test)"},
			[2]string{get("http://evil.com/"), "DNS evil.com" + malware},
			[2]string{get("http://www.evil.com:8080/x"), "DNS (www).evil.com" + malware},
			[2]string{get("HTTP://Evil.Net/X"), "URL evil.net/x" + botnet},
			[2]string{get("http://evil.net:80/x"), "URL evil.net/x" + botnet},
			[2]string{get("ftp://evil.com"), "DNS evil.com" + malware},
			[2]string{get("/http://evil.com/"), ""}),
		{Name: "userinfo", Trails: []string{"evil.com,malware (test)", "evil.net/x,botnet c2 (test)", "/bad,malware (test)", "/gate?a=1,malware (test)", "any.net/,malware (test)", "u.org,malware (test)"},
			Frames: Each(request(get("http://u@evil.com/")), request(get("http://u:p@evil.com:8080/")), request(get("http://u@www.evil.com")),
				request(get("http://u.org:80@x.u.org@evil.com/")), request(get("http://U:P@Evil.Net:80/X")), request(get("http://u:@clean.com/bad")),
				request(get("http://@evil.com/")), request(Request("CONNECT", "u:p@evil.com:443", []string{"Host: evil.org"}, "")),
				request(Request("POST", "http://u:p@clean.com/gate", []string{"Host: x.net", "Content-Length: 3"}, "a=1")),
				request(get("http://u@any.net:8080/y")), request(get("http://u:p@evil.net:8080/x/y")),
				request(get("http://u%40evil.com@clean.com/")), request(get("http://clean.com/@evil.com/")), request(get("http://clean.com?@evil.com/")),
				request(get("http://clean.com#@evil.com/")), request(get("http://evil.com?u@clean.com/")), request(get("http://u@evil.net?x")),
				request(get("http://u@")), request(get("http://u.org@clean.com/"))),
			Events: []string{
				requested(0, "DNS evil.com"+malware),
				requested(1, "DNS evil.com"+malware),
				requested(2, "DNS (www).evil.com"+malware),
				requested(3, "DNS evil.com"+malware),
				requested(4, "URL (u:p@)evil.net/x"+botnet),
				requested(5, "URL (u:@clean.com)/bad"+malware),
				requested(6, "DNS evil.com"+malware),
				requested(7, "DNS evil.com"+malware),
				requested(8, `HTTP u:p@clean.com(/gate \(POST a=1\))`+malware),
				requested(9, "URL any.net/"+malware),
				requested(10, "URL (u:p@)evil.net/x(/y)"+botnet),
				requested(15, "DNS evil.com"+malware)}},
		whitelisted(requests("userinfo of a probe", nil,
			[2]string{get("http://u:p@a.com:80/check"), "HTTP http://a.com/(check)" + probe},
			[2]string{get("http://u:p@white.com/check"), ""},
			[2]string{get("http://white.com:80@a.com/check"), "HTTP http://a.com/(check)" + probe}), "white.com"),
		requests("query behind the host", []string{"evil.com/?q=,botnet c2 (test)"}, [2]string{get("http://evil.com?q=1"), "URL evil.com/?q=(1)" + botnet}),
		requests("CONNECT", []string{"evil.com,malware (test)"},
			[2]string{Request("CONNECT", "evil.com:443", []string{"Host: evil.org"}, ""), "DNS evil.com" + malware},
			[2]string{Request("CONNECT", "www.evil.com:443", []string{"Host: evil.org"}, ""), "DNS (www).evil.com" + malware},
			[2]string{Request("GET", "evil.com:443", []string{"Host: evil.org"}, ""), ""}),
	})
}

// TestUserAgents holds D 12.6.
func TestUserAgents(t *testing.T) {
	const list = "# scanners\nmasscan\nsqlmap\n\\Aexact\\Z\nMozilla/4.0 (compatible; Evil)\nbot[0-9]+\n"
	found := " | user agent (suspicious)" + heuristic
	agent := func(value string) string { return Get("shop.org", "/", "User-Agent: "+value) }
	with := func(c Case) Case { c.UserAgents = list; return c }
	runCases(t, []Case{
		with(requests("display", nil,
			[2]string{agent("masscan/1.0"), "UA masscan(/1.0)" + found},
			[2]string{agent("x masscan y"), "UA masscan (x masscan y)" + found},
			[2]string{agent("foo masscan"), "UA (foo )masscan" + found},
			[2]string{agent("masscan"), "UA masscan" + found},
			[2]string{agent("MassCan/1.0"), "UA MassCan(/1.0)" + found},
			[2]string{agent("masscan (x)"), `UA masscan( \(x\))` + found},
			[2]string{agent(`masscan\`), `UA masscan()` + found},
			[2]string{agent("mass%63an/1.0"), "UA masscan(/1.0)" + found},
			[2]string{agent("exact"), "UA exact" + found},
			[2]string{agent("not exact"), ""},
			[2]string{agent("Mozilla/4.0 (compatible; Evil)"), `UA Mozilla/4.0 \(compatible; Evil\)` + found},
			[2]string{agent("a bot42"), "UA (a )bot42" + found},
			[2]string{agent("Mozilla/5.0"), ""},
			[2]string{agent(""), ""})),
		with(requests("harmless", nil,
			[2]string{agent("masscan Sophos"), ""}, [2]string{agent("masscan TMSPS"), ""}, [2]string{agent("masscan microsoft-cryptoapi/6.1"), ""},
			[2]string{agent("internal dummy connection masscan"), ""})),
		with(Case{Name: "no heuristics", NoHeuristics: true, Frames: Each(request(agent("masscan/1.0")))}),
		with(requests("earlier line first", nil, [2]string{agent("sqlmap masscan"), "UA sqlmap( masscan)" + found})),
		requests("trails", []string{`ua:evilbot/[0-9],malware (test)`}, [2]string{agent("EvilBot/3.1"), "UA EvilBot/3(.1)" + malware}),
		{Name: "trails without heuristics", Trails: []string{`ua:evilbot/[0-9],malware (test)`}, NoHeuristics: true, Frames: Each(request(agent("evilbot/3"))),
			Events: []string{requested(0, "UA evilbot/3"+malware)}},
	})
}

// TestURLs holds the worked lists and the examples of D 12.7. Each key is the
// only trail of its case, so each candidate is asked by itself.
func TestURLs(t *testing.T) {
	get := func(target string) string { return Get("v.net", target) }
	var cases []Case
	add := func(more []Case) { cases = append(cases, more...) }
	add(oneByOne("query", get("/a/b/c.php?id=1&x=2"),
		[2]string{"/a/b/c.php?id=1&x=2", "URL (v.net)/a/b/c.php?id=1&x=2"},
		[2]string{"/a/b/c.php", "URL (v.net)/a/b/c.php(?id=1&x=2)"},
		[2]string{"/a/b/c.php?id=", "URL (v.net)/a/b/c.php?id=(1&x=2)"},
		[2]string{"/a/b/c.php?id=&x=", "URL (v.net/a/b/c.php?id=1&x=2)"},
		[2]string{"/c.php?id=&x=", "URL (v.net/a/b/c.php?id=1&x=2)"},
		[2]string{"v.net/a/b/c.php?id=1&x=2", "URL v.net/a/b/c.php?id=1&x=2"},
		[2]string{"v.net/a/b/c.php", "URL v.net/a/b/c.php(?id=1&x=2)"},
		[2]string{"v.net/a/b/c.php?id=", "URL v.net/a/b/c.php?id=(1&x=2)"},
		[2]string{"v.net/c.php?id=&x=", "URL (v.net/a/b/c.php?id=1&x=2)"},
		[2]string{"v.net/", "URL v.net/"},
		[2]string{"/c.php", ""}, [2]string{"/a/b", ""}, [2]string{"w.net/a/b/c.php", ""}, [2]string{"w.net/", ""}))
	add(oneByOne("deep query", get("/a/b/c/d?p=1"),
		[2]string{"/a/b/c/d?p=1", "URL (v.net)/a/b/c/d?p=1"},
		[2]string{"/a/b/c/d", "URL (v.net)/a/b/c/d(?p=1)"},
		[2]string{"/a/b/c/d?p=", "URL (v.net)/a/b/c/d?p=(1)"},
		[2]string{"/a/b/c", "URL (v.net)/a/b/c(/d?p=1)"},
		[2]string{"/d", "URL (v.net/a/b/c)/d(?p=1)"},
		[2]string{"/d?p=1", ""}))
	add(oneByOne("no end of head", "GET /a/b/c HTTP/1.1\r\nHost: v.net\r\n",
		[2]string{"/a/b/c", "URL (v.net)/a/b/c"},
		[2]string{"/a/b", "URL (v.net)/a/b(/c)"},
		[2]string{"/c", "URL (v.net/a/b)/c"},
		[2]string{"/a/b/c?", ""}))
	add(oneByOne("plain", get("/x"),
		[2]string{"/x", "URL (v.net)/x"},
		[2]string{"/x?", `HTTP v.net(/x \(GET \))`},
		[2]string{"v.net/x?", `HTTP v.net(/x \(GET \))`}))
	add(oneByOne("slash at the end", get("/a/b/"),
		[2]string{"/a/b", "URL (v.net)/a/b(/)"},
		[2]string{"/b", "URL (v.net/a)/b(/)"},
		[2]string{"/a/b/?", `HTTP v.net(/a/b/ \(GET \))`}))
	add(oneByOne("query without path", get("/z?q=1"), [2]string{"v.net/z?q=", "URL v.net/z?q=(1)"}, [2]string{"/z?q=", "URL (v.net)/z?q=(1)"}))
	add(oneByOne("body", Request("POST", "/gate.php", []string{"Host: v.net"}, "A=1&b=2"),
		[2]string{"/gate.php?a=1&b=2", `HTTP v.net(/gate.php \(POST A=1&b=2\))`},
		[2]string{"v.net/gate.php?a=1&b=2", `HTTP v.net(/gate.php \(POST A=1&b=2\))`},
		[2]string{"/gate.php", "URL (v.net)/gate.php"}))
	add(oneByOne("encoded body", Request("POST", "/gate.php", []string{"Host: v.net"}, "id=%41%2f "),
		[2]string{"/gate.php?id=a", `HTTP v.net(/gate.php \(POST id=%41%2f\))`}))
	add(oneByOne("slashes and capitals", get("//A//b.PHP"),
		[2]string{"/a/b.php", "URL (v.net)/a/b.php"}, [2]string{"v.net/a/b.php", "URL v.net/a/b.php"}))
	add([]Case{
		requests("order", []string{"/a/b/c.php?id=,botnet c2 (test)", "v.net/a/b/c.php,malware (test)", "v.net/,malware (test)"},
			[2]string{get("/a/b/c.php?id=1"), "URL v.net/a/b/c.php(?id=1)" + malware},
			[2]string{get("/other"), "URL v.net/" + malware}),
		{Name: "address as host", Trails: []string{"203.0.113.10/x,malware (test)"}, NoHeuristics: true,
			Frames: Each(request(Get("203.0.113.10", "/x")), request(Request("GET", "/x", nil, ""))),
			Events: []string{requested(0, "URL 203.0.113.10/x"+malware), requested(1, "URL 203.0.113.10/x"+malware)}},
		{Name: "without heuristics", Trails: fixture, NoHeuristics: true, Frames: Each(request(get("/malicious-login.php"))),
			Events: []string{requested(0, "URL (v.net)/malicious-login.php"+malware)}},
		whitelisted(requests("whitelisted host", []string{"/x,malware (test)", "good.net/,malware (test)"},
			[2]string{Get("www.good.net", "/x"), ""}, [2]string{Get("bad.net", "/x"), "URL (bad.net)/x" + malware}), "good.net"),
		requests("name and path", []string{"v.net,malware (test)", "/x,botnet c2 (test)"}, [2]string{"GET /y HTTP/1.1\r\nHost: v.net\r\n\r\n", "DNS v.net" + malware}),
	})
	runCases(t, cases)
}
