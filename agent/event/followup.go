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
