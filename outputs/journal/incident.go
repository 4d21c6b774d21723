package journal

import (
	"context"
	"log/slog"
	"sync"
)

// A Kind says what an incident is about.
type Kind string

// The kinds. Those marked with a condition come as Raised and later Recovered;
// the others just happen.
const (
	TornTail      Kind = "torn_tail"      // an append was cut off by a crash; what was left of it is cut away
	Damaged       Kind = "damaged"        // a segment has records that cannot be read; it is a .bad file now
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

// maxIncidents bounds what waits to be told.
const maxIncidents = 1024

// A teller hands incidents over one after the other in a goroutine of its
// own, so that whoever listens may take time and may call the journal.
type teller struct {
	log    *slog.Logger
	listen func(Incident)

	mu      sync.Mutex
	waiting []Incident
	dropped uint64
	counts  map[Kind]uint64

	more chan struct{}
	end  chan struct{}
	done chan struct{}
}

// tell counts an incident and puts it in the queue. It never waits.
func (t *teller) tell(i Incident) {
	t.mu.Lock()
	if i.Phase != Recovered {
		t.counts[i.Kind]++
	}
	if len(t.waiting) < maxIncidents {
		t.waiting = append(t.waiting, i)
	} else {
		t.dropped++
	}
	t.mu.Unlock()
	select {
	case t.more <- struct{}{}:
	default:
	}
}

// run tells until end is closed, and then what is still waiting.
func (t *teller) run() {
	defer close(t.done)
	for last := false; ; {
		t.mu.Lock()
		batch, dropped := t.waiting, t.dropped
		t.waiting, t.dropped = nil, 0
		t.mu.Unlock()
		if dropped > 0 {
			t.log.Warn("incidents of the journal were not told one by one", "count", dropped)
		}
		for _, i := range batch {
			t.write(i)
			if t.listen != nil {
				t.listen(i)
			}
		}
		if len(batch) > 0 {
			continue
		}
		if last {
			return
		}
		select {
		case <-t.more:
		case <-t.end:
			last = true
		}
	}
}

func (t *teller) write(i Incident) {
	level := slog.LevelWarn
	if i.Phase == Recovered {
		level = slog.LevelInfo
	}
	a := []any{"kind", string(i.Kind), "phase", i.Phase.String()}
	if i.Output != "" {
		a = append(a, "output", i.Output)
	}
	if i.Path != "" {
		a = append(a, "file", i.Path)
	}
	if i.Last != 0 {
		a = append(a, "first", i.First, "last", i.Last)
	}
	if i.Events != 0 {
		a = append(a, "events", i.Events)
	}
	if i.Bytes != 0 {
		a = append(a, "bytes", i.Bytes)
	}
	if i.Err != nil {
		a = append(a, "error", i.Err)
	}
	t.log.Log(context.Background(), level, "journal", a...)
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

func (t *teller) total() map[Kind]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[Kind]uint64, len(t.counts))
	for k, n := range t.counts {
		all[k] = n
	}
	return all
}
