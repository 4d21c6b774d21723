package tests

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent"
	wire "trailhound/agent/capture"
	"trailhound/agent/capture/live"
	"trailhound/agent/event"
	board "trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/agent/suppress"
	. "trailhound/tests/corpus"
)

// fed is a live source that a test hands batches.
type fed struct {
	batches chan []wire.Frame
	wake    chan struct{}
}

func newFed() *fed {
	return &fed{batches: make(chan []wire.Frame, maxSequence), wake: make(chan struct{}, 1)}
}

// Next waits as a ring does, no longer than a quarter of a second.
func (s *fed) Next() ([]wire.Frame, error) {
	select {
	case b, ok := <-s.batches:
		if !ok {
			return nil, io.EOF
		}
		return b, nil
	case <-s.wake:
	case <-time.After(250 * time.Millisecond):
	}
	return nil, nil
}

func (s *fed) Interrupt() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *fed) Interface(int) live.Port { return live.Port{} }
func (s *fed) Tenant(int) uint64       { return 1 }
func (s *fed) Reused() uint64          { return 0 }
func (s *fed) Ahead()                  {}
func (s *fed) Close() error            { return nil }

// inOrder gives the frames times as a wire does from now on: each is later than
// the one before, and none by more than a little over a window.
func inOrder(frames []Stamped, now time.Time) []Stamped {
	all := slices.Clone(frames)
	at := now
	for i := range all {
		gap := time.Microsecond
		if i > 0 {
			gap = min(max(gap, frames[i].Time.Sub(frames[i-1].Time)), 31*time.Second)
		}
		at = at.Add(gap)
		all[i].Time = at
	}
	return all
}

// liveEvents hands frames to live workers as they come, in batches of any size,
// and gives what left, without order: workers do not wait for each other.
func liveEvents(t *testing.T, s setup, d dice, frames []Stamped) []string {
	t.Helper()
	var events []event.Event
	opt := agent.LiveOptions{Rules: s.rules, Board: board.NewBoard(s.rules.Board()), Gate: suppress.New(suppress.Options{Whitelisted: s.white.Addr}),
		Sink: func(list []event.Event) { events = append(events, list...) }}
	sources := make([]*fed, s.workers)
	for i := range sources {
		sources[i] = newFed()
		opt.Sources = append(opt.Sources, sources[i])
	}
	l := agent.NewLive(opt)
	l.Start()
	shares := make([][]wire.Frame, s.workers)
	hand := func(i int) {
		if len(shares[i]) > 0 {
			sources[i].batches <- shares[i]
			shares[i] = nil
		}
	}
	for i, f := range frames {
		if wait := time.Until(f.Time); wait > 100*time.Millisecond {
			for i := range shares {
				hand(i)
			}
			time.Sleep(wait)
		}
		link := packet.LinkType(f.Link)
		w := int(packet.Fanout(link, f.Data) % uint32(s.workers))
		shares[w] = append(shares[w], wire.Frame{Data: f.Data, Time: f.Time, Link: link, Length: len(f.Data), Number: uint64(i + 1)})
		if d.IntN(4) == 0 {
			hand(w)
		}
	}
	for i := range shares {
		hand(i)
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	for _, source := range sources {
		close(source.batches)
	}
	<-l.Done()
	if err := l.Err(); err != nil {
		t.Fatal(err)
	}
	if counts := l.Tally().Board; counts.Late > 0 || counts.Steps > 0 {
		t.Errorf("evidence was judged out of order: %+v", counts)
	}
	return unordered(events)
}

// unordered are events as text, without what depends on where they were read.
func unordered(events []event.Event) (all []string) {
	for _, e := range portable(events) {
		all = append(all, fmt.Sprintf("%+v", e))
	}
	slices.Sort(all)
	return all
}

// TestLiveSequences: live, any number of workers gives the events of a replay,
// whatever batches the packets come in.
func TestLiveSequences(t *testing.T) {
	s := sequenceRules(t)
	codes := map[event.Code]bool{}
	for seed := range uint64(14) {
		seq := sequenceOf(&tape{sequenceSeed(seed, 400)})
		for _, workers := range []int{1, 2, 8} {
			synctest.Test(t, func(t *testing.T) {
				// The kernel divides the frames by what its program sees (packet.Fanout).
				frames := slices.DeleteFunc(inOrder(seq.frames, time.Now()), func(f Stamped) bool {
					link := packet.LinkType(f.Link)
					return packet.Fanout(link, f.Data) != packet.Spread(link, f.Data)
				})
				whole := sequence{frames: frames}
				s.workers = 1
				want, _ := counted(t, s, whole.files(t))
				for i := range want {
					codes[want[i].Code] = true
				}
				s.workers = workers
				got := liveEvents(t, s, &tape{sequenceSeed(seed+100, 4*maxSequence)}, frames)
				sameLines(t, got, unordered(want))
			})
		}
	}
	for _, code := range []event.Code{event.TrailIP, event.TrailDNS, event.ScanPort, event.ScanInfection, event.DNSExhaustion, event.DNSNXDomain} {
		if !codes[code] {
			t.Errorf("no sequence raises %s: %v", code, codes)
		}
	}
}
