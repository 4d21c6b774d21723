package generation

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watch notices new tables and changes to the one in use, until ctx ends. It
// also checks the first one and makes the copy of it. It is called once.
//
// Swap gives the workers another generation to match against, and returns a
// channel that is closed when all of them have let go of the one before; then
// that is unmapped. It returns nil when the new one cannot be used, and stays
// with the one before; so does the Keeper. It is called by Watch, and after a Fault on a goroutine of
// its own, never twice at a time. It must not wait for the workers. A fault of
// the new table in it is recovered.
func (k *Keeper) Watch(ctx context.Context, swap func(*Generation) (released <-chan struct{})) {
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
	var released <-chan struct{}
	err := withoutFault(g.Table, func() error { released = swap(g); return nil })
	if err != nil || released == nil {
		k.Fault(g, err)
	}
}

// notifier tells of changes in the directory of Path. Where there are no
// notifications it never says anything, and the poll has to do.
type notifier struct {
	k       *Keeper
	w       *fsnotify.Watcher // nil: none
	dir     string
	watched os.FileInfo // nil: not watched
	events  <-chan fsnotify.Event
	errors  <-chan error
}

func (k *Keeper) newNotifier() *notifier {
	n := &notifier{k: k, dir: filepath.Dir(k.opt.Path)}
	if !k.notify || k.opt.Path == "" {
		return n
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		k.opt.Log.Info("no notifications of new trail tables, they are looked for instead", "every", k.poll, "error", err)
		return n
	}
	n.w, n.events, n.errors = w, w.Events, w.Errors
	n.follow()
	return n
}

// follow watches the directory that has the name now: it may have been removed
// and made again.
func (n *notifier) follow() {
	if n.w == nil {
		return
	}
	now, err := os.Stat(n.dir) // before Add: what changes in between is found next time
	if err != nil {
		n.watched = nil
		return
	}
	// A new directory may have the number of the old one, whose watch is gone.
	if n.watched != nil && os.SameFile(now, n.watched) && len(n.w.WatchList()) > 0 {
		return
	}
	_ = n.w.Remove(n.dir) // an error says that it is not watched
	if err := n.w.Add(n.dir); err != nil {
		n.watched = nil
		return
	}
	n.watched = now
}

// concerns says whether an event may mean another file at Path: one of its own
// name, or any name that comes or goes, since the path may lead through links.
func (n *notifier) concerns(e fsnotify.Event) bool {
	return e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) ||
		e.Has(fsnotify.Write) && filepath.Base(e.Name) == filepath.Base(n.k.opt.Path)
}

func (n *notifier) close() {
	if n.w != nil {
		n.w.Close()
	}
}
