package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"time"

	"trailhound/agent/capture/live"
	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/health"
	"trailhound/agent/status"
)

// healthOptions take from a configuration what the monitor needs.
func healthOptions(c *config.Config) health.Options {
	interfaces := c.Capture.Interfaces
	return health.Options{Silence: c.Capture.Silence.Default, SilenceBy: c.Capture.Silence.By, Wanted: func(name string) bool {
		return slices.ContainsFunc(interfaces, func(i config.Interface) bool {
			fits, err := path.Match(i.Name, name)
			return i.Name == config.Any || i.Name == name || err == nil && fits
		})
	}}
}

// set reports a condition and sends what is due of it. It says whether anything
// was.
func (s *service) set(code event.Code, cause string, active bool, info string, measures ...event.Measure) (said bool) {
	due := s.monitor.Set(time.Now(), code, cause, active, info, measures...)
	s.say(due)
	return len(due) > 0
}

// say logs health events and sends them to the outputs. What is found before
// the pipeline runs waits for it.
func (s *service) say(events []event.Event) {
	if len(events) == 0 {
		return
	}
	for i := range events {
		e := &events[i]
		level := s.log.Warn
		if e.Health.State == event.Recovered {
			level = s.log.Info
		}
		level(e.Info, "code", e.Code, "state", e.Health.State, "cause", e.Health.Cause)
	}
	s.tell(events)
}

// tell is say without a word in the log.
func (s *service) tell(events []event.Event) {
	s.mu.Lock()
	if s.live == nil {
		s.early = append(s.early, events...)
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.live.Take(events...)
}

// observe looks at the sensor once a second and says what it does not see.
func (s *service) observe(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		s.say(s.monitor.Observe(time.Now(), s.sample()))
		s.judgeTrails()
		s.judgeHome()
		s.judgeOutputs()
	}
}

// judgeTrails says when the trails are no protection: too old, or the starter
// set.
func (s *service) judgeTrails() {
	s.mu.Lock()
	g, limit := s.current, s.config.Trails.MaxAge
	s.mu.Unlock()
	if g.Starter {
		s.set(event.HealthTrailsStarter, trailsCause, true, "no trail table: the starter set is used, which is no protection by itself",
			event.Count("trails", uint64(g.Table.Len())))
	} else {
		s.set(event.HealthTrailsStarter, trailsCause, false, "a trail table is in use")
	}
	age := time.Since(g.Table.Created())
	s.set(event.HealthTrailsStale, trailsCause, limit > 0 && !g.Starter && age > limit,
		fmt.Sprintf("the trails are %s old, trails.max_age is %s", age.Round(time.Hour), limit), event.Count("age_seconds", uint64(max(age.Seconds(), 0))))
}

// judgeHome says when the home networks tell no sides apart.
func (s *service) judgeHome() {
	s.mu.Lock()
	flaw := homeFlaw(s.config)
	s.mu.Unlock()
	if flaw == "" {
		s.set(event.HealthDetectionHome, homeCause, false, "detection.home_networks tells sides apart")
	} else {
		s.set(event.HealthDetectionHome, homeCause, true, flaw)
	}
}

// sample gives the monitor the counters of now, of the interfaces that are
// there: the counters outlive them.
func (s *service) sample() health.Sample {
	var shown status.Capture
	snapshot, traffic := s.capture.Snapshot(), s.live.Traffic()
	s.showCapture(&shown, snapshot, traffic)
	captured := make(map[string]bool)
	for _, l := range snapshot.Links {
		captured[l.Name] = true
	}
	rings := make(map[string]status.Ring)
	for _, r := range shown.Rings {
		sum := rings[r.Interface]
		sum.KernelPackets += r.KernelPackets
		sum.KernelDrops += r.KernelDrops
		sum.Freezes += r.Freezes
		rings[r.Interface] = sum
	}
	var out health.Sample
	place := make(map[string]int)
	for _, i := range shown.Interfaces {
		if !captured[i.Name] && !slices.Contains(shown.RestartNeeded, i.Name) {
			continue
		}
		r := rings[i.Name]
		place[i.Name] = len(out.Interfaces)
		out.Interfaces = append(out.Interfaces, health.Interface{Name: i.Name, Alias: i.Alias, Up: i.Up, Packets: i.Packets, Bytes: i.Bytes,
			KernelPackets: r.KernelPackets, KernelDrops: r.KernelDrops, Freezes: r.Freezes, Truncated: i.Truncated,
			Host: i.Host, Broadcast: i.Broadcast, Multicast: i.Multicast, OtherHost: i.OtherHost, Outgoing: i.Outgoing, Last: i.LastPacketAt})
	}
	for i := range traffic {
		for j := range traffic[i].Seen {
			seen := &traffic[i].Seen[j]
			at, ok := place[seen.Port.Name]
			if !ok {
				continue
			}
			to := &out.Interfaces[at]
			to.TCPSyn += seen.Syn
			to.TCPSynAck += seen.SynAck
			to.TCPData += seen.Data
			to.Home += seen.Home
			to.Foreign += seen.Foreign
		}
	}
	for _, name := range shown.RestartNeeded {
		if _, ok := place[name]; !ok { // nothing was ever seen of it
			place[name] = len(out.Interfaces)
			out.Interfaces = append(out.Interfaces, health.Interface{Name: name})
		}
		out.Interfaces[place[name]].RestartNeeded = true
	}
	// The ring that all interfaces share has drops that are nobody's own.
	if r, ok := rings[live.Any]; ok {
		out.Interfaces = append(out.Interfaces, health.Interface{Name: live.Any, Up: true, Packets: r.KernelPackets - min(r.KernelDrops, r.KernelPackets),
			KernelPackets: r.KernelPackets, KernelDrops: r.KernelDrops, Freezes: r.Freezes, Host: 1})
	}
	return out
}
