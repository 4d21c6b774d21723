package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Colours of the status page (ECMA-48 SGR).
const (
	paintGood = "32"
	paintWarn = "33"
	paintBad  = "1;31"
)

func (p *statusPage) painted(text, sgr string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// ago is how long before the snapshot a time was.
func (p *statusPage) ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return ageText(max(p.now.Time.Sub(t), 0)) + " ago"
}

// ageOf is ageText for seconds. What no duration can hold is the longest one.
func ageOf(seconds float64) string {
	const longest = 1 << 33 // seconds; a Duration ends at 2^63 ns
	return ageText(time.Duration(min(max(seconds, 0), longest)) * time.Second)
}

// shownRunes is the most that is shown of one text.
const shownRunes = 200

// shown is a text from a sensor as it may be written to a terminal.
func shown(text string) string {
	text = oneLine(text)
	if utf8.RuneCountInString(text) > shownRunes {
		text = string([]rune(text)[:shownRunes-1]) + "…"
	}
	return text
}

// rate is by how many units a counter rose in a second.
func rate(now, before uint64, unit, seconds float64) string {
	if seconds <= 0 || now < before {
		return "-"
	}
	r := float64(now-before) / unit / seconds
	if r > 0 && r < 10 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// share is a part of a whole in per cent, so that a few of very many are still
// seen to be more than none.
func share(part, whole uint64) string {
	percent := 100 * float64(part) / float64(max(whole, 1))
	switch {
	case part == 0:
		return "0%"
	case percent < 0.01:
		return "<0.01%"
	case percent < 10:
		return fmt.Sprintf("%.2f%%", percent)
	}
	return fmt.Sprintf("%.0f%%", percent)
}

// mostly names the kinds with the greatest shares: "tls 61%, tcp 30%, dns 9%".
func mostly(kinds map[string]uint64) string {
	var total uint64
	for _, n := range kinds {
		total += n
	}
	names := slices.SortedFunc(maps.Keys(kinds), func(a, b string) int { return cmp.Or(cmp.Compare(kinds[b], kinds[a]), cmp.Compare(a, b)) })
	var parts []string
	for _, name := range names[:min(len(names), 3)] {
		if n := kinds[name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %.0f%%", shown(name), 100*float64(n)/float64(total)))
		}
	}
	return strings.Join(parts, ", ")
}

// countersText is what an output has counted, by name, but for what is 0.
func countersText(counters map[string]uint64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		switch n := counters[name]; {
		case n == 0:
		case name == "bytes":
			parts = append(parts, bytesText(n))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, strings.ReplaceAll(name, "_", " ")))
		}
	}
	return strings.Join(parts, ", ")
}

// bytesText is a size in the unit that people would take.
func bytesText(n uint64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/(1<<10), 0
	units := [...]string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for size >= 1000 && unit < len(units)-1 { // four digits are harder to read than a fraction
		size, unit = size/1024, unit+1
	}
	if size < 10 {
		return fmt.Sprintf("%.1f %s", size, units[unit])
	}
	return fmt.Sprintf("%.0f %s", size, units[unit])
}
