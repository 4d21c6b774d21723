package suppress

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

func TestTrial(t *testing.T) {
	summary := detection(4, 3, "10.0.0.1")
	summary.Aggregate = event.Aggregate{Summary: true, Count: 40}
	other := detection(2, 1, "10.0.0.1")
	other.Info = "else"
	health := event.NewHealth(start, event.HealthHeartbeat, "up", event.HealthFacts{State: event.Metric})
	all := []event.Event{detection(1, 0, "10.0.0.1"), other, detection(3, 2, "10.0.0.2"), summary, detection(5, 4, "10.0.0.1"), health}
	events := func(yield func(*event.Event) bool) {
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
	trial, problems := Test(named("r", Drop, fieldSource, "10.0.0.1"), testScope(), events, 5)
	if len(problems) > 0 || trial.Events != 5 || trial.Matched != 4 || trial.Detections != 43 || trial.Summaries != 1 || trial.Elsewhere ||
		!trial.First.Equal(start) || !trial.Last.Equal(start.Add(4*time.Second)) || len(trial.Examples) != 2 || trial.Examples[1].Info != "else" {
		t.Errorf("%+v, %v", trial, problems)
	}
	far := named("r", Drop, fieldSource, "10.0.0.1")
	far.Sensors = []string{"core-*"}
	if trial, _ = Test(far, testScope(), events, 1); !trial.Elsewhere || trial.Matched != 4 || len(trial.Examples) != 1 {
		t.Errorf("%+v", trial)
	}
	if trial, problems = Test(Rule{ID: "r"}, testScope(), events, 1); len(problems) != 3 || trial.Events != 0 {
		t.Errorf("%+v, %v", trial, problems)
	}
}

func TestFromEvent(t *testing.T) {
	trail := sighting()
	trail.ID = [16]byte{12: 0xDE, 13: 0xAD, 14: 0xBE, 15: 0xEF}
	heuristic := sighting()
	heuristic.Code, heuristic.Indicator, heuristic.Trail = event.HTTPSQLi, "", `shop.test(/a*b?x=\n${jndi:1})`
	many := inbound(1, 0, "203.0.113.1", "a")
	many.Aggregate = event.Aggregate{Summary: true, Count: 9, Trails: []string{"a", "b*"}}
	more := many
	more.Aggregate.MoreTrails = 1
	for name, c := range map[string]struct {
		e    event.Event
		same []func(e *event.Event) // repeats
		not  []func(e *event.Event)
	}{
		"trail": {trail,
			[]func(e *event.Event){func(e *event.Event) {
				e.Trail, e.Observable, e.SrcPort, e.DstPort, e.Dst = "(x).bad-domain.test", "x", 1, 2, e.Src
			}},
			[]func(e *event.Event){func(e *event.Event) { e.Src = e.Dst }, func(e *event.Event) { e.Indicator, e.Trail = "x", "x" },
				func(e *event.Event) { e.Code = event.TrailIP }, func(e *event.Event) { e.Info = "lumma" }}},
		"heuristic": {heuristic, nil, []func(e *event.Event){func(e *event.Event) { e.Trail = `shop.test(/aXb?x=\n${jndi:1})` }}},
		"many": {many, []func(e *event.Event){func(e *event.Event) { e.Trail, e.Indicator, e.Info = "b*", "b*", "else" }},
			[]func(e *event.Event){func(e *event.Event) { e.Trail, e.Indicator = "bx", "bx" }}},
		"more": {more, []func(e *event.Event){func(e *event.Event) { e.Trail, e.Indicator = "bx", "bx" }}, []func(e *event.Event){func(e *event.Event) { e.Code = event.TrailUA }}},
	} {
		r := FromEvent(&c.e, start)
		if _, problems := Compile([]Rule{r}, testScope(), nil); len(problems) != 1 || !strings.Contains(problems[0].Error(), "reason: missing") {
			t.Errorf("%s: without a reason: %v", name, problems)
		}
		rules, problems := ReadRules(strings.NewReader("rules:\n"+strings.Replace(r.YAML(), `reason: ""`, "reason: known", 1)), "f")
		if len(problems) > 0 || len(rules) != 1 {
			t.Fatalf("%s: %v\n%s", name, problems, r.YAML())
		}
		s := mustCompile(t, rules...)
		for i, change := range slices.Concat([]func(e *event.Event){func(*event.Event) {}}, c.same, c.not) {
			e := c.e
			change(&e)
			if _, ok := s.Match(&e); ok != (i <= len(c.same)) {
				t.Errorf("%s: change %d: holds %v\n%s", name, i, ok, r.YAML())
			}
		}
	}
	r := FromEvent(&trail, start)
	const want = `- name: trail-dns-deadbeef
  reason: ""             # why this is no finding; a rule without a reason is refused
  owner: ""              # who answers for it
  created: "2023-11-14"
  expires: ""            # the last day it applies, such as 2030-12-31; empty: it does not expire
  action: drop
  source: ["10.1.2.3"]
  trail: ["bad-domain.test"]
  info: ["lumma (malware)"]
  code: ["trail.dns"]
`
	if got := r.YAML(); got != want {
		t.Errorf("\n%s", got)
	}
}

// The keys that are read are those of the tags, by which configurations are
// read.
func TestKeysMatchTags(t *testing.T) {
	var r Rule
	known := map[string]any{}
	for _, n := range r.texts() {
		known[n.key] = n.value
	}
	for f := range numFields {
		known[f.String()] = r.values(f)
	}
	known["sensors"], known["schedule"] = &r.Sensors, &r.Schedule
	v := reflect.ValueOf(&r).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, tagged := f.Tag.Lookup("key")
		if key == "-" {
			continue
		}
		if !tagged || f.Tag.Get("doc") == "" {
			t.Errorf("%s has no key or no doc", f.Name)
		}
		if known[key] != v.Field(i).Addr().Interface() {
			t.Errorf("%s is not read as %s", f.Name, key)
		}
		delete(known, key)
	}
	if len(known) > 0 {
		t.Errorf("no field has a tag for %v", known)
	}
}
