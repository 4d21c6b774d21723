package config

import (
	"errors"
	"io"
	"os"
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
