package status

import (
	"cmp"
	"slices"
	"time"
)

// Suppress is the operator's suppression rules.
type Suppress struct {
	// How many there are, by state. Refused counts those that are wrong and
	// therefore not in force, and rule files that cannot be read.
	Active    uint64 `json:"active"`
	Waiting   uint64 `json:"waiting"`   // outside their schedule
	Expired   uint64 `json:"expired"`   // their time is over
	Elsewhere uint64 `json:"elsewhere"` // for other sensors
	Refused   uint64 `json:"refused"`
	// Problems say what is wrong with those refused: at most MaxProblems.
	Problems []string `json:"problems"`
	// Rules are those that were not refused, in their order; of more than
	// MaxRules those with the most hits, in the order of their hits.
	Rules []Rule `json:"rules"`
}

// Rule is one suppression rule with what it did since the start.
type Rule struct {
	ID      string    `json:"id"`
	Action  string    `json:"action"` // drop, local or lower
	Reason  string    `json:"reason"`
	Owner   string    `json:"owner,omitempty"`
	Created string    `json:"created,omitempty"`
	Expires string    `json:"expires,omitempty"` // as it is written
	State   string    `json:"state"`             // active, waiting, expired or elsewhere
	Hits    uint64    `json:"hits"`              // events that it decided about
	LastHit time.Time `json:"last_hit,omitzero"` // time of the last of them
	// Searched: it has no value to find it by, so it is tried with every event.
	Searched bool `json:"searched,omitempty"`
}

// Bounds of a Suppress: it must fit into an answer.
const (
	MaxRules    = 5000
	MaxProblems = 100
)

func (s *Suppress) complete() {
	present(&s.Rules)
	present(&s.Problems)
	if len(s.Rules) > MaxRules {
		slices.SortStableFunc(s.Rules, func(a, b Rule) int { return cmp.Compare(b.Hits, a.Hits) })
		s.Rules = s.Rules[:MaxRules]
	}
	s.Problems = s.Problems[:min(len(s.Problems), MaxProblems)]
	for i := range s.Rules {
		s.Rules[i].LastHit = s.Rules[i].LastHit.UTC()
	}
}
