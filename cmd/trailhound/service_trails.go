package main

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/generation"
	"trailhound/trails/table"
	"trailhound/trails/whitelist"
)

// openRules opens the trails and the whitelist and prepares them for matching.
func (s *service) openRules() (*detect.Rules, error) {
	var err error
	if s.white, err = s.openWhitelist(s.config, s.flags.whitelist); err != nil {
		return nil, err
	}
	opt, compiled, err := s.generationOptions(s.config)
	if err != nil {
		return nil, err
	}
	if s.keeper, err = generation.Open(opt); err != nil {
		return nil, err
	}
	s.current = s.keeper.Current()
	s.addresses = s.hostAddresses()
	if compiled != "" {
		s.current.Starter, s.current.Source = false, compiled
	}
	rules, err := prepare(s.current, s.white, s.config, s.addresses)
	if err != nil {
		// What was whole a moment ago has been cut off: nothing is in use yet.
		s.keeper.Fault(s.current, err)
		s.current = s.keeper.Current()
		rules, err = prepare(s.current, s.white, s.config, s.addresses)
	}
	if err != nil {
		return nil, err
	}
	for _, p := range rules.Unusable {
		s.log.Warn("trail is no usable expression", "error", p)
	}
	return rules, nil
}

// generationOptions say where the trails of a configuration are. Paths given
// on the command line that are not one compiled table are compiled now and take
// the place of the starter set; compiled says what they are.
func (s *service) generationOptions(c *config.Config) (opt generation.Options, compiled string, err error) {
	opt = generation.Options{Path: s.tablePath(c), Configured: c.Trails.Table != "", Dir: s.stateDir, MinRatio: c.Trails.MinRatio,
		Starter: starterTable, Log: s.log, Event: s.trailsEvent}
	paths := s.flags.trails
	if len(paths) == 0 {
		return opt, "", nil
	}
	opt.Path, opt.Dir = "", ""
	if len(paths) == 1 {
		one, err := isTable(paths[0])
		if err != nil {
			return opt, "", err
		}
		if one {
			opt.Path = paths[0]
			return opt, "", nil
		}
	}
	t, what, err := s.openTrails(c, paths)
	if err != nil {
		return opt, "", err
	}
	opt.Starter = func() (*table.Table, error) { return t, nil }
	return opt, what, nil
}

// tablePath says where the table of a configuration lies.
func (s *service) tablePath(c *config.Config) string {
	if c.Trails.Table != "" {
		return c.Trails.Table
	}
	return filepath.Join(s.stateDir, tableFile)
}

// configureTrails tells the keeper where the table lies by a new configuration.
// What was given on the command line stays.
func (s *service) configureTrails(c *config.Config) {
	path := s.keeper.Path()
	if len(s.flags.trails) == 0 {
		path = s.tablePath(c)
	}
	s.keeper.Configure(path, c.Trails.MinRatio)
}

// prepare makes the rules of a table. A table that cannot be read is an error,
// not the end of the program.
func prepare(g *generation.Generation, white *whitelist.List, c *config.Config, own []netip.Addr) (rules *detect.Rules, err error) {
	err = g.Read(func() error {
		rules = detect.NewRules(g.Table, white, detectOptions(c, own...))
		return nil
	})
	return rules, err
}

// swap takes a new table into use. Nothing of the old one is used any more
// once released is closed.
func (s *service) swap(g *generation.Generation) (released <-chan struct{}, err error) {
	s.swapping.Lock()
	defer s.swapping.Unlock()
	s.mu.Lock()
	c, white, own, before := s.config, s.white, s.addresses, s.current
	s.mu.Unlock()
	rules, err := prepare(g, white, c, own)
	if err != nil {
		return nil, err
	}
	released = s.retro.swapped(g, before, rules, s.live.SetRules(rules))
	s.mu.Lock()
	s.trails.OK++
	s.current = g
	s.mu.Unlock()
	s.changed("trails", fmt.Sprintf("trails generation %d: %d trails made %s", g.Number, g.Table.Len(), g.Table.Created().Format(time.RFC3339)))
	s.keepRun()
	s.log.Info("trails in use", "generation", g.Number, "trails", g.Table.Len(), "from", g.Source, "created", g.Table.Created())
	return released, nil
}

// faulted is told by a worker that the table cannot be read.
func (s *service) faulted(rules *detect.Rules, err error) {
	select {
	case s.fault <- generationFault{rules, err}:
	default: // one is on its way
	}
}

// faults answers faults with the last good table.
func (s *service) faults(ctx context.Context) {
	for {
		select {
		case f := <-s.fault:
			s.mu.Lock()
			g := s.current
			s.mu.Unlock()
			if g.Table == f.rules.Table() {
				s.keeper.Fault(g, f.err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// trailsCause is the cause in all health events of the trails: a sensor has one
// table, and which it is may change while the event lasts.
const trailsCause = "trails"

// trailsEvent raises or clears a health state of the trails.
func (s *service) trailsEvent(code event.Code, active bool, info string) {
	if active && code == event.HealthTrailsRejected {
		s.mu.Lock()
		s.trails.Rejected++
		s.mu.Unlock()
	}
	if said := s.set(code, trailsCause, active, info); active && !said {
		// The event stands already, for another reason.
		s.log.Warn(info, "code", code, "cause", trailsCause)
	}
}
