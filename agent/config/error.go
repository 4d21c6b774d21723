package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// MaxErrors bounds how many problems one load reports.
const MaxErrors = 20

// Error is one problem of the configuration. It never holds the value of a
// secret.
type Error struct {
	File    string // as given, or "--set"
	Line    int    // from 1; 0: unknown
	Column  int    // from 1; 0: unknown
	Key     string // full dotted key; empty when the problem is no key's
	Problem string
	Hint    string // what to do about it; may be empty
}

// UnknownKey is the Problem of a key that there is not. It says nothing against
// the others.
const UnknownKey = "unknown key"

// Error gives "config.yaml:12:3: capture.workrs: unknown key, did you mean
// capture.workers?".
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(pos{e.File, e.Line, e.Column}.String() + ": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	b.WriteString(e.Problem)
	if e.Hint != "" {
		b.WriteString(", " + e.Hint)
	}
	return b.String()
}

// Errors is several problems at once, in the order of the files, at most
// MaxErrors; More counts those left out.
type Errors struct {
	List []*Error
	More int
}

// Error gives one problem per line.
func (e *Errors) Error() string {
	lines := make([]string, 0, len(e.List)+1)
	for _, one := range e.List {
		lines = append(lines, one.Error())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find each Error.
func (e *Errors) Unwrap() []error {
	list := make([]error, len(e.List))
	for i, one := range e.List {
		list[i] = one
	}
	return list
}

// pos is a place in a file. The zero pos is a built-in default.
type pos struct {
	file      string
	line, col int
}

// String gives "file:line:col" as far as known.
func (p pos) String() string {
	switch {
	case p.line == 0:
		return p.file
	case p.col == 0:
		return fmt.Sprintf("%s:%d", p.file, p.line)
	}
	return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.col)
}

// problems collects what is wrong.
type problems struct {
	list errorList
	more int
}

type errorList []*Error

// about says whether one of the problems is that of a key, or of what it is part
// of.
func (l errorList) about(key string) bool {
	return slices.ContainsFunc(l, func(e *Error) bool { return within(key, e.Key) })
}

// within says whether a key is another one or part of it.
func within(key, whole string) bool {
	rest, ok := strings.CutPrefix(key, whole)
	return ok && whole != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (p *problems) add(at pos, key, problem, hint string) {
	p.addError(&Error{at.file, at.line, at.col, key, problem, hint})
}

func (p *problems) addError(e *Error) {
	if p.full() {
		p.more++
		return
	}
	p.list = append(p.list, e)
}

// join adds all that an error is made of, but for what is about a key that has a
// problem already, or about a part of it: that may be no more than its consequence.
// What is no *Error is given back.
func (p *problems) join(err error) (others []error) {
	known := len(p.list)
	var take func(error)
	take = func(err error) {
		one, ok := err.(*Error)
		if ok {
			if !p.list[:known].about(one.Key) {
				p.addError(one)
			}
			return
		}
		switch many := err.(type) {
		case nil:
		case interface{ Unwrap() []error }:
			for _, err := range many.Unwrap() {
				take(err)
			}
		default:
			others = append(others, err)
		}
	}
	take(err)
	return others
}

// full says that further problems are only counted, so hints need no work.
func (p *problems) full() bool { return len(p.list) >= MaxErrors }

// err gives nil, the one *Error, or *Errors in the order of the files.
func (p *problems) err() error {
	rank := map[string]int{}
	for _, e := range p.list {
		if _, ok := rank[e.File]; !ok {
			rank[e.File] = len(rank)
		}
	}
	slices.SortStableFunc(p.list, func(a, b *Error) int {
		return cmp.Or(rank[a.File]-rank[b.File], a.Line-b.Line, a.Column-b.Column)
	})
	switch {
	case len(p.list) == 0:
		return nil
	case len(p.list) == 1 && p.more == 0:
		return p.list[0]
	}
	return &Errors{List: p.list, More: p.more}
}
