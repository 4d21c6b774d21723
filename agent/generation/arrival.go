package generation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"trailhound/agent/event"
)

// look compares what is in use and what lies at the path with how they were,
// and acts on what is new. Again: something is new and must first stay as it is
// for a moment.
func (k *Keeper) look(ctx context.Context) (again bool) {
	if g := k.Current(); g.changed() {
		k.fall(g, fmt.Errorf("trail table %q was written in place, which only a rename may do", g.Source))
	}
	if g := k.Current(); !g.checked.Load() && !k.verify(ctx, g) {
		return true
	}
	path := k.target()
	if path == "" || ctx.Err() != nil {
		return false
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k.missing(path)
	case err != nil:
		k.reject(path, nil, fmt.Errorf("cannot look at trail table %q: %w; what is in use stays in use", path, bare(err)))
		return false
	}
	k.gone, k.owed = 0, false
	switch {
	case same(info, k.Current().info):
		k.judged = info
		if !k.Current().damaged.Load() {
			k.inPlace()
		}
		return false
	case same(info, k.judged):
		return false
	case !same(info, k.seen):
		k.seen = info
		return true
	}
	return k.consider(ctx, path, info)
}

// missing says once that nothing is at the path, and only when it is still so
// after a moment: another way to publish is to delete and to rename. It is a
// fault of what there was or was asked for. Where a table only may be, nothing is
// wrong with none.
func (k *Keeper) missing(path string) (again bool) {
	switch k.gone {
	case 0:
		k.gone = 1
		return true
	case 2:
		return false
	}
	k.gone = 2
	switch {
	case k.owed:
		k.reject(path, nil, fmt.Errorf("trail table %q does not exist; what is in use stays in use", path))
	case k.Current().Source == path, k.reported(event.HealthTrailsRejected):
		k.reject(path, nil, fmt.Errorf("trail table %q does not exist any more; what is in use stays in use", path))
	default:
		k.opt.Log.Info("there is no trail table, what is in use stays in use", "path", path)
	}
	return false
}

// verify compares the checksums of a table that is in use already: at the
// start, and in a fall, there is no time for that. False: it may have changed,
// look again.
func (k *Keeper) verify(ctx context.Context, g *Generation) bool {
	err := g.sums(k.pace(ctx))
	switch {
	case ctx.Err() != nil:
		return true
	case g.changed():
		return false
	}
	g.checked.Store(true)
	if err == nil {
		k.preserve(ctx, g)
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if g != k.Current() { // a fault came first
		return true
	}
	reason := fmt.Sprintf("trail table %q: %v", g.Source, err)
	// Damage can hide trails but raise nothing false: without a better table
	// it stays.
	good := k.lastGood()
	if good != nil && os.SameFile(good.info, g.info) {
		good.discard()
		good = nil
	}
	if good != nil && k.put(good) == nil {
		reason += "; the last good table is used"
	} else {
		g.damaged.Store(true)
		reason += "; it stays in use, there is no better one"
	}
	k.raise(event.HealthTrailsRejected, reason)
	return true
}

// consider checks a new file at the path and puts it in use.
func (k *Keeper) consider(ctx context.Context, path string, info os.FileInfo) (again bool) {
	if k.refused(path, info) {
		k.judged = info
		return false
	}
	if k.drained(ctx) != nil { // at most one old table beside the new one
		return false
	}
	g, err := openGeneration(path)
	switch {
	case errors.Is(err, errChanging), errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil:
		k.reject(path, info, err)
		return false
	case !same(g.info, info):
		g.discard()
		return true
	}
	if k.known(g) {
		k.judged = info
		g.discard()
		return false
	}
	if err := g.sums(k.pace(ctx)); err != nil {
		changed := g.changed()
		g.discard()
		if ctx.Err() != nil || changed {
			return changed
		}
		k.reject(path, info, fmt.Errorf("trail table %q: %w", path, err))
		return false
	}
	if g.changed() {
		g.discard()
		return true
	}
	g.checked.Store(true)
	switch err := k.accept(g); {
	case errors.Is(err, errElsewhere):
		return true
	case err != nil:
		k.reject(path, info, err)
		return false
	}
	k.judged = info
	k.preserve(ctx, g)
	return false
}

// refused says whether a file is one that was written in place while it was in
// use, which is reported already. Nobody says when that is done.
func (k *Keeper) refused(path string, info os.FileInfo) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.isSpoilt(info) {
		return false
	}
	k.opt.Log.Info("a trail table that was written in place stays refused until another is renamed over it", "path", path)
	return true
}

// known says whether g is the table in use once more: some file systems give
// the same file another number now and then.
func (k *Keeper) known(g *Generation) bool {
	now := k.Current()
	if now.Source == g.Source && now.info.Size() == g.info.Size() && now.info.ModTime().Equal(g.info.ModTime()) && bytes.Equal(now.head, g.head) {
		k.inPlace()
		return true
	}
	return false
}

// inPlace says that what is configured is what is in use.
func (k *Keeper) inPlace() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recovered("the table in use is in its place", event.HealthTrailsFault, event.HealthTrailsRejected)
}

// errElsewhere is the error of a table at a path that is not the configured one
// any more.
var errElsewhere = errors.New("tables are looked for at another path by now")

// accept puts a checked table in use. When it fails, g is discarded.
func (k *Keeper) accept(g *Generation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if g.Source != k.path {
		g.discard()
		return errElsewhere
	}
	if err := k.enough(g); err != nil {
		g.discard()
		return err
	}
	if err := k.put(g); err != nil {
		return err
	}
	k.forgive()
	k.recovered(fmt.Sprintf("a new trail table is used, %d trails", g.Table.Len()), event.HealthTrailsFault, event.HealthTrailsRejected)
	return nil
}

// reject reports what is at the path and is not used.
func (k *Keeper) reject(path string, info os.FileInfo, err error) {
	k.judged = info
	k.mu.Lock()
	defer k.mu.Unlock()
	if path == k.path { // of another nobody wants to know any more
		k.raise(event.HealthTrailsRejected, err.Error())
	}
}

// pace gives the pause between two parts of a long file.
func (k *Keeper) pace(ctx context.Context) func() error {
	return func() error {
		t := time.NewTimer(k.rest)
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
