package e2e

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// What a wire does with connections.
type wireMode int

const (
	wirePasses  wireMode = iota
	wireDrips            // reads little at a time: the window is shut most of the time
	wireHole             // takes connections, and reads nothing from them
	wireRefuses          // answers with the alert of TLS that says handshake_failure, and ends
)

// A wire stands between an output and its receiver on TCP and breaks what
// passes.
type wire struct {
	t        testing.TB
	listener net.Listener
	to       string
	all      sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed when the mode changes
	mode    wireMode
	open    map[net.Conn]bool
}

// newWire makes one that leads to an address.
func newWire(t testing.TB, to string) *wire {
	t.Helper()
	// Room for little, so that what a receiver does not read shows at once.
	small := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		outer := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 32<<10) })
		if err == nil {
			err = outer
		}
		return err
	}}
	l, err := small.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{t: t, listener: l, to: to, changed: make(chan struct{}), open: make(map[net.Conn]bool)}
	w.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.all.Go(func() { w.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.set(wirePasses)
		w.cut(true)
		w.all.Wait()
	})
	return w
}

func (w *wire) address() string { return w.listener.Addr().String() }

// set says what becomes of what comes from now on.
func (w *wire) set(mode wireMode) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode = mode
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *wire) now() (mode wireMode, changed chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mode, w.changed
}

// cut ends all connections where they are: with a reset, or in the orderly way
// though not all was passed on.
func (w *wire) cut(reset bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		if tcp := c.(*net.TCPConn); reset {
			tcp.SetLinger(0)
			tcp.Close()
		} else {
			tcp.CloseWrite()
			tcp.SetReadDeadline(time.Unix(1, 0))
		}
	}
}

// keep notes a connection, to be cut.
func (w *wire) keep(c net.Conn) (forget func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[c] = true
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.open, c)
		c.Close()
	}
}

func (w *wire) serve(from net.Conn) {
	defer w.keep(from)()
	if mode, _ := w.now(); mode == wireRefuses {
		from.Write([]byte{21, 3, 3, 0, 2, 2, 40}) // RFC 8446 6
		return
	}
	to, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer w.keep(to)()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(from, to)
		from.(*net.TCPConn).CloseWrite()
	}()
	defer func() { <-done }()
	defer to.(*net.TCPConn).CloseWrite()
	for b := make([]byte, 16<<10); ; {
		mode, changed := w.now()
		size := len(b)
		switch mode {
		case wireHole:
			<-changed
			continue
		case wireDrips:
			size = 4 << 10
			select {
			case <-changed:
			case <-time.After(2 * time.Millisecond):
			}
		}
		n, err := from.Read(b[:size])
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// nullSink takes everything and throws it away.
func nullSink(t testing.TB) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				io.Copy(io.Discard, c)
				c.Close()
			})
		}
	})
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
