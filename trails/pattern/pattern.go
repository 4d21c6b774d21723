// Package pattern searches a text for many regular expressions at once: the
// suspicious user agents over User-Agent values, and the patterns over
// lower-cased names.
//
// One alternation of 1,353 expressions costs the standard library about three
// milliseconds for each text. Nearly every expression, though, needs some
// literal to be there. Compile takes from each syntax tree the literals of
// which one must occur in every match, picks the three bytes of each that
// ordinary traffic shows least, and puts them into one bitmap. Find runs over
// the text once, looks at the few places where the bitmap says "perhaps",
// compares the literal there, and runs an expression only if its literal is in
// the text. Most expressions are a literal with a condition at its edges
// (\Aagent\Z, \bmama\b) and never need the regexp machine.
//
// Texts come from the network and are hostile. The time for one is bounded by
// its length times the size of the expressions whose literals it holds; the
// size of one expression is limited. Nothing is allocated for a text that
// matches nothing.
package pattern

import (
	"errors"
	"fmt"
)

// The reasons for which a pattern is left out. Syntax errors come as
// *syntax.Error of package regexp/syntax.
var (
	ErrGroupName   = errors.New("group name is refused: g and digits, one used twice, or (?<name>")
	ErrFlags       = errors.New("flags stand in the middle of the pattern or are not supported")
	ErrEscape      = errors.New("unknown escape")
	ErrTruncated   = errors.New("ends inside a group, a class or an escape")
	ErrEmptyMatch  = errors.New("matches the empty text, and so every text")
	ErrTooLarge    = errors.New("too large: more than 5000 instructions")
	ErrNoLiteral   = errors.New("look-around or back-reference without a literal text outside of groups")
	ErrTooManyKept = errors.New("more than 65535 patterns")
)

const (
	maxInstructions = 5000
	maxPatterns     = 65535
)

// Options say how texts are compared.
type Options struct {
	// Fold makes every pattern ignore case.
	Fold bool
}

// A Problem is a pattern that was left out, and why.
type Problem struct {
	Index   int // in the list given to Compile
	Pattern string
	Err     error
}

// Error makes a Problem an error.
func (p Problem) Error() string { return fmt.Sprintf("pattern %q: %v", p.Pattern, p.Err) }

// Unwrap gives the reason.
func (p Problem) Unwrap() error { return p.Err }

// A Set is a compiled list of patterns. It does not change and may be used by
// many goroutines at once. The zero Set matches nothing.
type Set struct {
	entries []entry
	always  []uint16 // entries without a usable literal
	whole   wholes
	heads   heads
	windows windows
}

// Len gives the number of patterns in use: those given to Compile without
// those left out.
func (s *Set) Len() int { return len(s.entries) }

// Compile makes a Set of patterns in the syntax of Python's re, as far as
// package regexp knows it:
//
//   - \Z is the end of the text; $ too, also before a final newline.
//   - Possessive quantifiers (a++) are taken as greedy ones.
//   - \b \w \d \s know ASCII only.
//   - Look-around, atomic groups and back-references are searched by
//     backtracking with a time limit; reaching it means no match. Such a
//     pattern must have a literal of two bytes outside of groups.
//
// Order is preference. A pattern with a problem is left out and reported; the
// indexes of the others stay what they are in the list.
func Compile(patterns []string, opt Options) (*Set, []Problem) {
	s := &Set{}
	var problems []Problem
	b := newBuilder(s)
	for i, text := range patterns {
		err := b.add(i, text, opt.Fold)
		if err != nil {
			problems = append(problems, Problem{Index: i, Pattern: text, Err: err})
		}
	}
	b.finish()
	return s, problems
}
