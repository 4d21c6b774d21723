package agent

import (
	"time"

	"trailhound/agent/event"
	"trailhound/agent/retro"
)

// Notes says what workers noted for trails to come.
type Notes struct {
	Taken   uint64
	Dropped uint64 // there was no room
}

// slate is the notes of one live worker on their way to the store. The worker
// never waits for that: what does not fit is dropped and counted by its notebook.
type slate struct {
	full chan *retro.Batch // to the store, in order
	free chan *retro.Batch // back from it
	made int               // the worker's: batches that there are
	stir func()            // wakes the gate
}

// slateBatches bounds the notes of a worker on their way.
const slateBatches = 32

func newSlate(stir func()) *slate {
	return &slate{full: make(chan *retro.Batch, slateBatches), free: make(chan *retro.Batch, slateBatches), made: 1, stir: stir}
}

// hand is the worker's: it takes a batch and gives an empty one, if there is one.
func (s *slate) hand(b *retro.Batch) (empty *retro.Batch) {
	select {
	case empty = <-s.free:
	default:
		if s.made == slateBatches {
			return nil
		}
		s.made++
		empty = retro.NewBatch()
	}
	s.full <- b // there are no more batches than it has room for
	s.stir()
	return empty
}

// lastNotes are handed over at the end, waiting for room as long as the gate makes
// some.
func (w *watcher) lastNotes() {
	for !w.notes.Flush() {
		w.live.stir()
		time.Sleep(time.Millisecond)
	}
}

// remember takes a batch of what each worker has noted, less than half a
// millisecond's work, so that other work of the gate gets its turn. It says whether
// there was any.
func (l *Live) remember() (some bool) {
	if l.opt.Retro == nil {
		return false
	}
	for _, w := range l.workers {
		select {
		case b := <-w.slate.full:
			some = true
			l.opt.Retro.Take(b)
			b.Reset()
			w.slate.free <- b
		default:
		}
	}
	return some
}

// Recall asks the store for observables by their hashes (retro.Secret.Hash). Found
// gets the place of each that it remembers, on the gate's goroutine. False: the
// sensor has ended, or it remembers nothing.
func (l *Live) Recall(n int, key func(i int) uint64, found func(i int, seen retro.Seen)) bool {
	return l.opt.Retro != nil && l.Do(func() {
		for i := range n {
			if seen, ok := l.opt.Retro.Find(key(i)); ok {
				found(i, seen)
			}
		}
	})
}

// Detect takes detections that no worker raised: of what is remembered. They pass
// the gate like all others.
func (l *Live) Detect(events []event.Event) bool {
	return l.Do(func() {
		for i := range events {
			l.tally.detected(&events[i])
			l.tally.recalled()
			l.opt.Gate.Take(events[i], l.out)
		}
	})
}
