package agent

import (
	"errors"
	"io"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/agent/retro"
)

// watcher is one worker of a Live. Everything in it but what stands under
// "shared" belongs to its goroutine.
type watcher struct {
	live   *Live
	index  int
	source LiveSource
	lane   *lineup
	docket *docket
	slate  *slate

	worker *detect.Worker
	// evidence is the worker's collector; nil: no board.
	evidence *heuristic.Collector
	notes    *retro.Notebook // the worker's; nil: no store
	last     int64           // the time of the latest frame, Unix nanoseconds
	noted    time.Time       // when notes were last handed over
	flushed  time.Time       // when evidence was last handed over
	set      *ruleset
	rules    *detect.Rules // the worker's: those of set, or none after a fault
	dead     *ruleset      // the set whose table could not be read
	faults   uint64
	frames   []capture.Frame
	next     int
	seen     []Seen // by Frame.Interface
	former   Seen   // of interfaces whose slots others have now
	reused   uint64 // source.Reused when that was looked at
	test     bool   // the frame under way is the canary
	home     *event.HomeNetworks
	looked   time.Time // when the look-ups of sides were last allowed anew

	published time.Time

	// Shared.
	loops  atomic.Uint64 // times round the loop, idle ones included
	turned atomic.Int64  // when it last did so, Unix nanoseconds
	canary atomic.Bool
	mu     sync.Mutex // never waited for by the worker
	report report
}

// publishEvery is how old the counts of a worker may be that others read while
// it is busy: with hundreds of interfaces to copy them costs more than a batch.
const publishEvery = 10 * time.Millisecond

func newWatcher(l *Live, index int, source LiveSource, lane *lineup) *watcher {
	return &watcher{live: l, index: index, source: source, lane: lane, docket: newDocket(), slate: newSlate(l.stir), set: l.newest}
}

// loop runs until the source ends. It owns the worker until it returns.
func (w *watcher) loop() error {
	defer w.source.Close()
	// A table that is truncated in place makes its mapping fault. That must end
	// the use of the table, not the sensor.
	debug.SetPanicOnFault(true)
	w.set.arrive()
	defer w.leave()
	w.rules = w.set.rules
	w.home = w.rules.Board().Home
	w.worker = detect.NewWorker(w.rules)
	w.worker.Self = w.live.opt.Self
	w.worker.Emit = w.emit
	w.worker.Answer = w.heard
	if l := w.live; l.opt.Board != nil {
		w.evidence = heuristic.NewCollector(l.opt.Seed, w.docket.hand)
		w.worker.Evidence = w.evidence
		defer w.lastEvidence()
	}
	if l := w.live; l.opt.Retro != nil {
		w.notes = retro.NewNotebook(w.slate.hand)
		w.worker.Notes = w.notes
		defer w.lastNotes()
	}
	w.worker.NewID = func(e *event.Event, _ int) [16]byte { return event.NewID(e.Time) }
	for {
		frames, err := w.source.Next()
		w.adopt()
		w.worker.Await = time.Duration(w.live.await.Load())
		if n := w.source.Reused(); n != w.reused {
			w.evict()
			w.reused = n
		}
		w.frames, w.next = frames, 0
		for w.next < len(w.frames) {
			if fault := w.batch(); fault != nil {
				w.degrade(fault)
			}
		}
		w.frames = nil
		if w.canary.CompareAndSwap(true, false) {
			w.sing()
		}
		now := time.Now()
		if w.evidence != nil && (len(frames) == 0 || now.Sub(w.flushed) >= flushEvery) {
			w.testify(now, len(frames) == 0)
		}
		if w.notes != nil && (len(frames) == 0 || now.Sub(w.noted) >= flushEvery) {
			w.noted = now
			w.notes.Flush()
		}
		if err != nil || len(frames) == 0 || now.Sub(w.published) >= publishEvery {
			w.publish(err != nil)
			w.published = now
		}
		if now.Sub(w.looked) >= looksEvery {
			w.allowLooks()
			w.looked = now
		}
		w.loops.Add(1)
		w.turned.Store(now.UnixNano())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// flushEvery is how long evidence lies with a busy worker.
const flushEvery = 100 * time.Millisecond

// idleGrace is how long after its time a frame may still come out of a ring that
// seems to be empty.
const idleGrace = time.Second

// testify hands over the evidence, and up to which time it is complete. The time
// of a worker without frames goes on with the clock.
func (w *watcher) testify(now time.Time, idle bool) {
	w.flushed = now
	if !w.evidence.Flush() {
		return
	}
	through := w.last
	if idle {
		through = max(through, now.Add(-idleGrace).UnixNano())
	}
	w.docket.through.Store(through) // backwards, too, when the clock was set
	w.live.stir()
}

// lastEvidence is handed over at the end, waiting for room as long as the gate
// makes some.
func (w *watcher) lastEvidence() {
	for !w.evidence.Flush() {
		w.live.stir()
		time.Sleep(time.Millisecond)
	}
	w.docket.through.Store(math.MaxInt64)
	w.live.stir()
}

// leave takes the worker out of the chain of rules: rules set from now on do
// not wait for it.
func (w *watcher) leave() {
	w.live.mu.Lock()
	defer w.live.mu.Unlock()
	w.set.latest()
	w.live.alive--
}

// adopt takes the newest rules.
func (w *watcher) adopt() {
	set := w.set.latest()
	if set == w.set {
		return
	}
	w.set, w.rules = set, set.rules
	w.home = w.rules.Board().Home
	w.worker.SetRules(w.rules)
}

// batch matches the frames that are left. It returns the fault that stopped
// it; the frame that met the fault is not tried again.
func (w *watcher) batch() (fault error) {
	defer func() {
		if v := recover(); v != nil {
			if fault = tableFault(w.rules, v); fault == nil {
				panic(v)
			}
		}
	}()
	for w.next < len(w.frames) {
		f := &w.frames[w.next]
		w.source.Ahead()
		w.next++
		for f.Interface >= len(w.seen) {
			w.meet(len(w.seen))
		}
		s := &w.seen[f.Interface]
		s.Packets++
		s.Bytes += uint64(f.Length)
		s.Last = f.Time
		if w.evidence != nil {
			w.evidence.Port = uint16(f.Interface)
			if at := f.Time.UnixNano(); at > w.last || at < w.last-int64(capture.ClockSet) {
				w.last = at
			}
		}
		w.worker.Tag = f.Tag
		w.worker.From(f.Interface)
		reason := w.worker.Frame(f.Link, f.Data, f.Time, 0)
		s.Decode[reason]++
		if reason == packet.OK {
			s.count(w.worker.Packet(), w.worker.Kind())
			if s.looks > 0 {
				s.look(w.worker.Packet(), w.home)
			}
		}
	}
	return nil
}

// meet begins the counts of an interface.
func (w *watcher) meet(slot int) {
	w.seen = append(w.seen, Seen{Port: w.source.Interface(slot), tenant: w.source.Tenant(slot)})
}

// evict begins the counts of slots anew that another interface has now: its
// frames come only after it has one.
func (w *watcher) evict() {
	for slot := range w.seen {
		s := &w.seen[slot]
		if tenant := w.source.Tenant(slot); tenant != s.tenant {
			w.former.add(s)
			*s = Seen{Port: w.source.Interface(slot), tenant: tenant}
		}
	}
}

// degrade goes on without rules until others are set.
func (w *watcher) degrade(fault error) {
	w.faults++
	rules := w.rules
	w.rules = detect.NoRules()
	w.worker.SetRules(w.rules)
	if w.dead != w.set {
		w.dead = w.set
		if w.live.opt.Fault != nil {
			w.live.opt.Fault(rules, fault)
		}
	}
}

// heard queues an answer with what only the worker knows of it.
func (w *watcher) heard(a event.Answer) {
	if a.Proof() {
		a.Interface = w.source.Interface(a.Slot).Name
	}
	w.lane.put(item{answer: &a})
}

// emit queues an event with what only the worker knows of it.
func (w *watcher) emit(e event.Event) {
	if w.test {
		e = asCanary(e)
	} else {
		port := w.source.Interface(w.frames[w.next-1].Interface)
		e.Interface, e.Alias = port.Name, port.Alias
	}
	w.lane.put(item{event: &e})
}
