package main

import (
	"net"

	"trailhound/agent/capture/live"
	"trailhound/agent/status"
)

// showMissing says of the interfaces that are not captured whether they are
// there, and whether they have to be.
func (s *service) showMissing(list []live.Missing) (out []status.Missing) {
	if len(list) == 0 {
		return nil
	}
	s.mu.Lock()
	entries := s.config.Capture.Interfaces
	s.mu.Unlock()
	required := make(map[string]bool)
	for _, e := range entries {
		required[e.Name] = !e.Optional && !e.Glob() && e.Name != live.Any
	}
	there := make(map[string]net.Flags)
	if all, err := net.Interfaces(); err == nil {
		for _, i := range all {
			there[i.Name] = i.Flags
		}
	}
	for _, m := range list {
		flags, ok := there[m.Interface]
		out = append(out, status.Missing{Interface: m.Interface, Reason: m.Reason, There: ok, Up: flags&net.FlagUp != 0 && flags&net.FlagRunning != 0,
			Required: required[m.Interface]})
	}
	return out
}
