package format

import (
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/trails"
)

// TestMatched: what an event matched is, letter by letter, in the field that it
// names.
func TestMatched(t *testing.T) {
	const padded, short = "2606:2800:0220:0001:0248:1893:25c8:1946", "2606:2800:220:1:248:1893:25c8:1946"
	of := func(e *event.Event, change func(*event.Event)) *event.Event {
		change(e)
		return e
	}
	trail := func(kind trails.Kind, indicator, observable string) func(*event.Event) {
		return func(e *event.Event) {
			e.Code, e.Kind, e.Indicator, e.Observable, e.Trail = event.CodeOf(e.Type), kind, indicator, observable, observable
		}
	}
	v6 := func(kind trails.Kind, indicator, observable string) *event.Event {
		e := of(icmpEvent(), trail(kind, indicator, observable))
		e.Dst = addr(short)
		return e
	}
	const ja3, ja4 = "e7d705a3286e19ea42f587b344ee6865", "t13d1516h2_8daaf6152771_02713d6af862"
	sum := strings.Repeat("ab", 20)
	for name, c := range map[string]struct {
		e                             *event.Event
		field, atomic, typ, indicator string
	}{
		"name":               {dnsEvent(), "dns.question.name", "cdn.bad-domain.test", "domain-name", "bad-domain.test"},
		"retro":              {retroEvent(), "related.hosts", "bad-domain.test", "domain-name", "bad-domain.test"},
		"address":            {icmpEvent(), "destination.ip", "198.51.100.9", "ipv4-addr", "198.51.100.9"},
		"address and port":   {of(icmpEvent(), trail(trails.AddressPort, "198.51.100.9:80", "198.51.100.9:80")), "destination.ip", "198.51.100.9", "ipv4-addr", "198.51.100.9:80"},
		"IPv6":               {v6(trails.Address, padded, padded), "destination.ip", short, "ipv6-addr", short},
		"IPv6 and port":      {v6(trails.AddressPort, "["+padded+"]:443", "["+padded+"]:443"), "destination.ip", short, "ipv6-addr", "[" + short + "]:443"},
		"IPv6 network":       {v6(trails.Network, "2606:2800::0/32", padded), "destination.ip", short, "ipv6-addr", "2606:2800::/32"},
		"source":             {of(icmpEvent(), func(e *event.Event) { e.Src, e.Dst = e.Dst, e.Src }), "source.ip", "198.51.100.9", "ipv4-addr", "198.51.100.9"},
		"certificate":        {of(certEvent(), func(e *event.Event) { e.Indicator, e.Observable, e.TLS.SHA1 = sum, sum, sum }), "tls.server.hash.sha1", strings.ToUpper(sum), "x509-certificate", sum},
		"JA3":                {of(certEvent(), trail(trails.JA3, "ja3:"+ja3, ja3)), "tls.client.ja3", ja3, "software", ja3},
		"JA4":                {of(certEvent(), trail(trails.JA4, "ja4:"+ja4, ja4)), "trailhound.tls.client.ja4", ja4, "software", ja4},
		"user agent":         {of(httpEvent(), trail(trails.UserAgent, `ua:curl\/8`, "curl/8")), "user_agent.original", "curl/8", "software", `curl\/8`},
		"URL":                {of(httpEvent(), trail(trails.URL, "shop.test/item", "shop.test/item")), "url.full", `http://shop.test/item?id=1%27 or "1"=%271`, "url", "shop.test/item"},
		"URL without a host": {of(httpEvent(), func(e *event.Event) { trail(trails.URL, "/item", "/item")(e); e.HTTP.Host = "" }), "url.original", `/item?id=1%27 or "1"=%271`, "url", "/item"},
		"URL in a body":      {of(httpEvent(), func(e *event.Event) { trail(trails.URL, "/item", "x/item")(e); e.Type = event.HTTP }), "trailhound.observable", "x/item", "url", "/item"},
		"address of an answer": {of(fullEvent(), func(e *event.Event) {
			trail(trails.Address, "203.0.113.9", "203.0.113.9")(e)
			e.Code = event.TrailIPAnswer
		}), "dns.resolved_ip", "203.0.113.9", "ipv4-addr", "203.0.113.9"},
		"name of an answer": {of(fullEvent(), func(e *event.Event) {
			trail(trails.Domain, "cdn.test", "edge.cdn.test")(e)
			e.Code = event.TrailDNSAnswer
		}), "dns.answers.data", "edge.cdn.test", "domain-name", "cdn.test"},
	} {
		doc := object(t, AppendECS(nil, c.e, identity()))
		if field, atomic := get(doc, "threat.enrichments.matched.field"), get(doc, "threat.enrichments.matched.atomic"); field != c.field || atomic != c.atomic {
			t.Errorf("%s: matched %s %s, want %s %s", name, field, atomic, c.field, c.atomic)
		}
		if typ, indicator := get(doc, "threat.indicator.type"), get(doc, "threat.indicator.name"); typ != c.typ || indicator != c.indicator {
			t.Errorf("%s: indicator %s %s, want %s %s", name, typ, indicator, c.typ, c.indicator)
		}
		if got := get(doc, c.field); got != c.atomic && !strings.Contains(got, `"`+c.atomic+`"`) {
			t.Errorf("%s: %s is %s", name, c.field, got)
		}
		if strings.Contains(get(doc, "message")+get(doc, "trailhound.trail")+get(doc, "trailhound.observable"), "0220") {
			t.Errorf("%s: IPv6 as the reference spells it: %v", name, doc)
		}
	}
	if row := readCSV(t, AppendCSV(nil, v6(trails.Address, padded, padded), identity())); row["trail"] != padded {
		t.Errorf("csv is the reference's: %v", row)
	}
}
