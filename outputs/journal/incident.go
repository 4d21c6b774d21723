package journal

// A Kind says what an incident is about.
type Kind string

// The kinds. Those marked with a condition come as Raised and later Recovered;
// the others just happen.
const (
	TornTail      Kind = "torn_tail"      // an append was cut off by a crash; what was left of it is cut away
	Damaged       Kind = "damaged"        // a segment has records that cannot be read; it is a .bad file now
	Newer         Kind = "newer_version"  // a segment was made by a newer version: nothing of it can be read, and it stays as it is
	Missing       Kind = "missing"        // segments are not there that should be
	CursorAhead   Kind = "cursor_ahead"   // a cursor had read more than the journal holds
	CursorDamaged Kind = "cursor_damaged" // a cursor's file cannot be read: it begins at the oldest event
	Full          Kind = "full"           // condition: no room on the disk; goes on in what is reserved, then by giving up old segments
	WriteFailed   Kind = "write_failed"   // condition: the disk refuses, for another reason than room
	InMemory      Kind = "memory"         // condition: degraded, events are kept in memory only
	Evicted       Kind = "evicted"        // events were given up that an output had not delivered
	Lost          Kind = "lost"           // events could not be kept at the end of the process
)

// A Phase is what an incident says of a condition.
type Phase uint8

// The phases.
const (
	Noted Phase = iota // it happened
	Raised
	Recovered
)

// An Incident is something that an operator should know.
type Incident struct {
	Kind   Kind
	Phase  Phase
	Output string // name of the cursor that it is about; empty: the journal
	Path   string // the file that it is about, empty: none
	// First and Last are the sequence numbers that it is about, Events how
	// many events of them: 0, none or not known.
	First, Last, Events uint64
	Bytes               int64 // cut off
	Err                 error
}

// String names the phase as health events do.
func (p Phase) String() string {
	switch p {
	case Raised:
		return "raised"
	case Recovered:
		return "recovered"
	}
	return "noted"
}
