package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"trailhound/trails"
)

// provenances interns the distinct (info, reference, sources) of a build.
type provenances struct {
	list   []trails.Provenance
	known  map[string]uint32    // by their encoding
	merged map[[2]uint32]uint32 // winner, other -> both
}

func (p *provenances) init() {
	p.known = make(map[string]uint32)
	p.merged = make(map[[2]uint32]uint32)
}

func (p *provenances) intern(v trails.Provenance) uint32 {
	if len(v.Sources) > maxSources {
		v.Sources = v.Sources[:maxSources]
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%q%q", v.Info, v.Reference)
	for _, s := range v.Sources {
		fmt.Fprintf(&key, "%q%q", s.Name, s.URLs)
	}
	if n, ok := p.known[key.String()]; ok {
		return n
	}
	n := uint32(len(p.list))
	p.list = append(p.list, v)
	p.known[key.String()] = n
	return n
}

// merge gives the provenance of a key that two sources list: the winner's info
// and reference, the sources of both.
func (p *provenances) merge(winner, other uint32) uint32 {
	if winner == other {
		return winner
	}
	pair := [2]uint32{winner, other}
	if n, ok := p.merged[pair]; ok {
		return n
	}
	v := p.list[winner]
	v.Sources = append([]trails.Source(nil), v.Sources...)
	for _, s := range p.list[other].Sources {
		if len(v.Sources) < maxSources && !holds(v.Sources, s) {
			v.Sources = append(v.Sources, s)
		}
	}
	n := p.intern(v)
	p.merged[pair] = n
	return n
}

func holds(list []trails.Source, s trails.Source) bool {
	for _, have := range list {
		if have.Name == s.Name && strings.Join(have.URLs, "\n") == strings.Join(s.URLs, "\n") {
			return true
		}
	}
	return false
}

// stringTable numbers the distinct texts of a build.
type stringTable struct {
	known map[string]uint64
	offs  []byte
	data  []byte
}

func (s *stringTable) number(text string) uint64 {
	if n, ok := s.known[text]; ok {
		return n
	}
	n := uint64(len(s.known))
	s.known[text] = n
	s.data = append(s.data, text...)
	s.offs = le.AppendUint32(s.offs, uint32(len(s.data)))
	return n
}

// encode gives the sections of provenance: for each tuple the offset of its
// numbers; the numbers (info, reference, sources, and for each source its
// number and the texts of its URLs); the sources (name, last seen); texts.
func (p *provenances) encode(seen int64) (offs, tuples, sources []byte, texts *stringTable) {
	texts = &stringTable{known: make(map[string]uint64), offs: make([]byte, 4)}
	names := make(map[string]uint64)
	for _, v := range p.list {
		offs = le.AppendUint32(offs, uint32(len(tuples)))
		tuples = binary.AppendUvarint(tuples, texts.number(v.Info))
		tuples = binary.AppendUvarint(tuples, texts.number(v.Reference))
		tuples = binary.AppendUvarint(tuples, uint64(len(v.Sources)))
		for _, s := range v.Sources {
			n, ok := names[s.Name]
			if !ok {
				n = uint64(len(names))
				names[s.Name] = n
				sources = le.AppendUint32(sources, uint32(texts.number(s.Name)))
				sources = le.AppendUint64(sources, uint64(seen))
			}
			tuples = binary.AppendUvarint(tuples, n)
			tuples = binary.AppendUvarint(tuples, uint64(len(s.URLs)))
			for _, u := range s.URLs {
				tuples = binary.AppendUvarint(tuples, texts.number(u))
			}
		}
	}
	return le.AppendUint32(offs, uint32(len(tuples))), tuples, sources, texts
}

func errBadAdd(kind trails.Kind, n int) error {
	return fmt.Errorf("BUG: key of %d bytes cannot be of kind %s", n, kind)
}

var errLateAdd = errors.New("BUG: a trail was added after the collecting had ended")
