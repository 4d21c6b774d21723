package tests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trailhound/agent"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/suppress"
	. "trailhound/tests/corpus"
)

// TestWorkersAgree replays random mixes with one to eight workers. Whatever
// their number, the same events come out, in the same order, with the same ids
// and the same summaries; and their counts add up to what was detected.
func TestWorkersAgree(t *testing.T) {
	for seed := range uint64(6) {
		frames := mix(rand.New(rand.NewPCG(seed, 1)), 2500)
		// Two files are one stream; what repeats over their border repeats.
		dir := t.TempDir()
		files := []string{filepath.Join(dir, "a.pcapng"), filepath.Join(dir, "b.pcapng")}
		for i, part := range [][]Stamped{frames[:1000], frames[1000:]} {
			if err := os.WriteFile(files[i], Pcapng(part), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c := Case{Trails: plus("198.51.100.0/24,botnet c2 (test)", "/x?,malware (test)", "ua:evilbot,malware (test)"), UserAgents: "masscan\n", Whitelist: []string{"10.0.0.7", "white.evil-parent.com"}}
		for _, window := range []time.Duration{0, time.Second, time.Minute} {
			t.Run(fmt.Sprintf("seed %d window %v", seed, window), func(t *testing.T) {
				s := setup{rules: caseRules(t, &c), white: caseWhitelist(t, &c), aggregate: window}
				var want []event.Event
				for _, s.workers = range []int{1, 2, 3, 4, 8} {
					got, counts := counted(t, s, files)
					if s.workers == 1 {
						want = got
						found := map[event.Code]bool{}
						for i := range got {
							found[got[i].Code] = true
						}
						for _, code := range []event.Code{event.TrailIP, event.TrailDNS, event.ScanPort, event.ScanUDP, event.ScanWeb, event.ScanInfection, event.DNSDGAEntropy} {
							if !found[code] {
								t.Fatalf("no %s among %d events: the mix is no test", code, len(got))
							}
						}
					}
					sameEvents(t, fmt.Sprintf("%d workers", s.workers), got, want)
					if n := sumOf(got); n != counts.Detected-counts.Suppressed {
						t.Errorf("%d workers: counts add up to %d; detected %d, suppressed %d", s.workers, n, counts.Detected, counts.Suppressed)
					}
					unique(t, got)
				}
			})
		}
	}
}

func counted(t *testing.T, s setup, files []string) (events []event.Event, counts suppress.Counts) {
	t.Helper()
	gate := suppress.New(suppress.Options{Window: s.aggregate, Outcomes: s.outcomes, Whitelisted: s.white.Addr})
	r := agent.Replay{Files: files, Workers: s.workers, Rules: s.rules, Board: board.NewBoard(s.rules.Board()), Gate: gate,
		Sink: func(e event.Event) error { events = append(events, e); return nil }}
	summary, err := r.Run(t.Context())
	if err != nil || len(summary.Damaged) > 0 {
		t.Fatal(err, summary.Damaged)
	}
	counts = gate.Counts()
	if summary.Events != counts.Detected {
		t.Errorf("workers raised %d events, the gate got %d", summary.Events, counts.Detected)
	}
	return events, counts
}

func sumOf(events []event.Event) (n uint64) {
	for i := range events {
		n += events[i].Aggregate.Count
	}
	return n
}

func unique(t *testing.T, events []event.Event) {
	t.Helper()
	ids := map[[16]byte]int{}
	for i := range events {
		if other, ok := ids[events[i].ID]; ok {
			t.Fatalf("events %d and %d share an id:\n%s\n%s", other, i, line(&events[other]), line(&events[i]))
		}
		ids[events[i].ID] = i
	}
}

// mix makes n frames of a few hosts with many repeats, in time with small steps
// forward, some standing still, some backward, and a leap now and then.
func mix(r *rand.Rand, n int) (all []Stamped) {
	at := Start
	for range n {
		switch r.IntN(40) {
		case 0:
			at = at.Add(time.Duration(r.IntN(300)) * time.Second)
		case 1:
			at = at.Add(-time.Duration(r.IntN(3000)) * time.Millisecond)
		default:
			at = at.Add(time.Duration(r.IntN(3)) * 100 * time.Millisecond)
		}
		if r.IntN(60) == 0 { // an attack comes in a burst, over some seconds
			kind := r.IntN(6)
			for range 80 {
				at = at.Add(time.Duration(r.IntN(200)) * time.Millisecond)
				all = append(all, Stamped{Time: at, Frame: linked(r, attackPacket(r, kind))})
			}
			continue
		}
		if len(all) > 0 && r.IntN(5) == 0 {
			all = append(all, Stamped{Time: at, Frame: all[r.IntN(len(all))].Frame})
			continue
		}
		all = append(all, Stamped{Time: at, Frame: linked(r, randomPacket(r))})
	}
	return all
}

// dice choose among n: chance, or the bytes of a fuzzer.
type dice interface{ IntN(n int) int }

func pick[T any](r dice, list ...T) T { return list[r.IntN(len(list))] }

func linked(r dice, p Packet) Frame {
	switch r.IntN(8) {
	case 0:
		return p.VLAN(uint16(r.IntN(4))).Ethernet()
	case 1:
		return p.VLAN(2).QinQ(1).Ethernet()
	case 2:
		return p.PPPoE(r.IntN(2) == 0).Ethernet()
	case 3:
		return p.SLL2()
	case 4:
		return p.Raw()
	}
	return p.Ethernet()
}

func randomPacket(r dice) Packet {
	if r.IntN(6) == 0 {
		return attackPacket(r, r.IntN(6))
	}
	src := fmt.Sprintf("10.0.0.%d", r.IntN(12))
	dst := pick(r, "66.66.66.66", "6.6.6.6", "198.51.100.53", "198.51.100.9", "203.0.113.44", web, resolver)
	if r.IntN(6) == 0 {
		src, dst = fmt.Sprintf("dead::%d", r.IntN(9)), pick(r, "dead::beef", "dead::2")
	}
	if r.IntN(4) == 0 {
		src, dst = dst, src
	}
	sport := uint16(50000 + r.IntN(4))
	name := pick(r, "", "a.", "www.", "white.") + pick(r, "evil-test-domain.com", "evil-parent.com", "clean.org", "dga1.wildcard-test.com", "badsite.onion.to")
	return IP(src, dst, randomSegment(r, sport, name))
}

// attackPacket is one of a scan, a worm, a tunnel or names that do not exist, of
// few enough hosts that thresholds are crossed.
func attackPacket(r dice, kind int) Packet {
	from, to := pick(r, "203.0.113.9", "203.0.113.77", "2001:db8::9"), pick(r, "198.51.100.7", "198.51.100.8")
	if from == "2001:db8::9" {
		to = "2001:db8::7"
	}
	port := uint16(1000 + r.IntN(40))
	made := fmt.Sprintf("%s%d.%s", pick(r, "a", "qxvbnmkjhgfdsw", "b2c8x9qz7w1k5j3h"), r.IntN(3), pick(r, "net", "org"))
	switch kind {
	case 0:
		return IP(from, to, Syn(40000, port))
	case 1:
		return IP(from, to, TCP(40000, port, pick[uint8](r, 0, FIN, FIN|PSH|URG), ""))
	case 2:
		return IP(from, to, UDP(uint16(40000+r.IntN(2)), port, "probe"))
	case 3:
		return IP(from, to, TCP(52000, 80, PSH|ACK, Get("victim.example", fmt.Sprintf("/dir%d/x?y=1", r.IntN(30)))))
	case 4:
		return IP("10.0.0.5", fmt.Sprintf("192.0.2.%d", r.IntN(90)), Syn(uint16(53000+r.IntN(9)), pick[uint16](r, 445, 3389)))
	}
	return IP(resolver, fmt.Sprintf("10.0.0.%d", r.IntN(3)), UDP(53, uint16(50000+r.IntN(4)), Reply(3, Query(Ask(made)))))
}

func randomSegment(r dice, sport uint16, name string) Segment {
	switch r.IntN(9) {
	case 0:
		return Syn(sport, pick[uint16](r, 80, 443, 8443))
	case 1:
		return UDP(sport, 53, Query(Ask(name)))
	case 2:
		return UDP(sport, 53, Query(Ask("clean.org"), Ask(name), Ask("b."+name)))
	case 3:
		return UDP(sport, pick[uint16](r, 53, 443, 8443), "datagram")
	case 4:
		return Data(sport, 80, Get(name, pick(r, "/", "/x", "/malicious-login.php"), "User-Agent: "+pick(r, "masscan/1", "evilbot", "Mozilla/5.0")))
	case 5:
		return Data(sport, 80, Get("clean.org", "/x")+Get(name, "/malicious-login.php"))
	case 6:
		return Data(sport, 443, Record(ClientHello(name)))
	case 7:
		return UDP(sport, 443, Initial(QUICv1, []byte("12345678"), Piece{Data: ClientHello(name)}))
	}
	return pick(r, ICMP(8, 0), Other(47, "gre"), ICMPv6(128, 0))
}
