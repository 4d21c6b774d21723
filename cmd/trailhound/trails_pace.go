package main

import (
	"math"
	"runtime/debug"

	"trailhound/trails"
	"trailhound/trails/table"
)

// pacer lets the heap grow with the number of trails instead of by percent.
// Nearly all of a build's heap lives to its end: collecting it at each tenth of
// growth costs time, and collecting it late doubles the memory.
type pacer struct {
	*table.Builder
	added   int
	percent int
	limit   int64
}

// What a build needs: for itself, and for each trail (key, record, slots, and
// their copies while they grow).
const (
	paceBase       = 24 << 20
	paceTrail      = 56
	paceProvenance = 768     // and for each distinct one of them, with its texts
	paceStep       = 1 << 16 // trails between two looks
)

// startPacer begins to pace the builder's heap; stop ends it.
func startPacer(b *table.Builder) *pacer {
	p := &pacer{Builder: b, limit: debug.SetMemoryLimit(-1)}
	p.pace()
	p.percent = debug.SetGCPercent(-1)
	return p
}

// Add takes one trail.
func (p *pacer) Add(kind trails.Kind, key []byte, provenance uint32) {
	p.Builder.Add(kind, key, provenance)
	if p.added++; p.added%paceStep == 0 {
		p.pace()
	}
}

// Provenance interns p; a tree has one per publication.
func (p *pacer) Provenance(v trails.Provenance) uint32 {
	n := p.Builder.Provenance(v)
	p.provenances = max(p.provenances, int(n)+1)
	return n
}

// pace allows for the trails there are and those of the next step. A limit
// that the user set is kept.
func (p *pacer) pace() {
	if p.limit == math.MaxInt64 {
		debug.SetMemoryLimit(paceBase + int64(p.Len()+paceStep)*paceTrail + int64(p.provenances)*paceProvenance)
	}
}

func (p *pacer) stop() {
	debug.SetGCPercent(p.percent)
	debug.SetMemoryLimit(p.limit)
}
