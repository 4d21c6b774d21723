package suppress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"

	"trailhound/agent/event"
	"trailhound/trails"
	"trailhound/trails/pattern"
)

// Ignore holds the reference's own two ways to say what is not of interest: its
// ignore list, and one expression over the text of a whole event. It is filled
// before use, and used by one goroutine; the nil Ignore ignores nothing.
type Ignore struct {
	lines   map[string]struct{} // the columns that are not "*", each with ";" behind it
	masks   []uint8             // which columns those are, of all lines: at most 16
	pattern *pattern.Set
	buf     []byte
}

// IgnoreReport says what was read.
type IgnoreReport struct {
	Rules   int
	Skipped []int // numbers of the lines that are no rule, from 1; at most 100
}

// Bounds on an ignore list.
const (
	maxIgnoreLine = 64 << 10
	maxIgnoreList = 64 << 20
)

// ReadList adds the rules of an ignore list: "src_ip;src_port;dst_ip;dst_port",
// "*" for any, all white space taken out first, "#" for a comment. A line with
// other than three ";" is skipped, as in the reference. An address is taken in
// any spelling.
func (g *Ignore) ReadList(r io.Reader) (report IgnoreReport, err error) {
	limited := &io.LimitedReader{R: r, N: maxIgnoreList + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(nil, maxIgnoreLine)
	for number := 1; lines.Scan(); number++ {
		line := strings.Join(strings.Fields(lines.Text()), "")
		if line == "" || line[0] == '#' {
			continue
		}
		columns := strings.Split(line, ";")
		if len(columns) != 4 {
			if len(report.Skipped) < 100 {
				report.Skipped = append(report.Skipped, number)
			}
			continue
		}
		g.add([4]string(columns))
		report.Rules++
	}
	if err := lines.Err(); err != nil {
		return report, fmt.Errorf("cannot read ignore list: %w", err)
	}
	if limited.N == 0 {
		return report, fmt.Errorf("ignore list is longer than %d bytes", maxIgnoreList)
	}
	return report, nil
}

func (g *Ignore) add(columns [4]string) {
	var mask uint8
	var key []byte
	for i, text := range columns {
		if text == "*" {
			continue
		}
		mask |= 1 << i
		if a, err := netip.ParseAddr(text); err == nil {
			text = trails.AddrText(a.Unmap())
		}
		key = append(append(key, text...), ';')
	}
	if g.lines == nil {
		g.lines = make(map[string]struct{})
	}
	g.lines[string(append(key, '0'+mask))] = struct{}{}
	for _, m := range g.masks {
		if m == mask {
			return
		}
	}
	g.masks = append(g.masks, mask)
}

// SetPattern sets the expression (the syntax of Python's re, as far as package
// pattern knows it), which is searched for whatever the case. On an error there
// is none.
func (g *Ignore) SetPattern(text string) error {
	g.pattern = nil
	if text == "" {
		return nil
	}
	set, problems := pattern.Compile([]string{text}, pattern.Options{Fold: true})
	if len(problems) > 0 {
		return fmt.Errorf("ignore expression is switched off: %w", problems[0])
	}
	if set.Len() != 1 {
		return errors.New("ignore expression is switched off: it matches nothing")
	}
	g.pattern = set
	return nil
}

// Match says whether an event is to be ignored.
func (g *Ignore) Match(e *event.Event) bool {
	if g == nil {
		return false
	}
	if g.pattern != nil {
		g.buf = appendTuple(g.buf[:0], e)
		if _, _, _, ok := g.pattern.Find(g.buf); ok {
			return true
		}
	}
	for _, mask := range g.masks {
		b := g.buf[:0]
		if mask&1 != 0 {
			b = append(appendSource(b, e), ';')
		}
		if mask&2 != 0 {
			b = append(appendPort(b, e.SrcPort), ';')
		}
		if mask&4 != 0 {
			b = append(appendAddr(b, e.Dst), ';')
		}
		if mask&8 != 0 {
			b = append(appendPort(b, e.DstPort), ';')
		}
		g.buf = append(b, '0'+mask)
		if _, ok := g.lines[string(g.buf)]; ok {
			return true
		}
	}
	return false
}

func appendAddr(dst []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return append(dst, '-')
	}
	return trails.AppendAddr(dst, a)
}

// appendSource appends the source as the reference has it, which puts behind it
// what a request was forwarded for: a rule for the address alone does not hold
// then.
func appendSource(dst []byte, e *event.Event) []byte {
	dst = appendAddr(dst, e.Src)
	if forwarded := e.ForwardedSource(); forwarded != "" {
		dst = append(append(dst, ','), forwarded...)
	}
	return dst
}

func appendPort(dst []byte, port uint16) []byte {
	if port == 0 {
		return append(dst, '-')
	}
	return strconv.AppendUint(dst, uint64(port), 10)
}
