package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"

	"trailhound/agent/config"
	"trailhound/outputs/csv"
)

// written is a place that the sensor writes to.
type written struct {
	check string
	dir   string
	file  string // in it, if it is one in particular
	// Facts of the nearest directory above dir that exists, dir itself included,
	// with all those above it, outermost first; and of the file, if it exists.
	above []place
	made  bool // dir exists
	is    *place
	err   error // why there are no facts
}

// leastFree is how much free space a place to write should have.
const leastFree = 256 << 20

// writtenPaths lists the state directory and those of the csv outputs.
func writtenPaths(c *config.Config) []written {
	list := []written{{check: "state directory", dir: c.State}}
	for i := range c.Outputs {
		o := &c.Outputs[i]
		if o.Type != "csv" {
			continue
		}
		if opt, err := csv.Decode(o.Node); err == nil {
			list = append(list, written{check: "output " + o.Name, dir: filepath.Dir(opt.Path), file: opt.Path})
		}
	}
	for i := range list {
		list[i].look()
	}
	return list
}

// look gathers the facts.
func (w *written) look() {
	dir := filepath.Clean(w.dir)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	w.made = true
	for {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			dir = real
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == "/" {
			w.err = err
			return
		}
		w.made, dir = false, filepath.Dir(dir)
	}
	for _, path := range ancestry(dir) {
		p, err := lookAt(path)
		if err != nil {
			w.err = err
			return
		}
		w.above = append(w.above, p)
	}
	if w.file == "" || !w.made {
		return
	}
	if p, err := lookAt(w.file); err == nil {
		w.is = &p
	}
}

// ancestry lists a directory and those above it, outermost first.
func ancestry(dir string) (list []string) {
	for ; ; dir = filepath.Dir(dir) {
		list = append(list, dir)
		if dir == "/" || dir == "." {
			slices.Reverse(list)
			return list
		}
	}
}

// runner is the user whose access is checked.
type runner struct {
	name string
	uid  int
	gids []int
	self bool // the one who runs the check: the kernel says what it may do
}

// whoRuns gives the user of the service if root asks, else the one who asks.
func whoRuns() runner {
	me := os.Geteuid()
	if me == 0 {
		if u, err := user.Lookup(serviceUser); err == nil {
			return asRunner(u)
		}
	}
	return runner{name: userName(me), uid: me, self: true}
}

func asRunner(u *user.User) runner {
	r := runner{name: u.Username}
	r.uid, _ = strconv.Atoi(u.Uid)
	ids, err := u.GroupIds()
	if err != nil {
		ids = []string{u.Gid}
	}
	for _, id := range ids {
		if gid, err := strconv.Atoi(id); err == nil {
			r.gids = append(r.gids, gid)
		}
	}
	return r
}

// Permission bits of one class.
const (
	mayWrite = 2
	mayEnter = 1
)

// denied says why the user may not do that there; nil: it may. For another user
// than this one it goes by owner, group and mode, and sees no access control
// lists.
func (r runner) denied(p place, want uint32) error {
	if p.readOnly && want&mayWrite != 0 {
		return errors.New("read-only file system")
	}
	if r.self && want&mayWrite != 0 {
		return p.access
	}
	if r.self || r.uid == 0 {
		return nil
	}
	class := p.mode
	switch {
	case p.uid == r.uid:
		class >>= 6
	case slices.Contains(r.gids, p.gid):
		class >>= 3
	}
	if class&want != want {
		return fmt.Errorf("%s has mode %04o of %s", p.path, p.mode, userName(p.uid))
	}
	return nil
}
