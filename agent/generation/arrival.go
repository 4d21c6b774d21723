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

// look compares what is in use and what lies at Path with how they were, and
// acts on what is new. Again: something is new and must first stay as it is
// for a moment.
func (k *Keeper) look(ctx context.Context) (again bool) {
	if g := k.Current(); g.changed() {
		k.fall(g, fmt.Errorf("trail table %q was written in place, which only a rename may do", g.Source))
	}
	if g := k.Current(); !g.checked.Load() && !k.verify(ctx, g) {
		return true
	}
	if k.opt.Path == "" || ctx.Err() != nil {
		return false
	}
	info, err := os.Stat(k.opt.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !k.gone {
			k.gone = true
			k.opt.Log.Info("there is no trail table, what is in use stays in use", "path", k.opt.Path)
		}
		return false
	case err != nil:
		k.reject(nil, fmt.Errorf("cannot look at trail table %q: %w", k.opt.Path, bare(err)))
		return false
	}
	k.gone = false
	switch {
	case same(info, k.Current().info):
		k.judged = info
		if !k.Current().damaged.Load() {
			k.recover("the table in use is in its place", event.HealthTrailsRejected)
		}
		return false
	case same(info, k.judged):
		return false
	case !same(info, k.seen):
		k.seen = info
		return true
	}
	return k.consider(ctx, info)
}

// verify compares the checksums of a table that is in use already: at the
// start, and in a fall, there is no time for that. False: it may have changed,
// look again.
func (k *Keeper) verify(ctx context.Context, g *Generation) bool {
	err := checkSums(g.file, k.pace(ctx))
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

// consider checks a new file at Path and puts it in use.
func (k *Keeper) consider(ctx context.Context, info os.FileInfo) (again bool) {
	if k.refused(info) {
		k.judged = info
		return false
	}
	if k.drained(ctx) != nil { // at most one old table beside the new one
		return false
	}
	g, err := openGeneration(k.opt.Path)
	switch {
	case errors.Is(err, errChanging), errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil:
		k.reject(info, err)
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
	if err := checkSums(g.file, k.pace(ctx)); err != nil {
		changed := g.changed()
		g.discard()
		if ctx.Err() != nil || changed {
			return changed
		}
		k.reject(info, fmt.Errorf("trail table %q: %w", k.opt.Path, err))
		return false
	}
	if g.changed() {
		g.discard()
		return true
	}
	g.checked.Store(true)
	if err := k.accept(g); err != nil {
		k.reject(info, err)
		return false
	}
	k.judged = info
	k.preserve(ctx, g)
	return false
}

// refused says whether a file is one that was written in place while it was in
// use, which is reported already. Nobody says when that is done.
func (k *Keeper) refused(info os.FileInfo) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.isSpoilt(info) {
		return false
	}
	k.opt.Log.Info("a trail table that was written in place stays refused until another is renamed over it", "path", k.opt.Path)
	return true
}

// known says whether g is the table in use once more: some file systems give
// the same file another number now and then.
func (k *Keeper) known(g *Generation) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.Current()
	if now.Source == g.Source && now.info.Size() == g.info.Size() && now.info.ModTime().Equal(g.info.ModTime()) && bytes.Equal(now.head, g.head) {
		k.recovered("the table in use is in its place", event.HealthTrailsRejected)
		return true
	}
	return false
}

// accept puts a checked table in use. When it fails, g is discarded.
func (k *Keeper) accept(g *Generation) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.enough(g); err != nil {
		g.discard()
		return err
	}
	if err := k.put(g); err != nil {
		return err
	}
	k.forgive()
	info := fmt.Sprintf("a new trail table is used, %d trails", g.Table.Len())
	k.opt.Log.Info(info, "path", g.Source, "generation", g.Number, "created", g.Table.Created())
	k.recovered(info, event.HealthTrailsFault, event.HealthTrailsRejected)
	return nil
}

// reject reports a file at Path that is not used.
func (k *Keeper) reject(info os.FileInfo, err error) {
	k.judged = info
	k.mu.Lock()
	defer k.mu.Unlock()
	k.raise(event.HealthTrailsRejected, err.Error())
}

func (k *Keeper) recover(info string, code event.Code) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.recovered(info, code)
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
