package health

import (
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
)

// A sensor is a monitor with a clock and counters to turn.
type sensor struct {
	*Monitor
	t    *testing.T
	now  time.Time
	in   []Interface
	log  []event.Event // what the last step said
	step time.Duration
}

func newSensor(t *testing.T, opt Options, names ...string) *sensor {
	b := &sensor{Monitor: New(opt), t: t, now: time.Date(2026, 2, 16, 9, 0, 0, 0, time.UTC), step: time.Second}
	for _, n := range names {
		b.in = append(b.in, Interface{Name: n, Up: true})
	}
	b.run(0, nil) // the first sample is where counting begins
	return b
}

// run lets the time pass, a step at a time; each changes the counters before
// they are observed. It gives what was said.
func (b *sensor) run(d time.Duration, each func(*Interface)) []event.Event {
	b.t.Helper()
	b.log = nil
	for done := time.Duration(0); ; done += b.step {
		if each != nil && d > 0 {
			for i := range b.in {
				each(&b.in[i])
			}
		}
		if d > 0 {
			b.now = b.now.Add(b.step)
		}
		b.log = append(b.log, b.Observe(b.now, Sample{b.in})...)
		if done+b.step >= d {
			return b.log
		}
	}
}

// want compares what the last run said: "state code cause" each.
func (b *sensor) want(what ...string) {
	b.t.Helper()
	var got []string
	for _, e := range b.log {
		got = append(got, string(e.Health.State)+" "+strings.TrimPrefix(string(e.Code), "health.")+" "+e.Health.Cause)
	}
	if strings.Join(got, "\n") != strings.Join(what, "\n") {
		b.t.Fatalf("at %v it says\n  %s\nwant\n  %s", b.now, strings.Join(got, "\n  "), strings.Join(what, "\n  "))
	}
}

func (b *sensor) info(i int, want string) {
	b.t.Helper()
	if b.log[i].Info != want {
		b.t.Errorf("it says %q, want %q", b.log[i].Info, want)
	}
}

func measure(e event.Event, name string) float64 {
	for _, m := range e.Health.Measures {
		if m.Name == name {
			return m.Value
		}
	}
	return -1
}

// unicast is traffic of n packets per step.
func unicast(n uint64) func(*Interface) {
	return func(i *Interface) { i.Packets += n; i.Host += n; i.Bytes += n * 100 }
}
