package health

import (
	"fmt"
	"slices"
	"time"

	"trailhound/agent/event"
)

// hour is the time between reminders, and how long what flaps must stay away
// to be over.
const hour = time.Hour

// key is what makes two findings the same condition.
type key struct {
	code  event.Code
	cause string
}

// finding is what is known of a condition at present.
type finding struct {
	active   bool
	judged   bool      // by a rule of this package, not by Set
	since    time.Time // when it set in, if it does so now
	info     string
	measures []event.Measure
	alias    string // of the interface that is the cause
}

// condition is one that is raised, or was until lately. The durations are
// times of the clock.
type condition struct {
	key
	finding
	told   bool          // raised, and not yet recovered
	flaps  bool          // its end is said after an hour without it
	times  uint64        // it has set in since it last stayed away for an hour
	said   time.Duration // when the last event was
	saidAt time.Time     // the same, by the wall clock
	ended  time.Duration // when it last went
}

// set takes in what is found of a condition and says what follows from it.
func (m *Monitor) set(k key, f finding) {
	c := m.conditions[k]
	if c != nil && !c.told && m.clock.at-c.said >= hour { // long over: not the same any more
		delete(m.conditions, k)
		c = nil
	}
	if c == nil {
		if !f.active {
			return
		}
		if len(m.conditions) >= MaxConditions {
			m.refusedConditions++
			return
		}
		c = &condition{key: k}
		m.conditions[k] = c
	}
	switch {
	case f.active && !c.active:
		c.times++
		if c.told { // it flaps: this is merged into what is raised
			f.since = c.since
		}
		c.finding = f
	case f.active:
		f.since = c.since
		c.finding = f
	case c.active:
		c.ended = m.clock.at
		f.since = c.since
		c.finding = f
	}
	m.settle(c)
}

// raised says whether a rule has raised a condition, or it is being held as
// flapping.
func (m *Monitor) raised(k key) bool {
	c := m.conditions[k]
	return c != nil && c.told && c.judged
}

// settle says what is due of a condition.
func (m *Monitor) settle(c *condition) {
	at := m.clock.at
	switch {
	case c.active && !c.told:
		c.told = true
		c.flaps = c.times > 1
		m.say(c, event.Raised)
	case c.told && !c.active && (!c.flaps || at-c.ended >= hour):
		c.told = false
		m.say(c, event.Recovered)
	case c.told && at-c.said >= hour:
		m.say(c, event.Reminded)
	case !c.told && at-c.said >= hour:
		delete(m.conditions, c.key)
	}
}

// settleAll says what has come due by time alone.
func (m *Monitor) settleAll() {
	list := make([]*condition, 0, len(m.conditions))
	for _, c := range m.conditions {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *condition) int { return compare(a.key, b.key) })
	for _, c := range list {
		m.settle(c)
	}
}

func (m *Monitor) say(c *condition, state event.HealthState) {
	c.said, c.saidAt = m.clock.at, m.clock.now
	info, measures := c.info, slices.Clone(c.measures[:min(len(c.measures), event.MaxMeasures-1)])
	if state == event.Reminded && !c.active {
		info += ", not at present"
	}
	if c.times > 1 {
		info += fmt.Sprintf(" (set in %d times)", c.times)
		measures = append(measures, event.Count("times", c.times))
	}
	e := event.NewHealth(m.clock.now, c.code, info, event.HealthFacts{State: state, Since: c.since, Cause: c.cause, Measures: measures})
	of := c.judged || c.code != event.HealthDetectionHome // which is Set of the configuration
	if of && slices.Contains(linkCodes[:], c.code) {
		e.Interface, e.Alias = c.cause, c.alias
	}
	m.due = append(m.due, e)
}
