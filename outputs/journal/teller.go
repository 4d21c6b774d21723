package journal

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

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
	losses  map[string]*loss // by output; of the goroutine that tells

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
	t.losses = make(map[string]*loss)
	again := time.NewTicker(repeatLog)
	defer again.Stop()
	for last := false; ; {
		t.mu.Lock()
		batch, dropped := t.waiting, t.dropped
		t.waiting, t.dropped = nil, 0
		t.mu.Unlock()
		if dropped > 0 {
			t.log.Warn("incidents of the journal were not told one by one", "count", dropped)
		}
		for _, i := range batch {
			if i.Kind == Evicted {
				t.lost(i)
			} else {
				t.write(i)
			}
			if t.listen != nil {
				t.listen(i)
			}
		}
		if len(batch) > 0 {
			continue
		}
		if last {
			t.sayLosses(0)
			return
		}
		select {
		case <-t.more:
		case <-again.C:
			t.sayLosses(repeatLog)
		case <-t.end:
			last = true
		}
	}
}

// A loss is what an output has lost since that was last logged.
type loss struct {
	first, last, events uint64
	logged              time.Time
}

// repeatLog is how often a loss that goes on is logged: a full journal gives up
// a segment as often as it fills one.
const repeatLog = 5 * time.Minute

// lost logs a loss when it begins; what follows is summed up.
func (t *teller) lost(i Incident) {
	l := t.losses[i.Output]
	if l == nil {
		l = &loss{logged: time.Now().Add(-repeatLog)}
		t.losses[i.Output] = l
	}
	if l.events == 0 {
		l.first = i.First
	}
	l.last, l.events = i.Last, l.events+i.Events
	t.sayLoss(i.Output, l, repeatLog)
}

// sayLosses logs what was lost and not said for so long.
func (t *teller) sayLosses(after time.Duration) {
	for _, output := range slices.Sorted(maps.Keys(t.losses)) {
		t.sayLoss(output, t.losses[output], after)
	}
}

func (t *teller) sayLoss(output string, l *loss, after time.Duration) {
	if now := time.Now(); l.events > 0 && now.Sub(l.logged) >= after {
		t.write(Incident{Kind: Evicted, Output: output, First: l.first, Last: l.last, Events: l.events})
		*l = loss{logged: now}
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

func (t *teller) total() map[Kind]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[Kind]uint64, len(t.counts))
	for k, n := range t.counts {
		all[k] = n
	}
	return all
}
