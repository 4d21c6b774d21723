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

// Check says which pattern is wrong: it is none, or no detection has a code that
// it fits, so that it would let nothing pass.
func (f *Filter) Check() error {
	for _, p := range f.Codes {
		ok, err := fits(p, detectionCodes())
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		if health, _ := fits(p, event.HealthCodes()); health {
			return fmt.Errorf("codes: %q is of health events, which are no matter of a filter: see the key health", p)
		}
		return fmt.Errorf("codes: %q fits no code of a detection, such as trail.dns or scan.port", p)
	}
	return nil
}

// CheckPatterns says only which pattern is none: a journal may hold codes of
// another version.
func (f *Filter) CheckPatterns() error {
	for _, p := range f.Codes {
		if _, err := fits(p, nil); err != nil {
			return err
		}
	}
	return nil
}

func detectionCodes() []event.Code {
	list := event.Heuristics()
	for _, t := range event.Types() {
		list = append(list, event.CodeOf(t))
	}
	return list
}

// fits says whether a pattern fits one of the codes.
func fits(pattern string, codes []event.Code) (bool, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return false, fmt.Errorf("codes: %q is not a pattern: %w", pattern, err)
	}
	return slices.ContainsFunc(codes, func(c event.Code) bool {
		ok, _ := path.Match(pattern, string(c))
		return ok
	}), nil
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
