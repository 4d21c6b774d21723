package suppress

import (
	"encoding/json"
	"fmt"
	"strings"
)

// YAML gives the rule as an entry of a list of rules, to be pasted below
// suppress.rules in a configuration or below rules in a rule file. Keys without
// a value are left out, but for reason, owner and expires, which a person has
// to fill in.
func (r *Rule) YAML() string {
	var b strings.Builder
	b.WriteString("- name: " + quote(r.ID) + "\n")
	for _, t := range r.texts() {
		value := quote(*t.value)
		switch {
		case *t.value != "":
			b.WriteString("  " + t.key + ": " + value + "\n")
		case t.key == "reason":
			b.WriteString(`  reason: ""             # why this is no finding; a rule without a reason is refused` + "\n")
		case t.key == "owner":
			b.WriteString(`  owner: ""              # who answers for it` + "\n")
		case t.key == "expires":
			b.WriteString(`  expires: ""            # the last day it applies, such as 2030-12-31; empty: it does not expire` + "\n")
		}
	}
	if len(r.Sensors) > 0 {
		b.WriteString("  sensors: " + quoteList(r.Sensors) + "\n")
	}
	if s := r.Schedule; s != nil {
		var parts []string
		if len(s.Days) > 0 {
			parts = append(parts, "days: "+quoteList(s.Days))
		}
		for _, t := range s.texts() {
			if *t.value != "" {
				parts = append(parts, t.key+": "+quote(*t.value))
			}
		}
		b.WriteString("  schedule: {" + strings.Join(parts, ", ") + "}\n")
	}
	for f := range numFields {
		if values := *r.values(f); len(values) > 0 {
			b.WriteString("  " + f.String() + ": " + quoteList(values) + "\n")
		}
	}
	return b.String()
}

func quoteList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// quote writes a text as YAML: bare where nothing in it means anything, else
// in double quotes, for which JSON's rules are YAML's.
func quote(text string) string {
	if isID(text) && strings.Trim(text[:1], "abcdefghijklmnopqrstuvwxyz") == "" && !isWord(text) {
		return text
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(strings.ReplaceAll(text, "${", "$${")); err != nil {
		panic("BUG: a text cannot be written: " + err.Error())
	}
	var out strings.Builder
	for _, r := range strings.TrimSuffix(b.String(), "\n") {
		if r >= 0x7F && r < 0xA0 || r == 0xFEFF || r >= 0xFFFE && r <= 0xFFFF { // YAML wants them escaped, JSON does not
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// isWord holds for what YAML, in any version, takes for something other than
// text.
func isWord(text string) bool {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return true
	}
	return false
}
