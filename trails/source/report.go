package source

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"trailhound/trails"
)

// maxProblems bounds the malformed lines that a report names.
const maxProblems = 10

// maxProblemText bounds the text of a problem, in bytes.
const maxProblemText = 80

// ErrNoTrails says that a source held nothing that could be read as a trail.
var ErrNoTrails = errors.New("no trails")

// A Report says what one reading found. Malformed lines are never fatal: they
// are counted and the first ten are named.
type Report struct {
	// Files and Lines were read; Lines counts comments and blank lines too.
	Files, Lines int
	// Trails were handed to the collector, repeated keys counted each time.
	Trails int
	// Malformed lines were passed over.
	Malformed int
	// Problems are the first ten malformed lines.
	Problems []Problem
	// ByKind splits Trails by trails.Kind.
	ByKind [trails.Kinds]int
}

// A Problem is one malformed line.
type Problem struct {
	// File is the name that trails.Source carries; Line counts from 1.
	File string
	Line int
	// Text is the offending text, printable and at most 80 bytes long.
	Text string
	// Err is one of the errors of this package or of package trails.
	Err error
}

// String gives "file:line: error: text".
func (p Problem) String() string { return fmt.Sprintf("%s:%d: %v: %s", p.File, p.Line, p.Err, p.Text) }

// Add sums up another report.
func (r *Report) Add(o Report) {
	r.Files += o.Files
	r.Lines += o.Lines
	r.Trails += o.Trails
	r.Malformed += o.Malformed
	r.Problems = append(r.Problems, o.Problems[:min(len(o.Problems), maxProblems-len(r.Problems))]...)
	for k, n := range o.ByKind {
		r.ByKind[k] += n
	}
}

func (r *Report) malformed(file string, line int, text []byte, err error) {
	r.Malformed++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{file, line, excerpt(text), err})
	}
}

// result turns a reading without any trail into an error.
func (r *Report) result(name string) error {
	switch {
	case r.Trails > 0:
		return nil
	case len(r.Problems) > 0:
		return fmt.Errorf("%s: %w in %d lines, the first problem: %v", name, ErrNoTrails, r.Lines, r.Problems[0])
	}
	return fmt.Errorf("%s: %w in %d lines", name, ErrNoTrails, r.Lines)
}

// excerpt makes hostile text fit for a log line.
func excerpt(text []byte) string {
	s := clean(string(text[:min(len(text), 2*maxProblemText)]))
	if len(s) <= maxProblemText {
		return s
	}
	cut := maxProblemText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// clean gives valid UTF-8 without characters that do not print. Most texts
// need no change and are given back as they are.
func clean(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7F {
			return strings.Map(func(r rune) rune {
				if !unicode.IsPrint(r) && r != utf8.RuneError {
					return -1
				}
				return r
			}, strings.ToValidUTF8(s, "\uFFFD"))
		}
	}
	return s
}
