package event

import "slices"

// Entry says of a code what docs/detections.md tells the people who get its
// events. What a code itself knows (its severity, technique, threshold and window)
// is not repeated here.
type Entry struct {
	Code    Code
	Types   []Type // of its events
	Meaning string // what was seen, and what of it is likely
	// Counts is what the threshold is a number of; empty: there is none.
	Counts string
	// Example is an event as the table of `trailhound replay` shows it, one blank
	// between columns.
	Example string
	// Benign is what raises it without an attack, and what to do then.
	Benign string
	// Needs is the key that has to be set for it, or empty; Always says that
	// detection.heuristics does not switch it off.
	Needs  string
	Always bool
	// Rule is a suppression rule, in YAML on one line, that takes the example out
	// and little else. Health events have none: they pass no gate.
	Rule string
}

// Catalogue describes every code once: trails, heuristics and health, each in the
// order of its list.
func Catalogue() []Entry {
	return slices.Concat(trailEntries(), scanEntries(), nameEntries(), webEntries(), attackEntries(), healthEntries())
}

// Severities gives the least and the highest severity of the code's events, which
// of a trail is by its info, and of a health event by its state.
func (e *Entry) Severities() (least, most Severity) {
	switch {
	case e.Code.IsTrail():
		return Low, High
	case e.Code.IsHealth():
		raised := HealthFacts{State: Raised}
		if raised.isFault(e.Code) {
			return Info, Medium
		}
		return Info, Info
	}
	return e.Code.Severity(), e.Code.Severity()
}

// Excused gives the roles of hosts for which the code is not raised.
func (c Code) Excused() (roles []Role) {
	for r := range Role(NumRoles) {
		if slices.Contains(r.Excuses(), c) {
			roles = append(roles, r)
		}
	}
	return roles
}
