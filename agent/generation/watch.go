package generation

import (
	"context"
	"time"
)

// Watch notices new tables and changes to the one in use, until ctx ends. It
// also checks the first one and makes the copy of it. It is called once.
//
// Swap gives the workers another generation to match against, and returns a
// channel that is closed when all of them have let go of the one before; then
// that is unmapped. When the new one cannot be used, it stays with the one
// before, as the Keeper does, and returns an error that names the table. It is
// called by Watch, and after a Fault on a goroutine of its own, never twice at a
// time. It must not wait for the workers. A fault of the new table in it is
// recovered.
func (k *Keeper) Watch(ctx context.Context, swap func(*Generation) (released <-chan struct{}, err error)) {
	k.attach(swap)
	n := k.newNotifier()
	defer n.close()
	tick := time.NewTicker(k.poll)
	defer tick.Stop()
	settle := time.NewTimer(0)
	defer settle.Stop()
	armed := true
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-n.events:
			if !ok {
				n.events = nil
			}
			if !ok || !n.concerns(e) || armed {
				continue
			}
		case err, ok := <-n.errors:
			if !ok {
				n.errors = nil
				continue
			}
			k.opt.Log.Debug("notifications of the trail table", "error", err) // an overflow: the poll finds it
		case <-k.asked:
			n.follow()
		case <-tick.C:
			n.follow()
			if armed {
				continue
			}
		case <-settle.C:
			armed = false
			if k.look(ctx) {
				break
			}
			continue
		}
		settle.Reset(k.settle)
		armed = true
	}
}

// attach takes the function that hands out generations. A fault may have come
// before it.
func (k *Keeper) attach(swap swapFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.swap = swap
	k.watched.Store(true)
	g := k.Current()
	if g.Number == 1 {
		return
	}
	if _, err := k.hand(g); err != nil {
		k.Fault(g, err)
	}
}
