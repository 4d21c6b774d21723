package status

import "trailhound/agent/event"

// Heuristics is what the heuristics over time did: the evidence of the workers
// and what the board made of it.
type Heuristics struct {
	Evidence uint64 `json:"evidence"` // observations that the workers noted
	Repeated uint64 `json:"repeated"` // left out: the second had the same already
	Dropped  uint64 `json:"dropped"`  // there was no room on the way to the board
	Judged   uint64 `json:"judged"`
	Late     uint64 `json:"late"`  // judged, with a time before that of others
	Steps    uint64 `json:"steps"` // the clock was set back: all windows began anew
	Found    uint64 `json:"found"` // events
	White    uint64 `json:"white"` // findings that the whitelist took out
	// What the bound on memory cost: keys of scans and of names that gave way to
	// newer ones, and evidence that was refused.
	EvictedScans uint64                 `json:"evicted_scans"`
	EvictedNames uint64                 `json:"evicted_names"`
	Refused      uint64                 `json:"refused"`
	Muted        [event.NumRoles]uint64 `json:"-"` // events that a role of the host excuses, by role
	MutedByRole  map[string]uint64      `json:"muted"`
}

func heuristicFamilies() []family {
	of := func(name, help string, value func(h *Heuristics) uint64) family {
		return number("heuristic_"+name+"_total", help, func(s *Snapshot) uint64 { return value(&s.Detection.Heuristics) })
	}
	return []family{
		of("evidence", "Observations that the workers noted for the heuristics over time.", func(h *Heuristics) uint64 { return h.Evidence }),
		of("evidence_repeated", "Observations left out because the second had the same already.", func(h *Heuristics) uint64 { return h.Repeated }),
		of("evidence_dropped", "Observations lost for want of room on the way to the board.", func(h *Heuristics) uint64 { return h.Dropped }),
		of("evidence_judged", "Observations that the board judged.", func(h *Heuristics) uint64 { return h.Judged }),
		of("evidence_late", "Observations judged with a time before that of others.", func(h *Heuristics) uint64 { return h.Late }),
		of("evidence_refused", "Observations refused for want of memory.", func(h *Heuristics) uint64 { return h.Refused }),
		of("clock_steps", "Times that the clock was set back, so that all windows began anew.", func(h *Heuristics) uint64 { return h.Steps }),
		of("findings", "Events that the board found.", func(h *Heuristics) uint64 { return h.Found }),
		of("findings_whitelisted", "Findings that the whitelist took out.", func(h *Heuristics) uint64 { return h.White }),
		counter("heuristic_evicted_keys_total", "Keys that gave way to newer ones for want of memory (detection.memory), by what they count.", "kind", func(s *Snapshot, put put) {
			put(float64(s.Detection.Heuristics.EvictedScans), "scans")
			put(float64(s.Detection.Heuristics.EvictedNames), "names")
		}),
		counter("heuristic_muted_events_total", "Events of heuristics that a role of the host excuses (detection.roles), by role.", "role", func(s *Snapshot, put put) {
			for role := range event.Role(event.NumRoles) {
				put(float64(s.Detection.Heuristics.Muted[role]), role.String())
			}
		}),
	}
}
