package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a check can come to.
const (
	statusOK   = "OK"
	statusWarn = "WARN"
	statusFail = "FAIL"
)

// finding is one line of doctor.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // OK, WARN or FAIL
	Detail string `json:"detail"` // what was found
	Action string `json:"action"` // what to do; empty: nothing
}

func failed(list []finding) bool {
	for _, f := range list {
		if f.Status == statusFail {
			return true
		}
	}
	return false
}

// colour says whether standard output takes colours (https://no-color.org).
func (a *app) colour() bool {
	_, tty := terminal(a.out)
	return tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// printFindings writes a line for each and how many of each there are.
func printFindings(w io.Writer, list []finding, colour bool) error {
	width := 0
	for _, f := range list {
		width = max(width, utf8.RuneCountInString(oneLine(f.Check)))
	}
	var b strings.Builder
	number := make(map[string]int)
	for _, f := range list {
		number[f.Status]++
		fmt.Fprintf(&b, "%s  %-*s  %s", painted(f.Status, colour), width, oneLine(f.Check), oneLine(f.Detail))
		if f.Action != "" {
			fmt.Fprintf(&b, " -> %s", oneLine(f.Action))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%d ok, %s, %d failed\n", number[statusOK], count(uint64(number[statusWarn]), "warning"), number[statusFail])
	_, err := io.WriteString(w, b.String())
	return err
}

// painted gives a status four columns wide, in its colour (ECMA-48 SGR).
func painted(status string, colour bool) string {
	text := fmt.Sprintf("%-4s", status)
	if !colour {
		return text
	}
	sgr := map[string]string{statusOK: "32", statusWarn: "33", statusFail: "1;31"}[status]
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// oneLine keeps what comes from outside, such as the name of an interface, from
// moving the cursor.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) && r != ' ' {
			return '?'
		}
		return r
	}, s)
}

func printFindingsJSON(w io.Writer, list []finding) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(list)
}
