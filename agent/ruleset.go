package agent

import (
	"sync/atomic"

	"trailhound/agent/detect"
)

// ruleset is one generation of rules in a chain of them. A worker walks the
// chain and tells each link that it has arrived, so a link knows when nobody
// uses those before it.
type ruleset struct {
	rules *detect.Rules
	next  atomic.Pointer[ruleset]
	away  atomic.Int32  // workers that have not arrived
	taken chan struct{} // closed when all have
}

func newRuleset(rules *detect.Rules, workers int) *ruleset {
	r := &ruleset{rules: rules, taken: make(chan struct{})}
	r.away.Store(int32(workers))
	if workers == 0 {
		close(r.taken)
	}
	return r
}

// arrive is called once by each worker.
func (r *ruleset) arrive() {
	if r.away.Add(-1) == 0 {
		close(r.taken)
	}
}

// latest walks to the end of the chain, arriving at each link.
func (r *ruleset) latest() *ruleset {
	for next := r.next.Load(); next != nil; next = r.next.Load() {
		r = next
		r.arrive()
	}
	return r
}
