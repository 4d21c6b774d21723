package main

import (
	"fmt"
	"slices"

	"trailhound/agent"
	"trailhound/agent/capture/filter"
	"trailhound/agent/capture/live"
	"trailhound/agent/config"
	"trailhound/agent/status"
)

// captureOptions takes from the configuration what capturing needs. The error
// is a configuration error: the filter is the only thing that can be wrong.
func (a *app) captureOptions(c *config.Config) (live.Options, status.CaptureFilter, error) {
	opt := live.Options{
		Workers: int(c.Capture.Workers), RingTotal: int64(c.Capture.RingTotal), Snaplen: int(c.Capture.Snaplen),
		Spare: c.Capture.SpareSockets,
	}
	for _, i := range c.Capture.Interfaces {
		opt.Interfaces = append(opt.Interfaces, live.Interface{Name: i.Name, Alias: i.Alias, Group: i.Group, Optional: i.Optional, Outgoing: i.Outgoing})
	}
	if c.Capture.Filter == "" {
		return opt, status.CaptureFilter{}, nil
	}
	f, err := a.compileFilter(c)
	if err != nil {
		return opt, status.CaptureFilter{}, err
	}
	opt.Filter = f
	return opt, status.CaptureFilter{Expression: c.Capture.Filter, Compiler: f.Compiler()}, nil
}

// compileFilter compiles capture.filter for the interfaces that are configured.
func (a *app) compileFilter(c *config.Config) (*filter.Filter, error) {
	f, err := a.filters.Compile(c.Capture.Filter)
	if err == nil && slices.ContainsFunc(c.Capture.Interfaces, func(i config.Interface) bool { return i.Name == config.Any }) {
		// One program then has to know all kinds of frames: it can be too long,
		// or make no sense for one of them.
		_, err = f.AnyProgram(uint32(c.Capture.Snaplen))
	}
	if err != nil {
		return nil, c.ErrorAt("capture.filter", err.Error())
	}
	return f, nil
}

// openCapture opens the rings.
func (s *service) openCapture() error {
	opt, shown, err := s.captureOptions(s.config)
	if err != nil {
		return err
	}
	opt.Log = s.log
	s.filter, s.opened = shown, opt
	if s.capture, err = live.Open(opt); err != nil {
		return captureError(fmt.Errorf("cannot capture: %w", err))
	}
	return nil
}

func (s *service) sources() (list []agent.LiveSource) {
	for _, source := range s.capture.Sources() {
		list = append(list, source)
	}
	return list
}

// captureOptions is the method for those who compile once.
func captureOptions(c *config.Config) (live.Options, status.CaptureFilter, error) {
	return new(app).captureOptions(c)
}
