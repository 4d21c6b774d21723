package journal

// A Mark says what became of the events of a cursor up to one of them:
//
//	Through - StartSeq = Delivered + Filtered + DeadLettered + Evicted + Quarantined
//
// Heartbeats tell a receiver the difference of two marks. The one that the last
// heartbeat ended with is kept with the cursor, and written by the same Advance
// that acknowledges the heartbeat: the ranges that a receiver gets of an output
// touch, whatever ended the process between them.
type Mark struct {
	Through                                                 uint64
	Delivered, Filtered, DeadLettered, Evicted, Quarantined uint64
}

// tally is what is kept with a cursor: numbers of events since start. acked -
// start is the sum of the five others, always.
type tally struct {
	start, acked                             uint64
	delivered, filtered, dead, evicted, quar uint64
	mark                                     Mark // as the last heartbeat told
}

// newTally begins behind a number.
func newTally(at uint64) tally { return tally{start: at, acked: at, mark: Mark{Through: at}} }

// includes says whether a mark can be one that the tally has passed.
func (t *tally) includes(m Mark) bool {
	return m.Through >= t.start && m.Through <= t.acked &&
		m.Through-t.start == m.Delivered+m.Filtered+m.DeadLettered+m.Evicted+m.Quarantined &&
		m.Delivered <= t.delivered && m.Filtered <= t.filtered && m.DeadLettered <= t.dead && m.Evicted <= t.evicted && m.Quarantined <= t.quar
}

// Settled is the mark of what is acknowledged.
func (s *CursorState) Settled() Mark {
	return Mark{s.Acknowledged, s.Delivered, s.Filtered, s.DeadLettered, s.Evicted - s.ahead, s.Quarantined}
}
