package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// newLog makes the service's log: text for people, JSON for machines.
func newLog(to io.Writer, tty bool, format string, level slog.Leveler) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level}
	if format == "auto" {
		format = "json"
		if tty {
			format = "text"
		}
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(to, opt))
	}
	return slog.New(slog.NewJSONHandler(to, opt))
}

// logLines bounds the lines that wait for standard error.
const logLines = 1024

// An asideWriter writes lines in a goroutine of its own, so that a reader of
// the log that stands still holds up nothing. Lines for which there is no room
// are lost, and a line says how many.
type asideWriter struct {
	to      io.Writer
	lines   chan []byte
	lost    atomic.Uint64
	closing sync.Once
	done    chan struct{}
}

func newAsideWriter(to io.Writer) *asideWriter {
	w := &asideWriter{to: to, lines: make(chan []byte, logLines), done: make(chan struct{})}
	go w.run()
	return w
}

// Write takes a line, as the handlers of log/slog write one at a time.
func (w *asideWriter) Write(line []byte) (int, error) {
	select {
	case w.lines <- append([]byte(nil), line...):
	default:
		w.lost.Add(1)
	}
	return len(line), nil
}

func (w *asideWriter) run() {
	defer close(w.done)
	for line := range w.lines {
		w.to.Write(line)
		if n := w.lost.Swap(0); n > 0 {
			fmt.Fprintf(w.to, "%d lines of the log were lost: nobody read it\n", n)
		}
	}
}

// close waits a moment for what is not written yet. Nothing may be written
// after it.
func (w *asideWriter) close(most time.Duration) {
	w.closing.Do(func() { close(w.lines) })
	select {
	case <-w.done:
	case <-time.After(most):
	}
}
