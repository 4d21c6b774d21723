package status

import "time"

// Retro is the memory of names and addresses that trails to come are looked up in.
type Retro struct {
	Entries     uint64 `json:"entries"`
	MostEntries uint64 `json:"most_entries"` // 0: nothing is remembered
	Bytes       uint64 `json:"bytes"`        // taken, filled or not
	// Since is the time from which on everything is remembered, Last that of the
	// latest note.
	Since     time.Time  `json:"since,omitzero"`
	Last      time.Time  `json:"last,omitzero"`
	Persisted bool       `json:"persisted"` // kept over restarts
	Notes     uint64     `json:"notes"`     // taken, since the memory was empty
	Dropped   uint64     `json:"dropped"`   // notes for which there was no room
	Evicted   uint64     `json:"evicted"`   // entries given up for newer ones
	Hits      uint64     `json:"hits"`      // new trails that were remembered
	Recalled  uint64     `json:"recalled"`  // detections that came of them
	LastCheck RetroCheck `json:"last_check"`
}

// RetroCheck is the last time that new trails were looked up.
type RetroCheck struct {
	At         time.Time `json:"at,omitzero"` // of its end
	Generation uint64    `json:"generation"`  // of the table that brought them
	Keys       uint64    `json:"keys"`        // trails that the table before did not have
	Hits       uint64    `json:"hits"`
	Seconds    float64   `json:"seconds"`
	Error      string    `json:"error,omitempty"` // why it was not done, or not to its end
}

func retroFamilies() []family {
	return []family{
		gauge("retro_entries", "Names and addresses that are remembered for trails to come.", "",
			one(func(s *Snapshot) float64 { return float64(s.Retro.Entries) })),
		gauge("retro_since_timestamp_seconds", "From when on everything seen is remembered; 0: nothing was.", "",
			one(func(s *Snapshot) float64 { return instant(s.Retro.Since) })),
		gauge("retro_last_timestamp_seconds", "When something was noted last, to the minute; 0: never.", "",
			one(func(s *Snapshot) float64 { return instant(s.Retro.Last) })),
		number("retro_notes_total", "Names and addresses noted, each once a minute.", func(s *Snapshot) uint64 { return s.Retro.Notes }),
		number("retro_dropped_notes_total", "Names and addresses not noted because the gate was behind.", func(s *Snapshot) uint64 { return s.Retro.Dropped }),
		number("retro_evicted_total", "Names and addresses forgotten to make room.", func(s *Snapshot) uint64 { return s.Retro.Evicted }),
		number("retro_hits_total", "New trails that had been met before.", func(s *Snapshot) uint64 { return s.Retro.Hits }),
		gauge("retro_last_check_timestamp_seconds", "When new trails were looked up last; 0: never.", "",
			one(func(s *Snapshot) float64 { return instant(s.Retro.LastCheck.At) })),
		gauge("retro_last_check_keys", "Trails looked up then.", "",
			one(func(s *Snapshot) float64 { return float64(s.Retro.LastCheck.Keys) })),
	}
}
