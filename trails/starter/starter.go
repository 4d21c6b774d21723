// Package starter holds what the program knows before its first update: a
// small set of trails, the whitelist and the User-Agent expressions. README.md
// says where they come from and how the trails were chosen.
package starter

import (
	"bytes"
	_ "embed"
	"sync"

	"trailhound/trails/whitelist"
)

//go:embed trails.csv
var trailsCSV string

//go:embed whitelist.txt
var whitelistText string

//go:embed ua.txt
var userAgentText string

// Trails gives a copy of the starter trails as a merged CSV, the form that
// source.ReadCSV reads.
func Trails() []byte { return []byte(trailsCSV) }

// UserAgents gives a copy of the expressions over User-Agent values, one a
// line in the reference's dialect, with '#' comments.
func UserAgents() []byte { return []byte(userAgentText) }

// Whitelist gives the built-in whitelist. It is parsed with the first call and
// the same for all callers.
func Whitelist() *whitelist.List { return builtin() }

var builtin = sync.OnceValue(func() *whitelist.List {
	l, _, err := whitelist.Read(bytes.NewReader([]byte(whitelistText)), "whitelist.txt")
	if err != nil {
		panic("BUG: the embedded whitelist cannot be read: " + err.Error())
	}
	return l
})
