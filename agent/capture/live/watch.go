package live

import (
	"context"
	"fmt"
	"time"

	"trailhound/agent/capture/device"
)

// watchAgain is when Watch looks when the kernel does not notify.
const watchAgain = 5 * time.Second

// Watch follows the interfaces until ctx ends or the capture is closed:
//
//   - A link that goes down and up goes on; one that is renamed goes on under
//     its new name.
//   - A link that is deleted is drained and closed; when it is made again, it
//     is captured again.
//   - Interfaces that an entry waited for, or that match a pattern, are
//     captured when they appear.
//
// Sockets for these are taken from the spare ones, one per worker. A socket
// that was in a fan-out group cannot be used again. When none is left and the
// process may not open any, Snapshot says that a restart is needed.
//
// With Any nothing need be opened: Watch tells which interfaces repeat others.
func (c *Capture) Watch(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	if c.request == nil { // a feed has no links
		<-ctx.Done()
		return
	}
	for ctx.Err() == nil {
		if err := device.Watch(ctx, c.look); err != nil && ctx.Err() == nil {
			c.log.Warn("cannot follow the interfaces by notification; looking every few seconds", "error", err)
			again := time.NewTimer(watchAgain)
			select {
			case <-again.C:
				c.look()
			case <-ctx.Done():
				again.Stop()
			}
		}
	}
}

// look brings the capture up to date.
func (c *Capture) look() {
	c.change.Lock()
	defer c.change.Unlock()
	if c.isClosed() {
		return
	}
	list, err := device.List()
	if err != nil {
		c.once("list", "cannot list the interfaces", "error", err)
		return
	}
	delete(c.logged, "list")
	// It is not strict, so there is no error: what failed is in Missing.
	_ = c.reconcile(list, nil, false)
	if err := c.spares.refill(); err != nil {
		c.once("spare", "cannot open spare packet sockets", "error", err)
	}
	// The kernel's counters have 32 bits: they must be read now and then even if
	// nobody asks.
	for _, r := range c.openRings() {
		r.kernel()
	}
}

func (c *Capture) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *Capture) openRings() []*ring {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*ring(nil), c.rings...)
}

// restartNeeded is the error for options that a running capture cannot take.
func restartNeeded(what string) error {
	return fmt.Errorf("%s cannot change while the capture runs: it needs a restart", what)
}
