package main

import (
	"fmt"

	"trailhound/agent"
	"trailhound/agent/capture/filter"
	"trailhound/agent/capture/live"
	"trailhound/agent/config"
	"trailhound/agent/status"
)

// captureOptions takes from the configuration what capturing needs. The error
// is a configuration error: the filter is the only thing that can be wrong.
func captureOptions(c *config.Config) (live.Options, status.CaptureFilter, error) {
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
	f, err := filter.New(c.Capture.Filter, filter.Options{})
	if err != nil {
		return opt, status.CaptureFilter{}, &config.Error{Key: "capture.filter", Problem: err.Error()}
	}
	opt.Filter = f
	return opt, status.CaptureFilter{Expression: c.Capture.Filter, Compiler: f.Compiler()}, nil
}

// openCapture opens the rings.
func (s *service) openCapture() error {
	opt, shown, err := captureOptions(s.config)
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
