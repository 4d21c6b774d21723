package format

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/trails"
)

// object decodes a document and refuses duplicate keys, which Elasticsearch
// refuses too.
func object(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	if !json.Valid(doc) {
		t.Fatalf("not JSON: %s", doc)
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	if err := noDuplicates(d); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("something behind the document: %s", doc)
	}
	var m map[string]any
	if err := json.Unmarshal(doc, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func noDuplicates(d *json.Decoder) error {
	tok, err := d.Token()
	if err != nil {
		return err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	seen := make(map[any]bool)
	for d.More() {
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			if seen[key] {
				return fmt.Errorf("key %v twice", key)
			}
			seen[key] = true
		}
		if err := noDuplicates(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// get walks a dotted path and gives the value as text; "" when it is absent.
func get(doc any, path string) string {
	for _, name := range strings.Split(path, ".") {
		if list, ok := doc.([]any); ok && len(list) > 0 {
			doc = list[0]
		}
		m, ok := doc.(map[string]any)
		if !ok {
			return ""
		}
		doc = m[name]
	}
	switch v := doc.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	b, _ := json.Marshal(doc)
	return string(b)
}

func TestECSGolden(t *testing.T) {
	for name, e := range map[string]*event.Event{"dns": dnsEvent(), "http": httpEvent(), "icmp": icmpEvent(), "scan": scanEvent(),
		"cert": certEvent(), "summary": summaryEvent(), "full": fullEvent(),
		"health": healthEvent(), "recovered": recoveredEvent(), "heartbeat": heartbeatEvent()} {
		doc := AppendECS([]byte("prefix "), e, fullIdentity())[len("prefix "):]
		object(t, doc)
		var got bytes.Buffer
		json.Indent(&got, doc, "", " ")
		got.WriteByte('\n')
		file := "testdata/ecs/" + name + ".json"
		if *update {
			os.MkdirAll("testdata/ecs", 0o755)
			if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s is not as in %s:\n%s", name, file, got.Bytes())
		}
	}
}

func TestECSValues(t *testing.T) {
	check := func(name string, e *event.Event, want map[string]string) {
		t.Helper()
		doc := object(t, AppendECS(nil, e, fullIdentity()))
		for path, v := range want {
			if got := get(doc, path); got != v {
				t.Errorf("%s: %s is %q, want %q", name, path, got, v)
			}
		}
	}
	check("dns", dnsEvent(), map[string]string{"@timestamp": "2026-02-16T09:36:07.004200Z", "event.kind": "alert", "event.action": "trail-match",
		"event.category": `["network","intrusion_detection","malware"]`, "event.type": `["info","connection","protocol"]`,
		"event.dataset": "trailhound.event", "event.severity": "8", "event.risk_score": "73", "network.transport": "udp", "network.type": "ipv4",
		"dns.question.type": "A", "dns.question.class": "IN", "dns.question.registered_domain": "bad-domain.test", "dns.question.subdomain": "cdn",
		"dns.question.top_level_domain": "test", "threat.indicator.type": "domain-name", "threat.indicator.name": "bad-domain.test",
		"threat.indicator.provider": "static", "threat.indicator.confidence": "High", "threat.enrichments.matched.field": "dns.question.name",
		"threat.enrichments.matched.atomic": "cdn.bad-domain.test", "threat.enrichments.indicator.name": "bad-domain.test",
		"threat.feed.reference": "https://blog.test/lumma", "related.hosts": `["cdn.bad-domain.test"]`, "trailhound.aggregate": "",
		"labels.tenant_name": "acme", "event.start": ""})
	check("T2", icmpEvent(), map[string]string{"source.port": "", "destination.port": "", "network.transport": "icmp", "threat.indicator.ip": "198.51.100.9",
		"threat.enrichments.matched.field": "destination.ip", "related.ip": `["192.0.2.12","198.51.100.9"]`})
	check("T3", scanEvent(), map[string]string{"source.port": "", "destination.port": "445", "threat.indicator": "", "threat.feed": "", "threat.framework": "MITRE ATT&CK",
		"threat.technique.id": `["T1046"]`, "threat.technique.name": `["Network Service Discovery"]`, "threat.technique.subtechnique": "", "event.outcome": "", "event.action": "heuristic-match",
		"rule.category": "heuristic", "rule.id": "scan.infection", "network.community_id": ""})
	check("http", httpEvent(), map[string]string{"threat.indicator": "", "threat.technique.id": `["T1190"]`, "network.community_id": "1:JJayO27lzJEfl0R+P5GC0GPuNyk=", "network.forwarded_ip": "203.0.113.7", "source.ip": "192.0.2.11",
		"source.address": "192.0.2.11", "url.full": `http://shop.test/item?id=1%27 or "1"=%271`, "url.path": "/item",
		"url.query": `id=1%27 or "1"=%271`, "destination.domain": "shop.test", "event.category": `["network","intrusion_detection","web"]`})
	bad := httpEvent()
	bad.Forwarded, bad.Trail = "1.2.3.4.5", "a\r\nb"
	check("T6, T7", bad, map[string]string{"network.forwarded_ip": "", "trailhound.forwarded": "1.2.3.4.5", "trailhound.trail": "a\r\nb",
		"related.ip": `["192.0.2.11","198.51.100.80"]`})
	bad.Trail = strings.Repeat("ü", 4500)
	check("T8", bad, map[string]string{"trailhound.trail": bad.Trail})
	check("cert", certEvent(), map[string]string{"tls.server.hash.sha1": "0123456789ABCDEF0123456789ABCDEF01234567", "source.ip": "2001:db8:0:1::1",
		"source.domain": "c2.test", "destination.domain": "", "threat.indicator.type": "x509-certificate", "network.type": "ipv6",
		"threat.enrichments.matched.field": "tls.server.hash.sha1"})
	check("summary", summaryEvent(), map[string]string{"event.start": "2026-02-16T09:36:11.000000Z", "event.end": "2026-02-16T09:36:16.000005Z",
		"trailhound.aggregate.count": "97", "trailhound.aggregate.summary": "true", "trailhound.aggregate.src_ports": "[1111,2222,3333]",
		"trailhound.aggregate.dst_ips": `["9.9.9.9","10.0.0.1","2001:db8::1"]`, "source.port": "1111", "network.community_id": ""})
	check("full", fullEvent(), map[string]string{"trailhound.epoch": "fedcba9876543210", "event.sequence": "42", "network.vlan.id": "10",
		"trailhound.vlans": "[10,20]", "url.port": "8080", "url.domain": "shop.test", "url.extension": "php"})

	check("answers", fullEvent(), map[string]string{"dns.response_code": "NOERROR", "dns.answers": `[{"data":"edge.cdn.test"},{"data":"203.0.113.9"},{"data":"2001:db8::9"},{"data":"203.0.113.9"}]`,
		"dns.resolved_ip": `["203.0.113.9","2001:db8::9"]`, "related.hosts": `["cdn.bad-domain.test","c2.test","edge.cdn.test"]`,
		"related.ip":   `["192.0.2.10","198.51.100.53","203.0.113.7","9.9.9.9","10.0.0.1","2001:db8::1","192.0.2.77","203.0.113.9","2001:db8::9"]`,
		"related.hash": `["` + strings.Repeat("AB", 20) + `","` + strings.Repeat("CD", 32) + `","e7d705a3286e19ea42f587b344ee6865"]`})
	check("facts", fullEvent(), map[string]string{"http.response.mime_type": "text/html", "http.request.body.content": "id=1' or 1=1",
		"tls.client.ja3": "e7d705a3286e19ea42f587b344ee6865", "trailhound.tls.client.ja4": "t13d1516h2_8daaf6152771_02713d6af862",
		"trailhound.source.group": "office", "trailhound.destination.group": "dmz", "trailhound.outcome": "answered", "event.outcome": "success",
		"trailhound.retro.first": "2026-02-16T00:00:00.000000Z", "trailhound.retro.last": "2026-02-16T01:00:00.000000Z",
		"trailhound.retro.hosts": `["192.0.2.10","192.0.2.77"]`, "threat.technique": ""})
	for outcome, want := range map[event.Outcome][2]string{event.OutcomeNone: {"", ""}, event.OutcomeUnknown: {"unknown", "unknown"},
		event.Attempted: {"attempted", "unknown"}, event.Refused: {"refused", "failure"}, event.Answered: {"answered", "success"}} {
		trail, attack := dnsEvent(), httpEvent()
		trail.Outcome, attack.Outcome = outcome, outcome
		check("outcome", trail, map[string]string{"trailhound.outcome": want[0], "event.outcome": want[1]})
		check("outcome of an attack", attack, map[string]string{"trailhound.outcome": want[0], "event.outcome": ""})
	}
	code := dnsEvent()
	code.DNS = event.DNSFacts{RCode: 3, HasRCode: true}
	check("no question", code, map[string]string{"dns.response_code": "NXDOMAIN", "dns.question": "", "dns.answers": ""})
	code.DNS = event.DNSFacts{RCode: 14, HasRCode: true}
	check("unassigned code", code, map[string]string{"dns.response_code": "RCODE14"})
	code.DNS = event.DNSFacts{Question: "a.test", RCode: 3}
	check("no code", code, map[string]string{"dns.response_code": ""})
	tunnel := scanEvent()
	tunnel.Code = event.DNSExhaustion
	check("sub-technique", tunnel, map[string]string{"threat.technique.id": `["T1071"]`, "threat.technique.name": `["Application Layer Protocol"]`,
		"threat.technique.subtechnique.id": `["T1071.004"]`, "threat.technique.subtechnique.name": `["DNS"]`})
	ja4 := certEvent()
	ja4.Kind, ja4.Indicator = trails.JA4, "ja4:t13d1516h2_8daaf6152771_02713d6af862"
	check("ja4", ja4, map[string]string{"trailhound.tls.client.ja4": "t13d1516h2_8daaf6152771_02713d6af862", "threat.enrichments.matched.field": "trailhound.tls.client.ja4"})
	one := summaryEvent()
	one.CommunityID = "1:one"
	check("summary of one flow", one, map[string]string{"network.community_id": "1:one"})

	v6 := icmpEvent()
	v6.Protocol, v6.Src, v6.Dst, v6.Indicator = "ICMPV6", addr("2001:db8::2"), addr("::"), "::0"
	check("reference's spelling", v6, map[string]string{"network.transport": "ipv6-icmp", "threat.indicator.ip": "::", "destination.ip": "::", "threat.indicator.type": "ipv6-addr"})
	port := icmpEvent()
	port.Kind, port.Indicator = trails.AddressPort, "[2001:db8::1]:8080"
	check("port", port, map[string]string{"threat.indicator.ip": "2001:db8::1", "threat.indicator.port": "8080"})
	network := icmpEvent()
	network.Kind, network.Indicator = trails.Network, "198.51.100.0/24"
	check("network", network, map[string]string{"threat.indicator.ip": "", "threat.indicator.type": "ipv4-addr", "threat.indicator.name": "198.51.100.0/24"})
	ua := httpEvent()
	ua.Code, ua.Kind, ua.Indicator = event.TrailUA, trails.UserAgent, "ua:curl"
	check("user agent", ua, map[string]string{"threat.indicator.type": "software", "threat.indicator.name": "curl", "threat.enrichments.matched.field": "user_agent.original"})
	url := httpEvent()
	url.Code, url.Kind, url.Indicator = event.TrailURL, trails.URL, "/gate.php?x"
	check("url", url, map[string]string{"threat.indicator.url.domain": "", "threat.indicator.url.path": "/gate.php", "threat.indicator.url.original": "/gate.php?x"})
	url.Indicator = "shop.test:8080/gate.php"
	check("url with port", url, map[string]string{"threat.indicator.url.domain": "shop.test", "threat.indicator.url.port": "8080", "threat.indicator.url.path": "/gate.php",
		"threat.indicator.url.original": "shop.test:8080/gate.php", "threat.indicator.port": ""})
	suffix := dnsEvent()
	suffix.DNS.Question, suffix.DNS.Type, suffix.DNS.Class = "a.b.example.co.uk", 65280, 7
	check("suffix list", suffix, map[string]string{"dns.question.registered_domain": "example.co.uk", "dns.question.top_level_domain": "co.uk",
		"dns.question.subdomain": "a.b", "dns.question.type": "TYPE65280", "dns.question.class": "CLASS7"})
	suffix.DNS.Question = "co.uk"
	check("a suffix itself", suffix, map[string]string{"dns.question.name": "co.uk", "dns.question.registered_domain": ""})
}

func TestECSOptions(t *testing.T) {
	doc := object(t, NewECS(identity(), ECSOptions{Namespace: "prod", NoEnrichments: true}).Append(nil, dnsEvent()))
	if get(doc, "data_stream.namespace") != "prod" || get(doc, "threat.enrichments") != "" || get(doc, "threat.indicator.name") == "" {
		t.Errorf("%v", doc)
	}
}

func TestURLForms(t *testing.T) {
	for _, c := range []struct{ method, host, target, full, domain, path string }{
		{"GET", "a.test", "/x?y#z", "http://a.test/x?y#z", "a.test", "/x"},
		{"GET", "[2001:db8::1]:81", "/", "http://[2001:db8::1]:81/", "[2001:db8::1]", "/"},
		{"GET", "proxy.test", "http://b.test:8080/x", "http://b.test:8080/x", "b.test", "/x"},
		{"GET", "", "http://user:pw@b.test", "http://user:pw@b.test", "b.test", ""},
		{"CONNECT", "", "c.test:443", "c.test:443", "c.test", ""},
		{"OPTIONS", "a.test", "*", "*", "a.test", ""},
		{"GET", "", "/x", "/x", "", "/x"},
		{"GET", "a.test", "", "", "a.test", ""},
		{"GET", "a.test", "/r?u=http://evil.test/", "http://a.test/r?u=http://evil.test/", "a.test", "/r"},
	} {
		e := &event.Event{HTTP: event.HTTPFacts{Method: c.method, Host: c.host, Target: c.target}}
		l := locate(e)
		if got := string(appendURL(nil, e)); got != c.full || l.host != c.domain || l.path != c.path {
			t.Errorf("%+v: %q %q %q", c, got, l.host, l.path)
		}
		object(t, AppendECS(nil, e, identity()))
	}
}

func FuzzECS(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, id := hostile(s), hostileIdentity(s)
		for _, kind := range []trails.Kind{trails.Domain, trails.Address, trails.AddressPort, trails.URL, trails.JA3} {
			e.Kind = kind
			doc := AppendECS(nil, e, id)
			if bytes.ContainsAny(doc, "\r\n\u2028\u2029\x00") {
				t.Fatalf("not one line: %q", doc)
			}
			m := object(t, doc)
			if want := string([]rune(canonical(e, s))); get(m, "trailhound.trail") != want {
				t.Fatalf("%q reads back as %q", want, get(m, "trailhound.trail"))
			}
		}
	})
}

func TestFormatsAllocateNothing(t *testing.T) {
	buf := make([]byte, 0, 16<<10)
	for _, name := range Names() {
		l, err := Named(name, Options{Identity: identity()})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []*event.Event{dnsEvent(), httpEvent(), icmpEvent(), certEvent(), healthEvent()} {
			if n := testing.AllocsPerRun(100, func() { l.Append(buf, e) }); n > 1 {
				t.Errorf("%s, %s: %v allocations", name, e.Code, n)
			}
		}
	}
	if _, err := Named("xml", Options{}); err == nil {
		t.Error("there is no format xml")
	}
}

func BenchmarkECS(b *testing.B) {
	e, ecs := dnsEvent(), NewECS(identity(), ECSOptions{})
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = ecs.Append(buf[:0], e)
	}
	b.SetBytes(int64(len(buf)))
}
