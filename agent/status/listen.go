package status

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// socketMode lets the owner and the group ask.
const socketMode = 0o660

// listen opens the socket.
func listen(text string) (net.Listener, error) {
	network, address, err := Address(text)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		if err := removeStale(address); err != nil {
			return nil, fmt.Errorf("cannot listen on status socket %q: %w", address, err)
		}
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), network, address)
	if err != nil {
		hint := ""
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			hint = "; another trailhound may be running, or set status.listen to a free port"
		case errors.Is(err, syscall.EADDRNOTAVAIL):
			hint = "; this host has no such address"
		case network == "tcp" && errors.Is(err, syscall.EACCES):
			hint = "; ports below 1024 are for root, which the sensor is not any more"
		}
		return nil, fmt.Errorf("cannot listen on status address %q: %w%s", address, bare(err), hint)
	}
	if network == "unix" {
		// Until here the mode is what the umask left of 0777. Nobody is
		// answered before Serve.
		if err := os.Chmod(address, socketMode); err != nil {
			l.Close()
			return nil, fmt.Errorf("cannot listen on status socket %q: %w", address, bare(err))
		}
	}
	return l, nil
}

// removeStale makes room for a socket: what a process left that has died is
// removed, anything else is an error.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return bare(err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("something else is there that is no socket")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return errors.New("another process answers there")
	}
	// Only a refusal shows that nobody listens: a full backlog or a missing
	// permission fails too.
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("another process may use it: %w", bare(err))
	}
	return bare(os.Remove(path))
}

// bare takes the operation and the path or address off an error, where they
// have been said.
func bare(err error) error {
	var n syscall.Errno
	if errors.As(err, &n) {
		return n
	}
	return err
}
