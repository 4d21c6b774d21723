package source

import (
	"bytes"
	"errors"
	"strings"

	"trailhound/trails"
)

// ErrFeedSingleLabel says that a source which is not the operator's own listed
// a whole top-level domain.
var ErrFeedSingleLabel = errors.New("a feed may not list a whole top-level domain")

// intake is the one way into the collector: every reader brings its texts
// here.
type intake struct {
	c      trails.Collector
	opt    Options
	report *Report
	key    []byte
}

// add takes one indicator. own says that its list is the operator's or the
// product's, not a feed's: what covers names nobody listed (expressions,
// top-level domains) is taken from no one else.
func (in *intake) add(text []byte, own bool, provenance func(kind trails.Kind, key []byte) uint32) error {
	kind, key, err := trails.AppendKey(in.key[:0], text)
	in.key = key[:0]
	if err != nil {
		return err
	}
	if err := in.allow(kind, key, own); err != nil {
		return err
	}
	in.c.Add(kind, key, provenance(kind, key))
	in.report.Trails++
	in.report.ByKind[kind]++
	return nil
}

func (in *intake) allow(kind trails.Kind, key []byte, own bool) error {
	var check func(string) error
	switch kind {
	case trails.Domain:
		if !own && bytes.IndexByte(key, '.') < 0 {
			return ErrFeedSingleLabel
		}
		return nil
	case trails.Pattern:
		if !own {
			return trails.ErrFeedPattern
		}
		check = in.opt.CheckPattern
	case trails.UserAgent:
		if !own && !literal(key) {
			return trails.ErrFeedPattern
		}
		check = in.opt.CheckUserAgent
	}
	if check == nil {
		return nil
	}
	return check(string(key))
}

// ownReference says whether a reference is that of the static tree or of the
// operator's lists, with or without the other sources that a merge appends:
// "(static)", "(custom) (+abuse.ch)", "name (static)". "(remote custom)" is
// not: whoever runs that server writes the list.
func ownReference(reference string) bool {
	first, _, _ := strings.Cut(reference, " (+")
	return first == trails.ReferenceStatic || first == trails.ReferenceCustom ||
		strings.HasSuffix(first, " "+trails.ReferenceStatic)
}

// literal says whether an expression stands for one text of at least four
// characters, as a structured feed quotes an observed User-Agent. A dot may
// stay unquoted.
func literal(pattern []byte) bool {
	n := 0
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '\\':
			if i++; i == len(pattern) || isWord(pattern[i]) {
				return false
			}
		case '.':
			continue
		case '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$':
			return false
		}
		n++
	}
	return n >= 4
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}
