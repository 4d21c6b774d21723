package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// place is what the kernel says of a directory or file.
type place struct {
	path     string
	uid, gid int
	mode     uint32 // permission bits
	readOnly bool   // of its file system
	free     int64  // bytes that a user other than root may still write
	access   error  // of writing there, for this process
}

// lookAt asks for a path that exists. Its access is that of the effective user,
// so access control lists, read-only file systems and the immutable flag count.
func lookAt(path string) (p place, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return p, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	p = place{path: path, uid: int(st.Uid), gid: int(st.Gid), mode: st.Mode & 0o7777}
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return p, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	p.readOnly = fs.Flags&unix.ST_RDONLY != 0
	p.free = int64(fs.Bavail) * int64(fs.Bsize)
	want := uint32(unix.W_OK)
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		want |= unix.X_OK
	}
	p.access = unix.Faccessat(unix.AT_FDCWD, path, want, unix.AT_EACCESS)
	return p, nil
}

// freeText gives "12.3 GiB free".
func freeText(n int64) string {
	if n < 1<<30 {
		return fmt.Sprintf("%d MiB free", n>>20)
	}
	return fmt.Sprintf("%.1f GiB free", float64(n)/(1<<30))
}
