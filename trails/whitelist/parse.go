package whitelist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"trailhound/trails"
)

const (
	maxLine     = 4096    // bytes of a line
	maxEntries  = 1 << 20 // of one file
	maxFile     = 64 << 20
	maxProblems = 10
)

// What is wrong with a file or a line.
var (
	ErrLineTooLong = errors.New("line longer than 4096 bytes")
	ErrTooMany     = errors.New("more than 1048576 entries or 64 MiB")
)

// A Report says what Read found besides the entries.
type Report struct {
	// Lines were read, blank ones and comments counted; Malformed were passed
	// over.
	Lines, Malformed int
	// Problems names the first ten malformed lines: "file:line: error".
	Problems []string
}

// Read reads a whitelist file: one entry a line, '#' begins a comment, also
// behind an entry. Case does not matter, dots in front of a name neither, and
// a range need not be aligned. Malformed lines are reported, not fatal: a
// typing error must not disarm all other entries.
func Read(r io.Reader, name string) (*List, Report, error) {
	var b builder
	var report Report
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = ErrTooMany
	}
	if err != nil {
		return nil, report, fmt.Errorf("cannot read whitelist %s: %w", name, err)
	}
	data = bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF"))
	for line := range bytes.Lines(data) {
		report.Lines++
		line, _, _ = bytes.Cut(line, []byte{'#'})
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var e entry
		if err = ErrLineTooLong; len(line) <= maxLine {
			e, err = parse(line)
		}
		if err != nil {
			report.Malformed++
			if len(report.Problems) < maxProblems {
				report.Problems = append(report.Problems, fmt.Sprintf("%s:%d: %v", name, report.Lines, err))
			}
			continue
		}
		if b.add(e); len(b.all) > maxEntries {
			return nil, report, fmt.Errorf("cannot read whitelist %s: %w", name, ErrTooMany)
		}
	}
	return b.list(), report, nil
}

// parse reads one entry. Names are not read by trails.AppendKey: it takes
// "www." off, and an entry for www.wix.com must not cover wix.com.
func parse(text []byte) (entry, error) {
	text = bytes.TrimSpace(text)
	if name, ok := canonicalName(text); ok {
		return entry{name: name}, nil
	}
	kind, key, err := trails.AppendKey(nil, text)
	if err != nil {
		return entry{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	switch kind {
	case trails.Address:
		a, _ := netip.AddrFromSlice(key)
		a = a.Unmap()
		return entry{prefix: netip.PrefixFrom(a, a.BitLen())}, nil
	case trails.Network:
		p, _ := networkOf(key)
		return entry{prefix: p}, nil
	}
	return entry{exact: string(appendExact(nil, kind, key))}, nil
}

// canonicalName gives the form of a name that is compared.
func canonicalName(text []byte) (string, bool) {
	text = bytes.TrimPrefix(text, []byte("*."))
	text = bytes.Trim(text, ".")
	name := strings.ToLower(string(text))
	for _, c := range text {
		if c >= 0x80 {
			var err error
			if name, err = idna.Lookup.ToASCII(string(text)); err != nil {
				return "", false
			}
			break
		}
	}
	if !trails.ValidName([]byte(name)) || len(name) > maxName || trails.IsPattern(text) {
		return "", false
	}
	if isDigest(name) {
		return "", false
	}
	return name, true
}

// isDigest says whether a single label is the digest of a certificate.
func isDigest(name string) bool {
	return (len(name) == 40 || len(name) == 64) && strings.Trim(name, "0123456789abcdef") == ""
}

// builder collects entries once each.
type builder struct {
	seen map[entry]struct{}
	all  []entry
}

func (b *builder) add(e entry) {
	if _, ok := b.seen[e]; ok {
		return
	}
	if b.seen == nil {
		b.seen = map[entry]struct{}{}
	}
	b.seen[e] = struct{}{}
	b.all = append(b.all, e)
}

func (b *builder) list() *List {
	l := &List{exact: map[string]struct{}{}, all: b.all}
	var texts []string
	for _, e := range b.all {
		switch {
		case e.name != "":
			texts = append(texts, e.name)
		case e.exact != "":
			l.exact[e.exact] = struct{}{}
		default:
			l.ranges.Insert(e.prefix)
			if e.prefix.IsSingleIP() && e.prefix.Addr().Is4() {
				texts = append(texts, e.prefix.Addr().String()) // as a Host header has it
			}
		}
	}
	l.names = newNames(texts)
	return l
}
