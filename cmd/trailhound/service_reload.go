package main

import (
	"strings"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/generation"
	"trailhound/agent/status"
)

// reload loads the configuration again and takes what changed. What is wrong
// changes nothing: the sensor goes on as it was.
func (s *service) reload() {
	s.notify.reloading()
	defer s.notify.ready()
	at := time.Now()
	err := s.take()
	result := status.Reload{OK: err == nil, At: at}
	if err != nil {
		result.Error = err.Error()
		for _, line := range strings.Split(err.Error(), "\n") {
			s.log.Error("configuration not loaded, the one before stays", "error", line)
		}
	}
	s.mu.Lock()
	s.reloaded = result
	s.mu.Unlock()
	info := "the configuration is accepted again"
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		info = "the configuration was refused, the one before stays in use: " + first
	}
	s.tell(s.monitor.Set(at, event.HealthConfigRefused, "configuration", err != nil, info))
}

// take loads, validates and applies. Everything that can fail comes first.
func (s *service) take() error {
	c, err := s.load()
	if err != nil {
		return err
	}
	keys := config.Changed(s.config, c)
	changed := make(map[string]bool)
	var all, now []string
	for _, k := range keys {
		changed[k.Path] = true
		all = append(all, k.Path)
		if k.Take != config.Restart {
			now = append(now, k.Path)
		}
	}
	pending := restartPending(s.booted, c)
	opt, shown, err := s.captureOptions(c)
	if err != nil {
		return err
	}
	white, err := s.openWhitelist(c, s.flags.whitelist)
	if err != nil {
		return err
	}
	renamed := changed["sensor.name"] || changed["sensor.labels"]
	id := s.id
	if renamed {
		// Outputs read the identity while they deliver: they get a new one.
		id = identity(c)
		id.ID = s.id.ID
	}
	// Rule files may have changed though no key did.
	rulesOfGate, err := openSuppression(c, id, s.suppression.rules)
	if err != nil {
		return err
	}
	if changed["capture.interfaces"] || changed["capture.filter"] || changed["capture.snaplen"] {
		// What needs a restart keeps its old value for the rings that are there.
		opt.Workers, opt.RingTotal, opt.Spare, opt.Log = s.opened.Workers, s.opened.RingTotal, s.opened.Spare, s.log
		if err := s.capture.Reconfigure(opt); err != nil {
			return err
		}
	}
	was := s.hash
	s.level.UnmarshalText([]byte(c.Log.Level))
	s.mu.Lock()
	s.config, s.white, s.filter, s.loaded, s.hash, s.id, s.pending = c, white, shown, time.Now(), c.Hash(), id, pending
	s.mu.Unlock()
	s.setSuppression(rulesOfGate)
	s.applyRules()
	s.configureTrails(c)
	s.live.Configure(s.gateOptions())
	s.monitor.Configure(healthOptions(c))
	s.journal.Configure(journalOptions(c, s.stateDir))
	s.reopenOutputs(c, renamed)
	s.changedConfig(was, all)
	s.log.Info("configuration loaded", "hash", s.hash, "changed", strings.Join(now, " "))
	if len(pending) > 0 {
		s.log.Warn("changes that need a restart", "keys", strings.Join(pending, " "))
	}
	return nil
}

// restartPending names the keys whose configured values are not those that the
// sensor runs with, because only a restart takes them: as long as that is so,
// however many reloads ago they were changed.
func restartPending(runs, configured *config.Config) (keys []string) {
	for _, k := range config.Changed(runs, configured) {
		if k.Take == config.Restart {
			keys = append(keys, k.Path)
		}
	}
	return keys
}

// applyRules prepares the present table anew, for another whitelist, other
// options of detection or other addresses of this host. If it cannot be read any
// more, what takes its place is prepared for them.
func (s *service) applyRules() {
	if g, err := s.prepareAnew(); err != nil {
		s.keeper.Fault(g, err) // which calls swap
	}
}

func (s *service) prepareAnew() (*generation.Generation, error) {
	s.swapping.Lock()
	defer s.swapping.Unlock()
	s.mu.Lock()
	g, white, c, own := s.current, s.white, s.config, s.addresses
	s.mu.Unlock()
	rules, err := prepare(g, white, c, own)
	if err == nil {
		s.live.SetRules(rules)
	}
	return g, err
}
