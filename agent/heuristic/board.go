package heuristic

import "trailhound/agent/event"

// Board judges the evidence of all workers. It is used by one goroutine, which
// gives it the evidence in the order of the packets.
type Board struct {
	opt    Options
	raise  func(*Finding)
	now    int64 // the running maximum of the seconds of evidence
	era    uint32
	begun  bool
	scans  scans
	names  names
	counts Counts
}

// Counts say what the board did, from its start.
type Counts struct {
	Taken uint64 // pieces of evidence
	Late  uint64 // of them, with a time before that of others: they count for their own
	Steps uint64 // the clock was set back by more than stepBack: all windows began anew
	Found uint64
	// What the bound on memory cost, by part: keys given up for newer ones, and
	// evidence that was refused.
	ScanEvicted, NameEvicted, Refused uint64
	Muted                             [event.NumRoles]uint64 // not raised, by the role of the host
	White                             uint64                 // not raised: the whitelist has it
}

// stepBack is how far (seconds) a time may lie behind that of others: the
// longest window of the scans' defaults. What lies further back is a clock that
// was set.
const stepBack = 30

// NewBoard makes a board. What it finds is lost until SetRaise was called.
func NewBoard(opt Options) *Board {
	b := &Board{raise: func(*Finding) {}}
	b.Configure(opt)
	return b
}

// SetRaise says who takes what the board finds. A finding is valid until raise
// returns.
func (b *Board) SetRaise(raise func(*Finding)) { b.raise = raise }

// Configure changes what the board looks for. Evidence so far counts, save for
// what no longer fits into a smaller memory; the seed stays.
func (b *Board) Configure(opt Options) {
	if b.opt.Memory != 0 {
		opt.Seed = b.opt.Seed
	}
	if opt.Memory <= 0 {
		opt.Memory = DefaultMemory
	}
	b.opt = opt
	b.scans.configure(&b.opt)
	b.names.configure(&b.opt)
}

// Take judges one piece of evidence with its name.
func (b *Board) Take(e *Evidence, name []byte) {
	b.counts.Taken++
	second := floor(e.At)
	switch {
	case !b.begun:
		b.begun, b.now, b.era = true, second, e.Era
	case e.Era != b.era || second < b.now-stepBack:
		b.era = e.Era
		b.counts.Steps++
		b.now = second
		b.scans.reset()
		b.names.reset()
	case second > b.now:
		b.now = second
	case second < b.now:
		b.counts.Late++
	}
	switch e.Kind {
	case ProbeTCP, ProbeUDP, WebPath:
		b.scans.take(b, e)
	case Query, LongName, NXDomain:
		b.names.take(b, e, name)
	}
}

// TakeAll judges a batch.
func (b *Board) TakeAll(batch *Batch) {
	for i := range batch.Evidence {
		e := &batch.Evidence[i]
		b.Take(e, batch.Name(e))
	}
}

// Counts gives the counts up to now.
func (b *Board) Counts() Counts {
	c := b.counts
	c.ScanEvicted = b.scans.evicted()
	return c
}

// floor gives the second of Unix nanoseconds, also before 1970.
func floor(ns int64) int64 {
	s := ns / 1e9
	if ns%1e9 < 0 {
		s--
	}
	return s
}
