package main

import (
	"context"
	"fmt"
	"path/filepath"

	"trailhound/agent/config"
	"trailhound/agent/detect"
	"trailhound/agent/event"
	"trailhound/agent/generation"
	"trailhound/agent/suppress"
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
	if compiled != "" {
		s.current.Starter, s.current.Source = false, compiled
	}
	rules, err := prepare(s.current.Table, s.white, s.config)
	if err != nil {
		// What was whole a moment ago has been cut off: nothing is in use yet.
		s.keeper.Fault(s.current, err)
		s.current = s.keeper.Current()
		rules, err = prepare(s.current.Table, s.white, s.config)
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
	opt = generation.Options{Path: c.Trails.Table, Dir: c.State, MinRatio: c.Trails.MinRatio,
		Starter: starterTable, Log: s.log, Event: s.trailsEvent}
	if opt.Path == "" {
		opt.Path = filepath.Join(c.State, tableFile)
	}
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

// prepare makes the rules of a table. A table that cannot be read is an error,
// not the end of the program.
func prepare(t *table.Table, white *whitelist.List, c *config.Config) (rules *detect.Rules, err error) {
	defer func() {
		if v := recover(); v != nil {
			fault, ok := v.(interface {
				error
				Addr() uintptr
			})
			if !ok || !t.Holds(fault.Addr()) {
				panic(v)
			}
			err = fmt.Errorf("trail table %q cannot be read: the file was cut off in place", t.File())
		}
	}()
	return detect.NewRules(t, white, detectOptions(c)), nil
}

// swap takes a new table into use. Nothing of the old one is used any more
// once released is closed; nil: the new one cannot be used.
func (s *service) swap(g *generation.Generation) (released <-chan struct{}) {
	s.swapping.Lock()
	defer s.swapping.Unlock()
	s.mu.Lock()
	c, white := s.config, s.white
	s.mu.Unlock()
	rules, err := prepare(g.Table, white, c)
	if err != nil {
		s.log.Error("trail table cannot be used", "error", err)
		return nil
	}
	released = s.live.SetRules(rules)
	s.mu.Lock()
	s.trails.OK++
	s.current = g
	s.mu.Unlock()
	s.log.Info("trails in use", "generation", g.Number, "trails", g.Table.Len(), "from", g.Source, "created", g.Table.Created())
	return released
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

// trailsEvent raises or clears a health state of the trails.
func (s *service) trailsEvent(code event.Code, cause string, active bool, info string) {
	if active && code == event.HealthTrailsRejected {
		s.mu.Lock()
		s.trails.Rejected++
		s.mu.Unlock()
	}
	s.set(code, cause, active, info)
}

// gateOptions take from the configuration what the gate needs.
func (s *service) gateOptions() suppress.Options {
	return suppress.Options{Whitelisted: s.white.Addr, Window: s.config.Suppress.Aggregate}
}
