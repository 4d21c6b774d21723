package health

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

// set is Set, its events in the log.
func (s *sensor) set(active bool, info string, m ...event.Measure) {
	s.t.Helper()
	s.log = s.Set(s.now, event.HealthOutputDown, "siem", active, info, m...)
}

func TestSet(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.set(false, "fine")
	s.want()
	s.set(true, "siem does not answer: "+errors.ErrUnsupported.Error(), event.Count("pending", 3))
	s.want("raised output.down siem")
	raised := s.log[0]
	if raised.Interface != "" || raised.Severity != event.Medium || measure(raised, "pending") != 3 {
		t.Errorf("%+v", raised)
	}
	s.run(30*time.Minute, nil)
	s.want()
	s.set(true, "siem refuses", event.Count("pending", 9))
	s.want()
	list := s.States()
	if len(list) != 1 || list[0].Code != event.HealthOutputDown || list[0].Cause != "siem" || list[0].Info != "siem refuses" || list[0].Clear ||
		list[0].Times != 1 || !list[0].Since.Equal(raised.Time) || !list[0].Reminded.Equal(raised.Time) || list[0].Measures[0].Value != 9 {
		t.Errorf("%+v", list)
	}
	s.run(30*time.Minute, nil)
	s.want("reminded output.down siem")
	s.info(0, "siem refuses")
	if measure(s.log[0], "pending") != 9 || !s.log[0].Health.Since.Equal(raised.Health.Since) {
		t.Errorf("%+v", s.log[0])
	}
	s.set(false, "siem answers")
	s.want("recovered output.down siem")
	s.info(0, "siem answers")
	s.set(false, "siem answers")
	s.want()
	if len(s.States()) != 0 {
		t.Errorf("%+v", s.States())
	}
	// Forgotten an hour later: what comes then is no flapping.
	s.run(time.Hour, nil)
	if len(s.conditions) != 0 {
		t.Errorf("%d conditions", len(s.conditions))
	}
	for range 3 {
		s.set(true, "down")
		s.want("raised output.down siem")
		s.set(false, "up")
		s.want("recovered output.down siem")
		s.info(0, "up")
		for range 360 { // Observe is not needed for that
			s.now = s.now.Add(maxGap)
			s.set(false, "up")
		}
	}
}

func TestFlapping(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.set(true, "down")
	s.set(false, "up")
	s.run(59*time.Minute, nil)
	s.set(true, "down")
	s.want("raised output.down siem") // a fault is not held back
	s.info(0, "down (set in 2 times)")
	second := s.log[0]
	// From here on it comes and goes each ten seconds for a day.
	var log []event.Event
	for range 24 * 360 {
		s.set(false, "up")
		log = append(log, s.log...)
		log = append(log, s.run(5*time.Second, nil)...)
		s.set(true, "down again")
		log = append(log, s.log...)
		log = append(log, s.run(5*time.Second, nil)...)
	}
	if len(log) != 24 {
		t.Fatalf("%d events in 24 hours", len(log))
	}
	for i, e := range log {
		if e.Health.State != event.Reminded || !e.Health.Since.Equal(second.Health.Since) {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if got := measure(log[0], "times"); got < 350 || got > 370 || log[0].Info != fmt.Sprintf("down again (set in %v times)", got) {
		t.Errorf("%q", log[0].Info)
	}
	s.set(false, "up")
	s.want()
	s.run(59*time.Minute, nil)
	s.want()
	if list := s.States(); len(list) != 1 || !list[0].Clear || list[0].Times < 8000 {
		t.Errorf("%+v", list)
	}
	s.run(time.Minute, nil)
	if s.log[len(s.log)-1].Health.State != event.Recovered || len(s.States()) != 0 {
		t.Errorf("%+v", s.log)
	}
}

// A flapping condition that is away when its reminder is due says so.
func TestReminderWhileClear(t *testing.T) {
	s := newSensor(t, Options{}, "eth1")
	s.set(true, "down")
	s.set(false, "up")
	s.set(true, "down")
	s.run(30*time.Minute, nil)
	s.set(false, "up")
	s.run(30*time.Minute, nil)
	s.want("reminded output.down siem")
	s.info(0, "up, not at present (set in 2 times)")
	s.run(30*time.Minute, nil)
	s.want("recovered output.down siem")
}

func TestStatesAreOrdered(t *testing.T) {
	s := newSensor(t, Options{}, "eth2", "eth1")
	for i := range s.in {
		s.in[i].RestartNeeded = true
	}
	s.set(true, "down")
	s.Set(s.now, event.HealthTrailsStale, "trails.thd", true, "old")
	s.run(time.Second, nil)
	s.want("raised capture.restart_needed eth1", "raised capture.restart_needed eth2")
	var got []string
	for _, c := range s.States() {
		got = append(got, string(c.Code)+" "+c.Cause)
	}
	if strings.Join(got, ",") != "health.capture.restart_needed eth1,health.capture.restart_needed eth2,health.output.down siem,health.trails.stale trails.thd" {
		t.Errorf("%v", got)
	}
}

// What others say of an interface is not undone by the rules.
func TestSetOfInterface(t *testing.T) {
	s := newSensor(t, Options{SilenceBy: map[string]time.Duration{"eth9": time.Hour}}, "eth1")
	for _, name := range []string{"eth1", "eth9"} {
		s.log = s.Set(s.now, event.HealthCaptureRestartNeeded, name, true, "no socket")
		s.want("raised capture.restart_needed " + name)
		if s.log[0].Interface != name {
			t.Errorf("%+v", s.log[0])
		}
	}
	s.run(10*time.Minute, nil)
	s.want()
	s.log = s.Set(s.now, event.HealthCaptureRestartNeeded, "eth1", false, "opened")
	s.want("recovered capture.restart_needed eth1")
}

func TestTextsAreBounded(t *testing.T) {
	s := newSensor(t, Options{})
	cause := strings.Repeat("x", 1<<20)
	s.log = s.Set(s.now, event.HealthOutputDown, cause, true, cause, make([]event.Measure, 1000)...)
	if len(s.log) != 1 || len(s.log[0].Info) > 2*event.MaxEvidence || len(s.log[0].Health.Cause) > event.MaxEvidence || len(s.log[0].Health.Measures) > event.MaxMeasures {
		t.Error("unbounded")
	}
	for k, c := range s.conditions {
		if len(k.cause) > event.MaxEvidence || len(c.info) > event.MaxEvidence || len(c.measures) > event.MaxMeasures {
			t.Error("unbounded")
		}
	}
	s.log = s.Set(s.now, event.HealthOutputDown, cause, false, "")
	if len(s.log) != 1 {
		t.Errorf("%v", s.log)
	}
}

func TestConditionsAreBounded(t *testing.T) {
	s := newSensor(t, Options{})
	for i := range MaxConditions + 10 {
		if got := s.Set(s.now, event.HealthOutputDown, fmt.Sprint(i), true, "down"); len(got) != 1 && i < MaxConditions {
			t.Fatal(i, got)
		}
	}
	if _, n := s.Unfollowed(); n != 10 || len(s.conditions) != MaxConditions {
		t.Errorf("%d refused, %d kept", n, len(s.conditions))
	}
}

func TestInterfacesAreBounded(t *testing.T) {
	s := newSensor(t, Options{SilenceBy: map[string]time.Duration{"eth1": time.Hour}})
	fill := func(prefix string, n int) {
		s.in = nil
		for i := range n {
			s.in = append(s.in, Interface{Name: fmt.Sprint(prefix, i)})
		}
		s.run(time.Second, nil)
	}
	fill("a", MaxInterfaces+100)
	if n, _ := s.Unfollowed(); n != 101 || len(s.links) != MaxInterfaces {
		t.Errorf("%d refused, %d kept", n, len(s.links))
	}
	fill("b", 10) // of those that are gone ten make room
	if n, _ := s.Unfollowed(); n != 0 || len(s.links) != MaxInterfaces || s.links["eth1"] == nil || s.links["b9"] == nil {
		t.Errorf("%d refused, %d kept", n, len(s.links))
	}
	s.in[3].RestartNeeded = true
	s.run(time.Second, nil)
	s.want("raised capture.restart_needed b3")
	s.in = nil
	s.step = 10 * time.Second
	s.run(2*time.Hour, nil)
	if len(s.links) != 2 { // of b3 something is raised
		t.Errorf("%d kept", len(s.links))
	}
	s.run(retire-2*time.Hour, nil)
	if len(s.links) != 1 {
		t.Errorf("%d kept", len(s.links))
	}
}
