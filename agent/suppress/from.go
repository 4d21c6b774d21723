package suppress

import (
	"encoding/hex"
	"strings"
	"time"

	"trailhound/agent/event"
)

// FromEvent gives the narrowest rule that hides an event and its repeats: its
// source, trail, code and info; of the summary of a source's many trails, the
// trails that it lists, or all of them when it could not list them all. The
// reason is left for a person to fill in, without which the rule is refused.
func FromEvent(e *event.Event, now time.Time) Rule {
	r := Rule{ID: strings.ReplaceAll(string(e.Code), ".", "-") + "-" + hex.EncodeToString(e.ID[12:]),
		Created: now.UTC().Format(time.DateOnly), Action: Drop, Code: []string{quoteGlob(string(e.Code))}}
	if e.Src.IsValid() {
		r.Source = []string{e.Src.Unmap().WithZone("").String()}
	}
	many := len(e.Aggregate.Trails) > 0
	switch {
	case many && e.Aggregate.MoreTrails == 0:
		for _, t := range e.Aggregate.Trails {
			r.Trail = append(r.Trail, quoteGlob(t))
		}
	case many:
	case e.Indicator != "":
		r.Trail = []string{quoteGlob(e.Indicator)}
	case e.Trail != "":
		r.Trail = []string{quoteGlob(e.Trail)}
	}
	if e.Info != "" && !many {
		r.Info = []string{quoteGlob(e.Info)}
	}
	return r
}
