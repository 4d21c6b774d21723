package agent

import (
	"context"
	"crypto/sha256"
	"io"
	"time"

	"trailhound/agent/capture"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/packet"
	"trailhound/agent/suppress"
)

// Replay is a run over capture files. Several files are one stream: what is
// remembered of one counts in the next.
type Replay struct {
	Files   []string
	Stdin   io.Reader // what "-" reads
	Workers int       // one is used when the input holds a stream, which can be read only once
	Snaplen int
	Rules   *detect.Rules
	// Fallback gives other rules when the trail table can no longer be read (a
	// file truncated in place). Each worker calls it, at most once. When it is
	// nil or gives nil, the packets that are left are decoded and counted, and
	// not matched.
	Fallback func(fault error) *detect.Rules
	// Board judges the evidence of the heuristics over time; nil: none is taken.
	// Seed is what it hashes with.
	Board *heuristic.Board
	Seed  uint64
	Gate  *suppress.Gate
	// Sink takes the events in order. Its error ends the run.
	Sink func(event.Event) error

	merging int                 // the file of the evidence under way
	prints  [][sha256.Size]byte // of the files
}

// Summary is what a run came to.
type Summary struct {
	Traffic
	First, Last time.Time // the earliest and latest packet
	Board       heuristic.Counts
	// Damaged lists the files that could not be read to their end, in the
	// order of the files.
	Damaged []error
	// Fault is the first fault of the trail table; nil: none.
	Fault error
}

// Run replays the files. The same events come out, in the same order, for any
// number of workers: each reads all files and keeps the frames of its share of
// the host pairs, and the gate takes their events in the order of the packets.
// The error is the sink's or the context's; damaged files do not end the run.
func (r *Replay) Run(ctx context.Context) (Summary, error) {
	workers := max(r.Workers, 1)
	for _, f := range r.Files {
		if isStream(f) {
			workers = 1
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	await := r.Gate.Await()
	runs := make([]*run, workers)
	queues := make([]chan progress, workers)
	for i := range runs {
		queues[i] = make(chan progress, QueueEvents/queuePart)
		runs[i] = &run{replay: r, index: i, workers: workers, await: await, queue: queues[i]}
		go runs[i].loop(ctx)
	}
	err := r.merge(queues)
	cancel()
	for _, q := range queues {
		for range q { // the worker closes its queue when it has stopped
		}
	}
	if err == nil && interrupted(runs) {
		err = context.Cause(ctx)
	}
	s := summarise(runs)
	if r.Board != nil {
		s.Board = r.Board.Counts()
		s.Events += s.Board.Found
	}
	return s, err
}

func interrupted(runs []*run) bool {
	for _, run := range runs {
		if run.interrupted {
			return true
		}
	}
	return false
}

func summarise(runs []*run) (s Summary) {
	for _, run := range runs {
		s.Traffic.add(run.worker)
		s.Faults += run.faults
		if s.Fault == nil {
			s.Fault = run.fault
		}
		if !run.first.IsZero() && (s.First.IsZero() || run.first.Before(s.First)) {
			s.First = run.first
		}
		if run.last.After(s.Last) {
			s.Last = run.last
		}
	}
	// Every worker read every file, so the first one knows all damage.
	s.Damaged = runs[0].damaged
	return s
}

// selects gives the filter of one worker's share of the frames; nil: all.
func selects(index, workers int) func(packet.LinkType, []byte) bool {
	if workers == 1 {
		return nil
	}
	return func(link packet.LinkType, data []byte) bool {
		return int(packet.Spread(link, data)%uint32(workers)) == index
	}
}

// open opens a file for one worker. What waits for another program ends with ctx.
func (r *Replay) open(ctx context.Context, path string, index, workers int, clock *capture.Clock) (capture.Source, error) {
	return capture.OpenFile(path, capture.FileOptions{Stdin: r.Stdin, Snaplen: r.Snaplen, Select: selects(index, workers), Clock: clock, Interrupt: ctx.Done()})
}
