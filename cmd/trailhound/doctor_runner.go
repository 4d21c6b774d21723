package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"trailhound/agent/privilege"
)

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
		if u, known, err := privilege.LookupUser(serviceUser); known && err == nil {
			return runner{name: u.Name, uid: u.UID, gids: u.Groups}
		}
	}
	return runner{name: userName(me), uid: me, self: true}
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
