package agent

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
)

// TestLiveOutcome: what a worker sees of an answer reaches the gate, which tells
// it when the window closes by the clock; switched on and off while it runs.
func TestLiveOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opt := suppress.Options{Window: time.Minute, Outcomes: true}
		r := start(t, 2, LiveOptions{Rules: memoryRules(t, "x"), Gate: suppress.New(opt)})
		packet := func(f corpus.Frame) {
			r.sources[0].batches <- frames(corpus.Stamped{Time: time.Now().UTC(), Frame: f})
			synctest.Wait()
		}
		there := func(sport uint16) { packet(corpus.IP("10.0.0.1", listed, corpus.Syn(sport, 80)).Ethernet()) }
		back := func(dport uint16, flags uint8) {
			packet(corpus.IP(listed, "10.0.0.1", corpus.TCP(80, dport, flags, "")).Ethernet())
		}
		outcomes := func() (all []event.Outcome) {
			for _, e := range r.seen() {
				all = append(all, e.Outcome)
			}
			return all
		}
		there(5)
		time.Sleep(time.Second)
		back(5, corpus.SYN|corpus.ACK)
		r.Canary() // is not part of it
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if got := outcomes(); len(got) != 3 || got[2] != event.Answered {
			t.Fatalf("answered: %v", got)
		}
		there(6)
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if got := outcomes(); len(got) != 5 || got[4] != event.Attempted {
			t.Fatalf("in vain: %v", got)
		}
		opt.Outcomes = false
		r.Configure(opt)
		time.Sleep(time.Second) // every worker has turned round
		there(7)
		back(7, corpus.RST)
		time.Sleep(70 * time.Second)
		synctest.Wait()
		if got := outcomes(); len(got) != 6 || got[5] != event.OutcomeNone {
			t.Fatalf("switched off: %v", got)
		}
		opt.Outcomes = true
		r.Configure(opt)
		time.Sleep(time.Second)
		there(8)
		back(8, corpus.RST)
		got := r.end(t)
		if len(got) != 8 || got[7].Outcome != event.Refused || got[7].Aggregate.ID != got[6].ID {
			t.Fatalf("at the end: %+v", got)
		}
		if n := r.Tally().Gate; n.FollowUps != 3 || n.Detected != 4 {
			t.Errorf("%+v", n)
		}
	})
}

// TestLiveDroppedAnswer: when an answer was dropped, silence means nothing for the
// events that were still on their way to the gate, from whichever worker.
func TestLiveDroppedAnswer(t *testing.T) {
	now := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	for name, other := range map[string]bool{"same worker": false, "another worker": true} {
		t.Run(name, func(t *testing.T) {
			var all []event.Event
			l := NewLive(LiveOptions{Rules: memoryRules(t, "x"), Gate: suppress.New(suppress.Options{Window: time.Minute, Outcomes: true}),
				Sink: func(events []event.Event) { all = append(all, events...) }})
			for range 2 {
				l.lanes = append(l.lanes, &lineup{queue: make(chan item, 2), wake: l.wake})
			}
			e := event.Event{ID: [16]byte{1}, Time: now, Type: event.IP, Code: event.TrailIP, Severity: event.High, Src: netip.MustParseAddr("10.0.0.1"),
				Dst: netip.MustParseAddr(listed), SrcPort: 5, DstPort: 80, Protocol: "TCP", Trail: listed, Aggregate: event.Aggregate{Count: 1}}
			c, _ := event.ConversationOf(&e)
			l.lanes[1].put(item{answer: &event.Answer{Outcome: event.Answered, Time: now}}) // answers are seen here
			l.lanes[1].put(item{event: &e})
			from := l.lanes[1]
			if other {
				from = l.lanes[0]
				for range 2 {
					from.put(item{answer: &event.Answer{Outcome: event.Answered, Time: now}})
				}
			}
			from.put(item{answer: &event.Answer{Conversation: c, Outcome: event.Answered, Time: now}})
			l.drain()
			l.opt.Gate.Advance(now.Add(time.Minute), l.out)
			l.flush()
			if len(all) != 1 || l.opt.Gate.Counts().Outcomes[event.Attempted] != 0 {
				t.Errorf("%d events, %+v", len(all), l.opt.Gate.Counts())
			}
		})
	}
}
