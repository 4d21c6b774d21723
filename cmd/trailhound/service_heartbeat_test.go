package main

import (
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/status"
)

func TestHeartbeat(t *testing.T) {
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	before := status.Snapshot{Detection: status.Detection{Packets: 1000}, Capture: status.Capture{
		Rings: []status.Ring{{KernelPackets: 1000, KernelDrops: 100}}}}
	s := status.Snapshot{StartedAt: now.Add(-time.Hour), Detection: status.Detection{Packets: 4000, Events: 9, Dropped: 1, Queued: 2},
		Version: status.Version{Version: "1.2.3"}, Config: status.Config{Hash: "0123456789abcdef"},
		Gate:    status.Gate{Detected: 6, Suppressed: 1, Folded: 2, Passed: 3, Summaries: 1},
		Trails:  status.Trails{Count: 1630792, Generation: 4, CreatedAt: now.Add(-2 * time.Hour)},
		Capture: status.Capture{Rings: []status.Ring{{KernelPackets: 3000, KernelDrops: 60}}, ClosedPackets: 1000, ClosedDrops: 100},
		Journal: status.Journal{LastSeq: 77, Appended: 7},
		Health: []status.Health{{Code: event.HealthCaptureSilent, State: event.Raised}, {Code: event.HealthCaptureSilent, State: event.Recovered},
			{Code: event.HealthOutputDown, State: event.Raised}}}
	for _, name := range []string{"siem", "Elk-2", "c", "d", "e", "f", "g", "h", "one too many"} {
		s.Outputs = append(s.Outputs, status.Output{Name: name, Queued: 5, OldestAt: now.Add(-90 * time.Second), Rejected: 3})
	}
	e := heartbeat(now, &s, &before)
	if e.Code != event.HealthHeartbeat || e.Severity != event.Info || e.Health.State != event.Metric {
		t.Errorf("%+v", e)
	}
	for _, part := range []string{"1.2.3", "0123456789abcdef", "generation 4"} {
		if !strings.Contains(e.Info, part) {
			t.Errorf("no %s in %q", part, e.Info)
		}
	}
	have := map[string]float64{}
	for _, m := range e.Health.Measures {
		if !event.ValidMeasure(m.Name) {
			t.Errorf("%q is no name", m.Name)
		}
		have[m.Name] = m.Value
	}
	// The outputs add seven figures of their own.
	if len(have) != len(e.Health.Measures) || len(have) > event.MaxMeasures-7 {
		t.Errorf("%d figures, %d names", len(e.Health.Measures), len(have))
	}
	for name, want := range map[string]float64{"uptime_seconds": 3600, "packets": 4000, "packets_since_last": 3000, "dropped_packets": 160,
		"drop_share_since_last": 60.0 / 3000, "silent_interfaces": 1, "conditions_raised": 2, "trails": 1630792, "trails_age_seconds": 7200,
		"events_detected": 6, "events_suppressed": 1, "events_folded": 2, "events_passed": 3, "journal_last_seq": 77,
		"output_siem_waiting": 5, "output_elk_2_lag_seconds": 90, "output_h_dead_letters": 3} {
		if have[name] != want {
			t.Errorf("%s is %v, want %v", name, have[name], want)
		}
	}
	if _, ok := have["output_one_too_many_waiting"]; ok {
		t.Error("figures of too many outputs")
	}
}
