package live

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// poll waits until one of its descriptors has something. It is an epoll(7)
// instance which itself waits in the one of the Go runtime, so that the waiting
// worker is a parked goroutine: a thread in epoll_wait for more than 20 µs would
// have its processor taken away by the runtime's monitor, which wakes up to
// 50,000 times a second for that and costs more than the worker.
type poll struct {
	file  *os.File
	raw   syscall.RawConn
	fd    int
	ready []unix.EpollEvent
	n     int
	look  func(fd uintptr) bool // made once: a wait allocates nothing
}

func newPoll() (*poll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot wait for rings: %w", err)
	}
	// The mode means nothing to epoll. It tells os.NewFile that the descriptor
	// is one to be waited for.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("cannot wait for rings: %w", err)
	}
	p := &poll{file: os.NewFile(uintptr(fd), "epoll"), fd: fd, ready: make([]unix.EpollEvent, 16)}
	p.look = func(fd uintptr) bool {
		p.n, _ = unix.EpollWait(int(fd), p.ready, 0)
		return p.n > 0
	}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // refused unless the runtime waits for it
	}
	if err != nil {
		p.file.Close()
		return nil, fmt.Errorf("cannot wait for rings: %w", err)
	}
	return p, nil
}

func (p *poll) add(fd int) error {
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLERR, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("cannot wait for rings: %w", err)
	}
	return nil
}

func (p *poll) remove(fd int) {
	unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil)
}

// wait gives the descriptors that have something, none after most. One
// goroutine may call it; the answer is valid until it does again.
func (p *poll) wait(most time.Duration) []unix.EpollEvent {
	p.n = 0
	if p.file.SetReadDeadline(time.Now().Add(most)) != nil || p.raw.Read(p.look) != nil {
		return nil
	}
	return p.ready[:max(p.n, 0)]
}

// close ends a wait, too.
func (p *poll) close() error { return p.file.Close() }
