package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"trailhound/agent"
	"trailhound/agent/config"
	"trailhound/agent/suppress"
)

// checkpointFile holds the open windows of the gate, so that a crash costs no
// repeats but those since.
const checkpointFile = "gate.checkpoint"

// checkpointEvery is the time between two checkpoints.
const checkpointEvery = 10 * time.Second

// checkpointKept is the most memory that stays allocated between two
// checkpoints (bytes).
const checkpointKept = 4 << 20

// restoreGate lets the gate go on where a crash left it. Without windows to go
// on with, or after damage, it begins anew.
func (s *service) restoreGate(g *suppress.Gate) {
	if s.config.Suppress.Aggregate <= 0 {
		return // the file is removed by the first round
	}
	path := filepath.Join(s.stateDir, checkpointFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		defer f.Close()
		err = g.Restore(f)
	}
	if err != nil {
		s.log.Error("the gate's checkpoint cannot be used: what was folded and not told before the crash is missing in summaries",
			"path", path, "error", bare(err))
		return
	}
	c := g.Counts()
	s.log.Info("the gate goes on after a crash", "keys", c.Keys, "repeats", c.Restored)
}

// checkpoint writes the gate's open windows.
type checkpoint struct {
	path    string
	gate    *suppress.Gate
	live    *agent.Live
	log     *slog.Logger
	buf     []byte
	failing bool
}

// checkpoints writes one every now and then.
func (s *service) checkpoints(ctx context.Context, c *checkpoint) {
	tick := time.NewTicker(checkpointEvery)
	defer tick.Stop()
	for {
		if err := c.round(s.syncJournal); err != nil && !c.failing {
			s.log.Error("the gate's checkpoint cannot be written: after a crash repeats would be missing in summaries", "path", c.path, "error", err)
			c.failing = true
		} else if err == nil && c.failing {
			s.log.Info("the gate's checkpoint is written again", "path", c.path)
			c.failing = false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// syncJournal has every event in the journal on the disk when it returns. An
// operator who leaves that to the kernel accepts to lose events to a loss of
// power, and is not made to wait for a disk.
func (s *service) syncJournal() error {
	s.mu.Lock()
	never := s.config.Journal.Fsync == config.FsyncNever
	s.mu.Unlock()
	if never {
		return nil
	}
	return s.journal.Sync()
}

// round takes a checkpoint and writes it.
func (c *checkpoint) round(sync func() error) error {
	keys := 0
	if !c.live.Do(func() {
		if keys = c.gate.Counts().Keys; keys > 0 {
			c.buf = c.gate.AppendCheckpoint(c.buf[:0])
		}
	}) {
		return nil // the end: the gate is flushed
	}
	if keys == 0 {
		return c.remove()
	}
	return c.keep(sync)
}

// keep writes what was taken. What that says was told must be on the disk before
// it, else a power failure could take a first event away and leave the windows
// that count on it: sync sees to that.
func (c *checkpoint) keep(sync func() error) error {
	if err := sync(); err != nil {
		return fmt.Errorf("the events before it are not on the disk: %w", err)
	}
	err := c.write()
	if cap(c.buf) > checkpointKept {
		c.buf = nil
	}
	return err
}

// write puts the checkpoint in the place of the one before, whole or not at
// all. The other name is always the same, so that crashes leave one file at most.
func (c *checkpoint) write() error {
	fresh := c.path + ".new"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("cannot write %q: %w", fresh, bare(err))
	}
	_, err = f.Write(c.buf)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(fresh, c.path)
	}
	if err != nil {
		os.Remove(fresh)
		return fmt.Errorf("cannot write %q: %w", c.path, bare(err))
	}
	return nil
}

// remove ends the checkpoint: all windows are told, or there are none.
func (c *checkpoint) remove() error {
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove %q: %w", c.path, bare(err))
	}
	return nil
}
