package journal

import "fmt"

// Sync makes durable what was appended before it was called, whatever the
// policy. The error says why that could not be: the disk fails, or it has failed
// before and events are in memory only.
func (j *Journal) Sync() error {
	j.mu.Lock()
	down := j.down
	j.mu.Unlock()
	if down != nil {
		return fmt.Errorf("events are in memory only: %w", down)
	}
	if err := j.sync(); err != nil {
		j.writing.Lock()
		j.writeFailed(err)
		j.writing.Unlock()
		return err
	}
	return nil
}

// sync makes durable what is written. It opens the files anew, so that it does
// not hold up the appender, who may end and close the segment at any time.
func (j *Journal) sync() error {
	// One at a time: who finds nothing left to do must not return before the one
	// who does it.
	j.syncing.Lock()
	defer j.syncing.Unlock()
	type target struct {
		s    *segment
		path string
		end  int64
	}
	var list []target
	j.mu.Lock()
	for _, s := range j.segments {
		if !s.synced && s.path != "" {
			list = append(list, target{s, s.path, s.end})
		}
	}
	j.mu.Unlock()
	for _, t := range list {
		f, err := j.disk.Open(t.path, false)
		if err == nil {
			err = f.Sync()
			f.Close()
		}
		j.mu.Lock()
		switch {
		case err == nil || isMissing(err): // readers tell of what is missing
			t.s.synced = t.s.end == t.end
			j.counts.syncs++
			err = nil
		case t.s.gone || t.s.path != t.path:
			err = nil
		default:
			j.counts.syncErrors++
		}
		j.mu.Unlock()
		if err != nil {
			return fmt.Errorf("cannot sync journal segment %s: %w", t.path, err)
		}
	}
	j.mu.Lock()
	renamed := j.renamed
	j.renamed = false
	j.mu.Unlock()
	if !renamed {
		return nil
	}
	if err := j.disk.SyncDir(j.opt.Path); err != nil {
		j.mu.Lock()
		j.renamed = true
		j.mu.Unlock()
		return fmt.Errorf("cannot sync the directory of the journal: %w", err)
	}
	return nil
}
