package config

import (
	"reflect"
	"slices"
	"sort"
	"strings"
)

// unknownHint helps with a key that is not known at a place: the nearest of its
// siblings, a key of the same name elsewhere, the directive of the reference that
// was meant, or what is known there.
func unknownHint(path, name string, siblings map[string]int) string {
	if hint := didYouMean(name, siblings, path); hint != "" {
		return hint
	}
	upper := strings.ToUpper(strings.TrimPrefix(name, "MALTRAIL_"))
	elsewhere := ""
	hint := ""
	eachField("", reflect.TypeFor[Config](), func(at string, f field) {
		if slices.Contains(f.maltrail, upper) && hint == "" {
			hint = "Maltrail's " + upper + " is " + at + " here"
		}
		if f.key == name && elsewhere == "" {
			elsewhere = "did you mean " + at + "?"
		}
	})
	switch {
	case hint != "":
		return hint
	case elsewhere != "":
		return elsewhere
	case len(siblings) == 0:
		return ""
	}
	names := make([]string, 0, len(siblings))
	for s := range siblings {
		names = append(names, s)
	}
	sort.Slice(names, func(i, j int) bool { return siblings[names[i]] < siblings[names[j]] })
	return "known here: " + strings.Join(names, " ")
}

// didYouMean names the candidate that is nearest to name, with path in front;
// empty when none is near. Of equals the first in order wins.
func didYouMean(name string, candidates map[string]int, path string) string {
	if len(name) > 64 {
		return ""
	}
	best, bestOrder, bestDistance := "", 0, 1+max(1, min(3, len(name)/3))
	for c, order := range candidates {
		d := distance(strings.ToLower(name), c)
		if d < bestDistance || d == bestDistance && best != "" && order < bestOrder {
			best, bestOrder, bestDistance = c, order, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + join(path, best) + "?"
}

// distance is the optimal string alignment distance in bytes: insertions,
// deletions, substitutions, and swaps of neighbours cost 1.
func distance(a, b string) int {
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j-1]+1, above[j]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
