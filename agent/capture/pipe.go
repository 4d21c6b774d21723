package capture

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openRead opens a file without waiting for the writer of a FIFO.
func openRead(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
}

// A pipe is a FIFO that is read, until somebody interrupts that.
type pipe struct {
	*os.File
	over chan struct{} // closed by Close
}

// newPipe waits for the writer, who may come hours later. Once interrupt is
// closed, waiting and reading end with an error, at once and for good; the
// descriptor does not block, so the runtime's poller can do that.
func newPipe(f *os.File, interrupt <-chan struct{}) (*pipe, error) {
	p := &pipe{f, make(chan struct{})}
	if interrupt != nil {
		// What a pipe reads from has deadlines, or this fails here.
		if err := f.SetReadDeadline(time.Time{}); err != nil {
			return p, err
		}
		go func() {
			select {
			case <-interrupt:
				_ = f.SetReadDeadline(time.Unix(1, 0)) // the past; an error says that it is closed
			case <-p.over:
			}
		}()
	}
	return p, p.await()
}

// await waits until there is something to read, or a writer has come and gone.
// To read would not do: without a writer that is the end of the file.
func (p *pipe) await() error {
	raw, err := p.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Read(func(fd uintptr) (ready bool) {
		for {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				failed = fmt.Errorf("poll: %w", err)
			}
			return n != 0 // -1 with an error
		}
	})
	if err != nil {
		return err
	}
	return failed
}

func (p *pipe) Close() error {
	close(p.over)
	return p.File.Close()
}
