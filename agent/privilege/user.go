package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
)

// ErrUnknownUser says that there is no user of a name.
var ErrUnknownUser = errors.New("there is no such user")

// ChangeUser makes a process that runs as root run as the user of that name,
// with that user's groups and no other, in all threads and for good: the real,
// the effective and the saved user change, so the kernel takes all capabilities
// away too (capabilities(7), "Effect of user ID changes").
//
// It changes nothing and returns false when the process is not root, and fails
// with ErrUnknownUser, with everything as it was, when it is and there is no such
// user. After another error the process may have lost its groups already and must
// not go on. Users are those of /etc/passwd and, in a binary with cgo, of the
// name service.
func ChangeUser(name string) (changed bool, err error) {
	if os.Geteuid() != 0 {
		return false, nil
	}
	u, known, err := LookupUser(name)
	if err != nil {
		return false, err
	}
	if !known {
		return false, fmt.Errorf("%w: %q", ErrUnknownUser, name)
	}
	if u.UID == 0 {
		return false, fmt.Errorf("cannot change to user %q: it is root by another name", name)
	}
	if err := become(u); err != nil {
		return false, fmt.Errorf("cannot change to user %q: %w", name, err)
	}
	return true, nil
}

// User is whom a process can run as.
type User struct {
	Name     string
	UID, GID int
	// Groups are those that systemd gives to a service with User=: the user's own
	// and those that list it as a member.
	Groups []int
}

// LookupUser looks a user up by name and says whether there is one.
func LookupUser(name string) (u User, known bool, err error) {
	found, err := user.Lookup(name)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return u, false, nil
	}
	if err == nil {
		u, err = numbers(found)
	}
	if err != nil {
		return u, false, fmt.Errorf("cannot look up user %q: %w", name, err)
	}
	return u, true, nil
}

func numbers(of *user.User) (u User, err error) {
	u.Name = of.Username
	if u.UID, err = strconv.Atoi(of.Uid); err != nil {
		return u, err
	}
	if u.GID, err = strconv.Atoi(of.Gid); err != nil {
		return u, err
	}
	groups, err := of.GroupIds()
	if err != nil {
		return u, err
	}
	for _, g := range groups {
		n, err := strconv.Atoi(g)
		if err != nil {
			return u, err
		}
		u.Groups = append(u.Groups, n)
	}
	return u, nil
}
