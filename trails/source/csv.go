package source

import (
	"bytes"
	"errors"
	"io"

	"trailhound/trails"
)

// What is wrong with a row.
var (
	ErrFields  = errors.New("not exactly three fields")
	ErrQuotes  = errors.New("misplaced quote, or a field with a line break")
	ErrTooMany = errors.New("more than 262144 pairs of info and reference")
)

// maxPairs bounds the memory that distinct provenances may take.
const maxPairs = 1 << 18

var csvHeader = []byte("trail,info,reference")

// ReadCSV reads a merged trail file: rows of trail, info and reference, quoted
// as RFC 4180 says, ended by LF or CR LF, with or without the header line
// "trail,info,reference". A later row wins over an earlier one of the same
// key. Keys are taken as they are written: no query is cut, no '#' is a
// comment behind them; a row that begins with '#' is one. A field cannot hold
// a line break. Options.Info and Options.Reference are not used.
func ReadCSV(r io.Reader, name string, c trails.Collector, opt Options) (Report, error) {
	var report Report
	in := intake{c: c, opt: opt, report: &report}
	var l lines
	l.reset(r)
	if err := in.csv(&l, name, ""); err != nil {
		return report, nameError(name, err)
	}
	return report, report.result(name)
}

// pair is what is known of one info and reference.
type pair struct {
	handle uint32
	own    bool
}

// table is the state of reading one file of rows.
type table struct {
	in        *intake
	name      string
	reference string // of all rows, for files of two columns
	pairs     map[string]pair
	last      []byte // the raw info and reference of the row before
	lastPair  pair
	fields    [3][]byte // of a row with quotes
}

// csv reads all rows of one file; with a reference given, rows hold only trail
// and info.
func (in *intake) csv(l *lines, name, reference string) error {
	in.report.Files++
	t := table{in: in, name: name, reference: reference, pairs: map[string]pair{}}
	current := func(trails.Kind, []byte) uint32 { return t.lastPair.handle }
	for {
		line, err := l.next()
		if err == io.EOF {
			return nil
		}
		if err != nil && err != ErrLineTooLong {
			return err
		}
		in.report.Lines++
		if len(line) == 0 || line[0] == '#' || (l.number == 1 && bytes.EqualFold(line, csvHeader)) {
			continue
		}
		var key []byte
		if err == nil {
			if key, err = t.row(line); err == nil {
				err = in.add(key, t.lastPair.own, current)
			}
		}
		if err != nil {
			in.report.malformed(name, l.number, line, err)
		}
	}
}

// row gives the trail of a row and makes lastPair what the row says of it.
// Nothing is allocated for an info and reference seen before.
func (t *table) row(line []byte) (key []byte, err error) {
	if bytes.IndexByte(line, '"') >= 0 {
		return t.quoted(line)
	}
	comma := bytes.IndexByte(line, ',')
	if comma < 0 {
		return nil, ErrFields
	}
	key, raw := line[:comma], line[comma+1:]
	if len(raw) > 0 && bytes.Equal(raw, t.last) {
		return key, nil
	}
	info, reference, _ := bytes.Cut(raw, []byte{','})
	if n := bytes.Count(raw, []byte{','}); (n == 1) == (t.reference != "") || n > 1 {
		return nil, ErrFields
	}
	return key, t.enter(raw, info, reference)
}

// enter looks a pair up under the bytes it is written with, or interns it.
func (t *table) enter(raw, info, reference []byte) error {
	p, ok := t.pairs[string(raw)]
	if !ok {
		if len(t.pairs) >= maxPairs {
			return ErrTooMany
		}
		v := trails.Provenance{Info: clean(string(info)), Reference: t.reference, Sources: []trails.Source{{Name: t.name}}}
		if v.Reference == "" {
			v.Reference = clean(string(reference))
		}
		p = pair{t.in.c.Provenance(v), ownReference(v.Reference)}
		t.pairs[string(raw)] = p
	}
	t.last, t.lastPair = append(t.last[:0], raw...), p
	return nil
}

// quoted takes a row that holds a quote somewhere.
func (t *table) quoted(line []byte) (key []byte, err error) {
	want := len(t.fields)
	if t.reference != "" {
		want--
	}
	rest, begin := line, 0
	for n := range want {
		if n == 1 {
			begin = len(line) - len(rest)
		}
		var more bool
		if t.fields[n], rest, more, err = field(t.fields[n][:0], rest); err != nil {
			return nil, err
		}
		if more != (n < want-1) {
			return nil, ErrFields
		}
	}
	return t.fields[0], t.enter(line[begin:], t.fields[1], t.fields[2])
}

// field appends the value of the first field of a row to dst; more says that
// another field follows.
func field(dst, line []byte) (value, rest []byte, more bool, err error) {
	if len(line) == 0 || line[0] != '"' {
		value, rest, more = bytes.Cut(line, []byte{','})
		if bytes.IndexByte(value, '"') >= 0 {
			return nil, nil, false, ErrQuotes
		}
		return append(dst, value...), rest, more, nil
	}
	for line = line[1:]; ; {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			return nil, nil, false, ErrQuotes
		}
		dst, line = append(dst, line[:i]...), line[i+1:]
		switch {
		case len(line) == 0:
			return dst, nil, false, nil
		case line[0] == ',':
			return dst, line[1:], true, nil
		case line[0] != '"':
			return nil, nil, false, ErrQuotes
		}
		dst, line = append(dst, '"'), line[1:]
	}
}
