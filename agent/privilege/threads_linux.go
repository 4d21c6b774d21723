package privilege

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Drop gives up all capabilities, effective, permitted, inheritable and
// ambient, in all threads, and sets no_new_privs (prctl(2)), so that no program
// that is started from here on gets any back, not even one that is setuid or
// started by root. It cannot be undone. Sockets that are open stay as they are.
//
// In a binary with cgo it does nothing and returns an error that wraps
// errors.ErrUnsupported.
func Drop() error {
	if err := everywhere("set no_new_privs", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return err
	}
	// EINVAL: a kernel before 4.3, which has no ambient set.
	err := everywhere("clear the ambient capabilities", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0)
	if err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return everywhere("drop the capabilities", unix.SYS_CAPSET, uintptr(unsafe.Pointer(&h)), uintptr(unsafe.Pointer(&none[0])), 0)
}

// everywhere makes a system call in all threads. The arguments that are not
// given are 0, which prctl insists on.
//
//go:uintptrescapes
func everywhere(what string, call, a, b, c uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(call, a, b, c, 0, 0, 0)
	switch errno {
	case 0:
		return nil
	case syscall.ENOTSUP: // of the runtime, before it called anything
		return fmt.Errorf("cannot %s in all threads: this binary uses cgo, build it with CGO_ENABLED=0: %w", what, errno)
	}
	return fmt.Errorf("cannot %s in all threads: %w", what, errno)
}

// become takes the place of a user in all threads. The groups come first: afterwards
// the right to change them is gone.
func become(u User) error {
	if err := syscall.Setgroups(u.Groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(u.GID); err != nil {
		return fmt.Errorf("setgid: %w", err)
	}
	if err := syscall.Setuid(u.UID); err != nil {
		return fmt.Errorf("setuid: %w", err)
	}
	// A sandbox may pretend that the calls succeed.
	if r, e, s := unix.Getresuid(); r != u.UID || e != u.UID || s != u.UID {
		return fmt.Errorf("still user %d, %d, %d", r, e, s)
	}
	if r, e, s := unix.Getresgid(); r != u.GID || e != u.GID || s != u.GID {
		return fmt.Errorf("still group %d, %d, %d", r, e, s)
	}
	return nil
}
