package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// pipePatience is how long the writer of a pipe may take: a start and a reload
// must not wait for ever.
const pipePatience = 10 * time.Second

// readFile reads at most one byte more than maxFile, so that parse sees when a
// file is too large. Pipes are welcome, as long as somebody writes to them: -c
// /dev/stdin.
func readFile(file string) ([]byte, error) {
	// O_NONBLOCK: a FIFO without a writer would not even open.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	pipe := info.Mode()&os.ModeNamedPipe != 0
	switch {
	case info.IsDir():
		return nil, errors.New("cannot be read: is a directory")
	case pipe:
		if err := f.SetReadDeadline(time.Now().Add(pipePatience)); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errors.New("cannot be read: the writer of this pipe has not closed it within " + pipePatience.String())
	case err == nil && pipe && len(data) == 0:
		return nil, errors.New("cannot be read: nobody writes to this pipe")
	}
	return data, err
}

// waysOut is what to do about a file or directory that may not be read. The
// packages keep conf.d from all but root and the group of the service, because
// it may hold secrets: whoever else runs a command meets this.
func waysOut(path string, err error) string {
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return "move it away or make it a directory"
	case errors.Is(err, syscall.EMFILE):
		return "raise LimitNOFILE= in the systemd unit, or ulimit -n"
	case !errors.Is(err, fs.ErrPermission):
		return ""
	}
	id := os.Geteuid()
	who := "user " + strconv.Itoa(id)
	if u, err := user.LookupId(strconv.Itoa(id)); err == nil {
		who = "user " + u.Username
	}
	ways, let := "run this as root", "let "+who+" search the directories above it and read it"
	if info, err := os.Stat(path); err == nil {
		let = "let " + who + " read it"
		mode := info.Mode().Perm()
		of, ok := info.Sys().(*syscall.Stat_t)
		if ok {
			let += fmt.Sprintf(" (it is of uid %d, gid %d, mode %04o)", of.Uid, of.Gid, mode)
		}
		if ok && of.Gid != 0 && mode&0o040 != 0 {
			group := strconv.Itoa(int(of.Gid))
			if g, err := user.LookupGroupId(group); err == nil {
				group = g.Name
			}
			ways += " or as a member of group " + group
		}
	}
	if id == 0 { // root without its capabilities, which is what the sensor is after its start
		return let + ", or name another file with -c"
	}
	return ways + ", " + let + ", or name another file with -c"
}
