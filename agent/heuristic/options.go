package heuristic

import (
	"net/netip"
	"time"

	"trailhound/agent/event"
)

// Options say what the board looks for.
type Options struct {
	Heuristics bool                // everything but dns.exhaustion
	Disabled   map[event.Code]bool // codes that raise nothing
	// Thresholds and Windows by code; those that are not given are the
	// reference's: event.Code.Threshold and Window.
	Thresholds map[event.Code]float64
	Windows    map[event.Code]time.Duration
	Home       *event.HomeNetworks
	Roles      *event.Roles
	White      Whitelist // nil: none
	// Memory bounds the state, in bytes, about; 0: DefaultMemory.
	Memory int
	// Seed keys the hashes; the collectors have the same.
	Seed uint64
}

// Whitelist is asked before anything is raised.
type Whitelist interface {
	Addr(a netip.Addr) bool
	Domain(name []byte) bool
}

// DefaultMemory is enough for the reference's numbers of keys.
const DefaultMemory = 64 << 20

// on says whether a code may be raised.
func (o *Options) on(c event.Code) bool {
	return !o.Disabled[c] && (o.Heuristics || c == event.DNSExhaustion)
}

func (o *Options) threshold(c event.Code) float64 {
	if v, ok := o.Thresholds[c]; ok {
		return v
	}
	v, _, _ := c.Threshold()
	return v
}

// window is in whole seconds.
func (o *Options) window(c event.Code) int64 {
	w, ok := o.Windows[c]
	if !ok {
		w, _ = c.Window()
	}
	return max(int64(w/time.Second), 1)
}
