package main

import (
	"context"
	"time"
)

// firstCanary is how long after the start the first canary goes out: at once,
// but behind the line that says what was started.
const firstCanary = time.Second

// canaries sends a test detection through everything shortly after the start
// and then as often as health.canary says. That it arrives is the proof at the
// receiver that nothing on the way is broken; that it is missing is the alarm.
func (s *service) canaries(ctx context.Context) {
	next := s.started.Add(firstCanary)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		every := s.config.Health.Canary
		s.mu.Unlock()
		now := time.Now()
		if every <= 0 || now.Before(next) {
			continue
		}
		next = now.Add(every)
		s.live.Canary()
	}
}
