package suppress

import (
	"net/netip"
	"time"

	"trailhound/agent/event"
)

// Bounds of the follow-ups in one minute that say that nothing came of something:
// those about one source, and all. A host that asks for thousands of listed names
// would else double what a SIEM is sent at its worst moment.
const (
	maxVainOf = 60
	maxVain   = 600
)

// quota counts such follow-ups of the present minute.
type quota struct {
	minute time.Time
	all    int
	by     map[netip.Addr]int
}

// takes says whether there is room for a follow-up, and takes it. What was
// answered needs none, unless it is of low severity.
func (q *quota) takes(e *event.Event, now time.Time) bool {
	if e.Outcome == event.Answered && e.Severity >= event.Medium {
		return true
	}
	if minute := now.Truncate(time.Minute); !minute.Equal(q.minute) {
		q.minute, q.all = minute, 0
		clear(q.by)
	}
	src := e.Client()
	if q.all >= maxVain || q.by[src] >= maxVainOf {
		return false
	}
	if q.by == nil {
		q.by = make(map[netip.Addr]int)
	}
	q.all++
	q.by[src]++
	return true
}
