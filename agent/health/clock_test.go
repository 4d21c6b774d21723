package health

import (
	"testing"
	"time"

	"trailhound/agent/event"
)

// steps are what a clock without a monotonic reading may do.
var steps = []time.Duration{time.Hour, -time.Hour, 365 * 24 * time.Hour, -365 * 24 * time.Hour, 290 * 365 * 24 * time.Hour, -290 * 365 * 24 * time.Hour}

// TestClockSteps: a step raises nothing, and afterwards all goes on as before.
func TestClockSteps(t *testing.T) {
	for _, step := range steps {
		s := newSensor(t, Options{Silence: five, SilenceBy: map[string]time.Duration{"eth2": time.Second, "eth3": 2 * time.Second}}, "eth1", "eth2", "eth3")
		s.run(61*time.Minute, unicast(10))
		s.now = s.now.Add(step)
		s.run(time.Second, unicast(10))
		s.want()
		// With not even a frame at hand when the clock was set.
		s.now = s.now.Add(-step - time.Second)
		s.run(0, nil)
		s.want()
		s.run(time.Second, unicast(10))
		s.want()
		s.in = s.in[:1]
		s.in = append(s.in, Interface{Name: "eth2", Packets: 1 << 40}, Interface{Name: "eth3", Packets: 1 << 40})
		s.run(five, func(i *Interface) {
			if i.Name != "eth1" {
				unicast(10)(i)
			}
		})
		s.want("raised capture.silent eth1")
		raised := s.log[0]
		s.now = s.now.Add(step)
		s.run(59*time.Minute, func(i *Interface) {
			if i.Name != "eth1" {
				unicast(10)(i)
			}
		})
		s.want()
		s.run(2*time.Minute, func(i *Interface) {
			if i.Name != "eth1" {
				unicast(10)(i)
			}
		})
		s.want("reminded capture.silent eth1")
		if !s.log[0].Health.Since.Equal(raised.Health.Since) {
			t.Errorf("%v: since %v", step, s.log[0].Health.Since)
		}
		s.run(time.Second, unicast(1))
		s.want("recovered capture.silent eth1")
	}
}

// The monotonic reading is what counts where there is one: a clock that is set
// in between cannot be made here, but an interval without a reading shows that
// only differences are used.
func TestMonotonic(t *testing.T) {
	m := New(Options{SilenceBy: map[string]time.Duration{"eth1": time.Minute}})
	start := time.Now()
	var log []event.Event
	for i := range 61 {
		log = append(log, m.Observe(start.Add(time.Duration(i)*time.Second), Sample{})...)
	}
	if len(log) != 1 || log[0].Health.State != event.Raised {
		t.Errorf("%v", log)
	}
}

// A process that stood still has seen nothing, so it may say nothing.
func TestStandstill(t *testing.T) {
	s := newSensor(t, Options{Silence: five}, "eth1")
	s.run(61*time.Minute, unicast(10))
	s.now = s.now.Add(time.Hour)
	s.run(five-time.Second, nil)
	s.want()
	s.run(2*time.Second, nil)
	s.want("raised capture.silent eth1")
}

// A caller that is always late gets its events all the same, only later.
func TestSlowCaller(t *testing.T) {
	s := newSensor(t, Options{SilenceBy: map[string]time.Duration{"eth1": time.Minute}}, "eth1")
	s.step = 20 * time.Second
	s.run(2*time.Minute, nil)
	s.want()
	s.run(20*time.Second, nil)
	s.want("raised capture.silent eth1")
}

func TestClockThatStandsStill(t *testing.T) {
	m := New(Options{SilenceBy: map[string]time.Duration{"eth1": time.Second}})
	for range 100 {
		if got := m.Observe(time.Time{}, Sample{[]Interface{{Name: "eth1"}}}); len(got) != 0 {
			t.Fatal(got)
		}
	}
}
