package event

// FollowUp says whether the event tells no more than the outcome of the first
// event with its aggregate id: it stands for no detection.
func (e *Event) FollowUp() bool { return e.Aggregate.Summary && e.Aggregate.Count == 0 }

// Detections is how many detections the event stands for. The sum over all events
// is the number of detections.
func (e *Event) Detections() uint64 {
	if e.FollowUp() {
		return 0
	}
	return max(e.Aggregate.Count, 1)
}

// IsRetro says whether the event is of what was seen before its trail was known:
// of no packet of its time.
func (e *Event) IsRetro() bool { return !e.Retro.Last.IsZero() }

// BeyondReference says whether the reference has no record for the event. It knows
// neither health events nor follow-ups, and would show what was seen long ago as a
// connection of now.
func (e *Event) BeyondReference() bool { return e.Code.IsHealth() || e.FollowUp() || e.IsRetro() }
