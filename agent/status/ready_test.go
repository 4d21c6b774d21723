package status

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNotReady(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *Snapshot)
		codes  []string
		text   string
	}{
		{"at work", func(*Snapshot) {}, nil, ""},
		{"no state", func(s *Snapshot) { s.State = "" }, []string{ReasonState}, "the sensor is starting"},
		{"starting", func(s *Snapshot) { s.State = Starting }, []string{ReasonState}, "the sensor is starting"},
		{"draining", func(s *Snapshot) { s.State = Draining }, []string{ReasonState}, "the sensor is draining"},
		{"no workers", func(s *Snapshot) { s.Capture.Workers = nil }, []string{ReasonNoCapture}, "nothing is captured: 0 workers, 1 rings"},
		{"no rings", func(s *Snapshot) { s.Capture.Rings = nil }, []string{ReasonNoCapture}, "nothing is captured: 1 workers, 0 rings"},
		{"stalled", func(s *Snapshot) { s.Capture.Workers[0].LastLoop = noon.Add(-StallAfter - time.Second) },
			[]string{ReasonStalled}, `worker 0 of group "eth0" last read 11s ago`},
		{"just not stalled", func(s *Snapshot) { s.Capture.Workers[0].LastLoop = noon.Add(-StallAfter) }, nil, ""},
		{"never read", func(s *Snapshot) { s.Capture.Workers[0].LastLoop = time.Time{} },
			[]string{ReasonStalled}, `worker 0 of group "eth0" has not started to read`},
		{"all stalled say it once", func(s *Snapshot) { s.Capture.Workers = make([]Worker, 64) },
			[]string{ReasonStalled}, `worker 0 of group "" has not started to read`},
		{"a loop in the future", func(s *Snapshot) { s.Capture.Workers[0].LastLoop = noon.Add(time.Hour) }, nil, ""},
		{"all down", func(s *Snapshot) { s.Capture.Interfaces[0].Up = false }, []string{ReasonDown}, "none of 1 interfaces is up"},
		{"one of two down", func(s *Snapshot) { s.Capture.Interfaces = append(s.Capture.Interfaces, Interface{Name: "eth1"}) }, nil, ""},
		{"none seen yet", func(s *Snapshot) { s.Capture.Interfaces = nil }, nil, ""},
		{"only a restart helps", func(s *Snapshot) { s.Capture.RestartNeeded = []string{"eth4"} }, []string{ReasonRestart},
			"interface eth4: not captured before a restart, since no spare socket is left: see capture.spare_sockets"},
		{"only a restart helps, of a pattern or by name", func(s *Snapshot) {
			s.Capture.RestartNeeded = []string{"eth4", "eth5"}
			s.Capture.Missing = []Missing{{Interface: "eth4", There: true, Required: true}, {Interface: "eth5", There: true}}
		}, []string{ReasonRestart}, "interfaces eth4, eth5: not captured before a restart, since no spare socket is left: see capture.spare_sockets"},
		{"missing", func(s *Snapshot) {
			s.Capture.Missing = []Missing{{Interface: "tap*", Reason: "none"}, {Interface: "eth7", Reason: "it is not\x1b[31m there", Required: true}}
		}, []string{ReasonMissing}, "interface eth7: not captured, it is not[31m there; what need not be there is marked optional: true"},
		{"many missing say it once", func(s *Snapshot) {
			for i := range 10 {
				s.Capture.Missing = append(s.Capture.Missing, Missing{Interface: "eth" + string(rune('0'+i)), Reason: "it is not there", Required: true})
			}
		}, []string{ReasonMissing}, "interfaces eth0, eth1, eth2, eth3, eth4, eth5, eth6, eth7 and 2 more: not captured, it is not there; what need not be there is marked optional: true"},
		{"missing and optional", func(s *Snapshot) { s.Capture.Missing = []Missing{{Interface: "eth7", Reason: "it is not there"}} }, nil, ""},
		{"drops alone", func(s *Snapshot) { s.Capture.Rings[0].KernelDrops = 1e9 }, nil, ""},
		{"no trails", func(s *Snapshot) { s.Trails = Trails{Starter: true} }, []string{ReasonNoTrails}, "no trails are loaded"},
		{"starter", func(s *Snapshot) { s.Trails.Starter = true }, []string{ReasonStarter}, "only the built-in starter trails are in use"},
		{"stale", func(s *Snapshot) { s.Trails.CreatedAt = noon.Add(-73 * time.Hour) },
			[]string{ReasonStale}, "the trails are 73h old, more than trails.max_age of 72h"},
		{"as old as allowed", func(s *Snapshot) { s.Trails.CreatedAt = noon.Add(-72 * time.Hour) }, nil, ""},
		{"old, no limit", func(s *Snapshot) { s.Trails.CreatedAt, s.Trails.MaxAgeSeconds = noon.AddDate(-9, 0, 0), 0 }, nil, ""},
		{"of the future", func(s *Snapshot) { s.Trails.CreatedAt = noon.Add(time.Hour) }, nil, ""},
		{"journal in memory", func(s *Snapshot) { s.Journal.Degraded = "read-only\x1b[31m file system" },
			[]string{ReasonJournal}, "events are kept in memory only, and what is not delivered is lost at the end: read-only[31m file system"},
		{"output down", func(s *Snapshot) { s.Outputs[0].Healthy, s.Outputs[0].LastError = false, "no space\x1b[31m\nleft" },
			[]string{ReasonOutputDown}, `output "local" does not deliver: no space[31m left`},
		{"output behind", func(s *Snapshot) {
			s.Outputs[0].Queued, s.Outputs[0].OldestAt = 900, s.Time.Add(-behindAfter-time.Second)
		}, []string{ReasonOutputBehind}, `output "local" is 5m1s behind: 900 events wait`},
		{"output just not behind", func(s *Snapshot) { s.Outputs[0].OldestAt = s.Time.Add(-behindAfter) }, nil, ""},
		{"output with nothing to do", func(s *Snapshot) { s.Outputs[0].Queued, s.Outputs[0].OldestAt = 0, time.Time{} }, nil, ""},
		{"no output", func(s *Snapshot) { s.Outputs = nil }, nil, ""},
		{"everything", func(s *Snapshot) { *s = Snapshot{Outputs: []Output{{Name: "a"}, {Name: "b"}}} },
			[]string{ReasonState, ReasonNoCapture, ReasonNoTrails, ReasonOutputDown, ReasonOutputDown}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := healthy()
			c.change(&s)
			s.complete(noon)
			var codes []string
			for _, r := range s.Reasons {
				codes = append(codes, r.Code)
				if !slices.Contains(ReasonCodes(), r.Code) {
					t.Errorf("code %s is not listed", r.Code)
				}
			}
			if !slices.Equal(codes, c.codes) || s.Ready != (len(c.codes) == 0) {
				t.Fatalf("ready %v for %v, want %v", s.Ready, s.Reasons, c.codes)
			}
			if c.text != "" && s.Reasons[0].Text != c.text {
				t.Errorf("%q, want %q", s.Reasons[0].Text, c.text)
			}
		})
	}
}

// The document never has a null, keeps its names, and comes back as it was.
func TestDocument(t *testing.T) {
	var empty Snapshot
	empty.complete(noon)
	b, err := document(&empty)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "null") || strings.Contains(string(b), "0001-01-01") {
		t.Errorf("an empty snapshot has null or a time that is none:\n%s", b)
	}

	s := healthy()
	zone := time.FixedZone("", 3600)
	s.StartedAt = s.StartedAt.In(zone)
	s.Capture.Interfaces[0].LastPacketAt = noon.In(zone)
	s.Health = []Health{{Code: "health.capture.drops", Cause: "eth0", State: Raised, Since: noon.In(zone), Info: "a & <b>",
		Values: map[string]any{"share": 0.5, "nothing": math.NaN(), "endless": math.Inf(1)}}}
	s.complete(noon.Add(time.Hour))
	if b, err = document(&s); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "+01:00") || !strings.Contains(string(b), `"a & <b>"`) {
		t.Errorf("a time is not UTC, or text is escaped:\n%s", b)
	}
	var back Snapshot
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, back) {
		t.Errorf("came back as\n%+v, want\n%+v", back, s)
	}
	if s.UptimeSeconds != 3600 || s.Trails.AgeSeconds != 4*3600 || s.Memory.RingsBytes != 64<<20 || s.Time != noon {
		t.Errorf("completed as uptime %v, age %v, rings %v, time %v", s.UptimeSeconds, s.Trails.AgeSeconds, s.Memory.RingsBytes, s.Time)
	}
	if v := s.Health[0].Values; len(v) != 1 || v["share"] != 0.5 {
		t.Errorf("values %v", v)
	}
}
