package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/term"

	"trailhound/agent/config"
	"trailhound/agent/event"
	"trailhound/outputs"
	"trailhound/outputs/format"
	"trailhound/outputs/stdout"
)

// eventWriter is where a replay's events go. A file gets its name when it is
// whole: what was there before stays until then.
type eventWriter struct {
	out   *stdout.Output
	batch []event.Event
	file  *os.File // nil: standard output
	path  string
	temp  bool // file is to be renamed to path
}

// writeBatch is how many events are written at once. A terminal gets each one
// as it comes.
const writeBatch = 256

// openEvents opens the destination that the flags name.
func (a *app) openEvents(c *config.Config, f replayFlags) (*eventWriter, error) {
	w := &eventWriter{path: f.output}
	var to io.Writer = a.out
	opt := stdout.Options{Format: f.format, Identity: identity(c)}
	width, tty := terminal(a.out)
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 && !tty {
		width = n // the reader of the pipe says how wide it shows (POSIX, environment variables)
	}
	if f.output != "" && f.output != "-" {
		if err := w.open(); err != nil {
			return nil, fmt.Errorf("cannot write events to %q: %w", f.output, bare(err))
		}
		to, tty, width = w.file, false, 0
		opt.Name = fmt.Sprintf("%q", f.output)
	}
	if opt.Format == "" {
		opt.Format = "csv"
		if tty {
			opt.Format = "table"
		}
	}
	opt.Layout = format.Options{Table: format.TableOptions{Width: width, Color: tty && os.Getenv("NO_COLOR") == ""}}
	out, err := stdout.New(to, opt)
	if err != nil {
		w.discard()
		return nil, usagef("%v", err)
	}
	w.out = out
	if tty {
		w.batch = make([]event.Event, 0, 1)
	} else {
		w.batch = make([]event.Event, 0, writeBatch)
	}
	return w, nil
}

// open makes the file. What is there and is no regular file (a FIFO, a device)
// is written to as it is.
func (w *eventWriter) open() (err error) {
	if st, statErr := os.Stat(w.path); statErr == nil && !st.Mode().IsRegular() {
		w.file, err = os.OpenFile(w.path, os.O_WRONLY, 0)
		return err
	}
	w.temp = true
	w.file, err = os.CreateTemp(filepath.Dir(w.path), "."+filepath.Base(w.path)+".*")
	if err != nil {
		return err
	}
	return w.file.Chmod(0o640)
}

// take is the sink of a replay.
func (w *eventWriter) take(e event.Event) error {
	w.batch = append(w.batch, e)
	if len(w.batch) < cap(w.batch) {
		return nil
	}
	return w.flush()
}

func (w *eventWriter) flush() error {
	result, err := w.out.Send(context.Background(), w.batch)
	for i := range w.batch {
		if err == nil && (i >= len(result.Outcomes) || result.Outcomes[i] != outputs.Delivered) {
			err = errors.New("BUG: an event was not written, without an error")
		}
	}
	w.batch = w.batch[:0]
	return err
}

// close writes what is left. A file takes its name only if all went well.
func (w *eventWriter) close(good bool) error {
	err := w.flush()
	if err == nil && good { // without events the header alone makes a valid file
		err = w.out.Start()
	}
	if closeErr := w.out.Close(); err == nil {
		err = closeErr
	}
	if w.file == nil {
		return err
	}
	if !good || err != nil {
		w.discard()
		return err
	}
	if w.temp {
		err = w.file.Sync()
	}
	if closeErr := w.file.Close(); err == nil {
		err = closeErr
	}
	if err == nil && w.temp {
		err = os.Rename(w.file.Name(), w.path)
	}
	if err != nil {
		w.discard()
		return fmt.Errorf("cannot write events to %q: %w", w.path, bare(err))
	}
	return nil
}

func (w *eventWriter) discard() {
	if w.file == nil {
		return
	}
	w.file.Close()
	if w.temp {
		os.Remove(w.file.Name())
	}
}

// bare drops the path from an error that the caller names with the path that
// the user gave.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}

// terminal gives the width of the terminal that w is, if it is one.
func terminal(w io.Writer) (width int, ok bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 120
	}
	return width, true
}
