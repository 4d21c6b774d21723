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
// as often as the present configuration says; 0: not at all. The times keep to a
// grid, so that what a turn takes does not add up; turns that were missed, as of
// a host that slept, are not caught up on.
func (s *service) regularly(ctx context.Context, first time.Duration, every func(*config.Health) time.Duration, do func(now time.Time)) {
	var last time.Time // the turn before, as it should have been; zero: none yet
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		pause := every(&s.config.Health)
		s.mu.Unlock()
		next, now := s.started.Add(first), time.Now()
		if !last.IsZero() {
			next = last.Add(pause)
		}
		if pause > 0 && !now.Before(next) {
			if last = next; now.Sub(last) >= pause {
				last = now
			}
			do(now)
			next = last.Add(pause)
		}
		wait := lookEvery
		if pause > 0 {
			wait = min(wait, max(time.Until(next), 0))
		}
		timer.Reset(wait)
	}
}

// lookEvery is how soon another configuration is noticed.
const lookEvery = time.Second
