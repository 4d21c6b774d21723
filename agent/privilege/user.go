package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// ChangeUser makes a process that runs as root run as the user of that name,
// with that user's groups and no other, in all threads and for good: the real,
// the effective and the saved user change, so the kernel takes all capabilities
// away too (capabilities(7), "Effect of user ID changes").
//
// It changes nothing and returns false when the process is not root or there
// is no such user. After an error the process may have lost its groups already
// and must not go on. Users are those of /etc/passwd and, in a binary with cgo,
// of the name service.
func ChangeUser(name string) (changed bool, err error) {
	if os.Geteuid() != 0 {
		return false, nil
	}
	u, err := user.Lookup(name)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot look up user %q: %w", name, err)
	}
	id, err := numbers(u)
	if err != nil {
		return false, fmt.Errorf("cannot change to user %q: %w", name, err)
	}
	if id.uid == 0 {
		return false, fmt.Errorf("cannot change to user %q: it is root by another name", name)
	}
	if err := become(id); err != nil {
		return false, fmt.Errorf("cannot change to user %q: %w", name, err)
	}
	return true, nil
}

// identity is who a process runs as.
type identity struct {
	uid, gid int
	groups   []int
}

// numbers reads the ids of u. The groups are those that systemd gives to a
// service with User=: the user's own and those that list it as a member.
func numbers(u *user.User) (id identity, err error) {
	if id.uid, err = strconv.Atoi(u.Uid); err != nil {
		return id, err
	}
	if id.gid, err = strconv.Atoi(u.Gid); err != nil {
		return id, err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return id, err
	}
	for _, g := range groups {
		n, err := strconv.Atoi(g)
		if err != nil {
			return id, err
		}
		id.groups = append(id.groups, n)
	}
	return id, nil
}
