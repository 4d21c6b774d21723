package suppress

import (
	"iter"
	"time"

	"trailhound/agent/event"
)

// Trial is what a rule would have done to events of the past.
type Trial struct {
	Events     uint64 // that it was tried with
	Matched    uint64 // that it holds for
	Detections uint64 // that those stand for, the repeats in summaries counted
	// Summaries are those of Matched that fold several detections: they are
	// judged by the first one's ports and destination.
	Summaries   uint64
	First, Last time.Time // of those matched
	Elsewhere   bool      // the rule is for other sensors; it was tried all the same
	Examples    []event.Event
}

// Test tries a rule with events, such as those of the journal, and gives up to
// examples of what it holds for, each another finding. Health events, which
// never pass a gate, and follow-ups are left out. The rule is judged by the time of
// each event. With problems nothing is tried.
func Test(r Rule, scope Scope, events iter.Seq[*event.Event], examples int) (trial Trial, problems []Problem) {
	c, errs := r.compile(&scope)
	for _, err := range errs {
		problems = append(problems, Problem{Rule: r.ID, At: r.At, Err: err})
	}
	if len(problems) > 0 {
		return trial, problems
	}
	trial.Elsewhere = c.elsewhere
	shown := make(map[key]bool)
	for e := range events {
		if e.Code.IsHealth() || e.FollowUp() {
			continue // the event that it follows is among them
		}
		trial.Events++
		v := newView(e)
		if !c.matches(&v) {
			continue
		}
		trial.Matched++
		trial.Detections += e.Detections()
		if e.Aggregate.Summary {
			trial.Summaries++
		}
		if trial.First.IsZero() || e.Time.Before(trial.First) {
			trial.First = e.Time
		}
		if e.Time.After(trial.Last) {
			trial.Last = e.Time
		}
		if k := keyOf(e, false); len(trial.Examples) < examples && !shown[k] {
			shown[k] = true
			trial.Examples = append(trial.Examples, *e)
		}
	}
	return trial, nil
}
