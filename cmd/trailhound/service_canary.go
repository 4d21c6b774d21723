package main

import (
	"context"
	"time"

	"trailhound/agent/config"
)

// firstCanary is how long after the start the first canary goes out: at once,
// but behind the line that says what was started.
const firstCanary = time.Second

// canaries sends a test detection through everything shortly after the start
// and then as often as health.canary says. That it arrives is the proof at the
// receiver that nothing on the way is broken; that it is missing is the alarm.
func (s *service) canaries(ctx context.Context) {
	s.regularly(ctx, firstCanary, func(h *config.Health) time.Duration { return h.Canary }, func(time.Time) { s.live.Canary() })
}

// regularly does something for the first time so long after the start, and then
// as often as the present configuration says; 0: not at all.
func (s *service) regularly(ctx context.Context, first time.Duration, every func(*config.Health) time.Duration, do func(now time.Time)) {
	next := s.started.Add(first)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		pause := every(&s.config.Health)
		s.mu.Unlock()
		if now := time.Now(); pause > 0 && !now.Before(next) {
			next = now.Add(pause)
			do(now)
		}
	}
}
