package event

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewHealth(t *testing.T) {
	now := time.Date(2026, 2, 16, 10, 36, 7, 4200999, time.FixedZone("", 3600))
	e := NewHealth(now, HealthCaptureSilent, "no frame on eth1\nfor 5m0s", HealthFacts{State: Raised, Since: now.Add(-5 * time.Minute), Cause: "eth1",
		Measures: []Measure{Count("silent_seconds", 300)}})
	if e.Time.Location() != time.UTC || e.Time.Nanosecond() != 4200000 || !e.Health.Since.Equal(e.Time.Add(-5*time.Minute)) || e.Health.Since.Location() != time.UTC {
		t.Errorf("times %v, %v", e.Time, e.Health.Since)
	}
	if e.ID[6]>>4 != 7 || e.Type != HEALTH || e.Severity != Medium || e.Severity.CEF() != 5 || e.Confidence != 100 || e.Trail != "eth1" ||
		e.Reference != "(health)" || e.Info != "no frame on eth1 for 5m0s" || len(e.Health.Measures) != 1 {
		t.Errorf("%+v", e)
	}
	if again := NewHealth(now, HealthCaptureSilent, "", HealthFacts{}); again.ID == e.ID || again.Trail != "sensor" || !again.Health.Since.IsZero() {
		t.Errorf("%+v", again)
	}
	long := NewHealth(now, HealthOutputDown, strings.Repeat("x", 5000), HealthFacts{Cause: strings.Repeat("ü", 5000), Measures: make([]Measure, 100)})
	if len(long.Info) != MaxEvidence || len(long.Trail) > MaxEvidence || len(long.Health.Measures) != MaxMeasures {
		t.Errorf("unbounded: %d, %d, %d", len(long.Info), len(long.Trail), len(long.Health.Measures))
	}
}

func TestHealthSeverity(t *testing.T) {
	info := map[Code]bool{HealthSuppressExpired: true, HealthConfigChanged: true, HealthHeartbeat: true, HealthCanary: true}
	for _, code := range HealthCodes() {
		for _, state := range []HealthState{Raised, Reminded, Recovered, Noted, Metric} {
			want := Medium
			if info[code] || state == Recovered || state == Metric {
				want = Info
			}
			if got := NewHealth(time.Now(), code, "", HealthFacts{State: state}).Severity; got != want {
				t.Errorf("%s %s: %v, want %v", code, state, got, want)
			}
		}
	}
}

func TestHealthCodes(t *testing.T) {
	codes := HealthCodes()
	for i, c := range codes {
		if !c.IsHealth() || c.Category() != "health" || c.Severity() != Info || slices.Contains(codes[:i], c) || slices.Contains(Heuristics(), c) {
			t.Errorf("%s", c)
		}
	}
	if len(codes) != 22 {
		t.Errorf("%d codes", len(codes))
	}
}

func TestMeasure(t *testing.T) {
	if m := Share("drop_share", 1, 4); m.Value != 0.25 || !m.Share {
		t.Errorf("%+v", m)
	}
	if m := Share("drop_share", 0, 0); m.Value != 0 || math.IsNaN(m.Value) {
		t.Errorf("%+v", m)
	}
	if m := Count("drops", 7); m.Value != 7 || m.Share {
		t.Errorf("%+v", m)
	}
	for name, want := range map[string]bool{"drops": true, "a_1": true, "": false, "A": false, "a.b": false, "a b": false, "a=": false, "\xff": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false} {
		if ValidMeasure(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
