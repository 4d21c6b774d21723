package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trailhound/agent/event"
)

// lastRunFile holds what the sensor was when it last said so.
const lastRunFile = "last-run"

// lastRun is what a change is told of.
type lastRun struct {
	Version string    `json:"version"`
	Config  string    `json:"config"` // hash
	Trails  time.Time `json:"trails"` // when they were made
}

// changedRun tells what is another than in the run before: a fleet's operator
// sees which sensors took what, and when.
func (s *service) changedRun() {
	path := filepath.Join(s.stateDir, lastRunFile)
	now := lastRun{Version: version, Config: s.hash, Trails: s.trailsMade()}
	var was lastRun
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &was)
	}
	if err == nil {
		if was.Version != now.Version {
			s.changed("version", fmt.Sprintf("trailhound %s, was %s", now.Version, was.Version))
		}
		if was.Config != now.Config {
			s.changed("configuration", fmt.Sprintf("configuration %s, was %s", now.Config, was.Config))
		}
		if !was.Trails.Equal(now.Trails) {
			s.changed("trails", fmt.Sprintf("trails made %s, were made %s", now.Trails.Format(time.RFC3339), was.Trails.Format(time.RFC3339)))
		}
	}
	s.keepRun()
}

// keepRun writes what the sensor is now. That it cannot is no loss: a change is
// told once more then.
func (s *service) keepRun() {
	s.mu.Lock()
	hash := s.hash
	s.mu.Unlock()
	text, err := json.Marshal(lastRun{version, hash, s.trailsMade()})
	if err == nil {
		err = writeWhole(filepath.Join(s.stateDir, lastRunFile), string(text)+"\n")
	}
	if err != nil {
		s.log.Debug("what the sensor is cannot be kept", "error", err)
	}
}

// changed tells of a change. Info has hashes, keys and times, never values.
func (s *service) changed(what, info string) {
	s.tell([]event.Event{event.NewHealth(time.Now(), event.HealthConfigChanged, info, event.HealthFacts{State: event.Noted, Cause: what})})
}

// changedConfig tells of a configuration that a reload took.
func (s *service) changedConfig(was string, keys []string) {
	s.mu.Lock()
	now := s.hash
	s.mu.Unlock()
	if len(keys) == 0 {
		return
	}
	s.changed("configuration", fmt.Sprintf("configuration %s, was %s: %s", now, was, strings.Join(keys, " ")))
	s.keepRun()
}
