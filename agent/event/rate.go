package event

import "strings"

// A term is a text whose presence in a trail's info settles the severity.
type term struct {
	text     string
	severity Severity
	unless   []string // what must not follow the text
}

// terms are in the order that wins where two begin at the same place.
var terms = [...]term{
	{text: "custom)", severity: High},
	{text: "iot-malware", severity: High},
	{text: "malwaredomainlist", severity: High},
	{text: "malware", severity: High, unless: []string{" distribution", " site"}},
	{text: "adversary", severity: High},
	{text: "ransomware", severity: High},
	{text: "potential malware site", severity: Medium},
	{text: "malware distribution", severity: Medium},
	{text: "c2 cert", severity: Medium},
	{text: "mass scanner", severity: Low},
	{text: "reputation", severity: Low},
	{text: "attacker", severity: Low},
	{text: "spammer", severity: Low},
	{text: "compromised", severity: Low},
	{text: "crawler", severity: Low},
	{text: "scanning", severity: Low},
}

// RateTrail gives the severity of a trail. What the operator listed himself is
// high, whatever its info says; the reference's own rule means that but never
// gets there, for it looks at the info alone. Otherwise the leftmost term in
// the info decides, case-sensitive; without one it is medium.
func RateTrail(info, reference string) Severity {
	if isCustom(reference) || strings.Contains(reference, "malwaredomainlist") {
		return High
	}
	for i := range len(info) {
		switch info[i] {
		case 'a', 'c', 'i', 'm', 'p', 'r', 's': // what a term begins with
		default:
			continue
		}
		for t := range terms {
			if terms[t].begins(info[i:]) {
				return terms[t].severity
			}
		}
	}
	return Medium
}

func (t *term) begins(s string) bool {
	s, ok := strings.CutPrefix(s, t.text)
	if !ok {
		return false
	}
	for _, u := range t.unless {
		if strings.HasPrefix(s, u) {
			return false
		}
	}
	return true
}

// isCustom says whether a reference names the operator's own lists, alone or
// among others.
func isCustom(reference string) bool {
	return strings.Contains(reference, "(custom)") || strings.Contains(reference, "(remote custom)")
}
