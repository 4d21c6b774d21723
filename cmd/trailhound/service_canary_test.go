package main

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"trailhound/agent/config"
)

// TestRegularly: turns keep to their times whatever one takes, take up another
// configuration at once, and are not caught up on.
func TestRegularly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{config: &config.Config{}, started: time.Now().Add(-500 * time.Millisecond)}
		set := func(d time.Duration) {
			s.mu.Lock()
			s.config.Health.Heartbeat = d
			s.mu.Unlock()
		}
		var turns []time.Duration
		takes := 300 * time.Millisecond
		set(2 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			s.regularly(ctx, 10*time.Second, func(h *config.Health) time.Duration { return h.Heartbeat }, func(now time.Time) {
				turns = append(turns, now.Sub(s.started))
				time.Sleep(takes)
			})
			close(done)
		}()
		at := func(d time.Duration) {
			time.Sleep(time.Until(s.started.Add(d)))
			synctest.Wait()
		}
		at(15 * time.Second) // 10, 12, 14
		set(1500 * time.Millisecond)
		at(19 * time.Second) // 15.5 ...
		set(0)
		at(60 * time.Second)
		set(time.Hour)
		at(70 * time.Second)
		takes = 7 * time.Second
		set(5 * time.Second) // as soon as it is noticed
		at(90 * time.Second)
		cancel()
		<-done
		seconds := func(list ...float64) (all []time.Duration) {
			for _, s := range list {
				all = append(all, time.Duration(s*float64(time.Second)))
			}
			return all
		}
		if want := seconds(10, 12, 14, 15.5, 17, 18.5); len(turns) < 7 || !slices.Equal(turns[:6], want) {
			t.Fatalf("%v, want %v", turns, want)
		}
		for i := 7; i < len(turns); i++ {
			if gap := turns[i] - turns[i-1]; turns[i-1] < 70*time.Second || gap < 5*time.Second || gap > 10*time.Second {
				t.Errorf("%v", turns)
			}
		}
	})
}
