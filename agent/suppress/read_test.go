package suppress

import (
	"reflect"
	"strings"
	"testing"
)

const ruleFile = `# a fleet's rules
rules:
- name: scanner
  reason: "our scanner: weekly run"
  owner: blue team
  created: 2026-02-16
  expires: 2030-12-31
  action: drop
  sensors: [edge-*, "!edge-9"]
  schedule: {days: [sat-sun], from: 22:00, to: 04:00, zone: Europe/Berlin}
  source: [10.0.0.5, 10.1.0.0/16]
  port: [53, 1000-2000]
  code: [scan.*]
- {name: second, reason: r, action: lower, to: low, trail: ["$${jndi:x}"], owner: }
`

func TestReadRules(t *testing.T) {
	rules, problems := ReadRules(strings.NewReader(ruleFile), "fleet.yaml")
	if len(rules) != 2 || len(problems) > 0 {
		t.Fatal(rules, problems)
	}
	want := Rule{ID: "scanner", At: "fleet.yaml:3", Reason: "our scanner: weekly run", Owner: "blue team", Created: "2026-02-16", Expires: "2030-12-31",
		Action: Drop, Sensors: []string{"edge-*", "!edge-9"}, Schedule: &Schedule{Days: []string{"sat-sun"}, From: "22:00", To: "04:00", Zone: "Europe/Berlin"},
		Source: []string{"10.0.0.5", "10.1.0.0/16"}, Port: []string{"53", "1000-2000"}, Code: []string{"scan.*"}}
	if !reflect.DeepEqual(rules[0], want) {
		t.Errorf("%+v", rules[0])
	}
	if rules[1].Trail[0] != "${jndi:x}" {
		t.Error(rules[1])
	}
	if s, problems := Compile(rules, testScope(), nil); len(problems) > 0 || s.Len() != 2 {
		t.Error(problems)
	}
	for _, nothing := range []string{"", "# nothing\n", "rules:\n", "rules: []\n", "null\n"} {
		if rules, problems := ReadRules(strings.NewReader(nothing), "f"); len(rules) > 0 || len(problems) > 0 {
			t.Errorf("%q: %v, %v", nothing, rules, problems)
		}
	}
}

func TestReadRulesProblems(t *testing.T) {
	for text, want := range map[string]string{
		"- name: x\n":                                           "f:1: suppression rules: want one key, rules",
		"rules: x\n":                                            "f:1: suppression rules: rules: want a list",
		"rules: []\nmore: 1\n":                                  "f:1: suppression rules: want one key, rules",
		"rules: [\n":                                            "f: suppression rules: not YAML: line 1",
		"rules: []\n---\nrules: []\n":                           "f: suppression rules: more than one YAML document",
		"rules: [x]\n":                                          `f:1: suppression rule "": want a map of keys`,
		"rules:\n- name: a\n  sorce: [x]\n":                     `f:2: suppression rule "a": "sorce": unknown key`,
		"rules:\n- {name: a, name: b}\n":                        `f:2: suppression rule "a": name: given twice`,
		"rules:\n- {name: a, source: x}\n":                      `f:2: suppression rule "a": source: line 2: want a list, such as [x]`,
		"rules:\n- {name: a, reason: [x]}\n":                    `f:2: suppression rule "a": reason: line 2: want a text`,
		"rules:\n- {name: a, source: [[x]]}":                    `f:2: suppression rule "a": source: line 2: want a text`,
		"rules:\n- {name: a, source: [!x ]}":                    `f:2: suppression rule "a": source: line 2: an empty value`,
		"rules:\n- {name: a, schedule: 1}\n":                    `f:2: suppression rule "a": schedule: want a map`,
		"rules:\n- {name: a, schedule: {x: 1}}\n":               `f:2: suppression rule "a": schedule: "x": unknown key`,
		"rules:\n- {name: a, reason: '${env:X}'}\n":             `f:2: suppression rule "a": reason: line 2: ${...} is not replaced`,
		"rules:\n- &a {name: a, reason: &r x}\n- *a\n":          `f:3: suppression rule "": want a map`,
		"rules:\n- {name: a, x: 1}\n- {name: b, reason: fine}":  `f:2: suppression rule "a": "x": unknown key`,
		"rules:\n- {name: a, code: [a]\n  reason: x}\n":         "f: suppression rules: not YAML:",
		"rules:\n- {reason: x, name: late, bad: 1, worse: 2}\n": `f:2: suppression rule "late": "bad": unknown key`,
	} {
		rules, problems := ReadRules(strings.NewReader(text), "f")
		if len(problems) == 0 || !strings.HasPrefix(problems[0].Error(), want) {
			t.Errorf("%q\nhave %v\nwant %s", text, problems, want)
		}
		if strings.Contains(text, "fine") != (len(rules) == 1 && rules[0].ID == "b") && !strings.Contains(text, "---") && !strings.Contains(text, "&a") {
			t.Errorf("%q: %v", text, rules)
		}
	}
	if _, problems := ReadRules(strings.NewReader(strings.Repeat("#", maxRuleFile+1)), "f"); len(problems) != 1 {
		t.Error("a file without an end is read")
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	rules, _ := ReadRules(strings.NewReader(ruleFile), "fleet.yaml")
	var text strings.Builder
	text.WriteString("rules:\n")
	for i := range rules {
		text.WriteString(rules[i].YAML())
	}
	again, problems := ReadRules(strings.NewReader(text.String()), "f")
	if len(problems) > 0 || len(again) != len(rules) {
		t.Fatal(problems, text.String())
	}
	for i := range rules {
		if !same(&rules[i], &again[i]) {
			t.Errorf("%+v becomes %+v", rules[i], again[i])
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add(ruleFile)
	f.Add("rules:\n- {name: a, reason: r, action: local, vlan: [1-4], label: [a=b], type: [DNS], interface: [eth*], schedule: {}}\n")
	f.Add("rules:\n- {name: a, reason: r, action: drop, trail: ['*.a.test', '\\*x', 'a?b*c'], network: ['!10.0.0.0/8', office]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		rules, _ := ReadRules(strings.NewReader(text), "f")
		s, problems := Compile(rules, testScope(), nil)
		refused := map[string]bool{}
		for _, p := range problems {
			refused[p.Rule] = true
			if p.Error() == "" {
				t.Fatal("a problem without words")
			}
		}
		if len(s.all)+len(problems) < len(rules) {
			t.Fatalf("%d of %d rules in force, %d problems", len(s.all), len(rules), len(problems))
		}
		e := sighting()
		s.Match(&e)
		for _, c := range s.all {
			again, problems := ReadRules(strings.NewReader("rules:\n"+c.rule.YAML()), "f")
			if len(problems) > 0 || len(again) != 1 {
				t.Fatalf("%v in\n%s", problems, c.rule.YAML())
			}
			x := again[0]
			if got, want := x.YAML(), c.rule.YAML(); got != want {
				t.Fatalf("%s\nbecomes\n%s", want, got)
			}
		}
	})
}

// FuzzRuleTexts puts any text into every field of a rule.
func FuzzRuleTexts(f *testing.F) {
	for _, seed := range []string{"", "!", "*.a.test", "10.0.0.0/8", "1-2", "site=x", "\\", "${env:X}", "a\x80b", "\u0085\u2028\ufeff", "2026-02-16", "~", "22:00", "mon-fri"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := Rule{ID: "r", Reason: text, Owner: text, Created: text, Expires: text, Action: Drop, To: text, Sensors: []string{text}, Schedule: &Schedule{Days: []string{text}, From: text, To: text, Zone: text}}
		for fd := range numFields {
			*r.values(fd) = []string{text}
		}
		Compile([]Rule{r}, testScope(), nil)
		again, problems := ReadRules(strings.NewReader("rules:\n"+r.YAML()), "f")
		if len(problems) > 0 || len(again) != 1 {
			t.Fatalf("%q: %v", text, problems)
		}
		if text != "" && again[0].Reason != strings.ToValidUTF8(text, "\uFFFD") && !strings.Contains(text, "\uFFFD") {
			// json writes one mark per wrong byte.
			if strings.ToValidUTF8(text, "") == text {
				t.Fatalf("%q reads back as %q", text, again[0].Reason)
			}
		}
		for fd := range fieldLabel {
			one := ruleWith(fd, text)
			if s, problems := Compile([]Rule{one}, testScope(), nil); len(problems) == 0 {
				e := sighting()
				s.Match(&e)
			}
		}
	})
}
