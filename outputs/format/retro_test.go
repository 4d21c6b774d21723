package format

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

// retroEvent is what comes of a listed name that a host had asked for before.
func retroEvent() *event.Event {
	return &event.Event{
		ID: testID(9), Time: at(1771234567, 4200), Type: event.DNS, Code: event.TrailDNS, Severity: event.High,
		Confidence: 90, Direction: event.Outbound, Kind: trails.Domain,
		Observable: "bad-domain.test", Indicator: "bad-domain.test", Trail: "bad-domain.test",
		Info: "lumma (malware)", Reference: "(static)", Src: addr("192.0.2.10"),
		Retro: event.Retro{First: at(1771200000, 0), Last: at(1771203600, 0), Hosts: []netip.Addr{addr("192.0.2.10"), addr("192.0.2.77")}},
	}
}

// TestRetro: no format shows what is long past as a connection of now.
func TestRetro(t *testing.T) {
	e, id := retroEvent(), identity()
	row := readCSV(t, AppendCSV(nil, e, id))
	if row["retro_first"] != "2026-02-16T00:00:00.000000Z" || row["retro_last"] != "2026-02-16T01:00:00.000000Z" {
		t.Errorf("csv: %v", row)
	}
	for width, want := range map[int]string{0: "lumma (malware) retro from 2026-02-16 00:00 ", 180: "lumma (malware) retro from 2026-02-16 00:00 ", 120: "lumma (malware) retro\n"} {
		if line := string(AppendTable(nil, e, id, TableOptions{Width: width})); !strings.Contains(line, want) {
			t.Errorf("table of %d columns: %s", width, line)
		}
	}
	if line := string(AppendLogstash(nil, e, id)); !strings.HasSuffix(line, `, "retro_first": 1771200000, "retro_last": 1771203600}`) {
		t.Errorf("logstash: %s", line)
	}
	cef, _, ok := AppendMaltrailCEF(nil, e, id, time.Time{}, time.UTC, 0)
	if line := AppendMaltrail(nil, e, id, time.UTC); len(line)+len(AppendLogServer(nil, e, id, time.UTC))+len(cef) > 0 || !ok {
		t.Errorf("in the formats of the reference: %s%s", line, cef)
	}
}
