package suppress

import (
	"fmt"
	"time"
)

// State says whether a rule is in force.
type State string

// The states.
const (
	Active    State = "active"
	Expired   State = "expired"
	Waiting   State = "waiting"   // outside its schedule
	Elsewhere State = "elsewhere" // for other sensors
)

// Status is a rule with what it did since the program started.
type Status struct {
	ID       string    `json:"id"`
	Action   string    `json:"action"`
	Reason   string    `json:"reason"`
	Owner    string    `json:"owner,omitempty"`
	Created  string    `json:"created,omitempty"`
	Expires  string    `json:"expires,omitempty"`
	State    State     `json:"state"`
	Hits     uint64    `json:"hits"`               // events that it decided about
	LastHit  time.Time `json:"last_hit,omitzero"`  // time of the last of them
	Searched bool      `json:"searched,omitempty"` // not indexed: tried with every event
}

// List gives the rules in the order in which they were given.
func (s *Set) List(now time.Time) []Status {
	if s == nil {
		return nil
	}
	searched := make(map[*compiled]bool, len(s.index.rest))
	for _, i := range s.index.rest {
		searched[s.rules[i]] = true
	}
	list := make([]Status, len(s.all))
	for i, c := range s.all {
		list[i] = c.status(now)
		list[i].Searched = searched[c]
	}
	return list
}

func (c *compiled) status(now time.Time) Status {
	r := &c.rule
	st := Status{ID: r.ID, Action: r.Action, Reason: r.Reason, Owner: r.Owner, Created: r.Created, Expires: r.Expires,
		State: Active, Hits: c.hits.count.Load()}
	if us := c.hits.last.Load(); us != 0 {
		st.LastHit = time.UnixMicro(us).UTC()
	}
	switch {
	case c.elsewhere:
		st.State = Elsewhere
	case !c.expires.IsZero() && !now.Before(c.expires):
		st.State = Expired
	case c.window != nil && !c.window.holds(now):
		st.State = Waiting
	}
	return st
}

// Expired gives the rules of this sensor that have expired by now and that it
// has not given before, be it of this set or of the ones it follows.
func (s *Set) Expired(now time.Time) (list []Status) {
	if s == nil {
		return nil
	}
	for _, c := range s.rules {
		if !c.expires.IsZero() && !now.Before(c.expires) && !c.hits.told.Swap(true) {
			list = append(list, c.status(now))
		}
	}
	return list
}

// String says in one sentence what there is to know of an expired rule.
func (st Status) String() string {
	owner := ""
	if st.Owner != "" {
		owner = ", owner " + st.Owner
	}
	return fmt.Sprintf("suppression rule %s (%s%s) is %s: %s; %d hits", st.ID, st.Reason, owner, st.State, st.Action, st.Hits)
}
