package live

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A process that gave up its privilege keeps what it has: that it can open no
// more is found out once, and is no error of whatever is done then.
func TestRefillWithoutPrivilege(t *testing.T) {
	newSpace(t) // skips where no packet socket can be opened
	s := &spares{want: 2}
	defer s.close()
	if err := s.refill(); err != nil || s.left() != 2 {
		t.Fatalf("%d sockets, %v", s.left(), err)
	}
	if _, err := s.take(1); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			failed <- err
			return
		}
		failed <- s.refill()
	}()
	if err := <-failed; err != nil {
		t.Errorf("refill: %v", err)
	}
	if s.left() != 1 || !s.denied {
		t.Errorf("%d sockets, denied %t", s.left(), s.denied)
	}
}
