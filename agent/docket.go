package agent

import (
	"math"
	"sync/atomic"
	"time"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
)

// docket is the evidence of one live worker on its way to the board. The worker
// never waits for the board: what does not fit is dropped and counted by its
// collector.
type docket struct {
	full chan *heuristic.Batch // to the board, in order
	free chan *heuristic.Batch // back from it
	made int                   // the worker's: batches that there are
	// through is the time (Unix nanoseconds) up to which the worker has handed over
	// all evidence.
	through atomic.Int64

	// The board's.
	waiting []*heuristic.Batch
	at      int       // in the first of them
	since   time.Time // when the first one came
}

// docketBatches bounds the evidence of a worker on its way.
const docketBatches = 32

func newDocket() *docket {
	return &docket{full: make(chan *heuristic.Batch, docketBatches), free: make(chan *heuristic.Batch, docketBatches), made: 1}
}

// hand is the worker's: it takes a batch and gives an empty one, if there is one.
func (d *docket) hand(b *heuristic.Batch) (empty *heuristic.Batch) {
	select {
	case empty = <-d.free:
	default:
		if d.made == docketBatches {
			return nil
		}
		d.made++
		empty = heuristic.NewBatch()
	}
	d.full <- b // there are no more batches than it has room for
	return empty
}

// receive takes what the worker has handed over.
func (d *docket) receive(now time.Time) {
	for {
		select {
		case b := <-d.full:
			if len(d.waiting) == 0 {
				d.since = now
			}
			d.waiting = append(d.waiting, b)
		default:
			return
		}
	}
}

// head is the first piece of evidence, or nil.
func (d *docket) head() *heuristic.Evidence {
	if len(d.waiting) == 0 {
		return nil
	}
	return &d.waiting[0].Evidence[d.at]
}

// step takes it away.
func (d *docket) step(now time.Time) {
	if d.at++; d.at < len(d.waiting[0].Evidence) {
		return
	}
	d.waiting[0].Reset()
	d.free <- d.waiting[0]
	n := copy(d.waiting, d.waiting[1:])
	d.waiting[n] = nil
	d.waiting, d.at, d.since = d.waiting[:n], 0, now
}

// judgePatience is how long evidence waits for workers that are behind: one
// whose clock was set back would hold up all.
const judgePatience = 3 * time.Second

// judgeMost is how much evidence is judged in one go, so that other work of the
// gate gets its turn.
const judgeMost = 4096

// judge gives the board the evidence of all workers in the order of time, as far
// as all have come, and says whether there may be more.
func (l *Live) judge() (more bool) {
	b := l.opt.Board
	if b == nil {
		return false
	}
	if wanted := l.wanted.Swap(nil); wanted != nil {
		b.Configure(*wanted)
	}
	// The times first: what is handed over after they were read may be of any time
	// behind them.
	through := int64(math.MaxInt64)
	for _, w := range l.workers {
		through = min(through, w.docket.through.Load())
	}
	now := time.Now()
	for _, w := range l.workers {
		w.docket.receive(now)
	}
	for range judgeMost {
		var first *docket
		var e *heuristic.Evidence
		for _, w := range l.workers {
			if h := w.docket.head(); h != nil && (e == nil || h.At < e.At) {
				first, e, l.judged = w.docket, h, w
			}
		}
		if e == nil {
			return false
		}
		if e.At > through && now.Sub(first.since) < judgePatience {
			return false
		}
		b.Take(e, first.waiting[0].Name(e))
		first.step(now)
	}
	return true
}

// found takes what the board found: an event of the worker whose evidence is
// under way.
func (l *Live) found(f *heuristic.Finding) {
	if s := l.opt.Self; s != nil && s.Own(protocol(&f.Event), f.Src, f.SrcPort, f.Dst, f.DstPort) {
		l.selfFound++
		return
	}
	port := l.judged.source.Interface(int(f.Port))
	f.Interface, f.Alias = port.Name, port.Alias
	f.ID = event.NewID(f.Time)
	l.tally.detected(&f.Event)
	l.opt.Gate.Take(f.Event, l.out)
}

func protocol(e *event.Event) uint8 {
	if e.Protocol == "UDP" {
		return packet.ProtoUDP
	}
	return packet.ProtoTCP
}
