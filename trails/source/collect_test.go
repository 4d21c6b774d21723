package source

import (
	"trailhound/trails"
)

// collected is a Collector that remembers everything.
type collected struct {
	provenances []trails.Provenance
	interned    int
	trails      map[string]trails.Provenance // by kind and text
	order       []string
}

func (c *collected) Provenance(p trails.Provenance) uint32 {
	c.interned++
	c.provenances = append(c.provenances, p)
	return uint32(len(c.provenances) - 1)
}

func (c *collected) Add(kind trails.Kind, key []byte, provenance uint32) {
	if c.trails == nil {
		c.trails = map[string]trails.Provenance{}
	}
	name := kind.String() + " " + trails.Text(kind, key)
	c.trails[name] = c.provenances[provenance]
	c.order = append(c.order, name)
}

// counted is a Collector that only counts.
type counted struct {
	provenances uint32
	keys        map[string]uint32 // nil: not kept
	pairs       []string
	trails      int
}

func (c *counted) Provenance(p trails.Provenance) uint32 {
	if c.keys != nil {
		c.pairs = append(c.pairs, p.Info+"|"+p.Reference)
	}
	c.provenances++
	return c.provenances - 1
}

func (c *counted) Add(kind trails.Kind, key []byte, provenance uint32) {
	c.trails++
	if c.keys != nil {
		c.keys[string(append([]byte{byte(kind)}, key...))] = provenance
	}
}
