package agent

import (
	"maps"
	"sync"

	"trailhound/agent/event"
	"trailhound/agent/heuristic"
	"trailhound/agent/retro"
	"trailhound/agent/suppress"
)

// Finding names a class of detections.
type Finding struct {
	Type     event.Type
	Severity event.Severity
	Category string // trail or heuristic
}

// Tally says what became of the detections. At any time, of what the workers
// raised, the board found (Board.Found less Self) and was recalled: detected (Gate.Detected),
// dropped at a full queue, or queued.
type Tally struct {
	Gate     suppress.Counts
	Findings map[Finding]uint64
	Health   uint64 // events that the sensor raised of itself
	Board    heuristic.Counts
	Retro    retro.Counts // of the memory of names and addresses
	Recalled uint64       // detections that came of it
}

// tally is the Tally under way: written by the gate's goroutine.
type tally struct {
	mu sync.Mutex
	t  Tally
}

func (t *tally) init() { t.t.Findings = make(map[Finding]uint64) }

func (t *tally) detected(e *event.Event) {
	t.mu.Lock()
	t.t.Findings[Finding{e.Type, e.Severity, e.Code.Category()}]++
	t.mu.Unlock()
}

func (t *tally) health() {
	t.mu.Lock()
	t.t.Health++
	t.mu.Unlock()
}

func (t *tally) gate(c suppress.Counts, b heuristic.Counts) {
	t.mu.Lock()
	t.t.Gate, t.t.Board = c, b
	t.mu.Unlock()
}

// Tally gives the counts up to now.
func (l *Live) Tally() Tally {
	l.tally.mu.Lock()
	defer l.tally.mu.Unlock()
	t := l.tally.t
	t.Findings = maps.Clone(t.Findings)
	return t
}

func (t *tally) retro(c retro.Counts) {
	t.mu.Lock()
	t.t.Retro = c
	t.mu.Unlock()
}

func (t *tally) recalled() {
	t.mu.Lock()
	t.t.Recalled++
	t.mu.Unlock()
}
