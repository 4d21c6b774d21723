package syslog

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A loop is a datagram socket of this process that go-syslog writes to. Its name
// is in the abstract name space (unix(7)), so it needs no directory to write to.
// Others could find it there: a datagram counts only when the kernel says that
// this process has sent it.
type loop struct {
	name string
	conn *net.UnixConn
	buf  [maxUDP + 1024]byte
	oob  [64]byte
}

const (
	// loopTime bounds the wait for what was written a moment ago.
	loopTime = time.Second
	// maxForeign bounds how many datagrams of others are passed over for one.
	maxForeign = 100
)

func newLoop() (*loop, error) {
	b := make([]byte, 16)
	rand.Read(b)
	l := &loop{name: "@trailhound-" + hex.EncodeToString(b)}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: l.name, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	l.conn = conn
	raw, err := conn.SyscallConn()
	if err == nil {
		if cerr := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1) }); cerr != nil {
			err = cerr
		}
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("a socket of this process: %w", err)
	}
	return l, nil
}

// read gives the next datagram of this process; it is valid until the next read.
func (l *loop) read() ([]byte, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(loopTime)); err != nil {
		return nil, err
	}
	for range maxForeign {
		n, oob, flags, _, err := l.conn.ReadMsgUnix(l.buf[:], l.oob[:])
		if err != nil {
			return nil, err
		}
		if flags&unix.MSG_TRUNC == 0 && l.own(l.oob[:oob]) {
			return l.buf[:n], nil
		}
	}
	return nil, errors.New("another process writes to the socket")
}

// own says whether the kernel names this process as the sender.
func (l *loop) own(oob []byte) bool {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return false
	}
	for i := range messages {
		if who, err := unix.ParseUnixCredentials(&messages[i]); err == nil {
			return int(who.Pid) == os.Getpid()
		}
	}
	return false
}

func (l *loop) close() { l.conn.Close() }
