package lint

import (
	"bytes"
	"regexp/syntax"

	"trailhound/trails"
	"trailhound/trails/pattern"
	"trailhound/trails/table"
)

// variants is how many samples of an expression are tried.
const variants = 48

// around is what a sample of a name expression may need to be a name: most
// expressions describe a part of one.
var around = [...][2]string{{"", ""}, {"", ".invalid"}, {"x.", ""}, {"x", ""}, {"x.", ".invalid"}, {"", "x.invalid"}, {"x", ".invalid"}}

// pattern asks for names that the expression matches.
func (l *linter) pattern(ref table.Ref, key []byte) verdict {
	text := string(key)
	if fixed, ok := pattern.Repair(text); ok {
		text = fixed
	}
	set, problems := pattern.Compile([]string{text}, pattern.Options{})
	if len(problems) > 0 {
		return verdict{reason: BadExpression, detail: problems[0].Err.Error()}
	}
	if v, ok := l.listed(trails.Pattern, key); ok {
		return v
	}
	re, err := parseExpression(text, 0)
	if err != nil {
		return verdict{reason: NoSample, detail: err.Error()}
	}
	var white, fault string
	matched := false
	for i := range variants {
		name, ok := sample(re, i, nameRune)
		if !ok {
			continue
		}
		for _, side := range around {
			whole := []byte(side[0] + name + side[1])
			if _, _, _, ok := set.Find(whole); !ok {
				continue
			}
			if f := nameFault(whole); f != "" || bytes.IndexByte(whole, '.') < 0 {
				fault = f
				continue
			}
			matched = true
			if l.hit(ref, l.prober.Query(whole)) {
				return verdict{}
			}
			if v, ok := l.covered(whole); ok {
				white = v.detail
			}
		}
	}
	switch {
	case white != "":
		return verdict{reason: Whitelisted, detail: white}
	case matched:
		return l.missed()
	case fault != "":
		return verdict{reason: ImpossibleName, detail: fault}
	}
	return verdict{reason: NoSample}
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_'
}

// agent sends a request with a User-Agent that the expression matches.
func (l *linter) agent(ref table.Ref, key []byte) verdict {
	text := pattern.UserAgentPattern(string(key))
	set, problems := pattern.Compile([]string{text}, pattern.Options{Fold: true})
	if len(problems) > 0 {
		return verdict{reason: BadExpression, detail: problems[0].Err.Error()}
	}
	if v, ok := l.listed(trails.UserAgent, key); ok {
		return v
	}
	re, err := parseExpression(text, syntax.FoldCase)
	if err != nil {
		return verdict{reason: NoSample, detail: err.Error()}
	}
	fault, matched := "", false
	for i := range variants {
		value, ok := sample(re, i, agentRune)
		if !ok {
			continue
		}
		if bytes.ContainsAny([]byte(value), "\r\n") {
			fault = "line break"
			continue
		}
		for _, whole := range [...]string{value, value + " 1", "x " + value, "x " + value + " 1"} {
			if _, _, _, ok := set.Find([]byte(whole)); !ok {
				continue
			}
			matched = true
			if l.hit(ref, l.prober.Request(nil, slash, bytes.ReplaceAll([]byte(whole), percent, escaped))) {
				return verdict{}
			}
		}
	}
	switch {
	case matched && l.rival == "" && l.guess == "":
		return verdict{reason: ImpossibleAgent, detail: "one of the agents that are never reported"}
	case matched:
		return l.missed()
	case fault != "":
		return verdict{reason: ImpossibleAgent, detail: fault}
	}
	return verdict{reason: NoSample}
}

var (
	slash   = []byte("/")
	percent = []byte("%")
	escaped = []byte("%25")
)

func agentRune(r rune) bool { return r >= ' ' && r <= '~' }
