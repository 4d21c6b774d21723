package format

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

func TestHealthECS(t *testing.T) {
	for _, c := range []struct {
		name string
		e    *event.Event
		want map[string]string
	}{
		{"raised", healthEvent(), map[string]string{"event.kind": "state", "event.category": `["host"]`, "event.type": `["info"]`, "event.action": "health",
			"event.code": "health.capture.drops", "event.severity": "5", "event.risk_score": "", "event.dataset": "trailhound.health",
			"event.start": "2026-02-16T09:38:00.000000Z", "event.end": "", "data_stream.dataset": "trailhound.health", "data_stream.namespace": "default",
			"rule": "", "threat": "", "network": "", "source": "", "related": "", "message": "the kernel drops 0.25 % of the packets on eth1 (dmz)",
			"observer.ingress.interface.name": "eth1", "trailhound.type": "HEALTH", "trailhound.trail": "eth1", "trailhound.reference": "(health)",
			"trailhound.health.state": "raised", "trailhound.health.cause": "eth1", "trailhound.health.measures.drops": "123",
			"trailhound.health.measures.drop_share": "0.0025"}},
		{"recovered", recoveredEvent(), map[string]string{"event.kind": "state", "event.severity": "1", "event.start": "2026-02-16T09:38:00.000000Z",
			"event.end": "2026-02-16T09:40:00.000005Z", "trailhound.health.measures": `{"drop_share":0}`}},
		{"heartbeat", heartbeatEvent(), map[string]string{"event.kind": "metric", "event.severity": "1", "event.start": "", "event.sequence": "43",
			"trailhound.trail": "sensor", "trailhound.health.cause": "", "trailhound.health.since": "", "trailhound.health.measures.packets": "9007199254740992"}},
	} {
		doc := AppendECS(nil, c.e, identity())
		m := object(t, doc)
		for path, want := range c.want {
			if got := get(m, path); got != want && !(path == "trailhound.health.measures.packets" && strings.Contains(string(doc), `"packets":`+want)) {
				t.Errorf("%s: %s is %q, want %q", c.name, path, got, want)
			}
		}
	}
	// A share must not make a receiver guess that the field is a whole number.
	if doc := string(AppendECS(nil, recoveredEvent(), identity())); !strings.Contains(doc, `"drop_share":0.0}`) {
		t.Errorf("a share of 0 is not written as 0.0: %s", doc)
	}
	back := recoveredEvent()
	back.Time = back.Health.Since.Add(-time.Hour) // a clock was set back
	if m := object(t, AppendECS(nil, back, identity())); get(m, "event.end") != get(m, "event.start") {
		t.Error("a condition ends before it began")
	}
}

func TestHealthCEF(t *testing.T) {
	const want = `CEF:0|Trailhound|Trailhound|1.0.0|health.capture.drops|the kernel drops 0.25 % of the packets on eth1 (dmz)|5|rt=1771234680000 ` +
		`start=1771234680000 act=raised cat=health cnt=1 externalId=0198c3f2-a1b0-7c10-8000-000000000007 deviceExternalId=edge-1 dvchost=edge-host ` +
		`deviceInboundInterface=eth1 cs1Label=trail cs1=eth1 cs2Label=reference cs2=(health) cs3Label=trailType cs3=HEALTH reason=eth1 ` +
		`cs5Label=measures cs5=drop_share\=0.0025 drops\=123 packets\=49200 flexNumber1Label=confidence flexNumber1=100 msg=the kernel drops 0.25 % of the packets on eth1 (dmz)`
	if got := string(AppendCEF(nil, healthEvent(), identity())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	header, ext, err := parseCEF(string(AppendCEF(nil, recoveredEvent(), identity())))
	if err != nil || header[5] != "1" || ext["act"] != "recovered" || ext["end"] != "1771234800000" || ext["cs5"] != "drop_share=0.0" {
		t.Errorf("%v %v %v", header, ext, err)
	}
	if _, ext, err = parseCEF(string(AppendCEF(nil, heartbeatEvent(), identity()))); err != nil || ext["act"] != "metric" || ext["reason"] != "" || ext["start"] != "" {
		t.Errorf("%v %v", ext, err)
	}
}

func TestHealthCSV(t *testing.T) {
	got := readCSV(t, AppendCSV(nil, healthEvent(), identity()))
	for column, want := range map[string]string{"time": "2026-02-16T09:38:00.000000Z", "sensor": "edge-1", "src_ip": "-", "src_port": "-", "dst_ip": "-",
		"dst_port": "-", "protocol": "", "type": "HEALTH", "trail": "eth1", "info": "the kernel drops 0.25 % of the packets on eth1 (dmz)",
		"reference": "(health)", "severity": "medium", "confidence": "100", "code": "health.capture.drops", "count": "1", "interface": "eth1",
		"health_state": "raised", "health_since": "2026-02-16T09:38:00.000000Z", "health_cause": "eth1",
		"health_measures": "drop_share=0.0025 drops=123 packets=49200"} {
		if got[column] != want {
			t.Errorf("%s is %q, want %q", column, got[column], want)
		}
	}
	got = readCSV(t, AppendCSV(nil, dnsEvent(), identity()))
	if got["health_state"]+got["health_since"]+got["health_cause"]+got["health_measures"] != "" {
		t.Errorf("a detection has health: %v", got)
	}
}

func TestHealthMaltrail(t *testing.T) {
	for _, e := range []*event.Event{healthEvent(), recoveredEvent(), heartbeatEvent(), {Code: event.HealthCanary, Src: addr("192.0.2.1")}} {
		if got := string(AppendMaltrail([]byte("before\n"), e, identity(), time.UTC)); got != "before\n" {
			t.Errorf("%s: %q", e.Code, got)
		}
	}
	l, err := Named("maltrail", Options{Identity: identity()})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Append(nil, healthEvent()); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func TestHealthTable(t *testing.T) {
	const want = `2026-02-16 09:38:00 medium -                     -> -                            HEALTH eth1                    the kernel drops 0.25 % of the packets on eth1 (dmz) (health)
2026-02-16 09:41:40 info   -                     -> -                            HEALTH sensor                  up for 5m0s                      (health)
`
	opt := TableOptions{Width: 157}
	got := AppendTable(nil, healthEvent(), identity(), opt)
	got = AppendTable(got, heartbeatEvent(), identity(), opt)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMeasures(t *testing.T) {
	for _, c := range []struct {
		m    event.Measure
		want string
	}{
		{event.Count("a", 0), "0"},
		{event.Count("a", 1<<53), "9007199254740992"},
		{event.Count("a", math.MaxUint64), "1.8446744073709552e+19"},
		{event.Share("a", 1, 4), "0.25"},
		{event.Share("a", 4, 4), "1.0"},
		{event.Share("a", 0, 0), "0.0"},
		{event.Measure{Value: 1e-9, Share: true}, "1e-09"},
		{event.Measure{Value: -2.5}, "-2.5"},
	} {
		got := string(appendMeasure(nil, &c.m))
		if got != c.want || !json.Valid([]byte(got)) {
			t.Errorf("%+v: %s, want %s", c.m, got, c.want)
		}
	}
	list := []event.Measure{{Name: "nan", Value: math.NaN()}, {Name: "a", Value: 1}, {Name: "B", Value: 2}, {Name: "", Value: 3}, {Name: "a b", Value: 4},
		{Name: "a.b", Value: 5}, {Name: strings.Repeat("a", 65), Value: 6}, {Name: "inf", Value: math.Inf(1)}, {Name: "a", Value: 7}, {Name: "c_2", Value: 8}}
	if got := string(appendMeasures(nil, list, "=")); got != "a=1 c_2=8" {
		t.Error(got)
	}
	if got := string(AppendCEF(nil, &event.Event{Code: event.HealthHeartbeat, Health: event.HealthFacts{Measures: list[:1]}}, identity())); strings.Contains(got, "cs5") {
		t.Error(got)
	}
}

// FuzzHealth: whatever a health event says, each format gives one record that
// reads back, and maltrail gives none.
func FuzzHealth(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, "drop_share", 0.25, true)
		f.Add("eth1", s, math.NaN(), false)
	}
	f.Fuzz(func(t *testing.T, s, name string, value float64, share bool) {
		e := hostile(s)
		e.Code, e.Kind = "health."+e.Code, trails.Invalid
		e.Health.State = event.Recovered
		e.Health.Measures = []event.Measure{{Name: name, Value: value, Share: share}, {Name: s, Value: value}, {Name: "last", Value: 1}}
		doc := object(t, AppendECS(nil, e, hostileIdentity(s)))
		if get(doc, "trailhound.health.cause") != string([]rune(s)) || get(doc, "data_stream.dataset") != "trailhound.health" || get(doc, "rule") != "" {
			t.Fatalf("%v", doc)
		}
		measures, _ := doc["trailhound"].(map[string]any)["health"].(map[string]any)["measures"].(map[string]any)
		if got, ok := measures[name]; ok && got != value {
			t.Fatalf("%s: %v reads back as %v", name, value, got)
		}
		if measures["last"] == nil {
			t.Fatalf("a measure is lost: %v", measures)
		}
		_, ext, err := parseCEF(string(AppendCEF(nil, e, hostileIdentity(s))))
		if err != nil || !strings.HasSuffix(ext["cs5"], "last="+get(doc, "trailhound.health.measures.last")) && name != "last" && s != "last" {
			t.Fatalf("%v: %v", err, ext)
		}
		row := readCSV(t, AppendSafeCSV(nil, e, hostileIdentity(s)))
		if row["health_measures"] != ext["cs5"] {
			t.Fatalf("CSV has %q, CEF %q", row["health_measures"], ext["cs5"])
		}
		if got := AppendMaltrail(nil, e, hostileIdentity(s), time.UTC); len(got) != 0 {
			t.Fatalf("maltrail has %q", got)
		}
	})
}

// TestFollowUp: an event that tells an outcome stands for no detection in any
// format, and the reference, which would count it, gets none.
func TestFollowUp(t *testing.T) {
	e := dnsEvent()
	e.Outcome, e.Aggregate = event.Refused, event.Aggregate{ID: testID(1), Summary: true}
	doc := object(t, AppendECS(nil, e, identity()))
	if get(doc, "trailhound.aggregate.count") != "0" || get(doc, "trailhound.aggregate.summary") != "true" || get(doc, "trailhound.outcome") != "refused" {
		t.Errorf("%v", doc["trailhound"])
	}
	if _, ext, err := parseCEF(string(AppendCEF(nil, e, identity()))); err != nil || ext["cnt"] != "0" || ext["outcome"] != "failure" || ext["trailhoundOutcome"] != "refused" {
		t.Errorf("%v %v", ext, err)
	}
	if row := readCSV(t, AppendCSV(nil, e, identity())); row["count"] != "0" || row["summary"] != "true" || row["outcome"] != "refused" {
		t.Errorf("%v", row)
	}
	line := AppendMaltrail(nil, e, identity(), time.UTC)
	line = AppendLogServer(line, e, identity(), time.UTC)
	line, cut, ok := AppendMaltrailCEF(line, e, identity(), e.Time, time.UTC, 0)
	if len(line) > 0 || cut || !ok {
		t.Errorf("the reference gets %s", line)
	}
	const want = `{"timestamp": 1771234567, "sensor": "edge-host", "severity": "high", "type": "OUTCOME", "code": "trail.dns", "outcome": "refused", ` +
		`"src_ip": "192.0.2.10", "dst_ip": "198.51.100.53", "trail": "(cdn).bad-domain.test", "info": "lumma (malware)", "reference": "(static)"}`
	if got := string(AppendLogstash(nil, e, identity())); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(AppendTable(nil, e, identity(), TableOptions{Width: 180})); !strings.Contains(got, "lumma (malware) x0: refused ") {
		t.Errorf("%s", got)
	}
	// Of an attack, which has no word in CEF and ECS: theirs would be the attacker's.
	attack := dnsEvent()
	attack.Code, attack.Outcome, attack.Aggregate = event.HTTPSQLi, event.Answered, e.Aggregate
	if _, ext, err := parseCEF(string(AppendCEF(nil, attack, identity()))); err != nil || ext["outcome"] != "" || ext["trailhoundOutcome"] != "answered" {
		t.Errorf("%v %v", ext, err)
	}
	e.Aggregate.Count = 3
	if got := string(AppendTable(nil, e, identity(), TableOptions{Width: 180})); !strings.Contains(got, "lumma (malware) x3: refused ") || e.FollowUp() || e.Detections() != 3 {
		t.Errorf("%s", got)
	}
	e.Aggregate = event.Aggregate{}
	if e.Detections() != 1 || len(AppendMaltrail(nil, e, identity(), time.UTC)) == 0 {
		t.Error("an event by itself is one detection")
	}
}
