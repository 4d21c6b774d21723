package namespace

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// present is the namespace of the calling thread.
const present = "/proc/thread-self/ns/net"

// Thread runs f on a thread of its own that ends with it.
func Thread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		done <- f()
	}()
	return <-done
}

// leave moves the calling thread to a namespace that it makes.
func leave() error { return unix.Unshare(unix.CLONE_NEWNET) }

// Join moves the calling goroutine and its thread into the namespace, for good:
// the thread ends with the goroutine.
func (s *Space) Join() error {
	runtime.LockOSThread()
	if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("cannot enter a network namespace: %w", err)
	}
	return nil
}

// Enter moves the calling goroutine, which is the test's, into the namespace
// until the test ends.
func (s *Space) Enter() {
	s.t.Helper()
	runtime.LockOSThread()
	home, err := os.Open(present)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Join(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		defer home.Close()
		if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
			s.t.Errorf("cannot leave a network namespace: %v", err) // the thread stays locked and dies with the goroutine
			return
		}
		runtime.UnlockOSThread() // Enter's own
		runtime.UnlockOSThread() // Join's
	})
}

// Socket opens a packet socket that sends frames as they are on a device of the
// namespace. It receives nothing and is closed when the test ends.
func (s *Space) Socket(device string) (fd int) {
	s.t.Helper()
	err := s.Inside(func() (err error) {
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return fmt.Errorf("cannot open a packet socket: %w", err)
		}
		s.t.Cleanup(func() { unix.Close(fd) })
		request, err := unix.NewIfreq(device)
		if err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); err != nil {
			return fmt.Errorf("no device %s: %w", device, err)
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: int(request.Uint32())})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return fd
}

// Send sends a frame by such a socket, as soon as the device has room.
func Send(fd int, frame []byte) error {
	for {
		_, err := unix.Write(fd, frame)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOBUFS) {
			runtime.Gosched()
			continue
		}
		return err
	}
}

// possible says why no network namespace with a packet socket can be made.
func possible() error {
	return Thread(func() error {
		if err := leave(); err != nil {
			return fmt.Errorf("cannot make a network namespace: %w", err)
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("cannot open a packet socket: %w", err)
		}
		return unix.Close(fd)
	})
}
