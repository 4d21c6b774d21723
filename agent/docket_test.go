package agent

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/tests/corpus"
	"trailhound/trails/table"
)

// lookout are rules without trails, for home networks at 10.0.0.0/8.
func lookout(t *testing.T) *detect.Rules {
	t.Helper()
	tab, err := table.NewBuilder(table.Options{}).Memory()
	if err != nil {
		t.Fatal(err)
	}
	return detect.NewRules(tab, nil, detect.Options{Heuristics: true, Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})})
}

// worm is one host that asks n others for port 445, so many a second.
func worm(n, perSecond int, from time.Time) (all []corpus.Stamped) {
	for i := range n {
		at := from.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		all = append(all, corpus.Stamped{Time: at, Frame: corpus.IP("10.0.0.5", fmt.Sprintf("192.0.2.%d", i), corpus.Syn(uint16(50000+i), 445)).Ethernet()})
	}
	return all
}

// deal shares frames out as the kernel does.
func deal(r *running, list []corpus.Stamped) {
	shares := make([][]capture.Frame, len(r.sources))
	for _, f := range frames(list...) {
		n := int(packet.Fanout(f.Link, f.Data) % uint32(len(shares)))
		shares[n] = append(shares[n], f)
	}
	for i, share := range shares {
		if len(share) > 0 {
			r.sources[i].batches <- share
		}
	}
}

// Live, too, any number of workers finds a scan of which each has seen a part,
// once, with the interface and at the packet that made it one.
func TestLiveScan(t *testing.T) {
	for _, workers := range []int{1, 2, 4, 8} {
		synctest.Test(t, func(t *testing.T) {
			rules := lookout(t)
			r := start(t, workers, LiveOptions{Rules: rules, Board: heuristic.NewBoard(rules.Board())})
			list := worm(40, 4, time.Now())
			for i := 0; i < len(list); i += 4 { // a second's worth at a time, as it comes
				deal(r, list[i:i+4])
				time.Sleep(time.Second)
			}
			time.Sleep(5 * time.Second) // nothing more comes: the clock goes on for idle workers
			synctest.Wait()
			if got := r.seen(); len(got) != 1 || got[0].Code != event.ScanInfection || got[0].Interface != "eth0" || got[0].ID == [16]byte{} ||
				!got[0].Time.Equal(list[32].Time.UTC().Truncate(time.Microsecond)) {
				t.Errorf("%d workers: %+v", workers, got)
			}
			r.end(t)
			tally := r.Tally()
			if tally.Board.Taken != 40 || tally.Board.Found != 1 || tally.Gate.Detected != 1 {
				t.Errorf("%d workers: %+v", workers, tally)
			}
		})
	}
}

// What is still on its way when the sources end is judged.
func TestLiveScanAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := lookout(t)
		r := start(t, 4, LiveOptions{Rules: rules, Board: heuristic.NewBoard(rules.Board())})
		deal(r, worm(40, 40, time.Now()))
		if got := r.end(t); len(got) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// A worker whose clock is an hour behind holds up nobody for longer than the
// patience.
func TestLiveScanAmidWrongClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := lookout(t)
		r := start(t, 2, LiveOptions{Rules: rules, Board: heuristic.NewBoard(rules.Board())})
		old := frames(corpus.Stamped{Time: time.Now().Add(-time.Hour), Frame: corpus.IP("10.0.0.9", "192.0.2.1", corpus.Syn(1, 2)).Ethernet()})
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { // it is never idle
			defer close(stopped)
			for {
				select {
				case r.sources[1].batches <- old:
					time.Sleep(50 * time.Millisecond)
				case <-stop:
					return
				}
			}
		}()
		r.sources[0].batches <- frames(worm(40, 40, time.Now())...)
		time.Sleep(judgePatience + 2*time.Second)
		synctest.Wait()
		if got := r.seen(); len(got) != 1 || got[0].Code != event.ScanInfection {
			t.Errorf("%+v", got)
		}
		close(stop)
		<-stopped
		r.end(t)
	})
}

// The canary's question is no evidence, and other rules reach the board.
func TestLiveBoardRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := lookout(t)
		r := start(t, 1, LiveOptions{Rules: rules, Board: heuristic.NewBoard(rules.Board())})
		r.Canary()
		time.Sleep(3 * time.Second)
		if n := r.Tally().Board.Taken; n != 0 {
			t.Errorf("%d pieces of evidence of a canary", n)
		}
		tab, err := table.NewBuilder(table.Options{}).Memory()
		if err != nil {
			t.Fatal(err)
		}
		r.SetRules(detect.NewRules(tab, nil, detect.Options{Heuristics: true, Home: event.NewHomeNetworks([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}),
			Thresholds: map[event.Code]float64{event.ScanInfection: 5}}))
		deal(r, worm(6, 6, time.Now()))
		got := r.end(t)
		if len(got) != 2 || got[1].Code != event.ScanInfection {
			t.Errorf("%+v", got)
		}
	})
}
