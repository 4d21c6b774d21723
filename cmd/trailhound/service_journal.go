package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs/journal"
)

// journalPath is the directory of the journal.
func journalPath(c *config.Config, state string) string {
	if c.Journal.Path != "" {
		return c.Journal.Path
	}
	return filepath.Join(state, "journal")
}

// journalOptions take from a configuration what bounds the journal.
func journalOptions(c *config.Config, state string) journal.Options {
	opt := journal.Options{Path: journalPath(c, state), MaxAge: c.Journal.MaxAge}
	if !c.Journal.MaxSize.Auto {
		opt.MaxSize = int64(c.Journal.MaxSize.Size)
	}
	if !c.Journal.MinFree.Auto {
		if opt.MinFree = int64(c.Journal.MinFree.Size); opt.MinFree == 0 {
			opt.MinFree = -1
		}
	}
	switch c.Journal.Fsync {
	case config.FsyncAlways:
		opt.Sync = journal.Always()
	case config.FsyncNever:
		opt.Sync = journal.Never()
	default:
		opt.Sync = journal.Interval(time.Duration(c.Journal.Fsync))
	}
	return opt
}

// deadLetters is the directory of what receivers refused for good.
func (s *service) deadLetters() string { return filepath.Join(s.stateDir, "dead-letters") }

// openJournal opens the journal. A disk that fails is no reason not to start, but
// another process with the same journal is: two sensors would write the same
// files and send everything twice.
func (s *service) openJournal() error {
	opt := journalOptions(s.config, s.stateDir)
	opt.Log, opt.Incident = s.log, s.incident
	s.journal = journal.Open(opt)
	if err := s.journal.State().Degraded; errors.Is(err, journal.ErrLocked) {
		return fmt.Errorf("%w\na second sensor on this host needs a state of its own, or a journal.path", err)
	}
	return nil
}

// incident tells the outputs what befell the journal. The log has it already.
func (s *service) incident(i journal.Incident) {
	code, cause, info := incidentText(i)
	if info == "" {
		return // in the log; what was given up shows in the state of each output
	}
	if i.Phase != journal.Noted {
		s.set(code, cause, i.Phase == journal.Raised, info)
		return
	}
	var measures []event.Measure
	if i.Events > 0 {
		measures = append(measures, event.Count("events", i.Events))
	}
	if i.Last > 0 {
		measures = append(measures, event.Count("first_seq", i.First), event.Count("last_seq", i.Last))
	}
	s.say([]event.Event{event.NewHealth(time.Now(), code, info, event.HealthFacts{State: event.Noted, Cause: cause, Measures: measures})})
}
