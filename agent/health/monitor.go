// Package health knows what the sensor does not see, and says so once. It is
// handed the capture's counters about once a second and the conditions that
// others find, and gives back the health events that are due. It has no
// goroutine and no clock of its own.
//
// # When something is said
//
// A condition is known by its code and its cause (an interface, an output). It
// is raised when it sets in, reminded of every hour while it lasts, and
// recovered when it is over. One that sets in again within an hour of its
// recovery is raised again, but from then on it flaps: its end is said only
// after a full hour without it, and all that comes and goes until then is
// counted and merged into the one that is raised. So events of a condition
// alternate, a fault is never held back, at most three events fall into any
// hour, and what keeps flapping costs one reminder per hour, which tells how
// many times it has set in.
//
// # What time it is
//
// Only the time between calls counts, by the monotonic reading of the times
// that are passed, if they have one. Going back counts as nothing. So does an
// interval of more than ten seconds, unless it follows another one: nobody
// looked meanwhile, be it that the process stood still or that a clock without
// a monotonic reading was set. So a step of the clock raises nothing, and a
// caller that is always late sees its clock go slow, not stand still. The wall
// clock is used for the times in events alone.
package health

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"trailhound/agent/event"
)

// Bounds of a Monitor.
const (
	MaxInterfaces = 1024
	MaxConditions = 8192 // raised, or over for less than an hour
)

// Options say what is wanted. The zero value is fit for use, without silence.
type Options struct {
	// Silence is after how long without a frame an interface is silent, if it
	// carried more than one packet per second over the hour before; 0: never.
	Silence time.Duration
	// SilenceBy is the same by interface name, whatever that carried before, and
	// from the start on, also if it is not there; 0: never.
	SilenceBy map[string]time.Duration
	// Wanted says whether an interface of that name is to be captured; nil: each
	// is. What is raised of one that is not, and is in no sample any more, is
	// over. It must not call the Monitor.
	Wanted func(name string) bool
}

// Monitor follows the health of the sensor. It is safe for use by many
// goroutines.
type Monitor struct {
	mu         sync.Mutex
	opt        Options
	clock      clock
	links      map[string]*link
	conditions map[key]*condition
	due        []event.Event // by the present call

	refusedLinks, refusedConditions int
}

// New makes a monitor.
func New(opt Options) *Monitor {
	m := &Monitor{links: make(map[string]*link), conditions: make(map[key]*condition)}
	m.Configure(opt)
	return m
}

// Configure changes the options. What is raised and no longer wanted is
// recovered by the next Observe.
func (m *Monitor) Configure(opt Options) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opt = Options{opt.Silence, maps.Clone(opt.SilenceBy), opt.Wanted}
	for _, name := range slices.Sorted(maps.Keys(opt.SilenceBy)) {
		if opt.SilenceBy[name] > 0 && m.links[name] == nil && len(m.links) < MaxInterfaces {
			m.links[name] = newLink(name, m.clock.at)
		}
	}
}

// Observe takes the counters of now, about once a second, and gives the events
// that are due, also those of conditions that came by Set.
func (m *Monitor) Observe(now time.Time, s Sample) []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock.advance(now)
	m.take(s)
	for _, name := range slices.Sorted(maps.Keys(m.links)) {
		l := m.links[name]
		if !m.keeps(l) {
			m.release(l)
			continue
		}
		m.judge(l)
	}
	m.settleAll()
	return m.said()
}

// Set reports a condition that somebody else has found (active) or found to be
// over, as often as they like, and gives the events that are due. Info is a
// sentence for people: what is wrong, or that it is not any more. The last info
// and measures of an active condition are those of its reminders.
func (m *Monitor) Set(now time.Time, code event.Code, cause string, active bool, info string, measures ...event.Measure) []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock.advance(now)
	cause, _ = event.Clean([]byte(cause), event.MaxEvidence)
	info, _ = event.Clean([]byte(info), event.MaxEvidence)
	m.set(key{code, cause}, finding{active: active, since: now, info: info, measures: slices.Clone(measures[:min(len(measures), event.MaxMeasures)])})
	return m.said()
}

// said gives the events of the present call.
func (m *Monitor) said() []event.Event {
	due := m.due
	m.due = nil
	return due
}

// A State is a condition that was raised and has not been recovered.
type State struct {
	Code     event.Code
	Cause    string
	Since    time.Time // when it set in
	Reminded time.Time // when it was last said
	Clear    bool      // it flaps and is not there at present
	Times    uint64    // it has set in, those merged into it included
	Info     string
	Measures []event.Measure
}

// States gives the conditions that are raised, by code and cause: what status
// and readiness show, and what is said anew when a journal was away.
func (m *Monitor) States() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []State
	for _, c := range m.conditions {
		if c.told {
			list = append(list, State{Code: c.code, Cause: c.cause, Since: c.since, Reminded: c.saidAt, Clear: !c.active, Times: c.times,
				Info: c.info, Measures: slices.Clone(c.measures)})
		}
	}
	slices.SortFunc(list, func(a, b State) int {
		return compare(key{a.Code, a.Cause}, key{b.Code, b.Cause})
	})
	return list
}

// Unfollowed gives how many interfaces of the last sample MaxInterfaces kept
// out, and how many conditions MaxConditions did since the start.
func (m *Monitor) Unfollowed() (interfaces, conditions int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refusedLinks, m.refusedConditions
}

func compare(a, b key) int {
	if n := strings.Compare(string(a.code), string(b.code)); n != 0 {
		return n
	}
	return strings.Compare(a.cause, b.cause)
}
