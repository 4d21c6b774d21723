package main

import (
	"fmt"

	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// incidentText says what befell a journal, for people, and the health code and
// cause of it. No text: nothing that an operator has to know at once.
func incidentText(i journal.Incident) (code event.Code, cause, info string) {
	code, cause = event.HealthJournalCorrupt, "journal"
	switch i.Kind {
	case journal.Full:
		code, info = event.HealthJournalFull, "no room for the journal: it goes on in what is reserved, then by giving up its oldest events"
		if i.Phase == journal.Recovered {
			info = "there is room for the journal again"
		}
	case journal.WriteFailed, journal.InMemory:
		code, cause, info = event.HealthJournalFull, "disk", "the journal cannot be written: events are kept in memory only, at most 16 MiB"
		if i.Kind == journal.WriteFailed {
			cause, info = "write", "the disk refuses the journal"
		}
		if i.Phase == journal.Recovered {
			info = "the journal is on disk again"
		} else if i.Err != nil {
			info = fmt.Sprintf("%s (%v)", info, i.Err)
		}
	case journal.Damaged:
		info = "a part of the journal is damaged, and put aside"
	case journal.Newer:
		info = "a part of the journal cannot be read, and stays as it is"
		if i.Err != nil {
			info = fmt.Sprintf("%s: %v", info, i.Err)
		}
	case journal.Missing:
		info = "a part of the journal is missing"
	case journal.CursorAhead:
		info = fmt.Sprintf("output %s had read more than the journal holds", i.Output)
	case journal.CursorDamaged:
		info = fmt.Sprintf("the place of output %s in the journal is lost: it begins at the oldest event", i.Output)
	}
	return code, cause, info
}

// incident says what befell the journal of a replay. What was given up is in the
// line of each output.
func (d *deliverer) incident(i journal.Incident) {
	if _, _, info := incidentText(i); info != "" {
		d.screen.say("%s", info)
	}
}
