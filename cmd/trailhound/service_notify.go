package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"golang.org/x/sys/unix"
)

// notifier tells the service manager how it stands (sd_notify(3)). Without one
// that listens it does nothing.
type notifier struct{ log *slog.Logger }

func newNotifier(log *slog.Logger) *notifier { return &notifier{log} }

func (n *notifier) send(lines ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		n.log.Warn("cannot tell the service manager", "error", err)
	}
}

func (n *notifier) ready()    { n.send(daemon.SdNotifyReady) }
func (n *notifier) stopping() { n.send(daemon.SdNotifyStopping) }
func (n *notifier) alive()    { n.send(daemon.SdNotifyWatchdog) }

// reloading has to name the time, so that the manager can tell the READY that
// follows from an older one.
func (n *notifier) reloading() {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	n.send(daemon.SdNotifyReloading, fmt.Sprintf("MONOTONIC_USEC=%d", t.Nano()/1000))
}

// watchdog tells the service manager that the sensor works: every worker has
// been round its loop, and the gate has answered, since the last time. A
// process that is alive but does not work is restarted by the manager.
func (s *service) watchdog(ctx context.Context) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("the service manager's watchdog interval cannot be read", "error", err)
	}
	if err != nil || interval <= 0 {
		return
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	before := make([]uint64, len(s.capture.Sources()))
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if s.works(before) {
			s.notify.alive()
		}
	}
}

// works says whether all workers have moved on from where they were before,
// and whether the way to the outputs is open.
func (s *service) works(before []uint64) bool {
	stuck := -1
	for i, loops := range s.live.Loops() {
		if loops == before[i] {
			stuck = i
		}
		before[i] = loops
	}
	if stuck >= 0 {
		s.log.Error("worker does not move", "worker", stuck)
		return false
	}
	// The gate is waited for: while it does not answer, nothing is sent.
	return s.live.Do(func() {})
}
