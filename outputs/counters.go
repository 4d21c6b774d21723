package outputs

// A Counter is an Output that counts what only it can know. Any goroutine may
// ask.
type Counter interface {
	Counters() Counters
}

// Counters are what an output counted since it was made. Has says which of them
// mean something for it: the others are 0 and are shown nowhere.
type Counters struct {
	Has Counted

	Bytes      uint64 // written, before TLS
	Requests   uint64 // that were answered, or windows that were sent
	Truncated  uint64 // events that were cut to fit
	Skipped    uint64 // events that the receiver has no form for; they count as delivered
	Duplicates uint64 // events that the receiver had already
	Diverted   uint64 // events that the receiver put aside, into a failure store
	Deferred   uint64 // times that an event was put off
	Splits     uint64 // requests that were cut in half
	Resent     uint64 // events sent once more over a new connection
	Reconnects uint64 // connections beyond the first
	Failures   uint64 // attempts to connect that failed
	Losses     uint64 // connections that the other side ended
	Keepalives uint64 // answers that the receiver is busy
	Rotations  uint64 // of the file
	Torn       uint64 // torn last lines that were cut off
	Emptied    uint64 // times that another program emptied the file, and the last records were written once more
}

// Counted is a set of counters.
type Counted uint16

// The members of the set, each for the counter of its name.
const (
	HasBytes Counted = 1 << iota
	HasRequests
	HasTruncated
	HasSkipped
	HasDuplicates
	HasDiverted
	HasDeferred
	HasSplits
	HasResent
	HasReconnects
	HasFailures
	HasLosses
	HasKeepalives
	HasRotations
	HasTorn
	HasEmptied
	hasAll = 1<<iota - 1
)

// Each hands the counters that mean something to f, by the names that the status
// page and the metrics have for them.
func (c *Counters) Each(f func(name string, value uint64)) {
	for _, one := range [...]struct {
		has   Counted
		name  string
		value uint64
	}{
		{HasBytes, "bytes", c.Bytes},
		{HasRequests, "requests", c.Requests},
		{HasTruncated, "truncated", c.Truncated},
		{HasSkipped, "skipped", c.Skipped},
		{HasDuplicates, "duplicates", c.Duplicates},
		{HasDiverted, "diverted", c.Diverted},
		{HasDeferred, "deferred", c.Deferred},
		{HasSplits, "splits", c.Splits},
		{HasResent, "resent", c.Resent},
		{HasReconnects, "reconnects", c.Reconnects},
		{HasFailures, "connect_failures", c.Failures},
		{HasLosses, "losses", c.Losses},
		{HasKeepalives, "keepalives", c.Keepalives},
		{HasRotations, "rotations", c.Rotations},
		{HasTorn, "torn", c.Torn},
		{HasEmptied, "emptied", c.Emptied},
	} {
		if c.Has&one.has != 0 {
			f(one.name, one.value)
		}
	}
}

// plus adds what another output counted: the one that took this one's place.
func (c Counters) plus(d Counters) Counters {
	return Counters{Has: c.Has | d.Has, Bytes: c.Bytes + d.Bytes, Requests: c.Requests + d.Requests, Truncated: c.Truncated + d.Truncated,
		Skipped: c.Skipped + d.Skipped, Duplicates: c.Duplicates + d.Duplicates, Diverted: c.Diverted + d.Diverted, Deferred: c.Deferred + d.Deferred,
		Splits: c.Splits + d.Splits, Resent: c.Resent + d.Resent, Reconnects: c.Reconnects + d.Reconnects, Failures: c.Failures + d.Failures,
		Losses: c.Losses + d.Losses, Keepalives: c.Keepalives + d.Keepalives, Rotations: c.Rotations + d.Rotations, Torn: c.Torn + d.Torn,
		Emptied: c.Emptied + d.Emptied}
}

// AllCounters is a set of counters with every member, for those who make sure
// that each is shown.
func AllCounters() Counters { return Counters{Has: hasAll} }

func countersOf(o Output) Counters {
	if c, ok := o.(Counter); ok {
		return c.Counters()
	}
	return Counters{}
}
