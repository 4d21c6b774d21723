package format

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func at(sec, usec int64) time.Time { return time.Unix(sec, usec*1000).UTC() }

func identity() *event.Identity {
	return &event.Identity{Name: "edge-1", ID: "5c1f", Hostname: "edge-host", Version: "1.0.0"}
}

func testID(n byte) [16]byte {
	return [16]byte{0x01, 0x98, 0xc3, 0xf2, 0xa1, 0xb0, 0x7c, 0x10, 0x80, 0, 0, 0, 0, 0, 0, n}
}

// The four events behind the log lines of the reference.

func dnsEvent() *event.Event {
	return &event.Event{
		ID: testID(1), Time: at(1771234567, 4200), Type: event.DNS, Code: event.TrailDNS, Severity: event.High,
		Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
		Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test",
		Info: "lumma (malware)", Reference: "(static)",
		Sources: []trails.Source{{Name: "malware/lumma.txt", URLs: []string{"https://blog.test/lumma"}}},
		Src:     addr("192.0.2.10"), SrcPort: 51514, Dst: addr("198.51.100.53"), DstPort: 53, Protocol: "UDP",
		CommunityID: "1:m/8fa5N18Low3BexDP2W0dZckHA=",
		Application: "dns", DNS: event.DNSFacts{Question: "cdn.bad-domain.test", Type: 1, Class: 1},
	}
}

func httpEvent() *event.Event {
	return &event.Event{
		ID: testID(2), Time: at(1771234570, 0), Type: event.URL, Code: event.HTTPSQLi, Severity: event.Medium, Confidence: 30,
		Direction: event.External, Observable: "shop.test/item?id=1%27 or \"1\"=%271",
		Trail: `shop.test(/item?id=1%27 or "1"=%271)`, Info: "potential sql injection (suspicious)", Reference: "(heuristic)",
		Src: addr("192.0.2.11"), SrcPort: 40222, Dst: addr("198.51.100.80"), DstPort: 80, Protocol: "TCP",
		Forwarded: "203.0.113.7", Application: "http", CommunityID: "1:JJayO27lzJEfl0R+P5GC0GPuNyk=",
		HTTP: event.HTTPFacts{Method: "GET", Host: "shop.test", Target: `/item?id=1%27 or "1"=%271`, UserAgent: "curl/8"},
	}
}

func icmpEvent() *event.Event {
	return &event.Event{
		ID: testID(3), Time: at(1771234571, 999999), Type: event.IP, Code: event.TrailIP, Severity: event.Low, Confidence: 50,
		Direction: event.Outbound, Kind: trails.Address, Observable: "198.51.100.9", Indicator: "198.51.100.9",
		Trail: "198.51.100.9", Info: "bad reputation", Reference: "feed.test",
		Src: addr("192.0.2.12"), Dst: addr("198.51.100.9"), Protocol: "ICMP", CommunityID: "1:GzOmvHpdscu+F7dKC5jR1x+nOAA=",
	}
}

func scanEvent() *event.Event {
	return &event.Event{
		ID: testID(4), Time: at(1771234572, 1), Type: event.PORT, Code: event.ScanInfection, Severity: event.Medium, Confidence: 30,
		Direction: event.Outbound, Trail: "445", Info: "potential infection", Reference: "(heuristic)",
		Src: addr("192.0.2.13"), Dst: addr("198.51.100.10"), DstPort: 445, Protocol: "TCP",
	}
}

func certEvent() *event.Event {
	sum := "0123456789abcdef0123456789abcdef01234567"
	return &event.Event{
		ID: testID(5), Time: at(1771234573, 0), Type: event.CERT, Code: event.TrailCERT, Severity: event.Medium, Confidence: 50,
		Direction: event.Inbound, Kind: trails.Certificate, Observable: sum, Indicator: sum, Trail: sum, Info: "c2 cert", Reference: "feed.test",
		Src: addr("2001:db8:0:1::1"), SrcPort: 443, Dst: addr("2001:db8:1:1:1:1:1:1"), DstPort: 50000, Protocol: "TCP",
		Application: "tls", TLS: event.TLSFacts{ServerName: "c2.test", SHA1: sum}, CommunityID: "1:/rqqEnuPdbJE48GWvTEawu8rPvc=",
	}
}

func summaryEvent() *event.Event {
	e := icmpEvent()
	e.ID, e.Protocol, e.SrcPort, e.DstPort, e.CommunityID = testID(6), "TCP", 1111, 80, ""
	e.Aggregate = event.Aggregate{ID: testID(3), Summary: true, Count: 97, First: at(1771234571, 0), Last: at(1771234576, 5),
		SrcPorts: []uint16{1111, 2222, 3333}, DstPorts: []uint16{80, 443},
		Dsts: []netip.Addr{addr("9.9.9.9"), addr("10.0.0.1"), addr("2001:db8::1")}, MoreSrcPorts: 60, MoreDstPorts: 1, MoreDsts: 2}
	return e
}

// fullEvent has every field set, for all it matters that no single packet
// could raise it.
func fullEvent() *event.Event {
	e := dnsEvent()
	e.Epoch, e.Seq, e.Number = 0xFEDCBA9876543210, 42, 7
	e.Forwarded, e.Interface, e.Alias, e.VLANs = "203.0.113.7", "eth0", "dmz", []uint16{10, 20}
	e.HTTP = event.HTTPFacts{Method: "GET", Host: "shop.test:8080", Target: "/a/b.php?c=d", Status: 200, UserAgent: "curl/8",
		ContentType: "Text/HTML; charset=utf-8", Body: "id=1' or 1=1"}
	e.TLS = event.TLSFacts{ServerName: "c2.test", SHA1: strings.Repeat("ab", 20), SHA256: strings.Repeat("cd", 32),
		JA3: "e7d705a3286e19ea42f587b344ee6865", JA4: "t13d1516h2_8daaf6152771_02713d6af862"}
	e.DNS.HasRCode, e.DNS.Answers = true, []string{"edge.cdn.test", "203.0.113.9", "2001:db8::9", "203.0.113.9"}
	e.SrcGroup, e.DstGroup, e.Outcome = "office", "dmz", event.Answered
	e.Retro = event.Retro{First: at(1771200000, 0), Last: at(1771203600, 0), Hosts: []netip.Addr{addr("192.0.2.10"), addr("192.0.2.77")}}
	e.Aggregate = summaryEvent().Aggregate
	e.Aggregate.Summary = false
	e.Aggregate.Trails, e.Aggregate.MoreTrails = []string{"bad-domain.test", "x.test/gate.php"}, 3
	e.Suppression = event.Suppression{Rule: "lab-scanner", Local: true}
	return e
}

func fullIdentity() *event.Identity {
	id := identity()
	id.Labels = map[string]string{"site": "berlin", "tenant.name": "acme"}
	return id
}

// healthEvent is of a condition that lasts.
func healthEvent() *event.Event {
	e := event.NewHealth(at(1771234680, 0), event.HealthCaptureDrops, "the kernel drops 0.25 % of the packets on eth1 (dmz)", event.HealthFacts{
		State: event.Raised, Since: at(1771234680, 0), Cause: "eth1",
		Measures: []event.Measure{event.Share("drop_share", 123, 49200), event.Count("drops", 123), event.Count("packets", 49200)}})
	e.ID, e.Interface, e.Alias = testID(7), "eth1", "dmz"
	return &e
}

// recoveredEvent is the end of it.
func recoveredEvent() *event.Event {
	e := healthEvent()
	e.ID, e.Time, e.Severity, e.Info = testID(8), at(1771234800, 5), event.Info, "the kernel drops less than 0.05 % of the packets on eth1 (dmz) again"
	e.Health.State = event.Recovered
	e.Health.Measures = []event.Measure{event.Share("drop_share", 0, 49200)}
	return e
}

// heartbeatEvent is nothing but figures.
func heartbeatEvent() *event.Event {
	e := event.NewHealth(at(1771234900, 0), event.HealthHeartbeat, "up for 5m0s", event.HealthFacts{State: event.Metric,
		Measures: []event.Measure{event.Count("uptime_seconds", 300), event.Count("packets", 1<<53)}})
	e.ID, e.Seq = testID(9), 43
	return &e
}

// hostile holds what an attacker may send, in every text of the event.
func hostile(s string) *event.Event {
	e := fullEvent()
	e.Observable, e.Indicator, e.Trail, e.Info, e.Reference = s, s, s, s, s
	e.Type, e.Code, e.Direction, e.Protocol = event.Type(s), event.Code("trail."+s), event.Direction(s), s
	e.Forwarded, e.Application, e.Interface, e.Alias = s, s, s, s
	e.CommunityID, e.SrcGroup, e.DstGroup = s, s, s
	e.DNS.Question, e.DNS.Answers = s, []string{s, s, "", "a.test"}
	e.HTTP.Method, e.HTTP.Host, e.HTTP.Target, e.HTTP.UserAgent = s, s, s, s
	e.HTTP.ContentType, e.HTTP.Body = s, s
	e.TLS = event.TLSFacts{ServerName: s, SHA1: s, SHA256: s, JA3: s, JA4: s}
	e.Sources = []trails.Source{{Name: s, URLs: []string{s}}}
	e.Aggregate.Trails, e.Suppression.Rule = []string{s, s}, s
	e.Health = event.HealthFacts{State: event.HealthState(s), Since: e.Time, Cause: s, Measures: []event.Measure{
		{Name: s, Value: 1}, {Name: "drops", Value: float64(len(s))}, {Name: "drops", Value: 2}, {Name: "nan", Value: math.NaN()},
		{Name: "inf", Value: math.Inf(-1)}, {Name: s, Value: 3}, {Name: "tiny", Value: 1e-300}, {Name: "huge", Value: -math.MaxFloat64, Share: true}}}
	return e
}

func hostileIdentity(s string) *event.Identity {
	return &event.Identity{Name: s, ID: s, Hostname: s, Version: s, Labels: map[string]string{s: s, s + ".x": s, s + "_x": s}}
}

// seeds are texts that have broken encoders before.
func seeds() []string {
	return []string{"", "plain", `say "hi"`, "\r\n", "a\r\nb", "a\tb", "a,b", `a\b`, "x|y=z\\w", "p q=r", "\\", "=cmd()", "-1", "\x00\x1b[31m\x7f",
		"\xff\xfe", "\xe6\x97", "\u0085\u2028\u2029", "日本 \U0001D11E", `<&>`, ".", "..", "a..b", " lead", "trail ", "[::1]:80", "http://u@h:1/p?q#f",
		"://", "/", "?", strings.Repeat(`"`, 300)}
}
