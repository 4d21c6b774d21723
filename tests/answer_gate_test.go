package tests

import (
	"fmt"
	"testing"
	"time"

	"trailhound/agent/event"
	. "trailhound/tests/corpus"
)

// A resolver that everybody uses is on the whitelist and asks for many clients:
// what its answers hold is found all the same, for each of them.
func TestAnswersOfAResolver(t *testing.T) {
	c := Case{Trails: []string{"198.51.100.66,botnet c2 (test)"}, Whitelist: []string{resolver}}
	for i := range 6 {
		one := fmt.Sprintf("10.0.0.%d", 10+i%3)
		c.Frames = append(c.Frames, At(i, eth(resolver, one, UDP(53, uint16(50000+i), Answered(Query(Ask("clean.example.com")), "198.51.100.66")))))
	}
	events, _ := replay(t, setup{rules: caseRules(t, &c), white: caseWhitelist(t, &c), workers: 2, aggregate: time.Minute}, caseFile(t, &c))
	first := map[string]int{}
	for i := range events {
		if e := &events[i]; e.Code != event.TrailIPAnswer {
			t.Errorf("%+v", e)
		} else if !e.Aggregate.Summary {
			first[e.Dst.String()]++
		}
	}
	if len(first) != 3 || first["10.0.0.10"] != 1 {
		t.Errorf("first events by client: %v", first)
	}
}
