package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"trailhound"
)

// bare takes away what says where values stand: only values are left.
func bare(c *Config) *Config {
	out := *c
	out.origin, out.masked, out.drops = nil, nil, nil
	out.Outputs = append([]Output(nil), c.Outputs...)
	for i := range out.Outputs {
		out.Outputs[i].part = part{}
		for n := range out.Outputs[i].Node.Content {
			child := *out.Outputs[i].Node.Content[n]
			child.Line, child.Column = 0, 0
			out.Outputs[i].Node.Content[n] = &child
		}
		out.Outputs[i].Node.Line, out.Outputs[i].Node.Column = 0, 0
	}
	return &out
}

func TestShippedFileIsTheDefault(t *testing.T) {
	c, err := loadBytes(trailhound.ConfigYAML, Options{OutputTypes: []string{"csv"}})
	if err != nil {
		t.Fatal(err)
	}
	if have, want := bare(c), bare(Default()); !reflect.DeepEqual(have, want) {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
	if changed := Changed(Default(), c); len(changed) != 0 {
		t.Errorf("differ in %v", changed)
	}
	if len(c.Outputs) != 1 || c.Outputs[0].Type != "csv" {
		t.Errorf("outputs %v", c.Outputs)
	}
}

func TestShippedFileMentionsEveryKey(t *testing.T) {
	var errs problems
	left := maxValues
	tree := parse("config.yaml", trailhound.ConfigYAML, &left, &errs)
	if tree == nil {
		t.Fatal(errs.err())
	}
	text := string(trailhound.ConfigYAML)
	for _, k := range Keys() {
		if list, name, inside := strings.Cut(k.Path, "[]."); inside {
			name = name[strings.LastIndex(name, ".")+1:] // of filter.severity, severity
			if !regexp.MustCompile(`(?m)^ *#.*\b` + name + `\b`).MatchString(text) {
				t.Errorf("no comment speaks of %s of %s", name, list)
			}
		} else if tree.find(k.Path) == nil {
			t.Errorf("%s is missing", k.Path)
		}
	}
}

// Each key's comment says what takes a change, and says the same as the schema.
func TestShippedFileSaysWhatTakesAChange(t *testing.T) {
	lines := strings.Split(string(trailhound.ConfigYAML), "\n")
	var errs problems
	left := maxValues
	tree := parse("config.yaml", trailhound.ConfigYAML, &left, &errs)
	mark := regexp.MustCompile(`\[(reload|restart)\]`)
	for _, k := range Keys() {
		parent, name := tree, k.Path
		if i := strings.LastIndex(k.Path, "."); i >= 0 {
			parent, name = tree.find(k.Path[:i]), k.Path[i+1:]
		}
		if strings.Contains(k.Path, "[]") {
			continue
		}
		line := 0
		for i, own := range parent.keys {
			if own.text == name {
				line = parent.keys[i].at.line
			}
		}
		comment := ""
		for i := line - 2; i >= 0 && strings.HasPrefix(strings.TrimSpace(lines[i]), "#"); i-- {
			comment = lines[i] + "\n" + comment
		}
		if strings.HasPrefix(k.Path, "detection.roles.") {
			continue // said once for all
		}
		if found := mark.FindStringSubmatch(comment); found == nil || found[1] != k.Take.String() {
			t.Errorf("%s: the comment says %v, the schema %s", k.Path, found, k.Take)
		}
	}
}
