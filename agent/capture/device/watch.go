package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// watchEvery is the longest time between two calls, in case a change came
	// without a notification.
	watchEvery = 5 * time.Second
	// One bond that is set up makes dozens of notifications: a call waits until
	// none has come for settle, but never longer than settleMost.
	settle     = 20 * time.Millisecond
	settleMost = 200 * time.Millisecond
)

// Watch calls changed when the list of devices may have changed: at once, when
// the kernel notifies of links (RTMGRP_LINK), several notifications in a row
// making one call, and at least every 5 s. It opens its socket first, in the
// calling thread's namespace, so that a list taken in changed misses nothing;
// changed runs in the calling goroutine. Watch blocks until ctx ends and then
// returns nil; an error means that it does not watch (any more).
func Watch(ctx context.Context, changed func()) error {
	if err := watch(ctx, unix.RTMGRP_LINK, changed); err != nil {
		return fmt.Errorf("cannot watch network devices: %w", err)
	}
	return nil
}

func watch(ctx context.Context, groups uint32, changed func()) error {
	fd, err := openNetlink(groups, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "netlink")
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	w := watcher{ctx: ctx, file: f, buf: make([]byte, datagramSize)}
	for ctx.Err() == nil {
		changed()
		if err := w.wait(); err != nil {
			return err
		}
	}
	return nil
}

type watcher struct {
	ctx  context.Context
	file *os.File
	buf  []byte
}

// wait returns when it is time for a call or ctx has ended.
func (w *watcher) wait() error {
	some, err := w.read(watchEvery)
	if !some || err != nil {
		return err
	}
	for last := time.Now().Add(settleMost); time.Now().Before(last); {
		some, err := w.read(settle)
		if !some || err != nil {
			return err
		}
	}
	return nil
}

// read waits for one notification, whatever it says. A full socket buffer
// (ENOBUFS) is one, too: some were lost.
func (w *watcher) read(most time.Duration) (some bool, err error) {
	if err := w.file.SetReadDeadline(time.Now().Add(most)); err != nil {
		return false, err
	}
	// The end of ctx may have set its deadline before this one was set.
	if w.ctx.Err() != nil {
		return false, nil
	}
	_, err = w.file.Read(w.buf)
	switch {
	case err == nil, errors.Is(err, unix.ENOBUFS):
		return true, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false, nil
	}
	return false, err
}
