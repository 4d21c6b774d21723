package outputs

import (
	"fmt"
	"net/netip"
	"path"
	"slices"

	"trailhound/agent/event"
)

// A Filter says which detections go to an output. Each part that is given must
// hold; within a part one value is enough. The zero value lets everything pass.
// Health events are not its matter.
type Filter struct {
	Severity event.Severity // the least; Info: any
	Types    []event.Type
	Codes    []string       // patterns as of path.Match over the code's parts: trail.*, dns.dga.*
	Networks []netip.Prefix // source or destination is in one of them
}

// Check says which pattern is wrong.
func (f *Filter) Check() error {
	for _, p := range f.Codes {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("codes: %q is not a pattern: %w", p, err)
		}
	}
	return nil
}

// Empty says whether everything passes.
func (f *Filter) Empty() bool {
	return f.Severity == event.Info && len(f.Types) == 0 && len(f.Codes) == 0 && len(f.Networks) == 0
}

// Pass says whether the event goes to the output.
func (f *Filter) Pass(e *event.Event) bool {
	return e.Severity >= f.Severity &&
		(len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
		(len(f.Codes) == 0 || slices.ContainsFunc(f.Codes, func(p string) bool {
			ok, _ := path.Match(p, string(e.Code))
			return ok
		})) &&
		(len(f.Networks) == 0 || f.near(e))
}

// near says whether one of the event's addresses, those of a summary included,
// is in one of the networks.
func (f *Filter) near(e *event.Event) bool {
	in := func(a netip.Addr) bool {
		a = a.Unmap().WithZone("")
		return slices.ContainsFunc(f.Networks, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return in(e.Src) || in(e.Dst) || slices.ContainsFunc(e.Aggregate.Dsts, in)
}
