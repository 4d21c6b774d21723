package tests

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"trailhound/agent/event"
	. "trailhound/tests/corpus"
)

// TestWorkersAgreeOnRepeats: what a collector has forgotten depends on what else
// its worker saw. A repeat that comes late, or after the clock was set back and
// went on, is judged alike with any number of workers.
func TestWorkersAgreeOnRepeats(t *testing.T) {
	const pairs = 40
	at := func(ms int, p Packet) Stamped {
		return Stamped{Time: Start.Add(time.Duration(ms) * time.Millisecond), Frame: p.Ethernet()}
	}
	ports := func(all []Stamped, ms, from, to int) []Stamped {
		for i := range pairs {
			for port := from; port < to; port++ {
				all = append(all, at(ms, IP(fmt.Sprintf("203.0.113.%d", i), victim, Syn(40000, uint16(port)))))
			}
		}
		return all
	}
	others := func(all []Stamped, span int) []Stamped { // what makes a collector forget
		for n := range 12000 {
			all = append(all, at(span*n/12000, IP(fmt.Sprintf("11.%d.%d.%d", n>>16, n>>8&255, n&255), "198.51.100.9", Syn(40000, 22))))
		}
		return all
	}
	late := others(ports(nil, 0, 1000, 1010), 28000)
	late = ports(ports(late, 500, 1000, 1010), 35000, 1010, 1011)
	back := ports(others(ports(nil, 100000, 1000, 1010), 0), 100000, 1000, 1011)
	// A frame that is no evidence shows that the clock was set back.
	silent := append(ports(nil, 100000, 1000, 1010), at(0, IP(client, victim, ICMP(0, 0))))
	silent = append(ports(silent, 75000, 1000, 1010), at(60000, IP(client, victim, Syn(1, 22))))
	silent = ports(silent, 75000, 1000, 1011)
	for name, c := range map[string]struct {
		frames []Stamped
		want   int
	}{"late": {late, 0}, "set back": {back, pairs}, "set back, shown by no evidence": {silent, pairs}} {
		t.Run(name, func(t *testing.T) {
			c0 := Case{Frames: c.frames}
			path := caseFile(t, &c0)
			s := setup{rules: caseRules(t, &c0)}
			for _, s.workers = range []int{1, 2, 4, 8} {
				if events, _ := replay(t, s, path); len(events) != c.want {
					t.Errorf("%d workers: %d events, want %d", s.workers, len(events), c.want)
				}
			}
		})
	}
}

// TestWorkersAgreeWhenClocksStep is TestWorkersAgree with times that step far
// back, and names that many hosts ask for.
func TestWorkersAgreeWhenClocksStep(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 10
	}
	for seed := uint64(100); seed < 100+seeds; seed++ {
		r := rand.New(rand.NewPCG(seed, 1))
		at := Start
		var all []Stamped
		for range 2500 {
			switch r.IntN(60) {
			case 0:
				at = at.Add(time.Duration(r.IntN(300)) * time.Second)
			case 1:
				at = at.Add(-time.Duration(r.IntN(90000)) * time.Millisecond)
			case 2:
				at = at.Add(-time.Duration(r.IntN(25000)) * time.Millisecond)
			default:
				at = at.Add(time.Duration(r.IntN(3)) * 100 * time.Millisecond)
			}
			if r.IntN(60) == 0 {
				kind := r.IntN(6)
				for range 60 {
					at = at.Add(time.Duration(r.IntN(200)) * time.Millisecond)
					all = append(all, Stamped{Time: at, Frame: linked(r, attackPacket(r, kind))})
				}
				continue
			}
			var f Frame
			switch r.IntN(6) {
			case 0:
				q := Query(Ask(fmt.Sprintf("n%d.d%d.org", r.IntN(9), r.IntN(2))))
				f = IP(resolver, fmt.Sprintf("10.0.0.%d", r.IntN(12)), UDP(53, uint16(50000+r.IntN(4)), Reply(3, q))).Ethernet()
			case 1:
				q := Query(Ask(fmt.Sprintf("n%dabcdefghijklmnopqrstuvwxyzabc.d%d.org", r.IntN(99), r.IntN(2))))
				f = IP(fmt.Sprintf("10.0.0.%d", r.IntN(12)), resolver, UDP(uint16(50000+r.IntN(4)), 53, q)).Ethernet()
			default:
				if f = linked(r, randomPacket(r)); len(all) > 0 && r.IntN(5) == 0 {
					f = all[r.IntN(len(all))].Frame
				}
			}
			all = append(all, Stamped{Time: at, Frame: f})
		}
		c := Case{Frames: all, Trails: plus("198.51.100.0/24,botnet c2 (test)"), Whitelist: []string{"10.0.0.7"}}
		path := writeCase(t, c)
		s := setup{rules: caseRules(t, &c), white: caseWhitelist(t, &c), aggregate: time.Duration(seed%3) * 10 * time.Second}
		var want []event.Event
		for _, s.workers = range []int{1, 2, 4, 8} {
			got, _ := replay(t, s, path)
			if s.workers == 1 {
				want = got
			}
			sameEvents(t, fmt.Sprintf("seed %d, %d workers", seed, s.workers), got, want)
		}
	}
}
