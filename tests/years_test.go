package tests

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"trailhound/agent/event"
	. "trailhound/tests/corpus"
)

// TestScanYears: a scan is found, and stamped, in any year that nanoseconds of
// 64 bits reach; beyond it is not found rather than stamped with another time.
func TestScanYears(t *testing.T) {
	for begin, found := range map[string]bool{
		"1970-01-01T00:00:00Z": true, "1970-01-01T00:00:31Z": true, "2038-01-19T03:13:57Z": true, "2106-02-07T06:28:05Z": true,
		"2262-04-11T00:00:00Z": true, "2262-04-11T23:47:10Z": false, "2300-01-01T00:00:00Z": false, "2900-01-01T00:00:00Z": false} {
		at, err := time.Parse(time.RFC3339, begin)
		if err != nil {
			t.Fatal(err)
		}
		var all []Stamped
		for i := range 11 {
			all = append(all, Stamped{Time: at.Add(time.Duration(i) * time.Second), Frame: IP(scanner, victim, Syn(40000, uint16(1000+i))).Ethernet()})
		}
		c := Case{}
		path := filepath.Join(t.TempDir(), "years.pcapng")
		if err := os.WriteFile(path, Pcapng(all), 0o600); err != nil {
			t.Fatal(err)
		}
		events, summary := replay(t, setup{rules: caseRules(t, &c), workers: 2}, path)
		if found != (len(events) == 1) {
			t.Errorf("%s: %d events", begin, len(events))
		}
		for i := range events {
			if e := &events[i]; e.Code != event.ScanPort || !e.Time.Equal(at.Add(10*time.Second)) {
				t.Errorf("%s: %s at %v", begin, e.Code, e.Time)
			}
		}
		if n := summary.Evidence.Dropped; !found && n != 11 {
			t.Errorf("%s: %d observations were dropped", begin, n)
		}
	}
}
