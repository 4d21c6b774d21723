package tests

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/suppress"
	"trailhound/trails/starter"

	. "trailhound/tests/corpus"
)

// explain explains one packet of a capture.
func explain(t testing.TB, s setup, number uint64, file string) *agent.Explanation {
	t.Helper()
	gate := suppress.Options{Window: s.aggregate}
	if s.white != nil {
		gate.Whitelisted = s.white.Addr
	}
	r := agent.Replay{Files: []string{file}, Rules: s.rules, Board: board.NewBoard(s.rules.Board()), Gate: suppress.New(gate)}
	x, err := r.Explain(t.Context(), number)
	if err != nil {
		t.Fatalf("packet %d: %v", number, err)
	}
	return x
}

// TestExplainIsReplay: the explanations of all packets of a capture hold the events
// of its replay, with their ids, and the gate lets the same ones pass.
func TestExplainIsReplay(t *testing.T) {
	var mixed []Stamped
	for i := range 12 { // a scan, crossing at the eleventh port
		mixed = append(mixed, At(i/4, eth(scanner, victim, Syn(40000, uint16(1000+i)))))
	}
	for i := range 21 { // one answer too many
		mixed = append(mixed, At(4+i/4, eth("198.51.100.53", client, UDP(53, 50000+uint16(i), Reply(3, Query(Ask("no.qzxkvbnwpt.com")))))))
	}
	for i := range 6 { // repeats, in and out of one second
		mixed = append(mixed, At(20+i/2, eth(client, "198.51.100.53", UDP(50000, 53, Query(Ask("www.evil.org"))))))
	}
	mixed = append(mixed, At(30, attackOf("GET", "/x?f=../../../a", "")), At(31, attackOf("GET", "/x?f=../../../a", "")),
		At(32, eth(client, web, TCP(50041, 443, PSH|ACK, Record(ClientHello("www.evil.org"))))), At(400, attackOf("GET", "/", "")))
	file := caseFile(t, &Case{Frames: mixed})
	rules := detect.NewRules(tableOf(t, "evil.org,ek test (malicious),(static)\n"), nil, detect.Options{Heuristics: true, HostDomains: true, Redact: true})
	demo := setup{rules: detect.NewRules(tableOf(t, string(starter.Trails())), starter.Whitelist(), detect.Options{Heuristics: true, HostDomains: true, Redact: true,
		Home: event.NewHomeNetworks(nil), UserAgents: starter.UserAgents()}), white: starter.Whitelist(), workers: 1}
	for _, c := range []struct {
		name    string
		setup   setup
		file    string
		packets int
		least   int
	}{
		{"mixed", setup{rules: rules, workers: 1}, file, len(mixed), 7},
		{"demo", demo, filepath.Join("corpus", "demo.pcap"), len(Demo()), 15},
	} {
		for _, aggregate := range []time.Duration{0, time.Minute} {
			c.setup.aggregate = aggregate
			events, _ := replay(t, c.setup, c.file)
			var want, got []string
			for i := range events {
				if e := &events[i]; !e.Aggregate.Summary {
					want = append(want, fmt.Sprintf("%x %s %s %d", e.ID, e.Code, e.Trail, e.Number))
				}
			}
			for n := 1; n <= c.packets; n++ {
				x := explain(t, c.setup, uint64(n), c.file)
				judged := slices.Clone(x.Raised)
				for i := range x.Evidence {
					judged = append(judged, x.Evidence[i].Found...)
				}
				for i := range judged {
					if e := &judged[i]; e.Gate.Did == suppress.Passed {
						got = append(got, fmt.Sprintf("%x %s %s %d", e.ID, e.Code, e.Trail, e.Number))
					}
				}
				if x.Decoded.Number != uint64(n) || x.Before.Packets != uint64(n-1) {
					t.Errorf("%s: packet %d: %+v, before %+v", c.name, n, x.Decoded, x.Before)
				}
			}
			slices.SortStableFunc(want, cmp.Compare)
			slices.SortStableFunc(got, cmp.Compare)
			if len(want) < c.least && aggregate == 0 {
				t.Errorf("%s: %d events only", c.name, len(want))
			}
			sameLines(t, got, want)
		}
	}
}

// TestExplainStandings: what the board says before and after each piece of evidence
// fits together, and crosses where the event is.
func TestExplainStandings(t *testing.T) {
	var frames []Stamped
	for i := range 14 {
		frames = append(frames, At(i, eth(scanner, victim, Syn(40000, uint16(1000+i)))))
	}
	file := caseFile(t, &Case{Frames: frames})
	s := setup{rules: detect.NewRules(tableOf(t, ""), nil, detect.Options{Heuristics: true})}
	for n := 1; n <= len(frames); n++ {
		x := explain(t, s, uint64(n), file)
		if len(x.Evidence) != 1 || len(x.Evidence[0].Before) != 1 || len(x.Evidence[0].After) != 1 {
			t.Fatalf("packet %d: %+v", n, x.Evidence)
		}
		e := &x.Evidence[0]
		before, after := e.Before[0], e.After[0]
		if before.Code != event.ScanPort || before.Value != float64(min(n-1, 11)) || after.Value != float64(min(n, 11)) ||
			after.Threshold != 10 || after.Window != 30*time.Second || (n > 10) != !after.Silent.IsZero() || (n == 11) != (len(e.Found) == 1) {
			t.Errorf("packet %d: %+v, then %+v, %d found", n, before, after, len(e.Found))
		}
	}
}

// TestExplainSteps: what is looked up is written down, whatever came before.
func TestExplainSteps(t *testing.T) {
	frames := Each(eth(client, "198.51.100.53", UDP(50000, 53, Query(Ask("www.fine.org")))), eth(client, "198.51.100.53", UDP(50001, 53, Query(Ask("www.fine.org")))))
	file := caseFile(t, &Case{Frames: frames})
	s := setup{rules: detect.NewRules(tableOf(t, "evil.org,malware (test),(static)\n"), nil, detect.Options{Heuristics: true})}
	for n, want := range []detect.Result{detect.ResultMiss, detect.ResultClean} {
		x := explain(t, s, uint64(n+1), file)
		last := x.Trace.Steps[len(x.Trace.Steps)-1]
		if last.What != "name" || last.Text != "www.fine.org" || last.Result != want {
			t.Errorf("packet %d: %+v", n+1, x.Trace.Steps)
		}
	}
	// A thousand requests in one segment are bounded.
	var many string
	for range 400 {
		many += Get("a.org", "/x")
	}
	file = caseFile(t, &Case{Frames: Each(eth(client, web, TCP(50000, 80, PSH|ACK, many)))})
	if x := explain(t, s, 1, file); len(x.Trace.Steps) != 1000 || x.Trace.More == 0 {
		t.Errorf("%d steps, %d more", len(x.Trace.Steps), x.Trace.More)
	}
}
