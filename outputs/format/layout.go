package format

import (
	"fmt"
	"strings"
	"time"

	"trailhound/agent/event"
)

// A Layout is a format as files and streams use it: records that end in LF,
// below a header that stands once on top.
type Layout struct {
	Name   string
	Header []byte // with its LF; empty: none
	// Append appends the event's record, LF included, or nothing where the format
	// has no record for it: health events in maltrail lines.
	Append func(dst []byte, e *event.Event) []byte
}

// Options are what some of the formats can be told. The zero value is fit for
// all of them.
type Options struct {
	Identity        *event.Identity // of the sensor; nil: it has no name
	Location        *time.Location  // of maltrail's times; nil: the machine's
	SpreadsheetSafe bool            // csv, csv-all: see AppendSafeCSV
	Table           TableOptions
}

// Names lists the formats that Named knows.
func Names() []string { return []string{"table", "csv", "csv-all", "json", "cef", "maltrail"} }

// Named gives the layout of that name; an unknown name is an error that lists
// the known ones.
func Named(name string, opt Options) (Layout, error) {
	l, id := Layout{Name: name}, opt.Identity
	if id == nil {
		id = &event.Identity{}
	}
	switch name {
	case "table":
		l.Header = AppendTableHeader(nil, opt.Table)
		l.Append = func(dst []byte, e *event.Event) []byte {
			return AppendTable(dst, e, id, opt.Table)
		}
	case "csv":
		l.Header = AppendCSVHeader(nil)
		record := AppendCSV
		if opt.SpreadsheetSafe {
			record = AppendSafeCSV
		}
		l.Append = func(dst []byte, e *event.Event) []byte { return record(dst, e, id) }
	case "csv-all":
		l.Header = AppendAllCSVHeader(nil)
		l.Append = func(dst []byte, e *event.Event) []byte {
			return AppendAllCSV(dst, e, id, opt.SpreadsheetSafe)
		}
	case "json":
		ecs := NewECS(id, ECSOptions{})
		l.Append = func(dst []byte, e *event.Event) []byte { return append(ecs.Append(dst, e), '\n') }
	case "cef":
		l.Append = func(dst []byte, e *event.Event) []byte {
			return append(AppendCEF(dst, e, id), '\n')
		}
	case "maltrail":
		loc := opt.Location
		if loc == nil {
			loc = time.Local
		}
		l.Append = func(dst []byte, e *event.Event) []byte {
			return AppendMaltrail(dst, e, id, loc)
		}
	default:
		return Layout{}, fmt.Errorf("unknown format %q: use one of %s", name, strings.Join(Names(), ", "))
	}
	return l, nil
}
