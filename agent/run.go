package agent

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
)

// place orders packets over all files of a replay.
type place struct {
	file   int
	number uint64
}

func (p place) before(q place) bool {
	return p.file < q.file || p.file == q.file && p.number < q.number
}

// progress is what a worker reports to the gate: events in order, evidence in
// order, and that it will report none of any packet up to and including upto.
// The evidence may be of later packets than the events.
type progress struct {
	events   []placed           // and answers
	evidence []*heuristic.Batch // of one file
	file     int                // that one
	upto     place
	last     time.Time // the latest packet
}

// placed is an event, or what was seen of the answer to one.
type placed struct {
	event.Event
	answer *event.Answer
	place
}

// queuePart is the most events in one report, so that a queue of reports is
// bounded in events.
const queuePart = 64

// maxSpare is the most room for events that is kept from one batch of frames to
// the next.
const maxSpare = 1024

// lookAhead is how many frames before their turn headers are fetched.
const lookAhead = 8

// run is one worker of a replay.
type run struct {
	replay         *Replay
	index, workers int
	await          time.Duration // how long answers are waited for
	queue          chan progress

	worker      *detect.Worker
	rules       *detect.Rules // the worker's
	file        int
	pending     []placed             // not reported yet
	collector   *heuristic.Collector // nil: no board
	evidence    []*heuristic.Batch   // to be reported
	print       [sha256.Size]byte    // of the present file
	named       place                // the packet that name is of
	name        [sha256.Size]byte    // its content, hashed once for all its events
	damaged     []error
	faults      uint64
	fault       error
	first, last time.Time
	interrupted bool

	clock  capture.Clock
	frames []capture.Frame // the present batch
	next   int             // the frame of it that comes next
}

// loop runs over all files. It owns the worker until the queue is closed.
func (r *run) loop(ctx context.Context) {
	defer close(r.queue)
	// A table that is truncated in place makes its mapping fault. That must end
	// the use of the table, not the sensor.
	debug.SetPanicOnFault(true)
	r.begin(heuristic.NewBatch)
	for i, path := range r.replay.Files {
		r.file = i
		r.print = fingerprint(path)
		if err := r.read(ctx, path); err != nil {
			if ctx.Err() != nil {
				r.interrupted = true
				return
			}
			r.damaged = append(r.damaged, err)
		}
		if !r.report(ctx, place{i + 1, 0}) {
			r.interrupted = true
			return
		}
	}
}

// begin makes the worker. Fresh gives an empty batch in place of one that was
// filled.
func (r *run) begin(fresh func() *heuristic.Batch) {
	r.rules = r.replay.Rules
	r.worker = detect.NewWorker(r.rules)
	r.worker.Emit = func(e event.Event) {
		r.pending = append(r.pending, placed{Event: e, place: place{r.file, e.Number}})
	}
	r.worker.Answer = func(a event.Answer) {
		r.pending = append(r.pending, placed{answer: &a, place: place{r.file, a.Number}})
	}
	r.worker.Await = r.await
	r.worker.NewID = r.id
	if r.replay.Board != nil {
		r.collector = heuristic.NewCollector(r.replay.Seed, func(b *heuristic.Batch) *heuristic.Batch {
			r.evidence = append(r.evidence, b)
			return fresh()
		})
		r.worker.Evidence = r.collector
	}
}

// read runs over one file. A panic that is no fault of the table is passed on.
func (r *run) read(ctx context.Context, path string) error {
	source, err := r.replay.open(ctx, path, r.index, r.workers, &r.clock)
	if err != nil {
		return err
	}
	defer source.Close()
	for {
		frames, err := source.Next()
		r.frames, r.next = frames, 0
		for r.next < len(r.frames) {
			if fault := r.batch(); fault != nil {
				r.degrade(fault)
			}
		}
		upto := place{r.file, 0}
		if p, ok := source.(capture.Progress); ok {
			upto.number, _ = p.Progress()
		} else if n := len(frames); n > 0 {
			upto.number = frames[n-1].Number
		}
		if !r.report(ctx, upto) {
			return ctx.Err()
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// batch matches the frames of the batch that are left. It returns the fault
// that stopped it; the frame that met the fault is not tried again.
func (r *run) batch() (fault error) {
	defer func() {
		if v := recover(); v != nil {
			if fault = tableFault(r.rules, v); fault == nil {
				panic(v)
			}
		}
	}()
	for r.next < len(r.frames) {
		f := &r.frames[r.next]
		if r.next+lookAhead < len(r.frames) {
			packet.Prefetch(r.frames[r.next+lookAhead].Data)
		}
		r.next++
		if r.first.IsZero() || f.Time.Before(r.first) {
			r.first = f.Time
		}
		if f.Time.After(r.last) {
			r.last = f.Time
		}
		if r.collector != nil {
			r.collector.Era = f.Era
		}
		r.worker.Frame(f.Link, f.Data, f.Time, f.Number)
	}
	return nil
}

// tableFault tells a fault of the table's mapping from a programmer's error:
// the former carries an address inside it.
func tableFault(rules *detect.Rules, v any) error {
	at, ok := v.(interface {
		runtime.Error
		Addr() uintptr
	})
	if !ok || !rules.Table().Holds(at.Addr()) {
		return nil
	}
	return fmt.Errorf("trail table %q cannot be read any more: the file was cut off in place", rules.Table().File())
}

// degrade goes on with the fallback, the first time; without it, and when its
// table cannot be read either, nothing is matched from here on.
func (r *run) degrade(fault error) {
	r.faults++
	first := r.fault == nil
	if first {
		r.fault = fault
	}
	r.rules = nil
	if first && r.replay.Fallback != nil {
		r.rules = r.replay.Fallback(fault)
	}
	if r.rules == nil {
		r.rules = detect.NoRules()
	}
	r.worker.SetRules(r.rules)
}

// report hands the pending events to the gate, waiting while it is behind.
func (r *run) report(ctx context.Context, upto place) bool {
	if r.collector != nil {
		r.collector.Flush()
	}
	left := r.pending
	for {
		if ctx.Err() != nil { // select takes either way when both are open
			return false
		}
		n := min(len(left), queuePart)
		part := progress{upto: upto, evidence: r.evidence, file: r.file, last: r.last}
		r.evidence = nil
		if n > 0 {
			part.events = append([]placed(nil), left[:n]...)
		}
		left = left[n:]
		if len(left) > 0 {
			// What follows has a higher place than what was reported.
			part.upto = part.events[n-1].place
			if left[0].place == part.upto {
				part.upto.number--
			}
		}
		select {
		case r.queue <- part:
		case <-ctx.Done():
			return false
		}
		if len(left) == 0 {
			if clear(r.pending); cap(r.pending) > maxSpare {
				r.pending = nil
			}
			r.pending = r.pending[:0]
			return true
		}
	}
}

// id names an event by the capture, the packet with its time and content, the
// code and the ordinal: the same replay gives the same ids.
func (r *run) id(e *event.Event, n int) [16]byte {
	if at := (place{r.file, e.Number}); n == 0 || at != r.named {
		h := sha256.New()
		h.Write(r.print[:])
		var stamp [8]byte
		binary.BigEndian.PutUint64(stamp[:], uint64(e.Time.UnixNano()))
		h.Write(stamp[:])
		h.Write(r.worker.Packet().Frame)
		r.named, r.name = at, [32]byte(h.Sum(nil))
	}
	return event.ReplayID(r.name, e.Number, e.Code, n)
}
