package table

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a whole file read-only after checking who may write it.
func mapFile(path string) ([]byte, error) {
	// O_NONBLOCK: a FIFO under that name must not hang the start.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fmt.Errorf("%w: not a regular file", ErrUntrusted)
	case st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return nil, fmt.Errorf("%w: owned by user %d, must be root or user %d", ErrUntrusted, st.Uid, os.Geteuid())
	case st.Mode&0o022 != 0:
		return nil, fmt.Errorf("%w: mode %04o lets others write it", ErrUntrusted, st.Mode&0o7777)
	case st.Size < headLength:
		if st.Size == 0 {
			return nil, fmt.Errorf("%w: empty file", ErrForeign)
		}
		b := make([]byte, st.Size)
		n, _ := unix.Read(fd, b)
		return nil, new(header).decode(b[:max(n, 0)], st.Size)
	case st.Size > 1<<40:
		return nil, fmt.Errorf("%w: %d bytes", ErrForeign, st.Size)
	}
	data, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_SHARED)
	if errors.Is(err, unix.ENODEV) {
		return nil, fmt.Errorf("file system cannot map files: %w", err)
	}
	return data, err
}

func unmapFile(data []byte) error { return unix.Munmap(data) }
