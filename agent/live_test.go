package agent

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/capture/live"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/packet"
	"trailhound/agent/suppress"
	"trailhound/tests/corpus"
)

// script is a LiveSource whose batches a test hands in.
type script struct {
	batches chan []capture.Frame
	wake    chan struct{}
	closed  atomic.Bool
	reused  atomic.Uint64 // how often slot 0 was given away
}

func newScript() *script {
	return &script{batches: make(chan []capture.Frame, 1024), wake: make(chan struct{}, 1)}
}

func (s *script) Next() ([]capture.Frame, error) {
	select {
	case b, ok := <-s.batches:
		if !ok {
			return nil, io.EOF
		}
		return b, nil
	default:
	}
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
func (s *script) Interface(slot int) live.Port {
	if n := s.reused.Load(); slot == 0 && n > 0 {
		return live.Port{Index: 100 + int(n), Name: fmt.Sprintf("veth%d", n)}
	}
	return live.Port{Index: slot + 1, Name: fmt.Sprintf("eth%d", slot), Alias: "tap"}
}
func (s *script) Tenant(slot int) uint64 {
	if slot == 0 {
		return 1 + 1000*s.reused.Load()
	}
	return uint64(slot + 1)
}
func (s *script) Reused() uint64 { return s.reused.Load() }
func (s *script) Ahead()         {}

func (s *script) Interrupt() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
func (s *script) Close() error { s.closed.Store(true); return nil }

func frames(list ...corpus.Stamped) (all []capture.Frame) {
	for _, f := range list {
		all = append(all, capture.Frame{Data: f.Frame.Data, Time: f.Time, Link: packet.LinkEthernet, Length: len(f.Frame.Data) + 4})
	}
	return all
}

// running is a Live under test with what came out of it.
type running struct {
	*Live
	sources []*script
	mu      sync.Mutex
	events  []event.Event
	faults  []error
}

func start(t *testing.T, workers int, opt LiveOptions) *running {
	t.Helper()
	r := &running{}
	for range workers {
		s := newScript()
		r.sources = append(r.sources, s)
		opt.Sources = append(opt.Sources, s)
	}
	if opt.Gate == nil {
		opt.Gate = suppress.New(suppress.Options{})
	}
	opt.Sink = func(list []event.Event) {
		r.mu.Lock()
		r.events = append(r.events, list...)
		r.mu.Unlock()
	}
	opt.Fault = func(_ *detect.Rules, err error) {
		r.mu.Lock()
		r.faults = append(r.faults, err)
		r.mu.Unlock()
	}
	r.Live = NewLive(opt)
	r.Start()
	return r
}

func (r *running) seen() []event.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Event(nil), r.events...)
}

// end closes the sources and waits for everything to come out.
func (r *running) end(t *testing.T) []event.Event {
	t.Helper()
	for _, s := range r.sources {
		close(s.batches)
	}
	<-r.Done()
	for i, s := range r.sources {
		if !s.closed.Load() {
			t.Errorf("source %d was not closed", i)
		}
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	return r.seen()
}

func TestLiveDetects(t *testing.T) {
	for workers := 1; workers <= 3; workers++ {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, workers, LiveOptions{Rules: memoryRules(t, "x")})
			for i, f := range frames(syns(90)...) {
				f.Interface = i % 2
				r.sources[i%workers].batches <- []capture.Frame{f}
			}
			events := r.end(t)
			if len(events) != 90 {
				t.Fatalf("%d workers: %d events", workers, len(events))
			}
			for _, e := range events {
				if e.Alias != "tap" || e.Interface != "eth0" && e.Interface != "eth1" || e.Number != 0 || e.ID[6]>>4 != 7 {
					t.Fatalf("%+v", e)
				}
			}
			var packets, bytes, syn uint64
			for _, w := range r.Traffic() {
				for i, s := range w.Seen {
					packets += s.Packets
					bytes += s.Bytes
					syn += s.Syn
					if s.Packets > 0 && (s.Decode[packet.OK] != s.Packets || s.Kinds[detect.KindTCP] != s.Packets || s.Last.IsZero() || s.Port.Index != i+1) {
						t.Errorf("%+v", s)
					}
				}
			}
			if packets != 90 || syn != 90 || bytes != 90*uint64(len(syns(1)[0].Frame.Data)+4) {
				t.Errorf("%d packets, %d bytes, %d SYNs", packets, bytes, syn)
			}
			if n := r.Tally(); n.Gate.Detected != 90 || n.Findings[Finding{event.IP, event.RateTrail("x", "(static)"), "trail"}] != 90 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// TestLiveTag: the tag that the kernel stripped is the outermost VLAN.
func TestLiveTag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1, LiveOptions{Rules: memoryRules(t, "x")})
		tagged := frames(syns(2)...)
		tagged[0].Tag = capture.TagPresent | 7
		r.sources[0].batches <- tagged
		events := r.end(t)
		if len(events) != 2 || fmt.Sprint(events[0].VLANs) != "[7]" || len(events[1].VLANs) != 0 {
			t.Errorf("%+v", events)
		}
	})
}

// TestLiveSwap: rules change between two batches, no event is lost or raised
// twice, and those before are released when, and only when, every worker has
// let go of them - also when a worker ended.
func TestLiveSwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 3, LiveOptions{Rules: memoryRules(t, "0")})
		all := frames(syns(300)...)
		for i := range 100 {
			for w, s := range r.sources {
				s.batches <- all[i*3+w : i*3+w+1]
			}
			<-r.SetRules(memoryRules(t, fmt.Sprint(i+1)))
		}
		close(r.sources[0].batches)
		synctest.Wait()
		<-r.SetRules(memoryRules(t, "late"))
		for _, s := range r.sources[1:] {
			close(s.batches)
		}
		<-r.Done()
		<-r.SetRules(memoryRules(t, "after the end"))
		if events := r.seen(); len(events) != 300 {
			t.Errorf("%d events", len(events))
		}
	})
}

// TestLiveFull: a worker does not wait for a gate that is held up. What does
// not fit is counted, what fits comes out.
func TestLiveFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1, LiveOptions{Rules: memoryRules(t, "x")})
		held := make(chan struct{})
		go r.Do(func() { <-held })
		synctest.Wait()
		n := QueueEvents + 500
		r.sources[0].batches <- frames(syns(n)...)
		synctest.Wait()
		w := r.Traffic()[0]
		if w.Events != uint64(n) || w.Dropped == 0 || w.Dropped+uint64(w.Queued) != uint64(n) || w.QueuedBytes > QueueBytes {
			t.Errorf("%d events, %d dropped, %d queued of %d bytes", w.Events, w.Dropped, w.Queued, w.QueuedBytes)
		}
		close(held)
		if events := r.end(t); uint64(len(events))+w.Dropped != uint64(n) {
			t.Errorf("%d events out, %d dropped", len(events), w.Dropped)
		}
		if w := r.Traffic()[0]; w.QueuedBytes != 0 || w.Queued != 0 {
			t.Errorf("%d left", w.Queued)
		}
	})
}

// TestLiveFault: a table that is cut off under a worker ends its use, is said
// once, and the next rules work.
func TestLiveFault(t *testing.T) {
	rules, path := fileRules(t)
	r := start(t, 1, LiveOptions{Rules: rules})
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	r.sources[0].batches <- frames(syns(50)...)
	for len(r.sources[0].batches) > 0 || r.Traffic()[0].Faults == 0 {
		time.Sleep(time.Millisecond)
	}
	<-r.SetRules(memoryRules(t, "good"))
	r.sources[0].batches <- frames(syns(50)...)
	events := r.end(t)
	if len(events) != 50 || events[0].Info != "good" || len(r.faults) != 1 || r.Traffic()[0].Faults != 1 {
		t.Errorf("%d events, faults %v", len(events), r.faults)
	}
}

// TestLiveCanary goes the way of a frame, past gate and whitelist, and leaves
// no trace in the counts of the traffic.
func TestLiveCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 2, LiveOptions{Rules: memoryRules(t, "x"),
			Gate: suppress.New(suppress.Options{Whitelisted: func(netip.Addr) bool { return true }, Window: time.Minute})})
		r.Canary()
		synctest.Wait()
		r.sources[0].batches <- frames(syns(1)...)
		events := r.end(t)
		if len(events) != 1 || events[0].Code != event.HealthCanary || events[0].Type != event.HEALTH || events[0].DNS.Question != CanaryName {
			t.Fatalf("%+v", events)
		}
		if time.Since(events[0].Time) > time.Hour {
			t.Errorf("from %v", events[0].Time)
		}
		w := r.Traffic()[0]
		if w.Events != 1 || w.Packets != 1 || r.Tally().Gate.Detected != 1 || r.Tally().Health != 1 {
			t.Errorf("%+v, %+v", w, r.Tally())
		}
	})
}

// TestLiveLoops: a worker without frames goes round its loop all the same.
func TestLiveLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1, LiveOptions{Rules: memoryRules(t, "x")})
		before := r.Loops()[0]
		time.Sleep(time.Second)
		synctest.Wait()
		if n := r.Loops()[0] - before; n < 3 {
			t.Errorf("%d times in a second", n)
		}
		if turned := r.Traffic()[0].Turned; time.Since(turned) > time.Second {
			t.Errorf("last at %v", turned)
		}
		if !r.Do(func() {}) {
			t.Error("the gate did not answer")
		}
		r.end(t)
		if r.Do(func() {}) || r.Take(event.Event{}) {
			t.Error("the gate answered after its end")
		}
	})
}

// TestLiveWindows: repeats come out as a summary when the clock says so, also
// when no further event pushes the gate's own clock.
func TestLiveWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, 1, LiveOptions{Rules: memoryRules(t, "x"), Gate: suppress.New(suppress.Options{Window: time.Minute})})
		var list []corpus.Stamped
		for i := range 5 {
			list = append(list, corpus.Stamped{Time: time.Now(), Frame: corpus.IP("10.0.0.1", listed, corpus.Syn(uint16(1000+i), 443)).Ethernet()})
		}
		r.sources[0].batches <- frames(list...)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		events := r.seen()
		if len(events) != 2 || !events[1].Aggregate.Summary || events[1].Aggregate.Count != 4 {
			t.Errorf("%+v", events)
		}
		r.end(t)
	})
}
