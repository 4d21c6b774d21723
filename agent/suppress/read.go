package suppress

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxRuleFile bounds a rule file (bytes).
const maxRuleFile = 32 << 20

// ReadRules reads a rule file: YAML with one key, rules, below which stands what
// would stand below suppress.rules in a configuration. Entries that cannot be
// read are left out and reported; the others are given. What their values mean
// is for Compile to find out. There is no ${...} in a rule file: $${ stands for
// a literal ${, as in a configuration, so that an entry may move between them.
func ReadRules(r io.Reader, name string) (rules []Rule, problems []Problem) {
	file := func(line int, err error) ([]Rule, []Problem) {
		at := name
		if line > 0 {
			at = fmt.Sprintf("%s:%d", name, line)
		}
		return rules, append(problems, Problem{File: true, At: at, Err: err})
	}
	data, err := io.ReadAll(io.LimitReader(r, maxRuleFile+1))
	if err != nil {
		return file(0, fmt.Errorf("cannot read rule file: %w", err))
	}
	if len(data) > maxRuleFile {
		return file(0, fmt.Errorf("rule file is longer than %d bytes", maxRuleFile))
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return file(0, fmt.Errorf("not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: ")))
	}
	top := doc.Content[0]
	switch {
	case top.Kind == yaml.ScalarNode && top.ShortTag() == "!!null":
		return nil, nil
	case top.Kind != yaml.MappingNode || len(top.Content) != 2 || top.Content[0].Value != "rules":
		return file(top.Line, errors.New("want one key, rules, with a list of rules"))
	}
	list := top.Content[1]
	if list.Kind == yaml.ScalarNode && list.ShortTag() == "!!null" {
		return nil, nil
	}
	if list.Kind != yaml.SequenceNode {
		return file(list.Line, errors.New("rules: want a list"))
	}
	for _, n := range list.Content {
		var rule Rule
		rule.At = fmt.Sprintf("%s:%d", name, n.Line)
		errs := rule.read(n)
		for _, err := range errs {
			problems = append(problems, Problem{Rule: rule.ID, At: rule.At, Err: err})
		}
		if len(errs) == 0 {
			rules = append(rules, rule)
		}
	}
	if err := decoder.Decode(&doc); !errors.Is(err, io.EOF) {
		return file(0, errors.New("more than one YAML document"))
	}
	return rules, problems
}

// read fills a rule from an entry. All problems are reported.
func (r *Rule) read(n *yaml.Node) (errs []error) {
	into := map[string]any{"name": &r.ID}
	for _, t := range r.texts() {
		into[t.key] = t.value
	}
	for f := range numFields {
		into[f.String()] = r.values(f)
	}
	into["sensors"] = &r.Sensors
	into["schedule"] = &r.Schedule
	return readMap(n, into)
}

func (s *Schedule) fill(n *yaml.Node) []error {
	into := map[string]any{"days": &s.Days}
	for _, t := range s.texts() {
		into[t.key] = t.value
	}
	return readMap(n, into)
}

// readMap fills values by key. The name of an entry is read whatever else is
// wrong, to name it.
func readMap(n *yaml.Node, into map[string]any) (errs []error) {
	if n.Kind != yaml.MappingNode {
		return []error{errors.New("want a map of keys")}
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		target, known := into[key]
		err := error(nil)
		switch {
		case !known:
			err = fmt.Errorf("%q: unknown key", clip(key))
		case seen[key]:
			err = fmt.Errorf("%s: given twice", key)
		case value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null" && value.Style == 0:
			// A key without a value says nothing.
		default:
			switch p := target.(type) {
			case *string:
				*p, err = readText(value)
			case *[]string:
				*p, err = readList(value)
			case **Schedule:
				*p = new(Schedule)
				for _, e := range (*p).fill(value) {
					errs = append(errs, fmt.Errorf("%s: %w", key, e))
				}
			}
			if err != nil {
				err = fmt.Errorf("%s: line %d: %w", key, value.Line, err)
			}
		}
		seen[key] = true
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func readText(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", errors.New("want a text")
	}
	if n.Tag != "" && !strings.HasPrefix(n.Tag, "!!") {
		return "", errEmpty
	}
	return unescape(n.Value)
}

func readList(n *yaml.Node) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("want a list, such as [%s]", clip(n.Value))
	}
	list := make([]string, len(n.Content))
	for i, item := range n.Content {
		var err error
		if list[i], err = readText(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// unescape makes $${ a literal ${ and refuses what a configuration would
// replace.
func unescape(text string) (string, error) {
	parts := strings.Split(text, "${")
	for i, p := range parts[:len(parts)-1] {
		literal, ok := strings.CutSuffix(p, "$")
		if !ok {
			return "", errors.New("${...} is not replaced in a rule file; write $${ for a literal ${")
		}
		parts[i] = literal
	}
	return strings.Join(parts, "${"), nil
}
