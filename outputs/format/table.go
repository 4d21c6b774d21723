package format

import (
	"net/netip"
	"strconv"
	"unicode"
	"unicode/utf8"

	"trailhound/agent/event"
	"trailhound/trails"
)

// TableOptions say what the terminal is like.
type TableOptions struct {
	Width int  // columns; 0: unknown, nothing is cut
	Color bool // whether escape sequences may be written
}

// Widths of the table's columns. The trail takes what is left.
const (
	tableTime     = 19
	tableSeverity = 6
	tableEndpoint = 21 // IPv4 with port
	tableArrow    = 2
	tableProtocol = 6
	tableType     = 5
	tableInfo     = 32
	tableFixed    = tableTime + tableSeverity + 2*tableEndpoint + tableArrow + tableProtocol + tableType + tableInfo
	tableColumns  = 9
	tableMinTrail = 16
	tableMaxTrail = 48 // when the width is unknown: padding, not a limit
	tableReserved = 12 // for the reference, the last column
)

// Widths of the columns when the terminal is narrow: no year, no source port,
// no protocol, no reference. The info, the last column, is cut.
const (
	narrowBelow   = 157 // the wide table with a trail of 24
	narrowTime    = 14
	narrowSource  = 15 // IPv4
	narrowInfo    = 23 // "user agent (suspicious)"
	narrowFixed   = narrowTime + tableSeverity + narrowSource + tableArrow + tableEndpoint + tableType + narrowInfo
	narrowColumns = 7
)

// AppendTableHeader appends the line with the columns' names, LF included.
func AppendTableHeader(dst []byte, opt TableOptions) []byte {
	r := row{b: dst, opt: opt}
	if opt.narrow() {
		r.cell("TIME (UTC)", narrowTime)
		r.cell("SEV", tableSeverity)
		r.cell("SOURCE", narrowSource)
		r.cell("", tableArrow)
		r.cell("DESTINATION", tableEndpoint)
		r.cell("TYPE", tableType)
		r.cell("TRAIL", opt.trail())
		r.b = append(r.b, "INFO\n"...)
		return r.b
	}
	r.cell("TIME (UTC)", tableTime)
	r.cell("SEV", tableSeverity)
	r.cell("SOURCE", tableEndpoint)
	r.cell("", tableArrow)
	r.cell("DESTINATION", tableEndpoint)
	r.cell("PROTO", tableProtocol)
	r.cell("TYPE", tableType)
	r.cell("TRAIL", opt.trail())
	r.cell("INFO", tableInfo)
	r.b = append(r.b, "REFERENCE\n"...)
	return r.b
}

// AppendTable appends the event as a line for people, LF included: time,
// severity, source, destination, protocol, type, trail, info, reference.
// Characters that a terminal might obey are left out. A trail longer than its
// column is cut; an address never is: an IPv6 address takes its room from the
// trail, as does the long type of health events, so that the columns behind still
// line up where they can. A narrow terminal gets less: see narrowBelow. How many
// detections a summary stands for, none for a follow-up, their outcome, and that it is
// long past (retro), stand behind the info.
func AppendTable(dst []byte, e *event.Event, _ *event.Identity, opt TableOptions) []byte {
	r := row{b: dst, opt: opt}
	layout, sourcePort, source := "2006-01-02 15:04:05", e.SrcPort, tableEndpoint
	if opt.narrow() {
		layout, sourcePort, source = "01-02 15:04:05", 0, narrowSource
	}
	r.color("2")
	r.b = e.Time.UTC().AppendFormat(r.b, layout)
	r.plain()
	r.b = append(r.b, ' ')
	r.color(severityColor(e.Severity))
	r.cell(e.Severity.String(), tableSeverity)
	r.plain()

	at := len(r.b)
	r.b = appendEndpoint(r.b, e.Src, sourcePort)
	over := r.fill(at, source)
	r.b = append(r.b, "-> "...)
	at = len(r.b)
	r.b = appendEndpoint(r.b, e.Dst, e.DstPort)
	over += r.fill(at, tableEndpoint)
	if !opt.narrow() {
		r.cell(e.Protocol, tableProtocol)
	}
	at = len(r.b)
	r.b = appendVisible(r.b, string(e.Type))
	over += r.fill(at, tableType)

	width := max(opt.trail()-over, tableMinTrail)
	if opt.Width > 0 {
		r.cut(e.Trail, width)
	} else {
		r.cell(e.Trail, width)
	}
	var times []byte
	if n := e.Aggregate.Count; n > 1 || e.FollowUp() {
		times = strconv.AppendUint([]byte(" x"), n, 10)
	}
	if e.Outcome != event.OutcomeNone {
		times = append(append(times, ": "...), e.Outcome.String()...)
	}
	if e.IsRetro() { // the time in front is that of the look-up
		times = append(times, " retro"...)
		if !opt.narrow() {
			times = e.Retro.First.UTC().AppendFormat(append(times, " from "...), "2006-01-02 15:04")
		}
	}
	if opt.narrow() {
		r.trim(e.Info, max(narrowInfo-len(times), 1))
		return append(append(r.b, times...), '\n')
	}
	at = len(r.b)
	r.b = append(appendVisible(r.b, e.Info), times...)
	r.fill(at, tableInfo)
	r.b = appendVisible(r.b, e.Reference)
	return append(r.b, '\n')
}

func (o TableOptions) narrow() bool { return o.Width > 0 && o.Width < narrowBelow }

// trail is the width of the trail's column.
func (o TableOptions) trail() int {
	if o.Width <= 0 {
		return tableMaxTrail
	}
	if o.narrow() {
		return max(o.Width-narrowFixed-narrowColumns, tableMinTrail)
	}
	return max(o.Width-tableFixed-tableColumns-tableReserved, tableMinTrail)
}

func severityColor(s event.Severity) string {
	switch s {
	case event.High:
		return "1;31"
	case event.Medium:
		return "33"
	}
	return "36"
}

// A row is a line of the table in the making.
type row struct {
	b   []byte
	opt TableOptions
}

func (r *row) color(sgr string) {
	if r.opt.Color {
		r.b = append(append(append(r.b, "\x1b["...), sgr...), 'm')
	}
}

func (r *row) plain() { r.color("0") }

// cell appends a text and fills it up to its column.
func (r *row) cell(text string, width int) {
	at := len(r.b)
	r.b = appendVisible(r.b, text)
	r.fill(at, width)
}

// cut is cell for a text that must not be wider than its column.
func (r *row) cut(text string, width int) {
	at := len(r.b)
	r.trim(text, width)
	r.fill(at, width)
}

// trim appends at most width characters of a text.
func (r *row) trim(text string, width int) {
	at := len(r.b)
	r.b = appendVisible(r.b, text)
	if utf8.RuneCount(r.b[at:]) > width {
		end := at
		for range width - 1 {
			_, n := utf8.DecodeRune(r.b[end:])
			end += n
		}
		r.b = append(r.b[:end], "…"...)
	}
}

// fill appends spaces up to the next column and gives by how many characters
// b[at:] is too wide for its own.
func (r *row) fill(at, width int) (over int) {
	n := utf8.RuneCount(r.b[at:])
	for range width - n {
		r.b = append(r.b, ' ')
	}
	r.b = append(r.b, ' ')
	return max(n-width, 0)
}

func appendEndpoint(dst []byte, a netip.Addr, port uint16) []byte {
	if !a.IsValid() {
		return append(dst, '-')
	}
	if port == 0 {
		return trails.AppendAddr(dst, a)
	}
	return trails.AppendAddrPort(dst, a, port)
}

// appendVisible leaves out what does not print: controls, bidirectional
// overrides and other format characters, and invalid bytes.
func appendVisible(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return dst
}
