package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/agent/status"
)

// firstHeartbeat is how long after the start the first one goes out: figures of
// a few seconds are no use, and a fleet that starts at once should be seen soon.
const firstHeartbeat = 10 * time.Second

// heartbeats says every so often that the sensor lives, what it saw, and what
// became of its events. Each output adds to its copy what it delivered since the
// one before, so that a query at the receiver finds a gap.
func (s *service) heartbeats(ctx context.Context) {
	var before status.Snapshot
	s.regularly(ctx, firstHeartbeat, func(h *config.Health) time.Duration { return h.Heartbeat }, func(now time.Time) {
		shown := s.snapshot()
		s.live.Take(heartbeat(now, &shown, &before))
		before = shown
	})
}

// heartbeatOutputs is of how many outputs a heartbeat tells.
const heartbeatOutputs = 8

// heartbeat makes the event from the state of now and that of the heartbeat
// before. Counts are since the start, those with "since_last" in the name are
// not.
func heartbeat(now time.Time, s, before *status.Snapshot) event.Event {
	d, g := &s.Detection, &s.Gate
	var drops, kernel, earlierDrops, earlierKernel uint64
	for i := range s.Capture.Rings {
		drops += s.Capture.Rings[i].KernelDrops
		kernel += s.Capture.Rings[i].KernelPackets
	}
	for i := range before.Capture.Rings {
		earlierDrops += before.Capture.Rings[i].KernelDrops
		earlierKernel += before.Capture.Rings[i].KernelPackets
	}
	drops, kernel = drops+s.Capture.ClosedDrops, kernel+s.Capture.ClosedPackets
	earlierDrops, earlierKernel = earlierDrops+before.Capture.ClosedDrops, earlierKernel+before.Capture.ClosedPackets
	silent := uint64(0)
	for i := range s.Health {
		if s.Health[i].Code == event.HealthCaptureSilent && s.Health[i].State != event.Recovered {
			silent++
		}
	}
	raised := uint64(0)
	for i := range s.Health {
		if s.Health[i].State != event.Recovered {
			raised++
		}
	}
	m := []event.Measure{
		event.Count("uptime_seconds", uint64(now.Sub(s.StartedAt).Seconds())),
		event.Count("packets", d.Packets),
		event.Count("packets_since_last", d.Packets-min(before.Detection.Packets, d.Packets)),
		event.Count("bytes", d.Bytes),
		event.Count("dropped_packets", drops),
		event.Share("drop_share_since_last", drops-min(earlierDrops, drops), kernel-min(earlierKernel, kernel)),
		event.Count("interfaces", uint64(len(s.Capture.Interfaces))),
		event.Count("silent_interfaces", silent),
		event.Count("conditions_raised", raised),
		event.Count("trails", s.Trails.Count),
		event.Count("trails_generation", s.Trails.Generation),
		event.Count("trails_age_seconds", uint64(max(now.Sub(s.Trails.CreatedAt).Seconds(), 0))),
		// detected = suppressed + folded + passed, but for what lies in a queue
		// between the worker and the gate at this moment; what left the gate is
		// passed + summaries + follow_ups.
		event.Count("events_found", d.Events),
		event.Count("events_dropped", d.Dropped),
		event.Count("events_queued", d.Queued),
		event.Count("events_detected", g.Detected),
		event.Count("events_suppressed", g.Suppressed),
		event.Count("events_folded", g.Folded),
		event.Count("events_passed", g.Passed),
		event.Count("summaries", g.Summaries),
		event.Count("follow_ups", g.FollowUps),
		event.Count("follow_ups_withheld", g.Withheld),
		event.Count("outcomes_unknown", g.Outcomes.Unknown),
		event.Count("outcomes_attempted", g.Outcomes.Attempted),
		event.Count("outcomes_answered", g.Outcomes.Answered),
		event.Count("outcomes_refused", g.Outcomes.Refused),
		event.Count("journal_last_seq", s.Journal.LastSeq),
		event.Count("journal_appended", s.Journal.Appended),
		event.Count("journal_bytes", s.Journal.Bytes),
		event.Count("journal_lost", s.Journal.Lost+s.Journal.Evicted+s.Journal.Quarantined+s.Journal.Missing),
	}
	for i := range s.Outputs {
		if i == heartbeatOutputs {
			break
		}
		o := &s.Outputs[i]
		name := "output_" + measureWord(o.Name)
		lag := uint64(0)
		if !o.OldestAt.IsZero() {
			lag = uint64(max(now.Sub(o.OldestAt).Seconds(), 0))
		}
		m = append(m, event.Count(name+"_waiting", o.Queued), event.Count(name+"_lag_seconds", lag), event.Count(name+"_dead_letters", o.Rejected))
	}
	info := fmt.Sprintf("trailhound %s runs, configuration %s, trails generation %d", s.Version.Version, s.Config.Hash, s.Trails.Generation)
	return event.NewHealth(now, event.HealthHeartbeat, info, event.HealthFacts{State: event.Metric, Measures: m})
}

// measureWord makes an output's name fit to be part of a measure's.
func measureWord(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, name[:min(len(name), 32)])
}
