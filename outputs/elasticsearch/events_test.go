package elasticsearch

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

func identity() *event.Identity {
	return &event.Identity{Name: "edge-1", ID: "5c1f", Hostname: "edge-host", Version: "1.0.0", Labels: map[string]string{"site": "berlin"}}
}

func at(n int) time.Time { return time.UnixMicro(1771234567_004200 + int64(n)).UTC() }

// dnsEvent is the event of most benchmarks: a name that is a trail.
func dnsEvent(n int) event.Event {
	t := at(n)
	label := fmt.Sprintf("%08x", uint32(n)*2654435761) // so that it does not compress to nothing
	return event.Event{
		ID: event.ReplayID([32]byte{}, uint64(n), event.TrailDNS, 0), Epoch: 7, Seq: uint64(n) + 1, Time: t,
		Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
		Observable: label + ".bad-domain.test", Indicator: "bad-domain.test", Trail: "(" + label + ").bad-domain.test",
		Info: "lumma (malware)", Reference: "(static)", Sources: []trails.Source{{Name: "malware/lumma.txt"}},
		Src: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), SrcPort: uint16(1024 + n%60000), Dst: netip.MustParseAddr("198.51.100.53"), DstPort: 53,
		Protocol: "UDP", Application: "dns", Interface: "eth0",
		DNS: event.DNSFacts{Question: label + ".bad-domain.test", Type: 1, Class: 1}, CommunityID: "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
	}
}

// hostileEvent holds what breaks lines and documents that are put together
// without care.
func hostileEvent(n int) event.Event {
	e := dnsEvent(n)
	e.Type, e.Code, e.Kind = event.URL, event.HTTPSQLi, trails.Invalid
	e.Observable = "a\nb\r\n{\"create\":{}}\n\x00\xff\u2028\"\\"
	e.Trail, e.Info, e.Forwarded = e.Observable, "|=,"+e.Observable, e.Observable
	e.HTTP = event.HTTPFacts{Method: "GET", Host: "a.test:80", Target: "/" + strings.Repeat("%27\"", 500), UserAgent: e.Observable,
		ContentType: e.Observable, Body: e.Observable}
	e.CommunityID, e.SrcGroup, e.DstGroup, e.DNS.Answers, e.TLS.JA4 = e.Observable, e.Observable, e.Observable, []string{e.Observable}, e.Observable
	return e
}

func healthEvent(n int) event.Event {
	e := event.NewHealth(at(n), event.HealthCaptureDrops, "the kernel drops packets", event.HealthFacts{State: event.Recovered, Since: at(n - 5),
		Cause: "eth1", Measures: []event.Measure{event.Share("drop_share", 1, 3), event.Count("drops", 123)}})
	e.ID = event.ReplayID([32]byte{1}, uint64(n), e.Code, 0)
	return e
}

func batchOf(n int) []event.Event {
	batch := make([]event.Event, n)
	for i := range batch {
		batch[i] = dnsEvent(i)
	}
	return batch
}

// maximalEvents have between them every field set that an event can have, one
// event for each shape that fields depend on.
func maximalEvents() []event.Event {
	full := dnsEvent(1)
	full.Number, full.Forwarded, full.Alias, full.VLANs = 7, "203.0.113.7", "dmz", []uint16{10, 20}
	full.Sources[0].URLs = []string{"https://blog.test/lumma"}
	full.DNS = event.DNSFacts{Question: "a.b.example.co.uk", Type: 1, Class: 1, HasRCode: true, Answers: []string{"cdn.test", "203.0.113.9", "2001:db8::9"}}
	full.SrcGroup, full.DstGroup, full.Outcome = "office", "dmz", event.Answered
	full.Retro = event.Retro{First: at(0), Last: at(9), Hosts: []netip.Addr{netip.MustParseAddr("192.0.2.77")}}
	full.HTTP = event.HTTPFacts{Method: "GET", Host: "shop.test:8080", Target: "/a/b.php?c=d", Status: 200, UserAgent: "curl/8",
		ContentType: "text/html; charset=utf-8", Body: "a=b"}
	full.TLS = event.TLSFacts{ServerName: "c2.test", SHA1: strings.Repeat("ab", 20), SHA256: strings.Repeat("cd", 32),
		JA3: strings.Repeat("0", 32), JA4: "t13d1516h2_8daaf6152771_02713d6af862"}
	full.Aggregate = event.Aggregate{ID: full.ID, Count: 97, First: at(0), Last: at(9), SrcPorts: []uint16{1, 2}, DstPorts: []uint16{3},
		Dsts: []netip.Addr{netip.MustParseAddr("2001:db8::1")}, MoreSrcPorts: 1, MoreDstPorts: 2, MoreDsts: 3,
		Trails: []string{"a.test"}, MoreTrails: 4}
	full.Suppression = event.Suppression{Rule: "lab", Local: true}
	list := []event.Event{full, healthEvent(2)}
	for i, c := range []struct {
		kind      trails.Kind
		indicator string
	}{
		{trails.Address, "198.51.100.9"}, {trails.AddressPort, "[2001:db8::1]:8080"}, {trails.Network, "198.51.100.0/24"}, {trails.URL, "a.test:8080/gate.php?x"},
		{trails.UserAgent, "curl"}, {trails.Certificate, strings.Repeat("ab", 20)}, {trails.JA3, "ja3:" + strings.Repeat("0", 32)}, {trails.JA4, "ja4:t13d"},
		{trails.Pattern, "x"}, {trails.Invalid, ""},
	} {
		e := full
		e.ID = event.ReplayID([32]byte{2}, uint64(i), full.Code, 0)
		e.Kind, e.Indicator = c.kind, c.indicator
		if i%2 == 0 { // the client's side: the name belongs to the destination
			e.HTTP.Status, e.TLS.SHA1, e.TLS.SHA256 = 0, "", ""
		}
		list = append(list, e)
	}
	list = append(list, hostileEvent(3))
	sub := dnsEvent(4)
	sub.Code, sub.Kind, sub.Indicator = event.DNSExhaustion, trails.Invalid, "" // with a sub-technique
	list = append(list, sub)
	for i, code := range event.HealthCodes() {
		e := event.NewHealth(at(i), code, "text", event.HealthFacts{State: event.Raised, Since: at(0), Cause: fmt.Sprint(i)})
		e.ID = event.ReplayID([32]byte{3}, uint64(i), code, 0)
		list = append(list, e)
	}
	return list
}
