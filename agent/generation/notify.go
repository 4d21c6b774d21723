package generation

import (
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// notifier tells of changes in the directory of the path. Where there are no
// notifications it never says anything, and the poll has to do.
type notifier struct {
	k       *Keeper
	w       *fsnotify.Watcher // nil: none
	path    string            // what it is about
	watched os.FileInfo       // the directory of it; nil: not watched
	events  <-chan fsnotify.Event
	errors  <-chan error
}

func (k *Keeper) newNotifier() *notifier {
	n := &notifier{k: k}
	if !k.notify {
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

// follow watches the directory that has the name now: another path may have
// been configured, and a directory removed and made again.
func (n *notifier) follow() {
	if n.w == nil {
		return
	}
	if path := n.k.Path(); path != n.path {
		n.leave()
		n.path = path
	}
	if n.path == "" {
		return
	}
	dir := filepath.Dir(n.path)
	now, err := os.Stat(dir) // before Add: what changes in between is found next time
	if err != nil {
		n.watched = nil
		return
	}
	// A new directory may have the number of the old one, whose watch is gone.
	if n.watched != nil && os.SameFile(now, n.watched) && len(n.w.WatchList()) > 0 {
		return
	}
	n.leave()
	if err := n.w.Add(dir); err == nil {
		n.watched = now
	}
}

// leave ends the watch of the directory.
func (n *notifier) leave() {
	_ = n.w.Remove(filepath.Dir(n.path)) // an error says that it is not watched
	n.watched = nil
}

// concerns says whether an event may mean another file at the path: one of its
// own name, or any name that comes or goes, since the path may lead through
// links.
func (n *notifier) concerns(e fsnotify.Event) bool {
	return e.Has(fsnotify.Create) || e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) ||
		e.Has(fsnotify.Write) && filepath.Base(e.Name) == filepath.Base(n.path)
}

func (n *notifier) close() {
	if n.w != nil {
		n.w.Close()
	}
}
