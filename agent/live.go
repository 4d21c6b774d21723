package agent

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/capture/live"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/retro"
	"trailhound/agent/suppress"
)

// LiveSource is a source that waits for frames: a ring.
type LiveSource interface {
	capture.Source
	// Interface tells of which interface a frame is, by Frame.Interface.
	Interface(slot int) live.Port
	// Tenant tells apart the interfaces that have a slot one after the other, and
	// Reused counts how often one was given away. Both are for any goroutine.
	Tenant(slot int) uint64
	Reused() uint64
	// Ahead fetches a frame of the next batch into the cache.
	Ahead()
	// Interrupt makes a waiting Next return soon. Any goroutine may call it.
	Interrupt()
}

// Self tells the sensor's own flows from those of others.
type Self interface {
	Own(proto uint8, src netip.Addr, srcPort uint16, dst netip.Addr, dstPort uint16) bool
}

// LiveOptions say what a Live is made of.
type LiveOptions struct {
	Sources []LiveSource // one worker each
	Rules   *detect.Rules
	// Board judges the evidence of the heuristics over time, on the gate's
	// goroutine; nil: none is taken. Seed is what it hashes with.
	Board *heuristic.Board
	Seed  uint64
	// Retro remembers names and addresses, on the gate's goroutine; nil: nothing
	// is remembered.
	Retro *retro.Store
	Gate  *suppress.Gate
	Self  Self // nil: none
	// Sink takes what passed the gate, in order, on the gate's goroutine: as much
	// at once as there is. It must not wait and not keep the slice.
	Sink func([]event.Event)
	// Fault is told, on the worker's goroutine, that the trail table of rules
	// can no longer be read. The worker matches nothing until other rules are
	// set. It must not wait.
	Fault func(rules *detect.Rules, err error)
}

// Live is the pipeline over sources that have no end: workers match, the gate
// folds, and the sink takes what is left. A worker never waits for the gate:
// what does not fit into its queue is dropped and counted.
type Live struct {
	opt     LiveOptions
	lanes   []*lineup
	workers []*watcher

	mu        sync.Mutex
	newest    *ruleset       // under mu
	alive     int            // under mu: workers that have not ended
	wake      chan struct{}  // an event lies in a lane
	control   chan func()    // what the gate's goroutine is asked to do
	ended     chan struct{}  // all workers have ended
	done      chan struct{}  // the gate is flushed
	running   sync.WaitGroup // workers
	failed    atomic.Pointer[error]
	wanted    atomic.Pointer[heuristic.Options] // for the board, from newer rules
	passed    []event.Event                     // the gate's: has left it, and waits for the sink
	selfFound uint64                            // the gate's: findings of the sensor's own flows
	judged    *watcher                          // the gate's: whose evidence is under way
	await     atomic.Int64                      // how long workers wait for answers

	tally tally
}

// NewLive makes the pipeline; Start runs it.
func NewLive(opt LiveOptions) *Live {
	l := &Live{opt: opt, wake: make(chan struct{}, 1), control: make(chan func()), ended: make(chan struct{}), done: make(chan struct{}),
		passed: make([]event.Event, 0, passedMost)}
	l.tally.init()
	l.await.Store(int64(opt.Gate.Await()))
	l.alive = len(opt.Sources)
	l.newest = newRuleset(opt.Rules, l.alive)
	for i, s := range opt.Sources {
		lane := &lineup{queue: make(chan item, QueueEvents), wake: l.wake}
		l.lanes = append(l.lanes, lane)
		l.workers = append(l.workers, newWatcher(l, i, s, lane))
	}
	if opt.Board != nil {
		opt.Board.SetRaise(l.found)
	}
	return l
}

// Start starts the workers and the gate.
func (l *Live) Start() {
	for _, w := range l.workers {
		l.running.Add(1)
		go func() {
			defer l.running.Done()
			if err := w.loop(); err != nil && !errors.Is(err, io.EOF) {
				err = fmt.Errorf("worker %d has ended: %w", w.index, err)
				l.failed.CompareAndSwap(nil, &err)
			}
		}()
	}
	go func() {
		l.running.Wait()
		close(l.ended)
	}()
	go l.gate()
}

// Done is closed when all sources have ended, the queues are empty and the
// gate is flushed.
func (l *Live) Done() <-chan struct{} { return l.done }

// Ended is closed when all workers have ended: by the end of their sources,
// or, which Err tells, by an error.
func (l *Live) Ended() <-chan struct{} { return l.ended }

// Err is the error that ended a worker; nil: none did.
func (l *Live) Err() error {
	if err := l.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// SetRules changes what is matched against, and what the board looks for. Each
// worker takes the new rules between two batches; released is closed when all have
// let go of the rules before.
func (l *Live) SetRules(rules *detect.Rules) (released <-chan struct{}) {
	l.mu.Lock()
	next := newRuleset(rules, l.alive)
	board := rules.Board()
	l.wanted.Store(&board)
	l.newest.next.Store(next)
	l.newest = next
	l.mu.Unlock()
	for _, w := range l.workers {
		w.source.Interrupt()
	}
	return next.taken
}

// Canary sends a test detection the way that a frame goes: through the decoder
// and the matching of the first worker, its queue and past the gate to the
// sink.
func (l *Live) Canary() {
	if len(l.workers) > 0 {
		l.workers[0].canary.Store(true)
		l.workers[0].source.Interrupt()
	}
}

// Take hands an event to the sink past the gate: what the sensor says of
// itself. It waits for the gate's goroutine. It says whether the event was
// taken; after the end none is.
func (l *Live) Take(events ...event.Event) bool {
	return l.Do(func() {
		for _, e := range events {
			l.out(e)
		}
	})
}

// Configure changes the options of the gate.
func (l *Live) Configure(opt suppress.Options) bool {
	return l.Do(func() {
		l.opt.Gate.Configure(opt, l.out)
		l.await.Store(int64(l.opt.Gate.Await()))
	})
}

// Do runs f on the gate's goroutine and waits for it. It says whether f ran;
// after the end it does not. That it returns shows that the gate is alive.
func (l *Live) Do(f func()) bool {
	ran := make(chan struct{})
	select {
	case l.control <- func() { f(); l.flush(); close(ran) }:
		<-ran
		return true
	case <-l.done:
		return false
	}
}

// gateTick is how often windows are closed while no event comes.
const gateTick = time.Second

// gateGrace is how long after the clock a window is closed: frames lie that
// long in a ring at most, save for a worker that cannot keep up.
const gateGrace = 2 * time.Second

// gate takes the events of all workers to the sink.
func (l *Live) gate() {
	defer close(l.done)
	tick := time.NewTicker(gateTick)
	defer tick.Stop()
	for {
		select {
		case <-l.wake:
		case f := <-l.control:
			f()
		case now := <-tick.C:
			l.opt.Gate.Advance(now.UTC().Add(-gateGrace), l.out)
		case <-l.ended:
			for l.drain() || l.judge() {
				l.flush()
			}
			for l.remember() {
			}
			l.opt.Gate.Flush(l.out)
			l.flush()
			l.account()
			return
		}
		if drained, judged, noted := l.drain(), l.judge(), l.remember(); drained || judged || noted { // there may be more; what else waits comes first
			l.stir()
		}
		l.flush()
		l.account()
	}
}

// account publishes the counts of the gate and the board.
func (l *Live) account() {
	var found heuristic.Counts
	if l.opt.Board != nil {
		found = l.opt.Board.Counts()
		found.Found -= l.selfFound
	}
	l.tally.gate(l.opt.Gate.Counts(), found)
	if l.opt.Retro != nil {
		l.tally.retro(l.opt.Retro.Counts())
	}
}

// drain passes some events of each worker through the gate and says whether
// there were any.
func (l *Live) drain() (some bool) {
	l.missed()
	for _, lane := range l.lanes {
		for range 256 {
			e, ok := lane.take()
			if !ok {
				break
			}
			some = true
			switch {
			case e.answer != nil:
				l.opt.Gate.Answer(*e.answer, l.out)
			case e.event.Code.IsHealth():
				l.out(*e.event)
			default:
				l.tally.detected(e.event)
				l.opt.Gate.Take(*e.event, l.out)
			}
			if lane.ahead > 0 {
				if lane.ahead--; lane.ahead == 0 {
					l.opt.Gate.Missed()
				}
			}
		}
	}
	return some
}

// missed tells the gate when answers were dropped: at once for the events that it
// has, and once more behind those that wait, whose answers they may have been.
func (l *Live) missed() {
	missed := false
	for _, lane := range l.lanes {
		missed = lane.missed.Swap(false) || missed
	}
	if !missed {
		return
	}
	l.opt.Gate.Missed()
	for _, lane := range l.lanes {
		lane.ahead = len(lane.queue)
	}
}

// out is where events leave the gate.
func (l *Live) out(e event.Event) {
	if e.Code.IsHealth() {
		l.tally.health()
	}
	if l.passed = append(l.passed, e); len(l.passed) == cap(l.passed) {
		l.flush()
	}
}

// flush hands over what has left the gate.
func (l *Live) flush() {
	if len(l.passed) > 0 {
		l.opt.Sink(l.passed)
		clear(l.passed) // their texts must not be held
		l.passed = l.passed[:0]
	}
}

// passedMost bounds what is handed to the sink at once.
const passedMost = 1024

// stir wakes the gate's goroutine.
func (l *Live) stir() {
	select {
	case l.wake <- struct{}{}:
	default: // it is awake already
	}
}
