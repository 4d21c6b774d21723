package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

func nodeIdentity() *event.Identity {
	return &event.Identity{Name: "edge-1", ID: "5c1f", Hostname: "edge-host", Version: "1.0.0", Labels: map[string]string{"site": "berlin", "tenant.name": "acme"}}
}

// nodeEvents makes events of all kinds: names, addresses, requests with hostile
// text, summaries, health events.
func nodeEvents(n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		e := &list[i]
		*e = event.Event{
			Epoch: 0xFEDC, Seq: uint64(i) + 1, Time: time.UnixMicro(1771234567_000001 + int64(i)*1000).UTC(),
			Type: event.DNS, Code: event.TrailDNS, Severity: event.High, Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
			Observable: "cdn.bad-domain.test", Indicator: "bad-domain.test", Trail: "(cdn).bad-domain.test", Info: "lumma (malware)", Reference: "(static)",
			Sources: []trails.Source{{Name: "malware/lumma.txt", URLs: []string{"https://blog.test/lumma"}}},
			Src:     netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), SrcPort: uint16(1024 + i%60000),
			Dst: netip.MustParseAddr("2001:db8::53"), DstPort: 53, Protocol: "UDP", Application: "dns", Interface: "eth0", VLANs: []uint16{10, 20},
			DNS: event.DNSFacts{Question: fmt.Sprintf("h%d.bad-domain.test", i), Type: 1, Class: 1},
		}
		switch i % 10 {
		case 3:
			e.Type, e.Code, e.Kind, e.Severity = event.URL, event.HTTPSQLi, trails.Invalid, event.Medium
			e.Trail = "a\"b\\c\nd\te|f=g\x00\xff\u2028{\"create\":{}}\n日本"
			e.Observable, e.Info, e.Forwarded = e.Trail, "potential sql injection", "not an address, 80,443"
			e.HTTP = event.HTTPFacts{Method: "GET", Host: "shop.test:8080", Target: "/" + strings.Repeat("%27 ", 250), Status: 200, UserAgent: "curl/8 \"x\""}
			e.Application = "http"
		case 6:
			e.Kind, e.Type, e.Code, e.Indicator, e.Observable = trails.AddressPort, event.IPORT, event.TrailIPORT, "[2001:db8::53]:53", "[2001:db8::53]:53"
			e.Aggregate = event.Aggregate{ID: event.ReplayID([32]byte{9}, uint64(i), "", 0), Summary: true, Count: 97, First: e.Time, Last: e.Time.Add(time.Minute),
				SrcPorts: []uint16{1, 2, 3}, Dsts: []netip.Addr{e.Dst}, MoreDsts: 4}
		case 9:
			if i%100 == 9 {
				code, state := event.HealthCaptureDrops, event.Raised
				if i%1000 == 9 {
					// No heartbeat: each output makes that its own, with its name and sums.
					code, state = event.HealthCanary, event.Metric
				}
				*e = event.NewHealth(e.Time, code, "up for 5m0s", event.HealthFacts{State: state, Cause: "sensor",
					Measures: []event.Measure{event.Count("packets", uint64(i)), event.Share("drop_share", 0, 1)}})
				e.Seq = uint64(i) + 1
			}
		}
		e.ID = event.ReplayID([32]byte{1}, uint64(i), e.Code, 0)
	}
	return list
}
