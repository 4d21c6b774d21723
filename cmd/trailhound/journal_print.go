package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"trailhound/agent/event"
	"trailhound/outputs/format"
)

// printBytes is how much text is gathered before it is written.
const printBytes = 64 << 10

// eventPrinter writes events to standard output.
type eventPrinter struct {
	app    *app
	layout format.Layout
	buf    []byte
	err    error // the first one: nothing is written after it
}

// printEvents makes a printer that begins with the header of the format. No
// name means a table on a terminal, else CSV.
func (a *app) printEvents(name string, id *event.Identity) (*eventPrinter, error) {
	width, tty := terminal(a.out)
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 && !tty {
		width = n
	}
	if name == "" {
		name = "csv"
		if tty {
			name = "table"
		}
	}
	layout, err := format.Named(name, format.Options{Identity: id, Table: format.TableOptions{Width: width, Color: a.colour()}})
	if err != nil {
		return nil, usagef("%v", err)
	}
	return &eventPrinter{app: a, layout: layout, buf: slices.Clone(layout.Header)}, nil
}

// formatUsage describes --format.
func formatUsage() string { return "`format` of the events: " + strings.Join(format.Names(), ", ") }

// checkFormat refuses a format that there is not, before anything is read.
func checkFormat(name string) error {
	if name != "" && !slices.Contains(format.Names(), name) {
		return usagef("unknown format %q: use one of %s", name, strings.Join(format.Names(), ", "))
	}
	return nil
}

// print takes an event. It says whether more may come.
func (p *eventPrinter) print(e *event.Event) bool {
	p.buf = p.layout.Append(p.buf, e)
	return len(p.buf) < printBytes || p.flush() == nil
}

// flush writes what is gathered.
func (p *eventPrinter) flush() error {
	if p.err == nil && len(p.buf) > 0 {
		_, p.err = p.app.out.Write(p.buf)
	}
	p.buf = p.buf[:0]
	return p.err
}
