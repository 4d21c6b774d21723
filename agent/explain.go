package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/suppress"
)

// Explanation is what the sensor did with one packet, as it would have with all
// packets before it.
type Explanation struct {
	Decoded Decoded
	Trace   detect.Trace
	// Raised are the events of the packet, Evidence is what it gave to the
	// heuristics over time, with the events that came of it. Repeated evidence was
	// left out, because the second had it already; Dropped had no room.
	Raised            []Judged
	Evidence          []Observed
	Repeated, Dropped uint64
	// Answers are what the packet says of the outcome of earlier events.
	Answers []event.Answer
	// Summaries of earlier events went out because the packet's time ended their
	// windows.
	Summaries uint64
	Before    Before
	// Damaged lists the files before the last one that could not be read to their
	// end.
	Damaged []error
	// Fault is that of the trail table, at the packet or before: what follows it
	// was matched against the fallback. nil: none.
	Fault error
}

// Before says what the packets before it came to.
type Before struct {
	Packets, Events, Evidence uint64
}

// Judged is an event with what the gate did with it.
type Judged struct {
	event.Event
	Gate suppress.Verdict
}

// Observed is a piece of evidence with what the board knew before and after it,
// and what it found.
type Observed struct {
	heuristic.Evidence
	Name          string // of kinds that have one
	Before, After []heuristic.Standing
	Found         []Judged
}

// A NoPacketError says that a capture has no packet of a number.
type NoPacketError struct {
	Path         string
	Number, Last uint64 // Last is the number of the last one; 0: it has none
}

// Error names the last packet.
func (e *NoPacketError) Error() string {
	title := "capture " + strconv.Quote(e.Path)
	if e.Path == "-" {
		title = "capture on standard input"
	}
	if e.Last == 0 {
		return title + " has no packets"
	}
	return fmt.Sprintf("%s has no packet %d: the last one is %d", title, e.Number, e.Last)
}

// Explain replays the files with one worker up to a packet of the last one, which
// its number there names, from 1, and says what came of it. Sink gets no events,
// and Workers is not looked at. It is called once, on a Replay that was not run.
//
// The error is a *NoPacketError, that of the last file when it cannot be read as
// far as the packet (*capture.DamageError), or the context's.
func (r *Replay) Explain(ctx context.Context, number uint64) (*Explanation, error) {
	x := &explainer{run: run{replay: r, workers: 1, await: r.Gate.Await()}, number: number}
	// As in run.loop.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	x.begin(x.fresh)
	if r.Board != nil {
		r.Board.SetRaise(func(f *heuristic.Finding) {
			f.ID = r.foundID(&f.Event)
			x.found = append(x.found, f.Event)
		})
	}
	for i, path := range r.Files {
		switch err := x.read(ctx, i, path); {
		case err == nil:
		case i == len(r.Files)-1 || ctx.Err() != nil:
			return nil, err
		default:
			x.damaged = append(x.damaged, err)
		}
		if x.explained != nil {
			x.explained.Damaged = x.damaged
			return x.explained, nil
		}
	}
	return nil, &NoPacketError{r.Files[len(r.Files)-1], number, x.last}
}

// explainer is a replay of one worker, which takes each packet to its end before
// the next.
type explainer struct {
	run
	number    uint64
	last      uint64             // number of the last packet
	spare     []*heuristic.Batch // empty
	found     []event.Event      // by the board, of the present piece of evidence
	explained *Explanation
}

// fresh is an empty batch.
func (x *explainer) fresh() *heuristic.Batch {
	n := len(x.spare)
	if n == 0 {
		return heuristic.NewBatch()
	}
	b := x.spare[n-1]
	x.spare = x.spare[:n-1]
	return b
}

// read takes the packets of a file, of the last one as far as the one asked for.
func (x *explainer) read(ctx context.Context, file int, path string) error {
	source, err := x.replay.open(ctx, path, 0, 1, &x.clock)
	if err != nil {
		return err
	}
	defer source.Close()
	x.file, x.print, x.replay.merging, x.last = file, fingerprint(path), file, 0
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		frames, err := source.Next()
		for i := range frames {
			x.frames, x.next = frames[i:i+1], 0
			x.last = frames[i].Number
			if file == len(x.replay.Files)-1 && x.last == x.number {
				x.explain(&frames[i])
				return nil
			}
			x.match()
			x.settle(func(e event.Event, of *Observed) { x.replay.Gate.Take(e, discard) })
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func discard(event.Event) {}

// match has the worker take the present frame.
func (x *explainer) match() {
	if fault := x.batch(); fault != nil {
		x.degrade(fault)
	}
	if x.collector != nil {
		x.collector.Flush()
	}
}

// settle brings what the present packet gave to the gate and the board, in the
// order of a replay: events, then evidence. Of is nil for an event of the packet.
func (x *explainer) settle(take func(e event.Event, of *Observed)) {
	for i := range x.pending {
		a := x.pending[i].answer
		if a == nil {
			take(x.pending[i].Event, nil)
			continue
		}
		if x.explained != nil && a.Conversation.Client.IsValid() && a.Outcome > event.OutcomeUnknown {
			x.explained.Answers = append(x.explained.Answers, *a)
		}
		x.replay.Gate.Answer(*a, discard)
	}
	x.pending = x.pending[:0]
	for _, b := range x.evidence {
		for i := range b.Evidence {
			x.observe(&b.Evidence[i], b.Name(&b.Evidence[i]), take)
		}
		b.Reset()
		x.spare = append(x.spare, b)
	}
	x.evidence = x.evidence[:0]
}

// observe has the board judge a piece of evidence.
func (x *explainer) observe(e *heuristic.Evidence, name []byte, take func(e event.Event, of *Observed)) {
	board := x.replay.Board
	var of *Observed
	if x.explained != nil {
		x.explained.Evidence = append(x.explained.Evidence, Observed{Evidence: *e, Name: string(name), Before: board.Explain(e, name)})
		of = &x.explained.Evidence[len(x.explained.Evidence)-1]
	}
	board.Take(e, name)
	if of != nil {
		of.After = board.Explain(e, name)
	}
	for i := range x.found {
		take(x.found[i], of)
	}
	x.found = x.found[:0]
}

// explain takes the packet that was asked for.
func (x *explainer) explain(f *capture.Frame) {
	ex := &Explanation{Before: Before{Packets: x.worker.Stats.Packets, Events: x.worker.Stats.Events}}
	if x.collector != nil {
		ex.Before.Evidence = x.collector.Taken
		ex.Repeated, ex.Dropped = x.collector.Repeated, x.collector.Dropped
	}
	if x.replay.Board != nil {
		ex.Before.Events += x.replay.Board.Counts().Found
	}
	x.explained = ex
	x.worker.SetTrace(&ex.Trace)
	counts := *x.worker.Decode()
	x.match()
	if x.collector != nil {
		ex.Repeated, ex.Dropped = x.collector.Repeated-ex.Repeated, x.collector.Dropped-ex.Dropped
	}
	ex.Decoded = decoded(f, x.worker, &counts)
	summaries := x.replay.Gate.Counts().Summaries
	x.settle(func(e event.Event, of *Observed) {
		j := Judged{e, x.replay.Gate.Explain(e, discard)}
		if of != nil {
			of.Found = append(of.Found, j)
		} else {
			ex.Raised = append(ex.Raised, j)
		}
	})
	ex.Summaries = x.replay.Gate.Counts().Summaries - summaries
	ex.Fault = x.fault
}
