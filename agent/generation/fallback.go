package generation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"trailhound/agent/event"
	"trailhound/trails/table"
)

// Fault says that the table of g can no longer be read: a worker met a fault in
// it. The last good table takes its place, else the starter set. Once Watch
// runs it never waits for that, before it is done on return. Of several calls
// for one generation the first counts, and none for one that is no longer in
// use.
func (k *Keeper) Fault(g *Generation, err error) {
	switch {
	case g == nil:
	case k.watched.Load():
		go k.fall(g, err)
	default:
		k.fall(g, err)
	}
}

// fall is Fault that waits.
func (k *Keeper) fall(g *Generation, err error) {
	if g.faulted.CompareAndSwap(false, true) {
		k.replace(g, err)
	}
}

// replace puts something else in the place of a generation.
func (k *Keeper) replace(g *Generation, why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || g != k.Current() {
		return // a new table came in between
	}
	k.spoilt = append(k.spoilt, g)
	reason := "the trail table in use cannot be read any more"
	if why != nil {
		reason = why.Error()
	}
	if good := k.lastGood(); good != nil {
		err := k.put(good)
		if err == nil {
			k.raise(event.HealthTrailsFault, fmt.Sprintf("%s; the last good table is used, %d trails", reason, good.Table.Len()))
			return
		}
		reason += "; " + err.Error()
	}
	next, err := k.starter(true)
	if err != nil {
		k.opt.Log.Error("no trails at all are left", "error", err)
		next = memory(nothing(), true)
	}
	// Nothing in memory can fault.
	_ = k.put(next)
	k.raise(event.HealthTrailsFault, reason+"; "+starterUsed)
}

// nothing is a table without trails.
func nothing() *table.Table {
	t, err := table.NewBuilder(table.Options{}).Memory()
	if err != nil {
		panic("BUG: a table of nothing cannot be built: " + err.Error())
	}
	return t
}

// goodFile is the copy of the last table that was checked, in the state
// directory.
const goodFile = "trails.good"

// lastGood opens the last good table. It is nil when there is none, or when it
// is among what was found unreadable.
func (k *Keeper) lastGood() *Generation {
	if k.opt.Dir == "" {
		return nil
	}
	g, err := openGeneration(filepath.Join(k.opt.Dir, goodFile))
	if err != nil {
		k.opt.Log.Info("there is no last good trail table", "reason", err)
		return nil
	}
	if k.isSpoilt(g.info) {
		g.discard()
		return nil
	}
	g.Fallback = true
	return g
}

// isSpoilt says whether a file changed under a mapping before. Their inodes are
// held open, so no other file can have their number.
func (k *Keeper) isSpoilt(info os.FileInfo) bool {
	return slices.ContainsFunc(k.spoilt, func(s *Generation) bool {
		return s.info != nil && os.SameFile(s.info, info)
	})
}

// forgive lets go of the files that were found unreadable.
func (k *Keeper) forgive() {
	for _, g := range k.spoilt {
		g.forget()
	}
	k.spoilt = nil
}

// put makes g the generation in use and hands it to the workers, with mu held.
// It fails, with everything as before, when g cannot be read.
func (k *Keeper) put(g *Generation) error {
	old := k.Current()
	k.last++
	g.Number = k.last
	// First, because a worker that meets a fault in the new table asks which
	// one that is.
	k.current.Store(g)
	if k.swap == nil { // nobody can say when the old one is released
		k.kept = append(k.kept, old)
		return nil
	}
	released, err := k.hand(g)
	if err != nil {
		k.current.Store(old)
		g.discard()
		return err
	}
	k.retire(old, released)
	return nil
}

// hand hands g to the workers, with mu held.
func (k *Keeper) hand(g *Generation) (released <-chan struct{}, err error) {
	err = g.Read(func() (err error) {
		released, err = k.swap(g)
		return err
	})
	return released, err
}

// retire unmaps a generation when it is released.
func (k *Keeper) retire(g *Generation, released <-chan struct{}) {
	done := make(chan struct{})
	k.retiring = append(slices.DeleteFunc(k.retiring, isClosed), done)
	go func() {
		defer close(done)
		select {
		case <-released:
		case <-k.stop:
		}
		g.close()
		k.mu.Lock()
		defer k.mu.Unlock()
		if !slices.Contains(k.spoilt, g) {
			g.forget()
		}
	}()
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// drained waits until every generation but the present one is unmapped.
func (k *Keeper) drained(ctx context.Context) error {
	k.mu.Lock()
	waiting := slices.Clone(k.retiring)
	k.mu.Unlock()
	for _, done := range waiting {
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
