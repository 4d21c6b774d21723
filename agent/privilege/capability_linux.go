package privilege

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// State is what a thread may do, and what it can still come to.
type State struct {
	Effective Set // what it may do now
	Permitted Set // what it can make effective
	Bounding  Set // what it or a program that it starts can ever get
	// NoNewPrivs says that no program gets anything by being started (prctl(2),
	// PR_SET_NO_NEW_PRIVS).
	NoNewPrivs bool
}

// Read gives the state of the calling thread; before Drop all threads are alike.
// It tells whether packet sockets can be opened (NetRaw) as far as capabilities
// go: what a user namespace, seccomp or a security module forbids shows only
// when one is opened.
func Read() (s State, err error) {
	h := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // version 3 has two words of each set
	if err := unix.Capget(&h, &data[0]); err != nil {
		return s, fmt.Errorf("cannot read the capabilities of this process: %w", err)
	}
	s.Effective = Set(data[0].Effective) | Set(data[1].Effective)<<32
	s.Permitted = Set(data[0].Permitted) | Set(data[1].Permitted)<<32
	for n := range uintptr(64) {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, n, 0, 0, 0)
		if err != nil { // EINVAL: the kernel knows no more
			break
		}
		s.Bounding |= Set(in) << n
	}
	n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return s, fmt.Errorf("cannot read whether no_new_privs is set: %w", err)
	}
	s.NoNewPrivs = n == 1
	return s, nil
}

// OfFile gives the capabilities that a program is permitted by its file when it
// is started; none if the file carries none or cannot be asked.
func OfFile(path string) Set {
	b := make([]byte, 64)
	n, err := unix.Getxattr(path, "security.capability", b)
	if err != nil {
		return 0
	}
	return fileSet(b[:min(n, len(b))])
}

// fileSet reads a struct vfs_cap_data of <linux/capability.h>: the revision, and
// per word of the sets the permitted and the inheritable one. Revision 1 has one
// word, the later ones have two.
func fileSet(b []byte) (s Set) {
	const revision1 = 0x01000000
	if len(b) < 12 {
		return 0
	}
	s = Set(binary.LittleEndian.Uint32(b[4:]))
	if len(b) >= 20 && binary.LittleEndian.Uint32(b)&0xff000000 > revision1 {
		s |= Set(binary.LittleEndian.Uint32(b[12:])) << 32
	}
	return s
}
