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

// lastRun is what a change is told of. What an older version did not write down
// is empty, and no change.
type lastRun struct {
	Version   string    `json:"version"`
	Config    string    `json:"config"`    // hash of the values
	Rules     string    `json:"rules"`     // hash of suppression rules and ignore lists, their files included
	Whitelist string    `json:"whitelist"` // hash of the entries
	Trails    time.Time `json:"trails"`    // when they were made; zero: the starter set, which is made with each start
}

// present is what the sensor is now.
func (s *service) present() lastRun {
	s.mu.Lock()
	r, white := lastRun{Version: version, Config: s.hash}, s.white
	if s.suppression != nil {
		r.Rules = s.suppression.hash
	}
	if s.current != nil && !s.current.Starter {
		r.Trails = s.current.Table.Created()
	}
	s.mu.Unlock()
	r.Whitelist = white.Hash()
	return r
}

// changedRun tells what is another than in the run before: a fleet's operator
// sees which sensors took what, and when. Files that the configuration only names
// may have changed while the sensor was off: they count too.
func (s *service) changedRun() {
	var was lastRun
	text, err := os.ReadFile(filepath.Join(s.stateDir, lastRunFile))
	if err == nil {
		err = json.Unmarshal(text, &was)
	}
	if now := s.present(); err == nil {
		s.mu.Lock()
		inForce := s.suppression.rules.Len()
		s.mu.Unlock()
		if was.Version != now.Version {
			s.changed("version", fmt.Sprintf("trailhound %s, was %s", now.Version, was.Version))
		}
		if was.Config != now.Config {
			s.changed("configuration", fmt.Sprintf("configuration %s, was %s", now.Config, was.Config))
		}
		if was.Rules != "" && was.Rules != now.Rules {
			s.changed(suppressCause, rulesChanged(now.Rules, was.Rules, inForce))
		}
		s.changedWhitelist(was.Whitelist, now.Whitelist)
		if !was.Trails.Equal(now.Trails) {
			s.changed("trails", fmt.Sprintf("trails %s, were %s", madeText(now.Trails), madeText(was.Trails)))
		}
	}
	s.keepRun()
}

func madeText(at time.Time) string {
	if at.IsZero() {
		return "the starter set"
	}
	return "made " + at.Format(time.RFC3339)
}

// rulesChanged says that other rules are in force.
func rulesChanged(now, was string, inForce int) string {
	return fmt.Sprintf("suppression rules %s, were %s: %d in force", now, was, inForce)
}

// changedWhitelist tells of other entries.
func (s *service) changedWhitelist(was, now string) {
	if was == "" || was == now {
		return
	}
	s.mu.Lock()
	entries := s.white.Len()
	s.mu.Unlock()
	s.changed("whitelist", fmt.Sprintf("whitelist %s, was %s: %s", now, was, entriesText(entries)))
}

func entriesText(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// keepRun writes what the sensor is now. That it cannot is no loss: a change is
// told once more then, by the next run.
func (s *service) keepRun() {
	now := s.present()
	s.mu.Lock()
	s.known = now
	s.mu.Unlock()
	text, err := json.Marshal(now)
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

// changedConfig tells of a configuration that a reload took, and of a whitelist
// that it has read again. Other suppression rules are told of by setSuppression.
func (s *service) changedConfig(was string, keys []string) {
	s.mu.Lock()
	now, known := s.hash, s.known
	s.mu.Unlock()
	if len(keys) > 0 {
		s.changed("configuration", fmt.Sprintf("configuration %s, was %s: %s", now, was, strings.Join(keys, " ")))
	}
	s.changedWhitelist(known.Whitelist, s.present().Whitelist)
	s.keepRun()
}
