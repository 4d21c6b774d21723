package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"trailhound/agent/capture/device"
	"trailhound/agent/capture/live"
	"trailhound/agent/config"
)

// observe looks at the traffic of the ports for a while: with rings of its own
// if that is allowed, and in any case at the devices' counters.
func observe(ctx context.Context, c *config.Config, ports []port, watch time.Duration) (seen observed) {
	if watch == 0 || len(ports) == 0 {
		seen.none = watch == 0
		return seen
	}
	look, err := openLook(c)
	switch {
	case errors.Is(err, live.ErrPrivilege):
		seen.unprivileged = err
	case err != nil:
		seen.failed = err
	}
	before, _ := device.List()
	start := time.Now()
	select {
	case <-ctx.Done():
	case <-time.After(watch):
	}
	took := time.Since(start)
	if look != nil {
		seen.by, seen.dropped = look.end()
	}
	after, _ := device.List()
	return withCounters(seen, ports, before, after, took)
}

// withCounters adds what the devices counted themselves: all there is for
// devices that were not captured.
func withCounters(seen observed, ports []port, before, after []device.Device, took time.Duration) observed {
	captured := seen.by != nil
	all := make(map[int]traffic, len(ports))
	for _, p := range ports {
		same := func(d device.Device) bool { return d.Index == p.Index }
		i, j := slices.IndexFunc(before, same), slices.IndexFunc(after, same)
		if i < 0 || j < 0 {
			continue // gone meanwhile
		}
		from, to := &before[i], &after[j]
		t := seen.by[p.Index]
		t.captured, t.took = captured, took
		t.missed = since(from.RxMissed, to.RxMissed)
		if !captured {
			t.received, t.sent = since(from.RxPackets, to.RxPackets), since(from.TxPackets, to.TxPackets)
			t.bytes = since(from.RxBytes, to.RxBytes) + since(from.TxBytes, to.TxBytes)
		}
		all[p.Index] = t
	}
	seen.by = all
	return seen
}

// since is how far a counter went; one that was reset starts at 0.
func since(before, after uint64) uint64 {
	if after < before {
		return after
	}
	return after - before
}
