package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"trailhound/agent"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/generation"
	"trailhound/agent/retro"
	"trailhound/agent/status"
)

// retroFile holds what is remembered of names and addresses, if it is to be kept.
const retroFile = "retro.memory"

// retroEvery is the time between two savings of it.
const retroEvery = 10 * time.Minute

// retroMost bounds the events of one check. A first table after the starter set is
// new in all it lists.
const retroMost = 10_000

// retroRest is the pause after each part of a table: a check takes seconds, and
// costs the packets nothing.
const retroRest = time.Millisecond

// hindsight looks up new trails in what is remembered of names and addresses.
type hindsight struct {
	store *retro.Store // the gate's, once the pipeline runs
	path  string       // empty: it is not kept
	log   *slog.Logger
	live  *agent.Live
	ctx   context.Context
	spawn func(func())

	failing bool // the keeper's: to save it

	mu   sync.Mutex
	tail chan struct{} // closed when the check that was asked for last is done
	last status.RetroCheck
	hits uint64
}

// openRetro makes the memory, of what an earlier run has left if it is to be kept;
// nil: there is none.
func (s *service) openRetro() *hindsight {
	c := s.config.Retro
	path := filepath.Join(s.stateDir, retroFile)
	if !c.Persist || c.Memory <= 0 {
		if err := os.Remove(path); err == nil {
			s.log.Info("what was remembered of names and addresses is removed, as configured", "path", path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("what was remembered of names and addresses cannot be removed", "path", path, "error", bare(err))
		}
		path = ""
	}
	if c.Memory <= 0 {
		return nil
	}
	h := &hindsight{path: path, log: s.log, spawn: s.spawn}
	if path != "" {
		var err error
		if h.store, err = retro.Load(path, int64(c.Memory)); err != nil {
			args := []any{"error", err}
			if errors.Is(err, retro.ErrDamaged) {
				aside, err := retro.Aside(path)
				if err != nil {
					aside = err.Error()
				}
				args = append(args, "now_at", aside)
			}
			s.log.Error("what was remembered of names and addresses cannot be used: it begins anew", args...)
		} else if h.store != nil {
			n := h.store.Counts()
			s.log.Info("names and addresses of the run before are remembered", "entries", n.Entries, "since", n.Since, "last", n.Last)
		}
	}
	if h.store == nil {
		h.store = retro.New(int64(c.Memory), retro.NewSecret())
	}
	return h
}

// memory is the store for the pipeline; nil: none.
func (h *hindsight) memory() *retro.Store {
	if h == nil {
		return nil
	}
	return h.store
}

// start begins to save what is remembered. What came with the table of the start
// while the sensor did not run is looked up.
func (h *hindsight) start(ctx context.Context, live *agent.Live, g *generation.Generation, rules *detect.Rules) {
	if h == nil {
		return
	}
	h.mu.Lock()
	h.ctx, h.live = ctx, live
	h.mu.Unlock()
	// Tables know ages to the minute.
	if saved := h.store.Saved().Add(time.Minute); !h.store.Saved().IsZero() && !g.Fallback && g.Table.Created().After(saved) {
		h.queue(g, func(take func([]retro.Candidate) bool) error {
			return g.Read(func() error {
				if !h.store.Secret().FreshSince(g.Table, saved, take) {
					return errors.New("the table does not say which trails are new")
				}
				return nil
			})
		}, rules)
	}
	if h.path != "" {
		h.spawn(h.keep)
	}
}

// swapped looks up what a table lists and the one before did not. Both stay
// readable until what it returns is closed, which is not before released is.
func (h *hindsight) swapped(g, before *generation.Generation, rules *detect.Rules, released <-chan struct{}) <-chan struct{} {
	if h == nil || h.live == nil {
		return released
	}
	if g.Fallback || before.Fallback && before.Starter {
		// One stands in for the other: what it lists is not new, or all of it is
		// new to the starter set.
		return released
	}
	done := h.queue(g, func(take func([]retro.Candidate) bool) error {
		return before.Read(func() error {
			return g.Read(func() error { h.store.Secret().Fresh(g.Table, before.Table, take); return nil })
		})
	}, rules)
	both := make(chan struct{})
	go func() {
		<-done
		<-released
		close(both)
	}()
	return both
}

// queue begins a check as soon as those before it are done.
func (h *hindsight) queue(g *generation.Generation, pick func(take func([]retro.Candidate) bool) error, rules *detect.Rules) (done <-chan struct{}) {
	end := make(chan struct{})
	h.mu.Lock()
	first := h.tail
	h.tail = end
	h.mu.Unlock()
	h.spawn(func() {
		defer close(end)
		if first != nil {
			<-first // it ends with the same context
		}
		if h.ctx.Err() == nil {
			h.check(g, pick, rules)
		}
	})
	return end
}

// check looks up trails and raises what is found.
func (h *hindsight) check(g *generation.Generation, pick func(take func([]retro.Candidate) bool) error, rules *detect.Rules) {
	began := time.Now()
	sum := status.RetroCheck{Generation: g.Number}
	raised, left := 0, 0
	err := pick(func(part []retro.Candidate) bool {
		var events []event.Event
		var seen []retro.Seen
		var at []int
		sum.Keys += uint64(len(part))
		if len(part) > 0 && !h.live.Recall(len(part), func(i int) uint64 { return part[i].Key },
			func(i int, s retro.Seen) { at, seen = append(at, i), append(seen, s) }) {
			return false
		}
		sum.Hits += uint64(len(at))
		for j, i := range at {
			if e, ok := rules.Recall(part[i].Ref, seen[j], time.Now()); !ok {
				continue
			} else if raised == retroMost {
				left++
			} else {
				raised++
				events = append(events, e)
			}
		}
		if len(events) > 0 && !h.live.Detect(events) {
			return false
		}
		select {
		case <-time.After(retroRest):
			return true
		case <-h.ctx.Done():
			return false
		}
	})
	if err == nil && h.ctx.Err() != nil {
		err = errors.New("the sensor ended")
	}
	sum.At, sum.Seconds = time.Now().UTC(), time.Since(began).Seconds()
	if err != nil {
		sum.Error = err.Error()
		h.log.Warn("new trails were not all looked up in what was seen before", "generation", g.Number, "trails", sum.Keys, "error", err)
	} else {
		h.log.Info("new trails looked up in what was seen before", "generation", g.Number, "trails", sum.Keys, "hits", sum.Hits, "events", raised,
			"took", time.Since(began).Round(time.Millisecond).String())
	}
	if left > 0 {
		h.log.Warn(fmt.Sprintf("more than %d new trails were met before: the rest is not told", retroMost), "generation", g.Number, "left", left)
	}
	h.mu.Lock()
	h.last, h.hits = sum, h.hits+sum.Hits
	h.mu.Unlock()
}

// keep saves what is remembered every now and then.
func (h *hindsight) keep() {
	tick := time.NewTicker(retroEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			h.save(h.live.Do)
		case <-h.ctx.Done():
			return
		}
	}
}

// save writes it. For do see retro.Store.Write.
func (h *hindsight) save(do func(func()) bool) {
	err := h.store.Save(h.path, time.Now(), do)
	if err != nil && h.ctx.Err() == nil && !h.failing {
		h.log.Error("what is remembered of names and addresses cannot be kept", "error", err)
	} else if err == nil && h.failing {
		h.log.Info("what is remembered of names and addresses is kept again", "path", h.path)
	}
	h.failing = err != nil
}

// end saves it for the next run. The pipeline has ended, and so has keep.
func (h *hindsight) end() error {
	if h == nil || h.path == "" {
		return nil
	}
	if err := h.store.Save(h.path, time.Now(), func(f func()) bool { f(); return true }); err != nil {
		return fmt.Errorf("what is remembered of names and addresses is lost: %w", err)
	}
	return nil
}

// show is what the status endpoint says of it.
func (h *hindsight) show(traffic []agent.WorkerTraffic, tally agent.Tally) (out status.Retro) {
	if h == nil {
		return out
	}
	c := tally.Retro
	out = status.Retro{Entries: uint64(c.Entries), MostEntries: uint64(c.Limit), Bytes: uint64(c.Bytes), Since: c.Since, Last: c.Last,
		Persisted: h.path != "", Notes: c.Added, Evicted: c.Evicted, Recalled: tally.Recalled}
	for i := range traffic {
		out.Dropped += traffic[i].Notes.Dropped
	}
	h.mu.Lock()
	out.Hits, out.LastCheck = h.hits, h.last
	h.mu.Unlock()
	return out
}
