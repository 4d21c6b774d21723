package main

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"trailhound/agent/capture/device"
	"trailhound/agent/config"
	"trailhound/agent/event"
)

// addressPause is the shortest time between two sets of rules that other
// addresses of this host make necessary: each compiles all expressions anew.
const addressPause = time.Second

// hostAddresses gives the addresses of this host, which are at home, as far as
// they can be read.
func (s *service) hostAddresses() []netip.Addr {
	list, err := hostAddresses()
	if err != nil {
		s.log.Warn("this host's own addresses are not known, so they are at home only if detection.home_networks has them", "error", err)
	}
	return list
}

// followAddresses makes other rules when this host gets other addresses.
func (s *service) followAddresses(ctx context.Context) {
	err := device.WatchAddresses(ctx, func() {
		list, err := hostAddresses()
		if err != nil || !s.takeAddresses(list) {
			return // the next look may do better
		}
		select {
		case <-time.After(addressPause):
		case <-ctx.Done():
		}
	})
	if err != nil {
		s.log.Warn("changes of this host's addresses are not noticed before a restart", "error", err)
	}
}

// takeAddresses takes the addresses of this host and, if that changes what is at
// home, makes other rules, which it says.
func (s *service) takeAddresses(list []netip.Addr) bool {
	s.mu.Lock()
	before, after := strays(s.config, s.addresses), strays(s.config, list)
	s.addresses = list
	s.mu.Unlock()
	if slices.Equal(before, after) {
		return false
	}
	s.log.Info("this host has other addresses outside detection.home_networks, which are at home", "addresses", after)
	s.applyRules()
	return true
}

// strays are the addresses that no home network holds, each once, in order: only
// they change what is at home. That leaves out nearly all that containers bring.
func strays(c *config.Config, list []netip.Addr) (out []netip.Addr) {
	home := event.NewHome(c.Detection.HomeNetworks, nil)
	for _, a := range list {
		if home.Known() && !home.Contains(a) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}
