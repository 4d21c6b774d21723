package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"trailhound/agent/event"
)

// Reason is one thing that keeps a sensor from being ready.
type Reason struct {
	Code string `json:"code"` // stable, one of ReasonCodes
	Text string `json:"text"` // for people
}

// The codes of reasons.
const (
	ReasonState        = "sensor.state"    // starting or draining
	ReasonNoCapture    = "capture.none"    // no worker or no ring
	ReasonStalled      = "capture.stalled" // a worker does not go round
	ReasonDown         = "capture.down"    // no interface is up
	ReasonRestart      = "capture.restart_needed"
	ReasonMissing      = "capture.missing" // an interface that has to be captured is not
	ReasonNoTrails     = "trails.none"
	ReasonStarter      = "trails.starter"
	ReasonStale        = "trails.stale"
	ReasonOutputDown   = "output.down"
	ReasonOutputBehind = "output.behind" // its queue is nearly full
	ReasonJournal      = "journal.memory"
)

// ReasonCodes lists the codes of reasons.
func ReasonCodes() []string {
	return []string{ReasonState, ReasonNoCapture, ReasonStalled, ReasonDown, ReasonRestart, ReasonMissing,
		ReasonNoTrails, ReasonStarter, ReasonStale, ReasonJournal, ReasonOutputDown, ReasonOutputBehind}
}

// StallAfter is how long after its last loop a worker counts as stalled. Idle
// workers loop several times a second.
const StallAfter = 10 * time.Second

// behindAfter is how long an event may wait for an output.
const behindAfter = 5 * time.Minute

// NotReady tells what keeps a sensor from being ready; nothing: it is. Ready
// is a sensor that captures on all interfaces that have to be there and of which
// at least one is up, matches against trails that are real and fresh enough, whose
// journal is on disk, and whose outputs all keep up.
func NotReady(s *Snapshot) (why []Reason) {
	not := func(code, text string, args ...any) {
		why = append(why, Reason{code, fmt.Sprintf(text, args...)})
	}
	if s.State != Running {
		state := s.State
		if state == "" {
			state = Starting
		}
		not(ReasonState, "the sensor is %s", state)
	}
	s.Capture.notReady(s.Time, not)
	switch t := &s.Trails; {
	case t.Count == 0:
		not(ReasonNoTrails, "no trails are loaded")
	case t.Starter:
		not(ReasonStarter, "only the built-in starter trails are in use")
	case t.MaxAgeSeconds > 0 && t.AgeSeconds > t.MaxAgeSeconds:
		not(ReasonStale, "the trails are %s old, more than trails.max_age of %s", duration(t.AgeSeconds), duration(t.MaxAgeSeconds))
	}
	if s.Journal.Degraded != "" {
		reason, _ := event.Clean([]byte(s.Journal.Degraded), 200)
		not(ReasonJournal, "events are kept in memory only, and what is not delivered is lost at the end: %s", reason)
	}
	for i := range s.Outputs {
		o := &s.Outputs[i]
		if !o.Healthy {
			text := fmt.Sprintf("output %q does not deliver", o.Name)
			if o.LastError != "" {
				reason, _ := event.Clean([]byte(o.LastError), 200)
				text += ": " + reason
			}
			not(ReasonOutputDown, "%s", text)
		}
		if behind := seconds(o.OldestAt, s.Time); behind > behindAfter.Seconds() {
			not(ReasonOutputBehind, "output %q is %s behind: %d events wait", o.Name, duration(behind), o.Queued)
		}
	}
	return why
}

func (c *Capture) notReady(now time.Time, not func(code, text string, args ...any)) {
	c.notCaptured(not)
	if len(c.Workers) == 0 || len(c.Rings) == 0 {
		not(ReasonNoCapture, "nothing is captured: %d workers, %d rings", len(c.Workers), len(c.Rings))
		return
	}
	stalled := 0
	for i := range c.Workers {
		if w := &c.Workers[i]; w.stalled(now) {
			if stalled++; stalled > 1 {
				continue // one of 64 says it all
			}
			if w.LastLoop.IsZero() {
				not(ReasonStalled, "worker %d of group %q has not started to read", w.Worker, w.Group)
			} else {
				not(ReasonStalled, "worker %d of group %q last read %s ago", w.Worker, w.Group, duration(now.Sub(w.LastLoop).Seconds()))
			}
		}
	}
	// With none listed yet every frame is still to come, as is known of "any".
	if n := len(c.Interfaces); n > 0 && c.up() == 0 {
		not(ReasonDown, "none of %d interfaces is up", n)
	}
}

// notCaptured says which interfaces are not captured though they should be: those
// that are there and that no socket is left for, given by name or by a pattern,
// and those that were called for by name.
func (c *Capture) notCaptured(not func(code, text string, args ...any)) {
	if len(c.RestartNeeded) > 0 {
		not(ReasonRestart, "%s: not captured before a restart, since no spare socket is left: see capture.spare_sockets", someOf(c.RestartNeeded))
	}
	var names []string
	why := ""
	for i := range c.Missing {
		m := &c.Missing[i]
		if m.Required && !slices.Contains(c.RestartNeeded, m.Interface) {
			if names = append(names, m.Interface); why == "" {
				why, _ = event.Clean([]byte(m.Reason), 200)
			}
		}
	}
	if len(names) > 0 {
		not(ReasonMissing, "%s: not captured, %s; what need not be there is marked optional: true", someOf(names), why)
	}
}

// someOf names the first of many interfaces.
func someOf(names []string) string {
	const some = 8
	noun, more := "interface ", ""
	if len(names) > 1 {
		noun = "interfaces "
	}
	if n := len(names) - some; n > 0 {
		names, more = names[:some], fmt.Sprintf(" and %d more", n)
	}
	return noun + strings.Join(names, ", ") + more
}

func (w *Worker) stalled(now time.Time) bool { return now.Sub(w.LastLoop) > StallAfter }

// up counts the interfaces that are.
func (c *Capture) up() (n int) {
	for i := range c.Interfaces {
		if c.Interfaces[i].Up {
			n++
		}
	}
	return n
}

// running counts the workers that go round.
func (c *Capture) running(now time.Time) (n int) {
	for i := range c.Workers {
		if !c.Workers[i].stalled(now) {
			n++
		}
	}
	return n
}

// duration writes seconds as Go does, rounded to what matters.
func duration(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d > 2*time.Hour {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.Round(time.Second).String()
}
