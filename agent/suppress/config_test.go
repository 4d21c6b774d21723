package suppress_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"trailhound/agent/config"
	"trailhound/agent/suppress"
)

// The manual's examples are rules.
func TestManual(t *testing.T) {
	page, err := os.ReadFile("../../docs/suppression.md")
	if err != nil {
		t.Fatal(err)
	}
	scope := suppress.Scope{Networks: map[string][]netip.Prefix{"printers": {netip.MustParsePrefix("10.9.0.0/16")}}}
	examples := 0
	for i, block := range strings.Split(string(page), "```") {
		at := strings.Index(block, "- name: ")
		if i%2 == 0 || !strings.HasPrefix(block, "yaml\n") || at < 0 {
			continue
		}
		indent := block[strings.LastIndexByte(block[:at], '\n')+1 : at]
		rules, problems := suppress.ReadRules(strings.NewReader("rules:\n"+indent+block[at:]), "manual")
		_, more := suppress.Compile(rules, scope, nil)
		for _, p := range append(problems, more...) {
			t.Errorf("%v in\n%s", p, block)
		}
		examples += len(rules)
	}
	if examples < 6 {
		t.Errorf("%d examples", examples)
	}
}

// The reference page can be made from the tags.
func TestKeysAreDocumented(t *testing.T) {
	keys := config.KeysOf("suppress.rules[]", suppress.Rule{})
	if len(keys) != 22 {
		t.Errorf("%d keys", len(keys))
	}
	for _, k := range keys {
		if k.Doc == "" || k.Type == "" {
			t.Errorf("%+v", k)
		}
	}
}

// A rule of a configuration is the same rule in a file.
func TestRuleOfConfiguration(t *testing.T) {
	const entry = `
  reason: weekly run
  action: drop
  expires: 2030-12-31
  schedule: {days: [sat], from: 22:00}
  source: [10.0.0.5]
  port: [53, 1000-2000]
  trail: ["$${x}"]
`
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(entry, "$${", "${")), &doc); err != nil {
		t.Fatal(err)
	}
	c := config.Rule{Name: "scanner", Node: doc.Content[0]}
	from := suppress.Rule{ID: c.Name}
	if err := c.Decode(&from); err != nil {
		t.Fatal(err)
	}
	list, problems := suppress.ReadRules(strings.NewReader("rules:\n- name: scanner"+entry), "f")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, want := from.YAML(), list[0].YAML(); got != want {
		t.Errorf("\n%s\nis not\n%s", got, want)
	}
	for text, want := range map[string]string{
		"{action: drop, code: ['*']}":                                  "suppress.rules.x.reason: missing",
		"{reason: r, code: ['*']}":                                     "suppress.rules.x.action: missing",
		"{reason: r, action: hide}":                                    `"hide" is not one of drop, local, lower`,
		"{reason: r, action: lower, to: high}":                         `"high" is not one of low, medium`,
		"{reason: r, action: drop, sorce: [x]}":                        "did you mean suppress.rules.x.source?",
		"{reason: r, action: drop, schedule: {day: [x]}}":              "did you mean suppress.rules.x.schedule.days?",
		"{reason: r, action: drop, source: 10.0.0.1, id: a, At: here}": "want a list",
	} {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		c := config.Rule{Name: "x", Node: doc.Content[0]}
		if err := c.Decode(new(suppress.Rule)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
