package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"gopkg.in/yaml.v3"
)

// Output is one destination.
type Output struct {
	Name   string `key:"name" take:"reload" required:"yes" doc:"the identity of the output: its cursor in the journal, its label in metrics; letters, digits, - and _"`
	Type   string `key:"type" take:"reload" required:"yes" doc:"what kind of destination it is; further keys are the type's own"`
	Health bool   `key:"health" default:"true" take:"reload" doc:"health events go there too"`

	Filter  OutputFilter  `key:"filter" doc:"which detections go there; each part that is given must hold, one of its values is enough"`
	Batch   int           `key:"batch" default:"0" take:"reload" min:"0" max:"10000" doc:"most events handed over at once; 0: as many as suit the type"`
	Timeout time.Duration `key:"timeout" default:"30s" take:"reload" min:"1s" max:"10m" doc:"how long the receiver may take for what is handed over at once"`
	Retry   OutputRetry   `key:"retry" doc:"pauses between attempts that fail"`
	MaxRate int           `key:"max_rate" default:"2000" take:"reload" min:"0" max:"10000000" doc:"most events a second while it catches up on a backlog, so that a fleet does not flood the receiver; 0: no limit"`

	// Node holds the further keys, with ${...} expanded: it must not be
	// printed. Decode is the way to read it, with the file in its errors.
	Node *yaml.Node
	part
}

// OutputFilter chooses among detections. Health events are not its matter.
type OutputFilter struct {
	Severity string            `key:"severity" default:"low" oneof:"low medium high" take:"reload" doc:"the least severity; low: all"`
	Types    []string          `key:"types" default:"[]" take:"reload" doc:"types, such as DNS or URL; none: all"`
	Codes    []string          `key:"codes" default:"[]" take:"reload" doc:"codes or patterns of them, such as trail.*; none: all"`
	Networks []netip.Prefix    `key:"networks" default:"[]" take:"reload" doc:"networks of which one holds the source or the destination; none: all"`
	Labels   map[string]string `key:"labels" default:"{}" take:"reload" doc:"labels that the sensor must have for the output to be used at all"`
}

// OutputRetry bounds the pauses between attempts, which double.
type OutputRetry struct {
	First time.Duration `key:"first" default:"1s" take:"reload" min:"10ms" max:"1h" doc:"pause after the first failure"`
	Most  time.Duration `key:"most" default:"1m" take:"reload" min:"10ms" max:"24h" doc:"longest pause"`
}

// Source is one source of trails: an entry of the catalogue by its name, or one
// of the operator's own.
type Source struct {
	Name    string `key:"name" take:"reload" required:"yes" doc:"name in the catalogue, or a new one"`
	Enabled *bool  `key:"enabled" default:"auto" take:"reload" doc:"use this source; auto: as the catalogue has it, and true for one's own"`

	Node *yaml.Node // see Output.Node
	part
}

// Rule is one suppression rule.
type Rule struct {
	Name string `key:"name" take:"reload" required:"yes" doc:"the id of the rule: in counters, in marked events; letters, digits, - and _"`

	Node *yaml.Node // see Output.Node
	part
}

// Decode reads the type's own keys into a pointer to a struct. Keys are those of
// the `key` tags, else of the `yaml` tags, embedded structs counting as part of
// the outer one. An unknown key, a wrong type, and a missing key with
// `required:"yes"` are errors with file, line, column and full key. What is not
// given keeps its value, or takes that of the `default` tag. The tags oneof, min
// and max are checked; Secret, Size, AutoSize, Fsync, time.Duration (with days),
// netip.Prefix and every encoding.TextUnmarshaler are known.
func (o *Output) Decode(into any) error { return o.part.decode(o.Node, "outputs."+o.Name, into) }

// Decode is as Output.Decode.
func (s *Source) Decode(into any) error { return s.part.decode(s.Node, "trails.sources."+s.Name, into) }

// Decode is as Output.Decode.
func (r *Rule) Decode(into any) error { return r.part.decode(r.Node, "suppress.rules."+r.Name, into) }

func (o *Output) fromNode(d *decoder, path string, n *node, _ field) {
	o.part, o.Node = d.entry(path, n, o)
}

func (s *Source) fromNode(d *decoder, path string, n *node, _ field) {
	s.part, s.Node = d.entry(path, n, s)
}

func (r *Rule) fromNode(d *decoder, path string, n *node, _ field) {
	r.part, r.Node = d.entry(path, n, r)
}

// part is what is kept of an entry beside its typed fields. It also keeps the
// values of an entry from being printed.
type part struct {
	rest   *node // the keys that belong to others
	expand *expander
	label  string // "outputs.siem at config.yaml:12:5"
}

// entry decodes the typed fields of v and keeps the other keys.
func (d *decoder) entry(path string, n *node, v any) (part, *yaml.Node) {
	if n.kind != mapping {
		d.errs.add(n.at, path, "want a map with a name, got "+n.shown(), "")
		return part{}, nil
	}
	typed := map[string]bool{}
	for _, f := range fieldsOf(valueOf(v).Type()) {
		typed[f.key] = true
	}
	own, rest := &node{kind: mapping, at: n.at}, &node{kind: mapping, at: n.at}
	for i, k := range n.keys {
		if typed[k.text] {
			own.put(k, n.items[i])
		} else {
			rest.put(k, n.items[i])
		}
	}
	d.structure(path, own, valueOf(v))
	label := path
	if n.at.file != "" {
		label += " at " + n.at.String()
	}
	return part{rest, d.expand, label}, rest.yaml()
}

func (p *part) decode(y *yaml.Node, path string, into any) error {
	var errs problems
	rest := p.rest
	if rest == nil {
		rest = &node{kind: mapping}
		if y != nil { // made by hand, not loaded
			left := maxValues
			g := grower{left: &left, errs: &errs}
			if rest = g.grow(y); rest == nil {
				return errs.err()
			}
		}
	}
	d := &decoder{errs: &errs, origin: map[string]pos{}, masked: map[string]string{}, expand: p.expand}
	d.value(path, rest, valueOf(into), field{})
	return errs.err()
}

// Whole says whether all ${...} of the type's own keys could be expanded. What
// could not be is an error of Load, and empty here.
func (o *Output) Whole() bool { return o.rest == nil || o.rest.whole() }

// String names the entry and where it stands, without any value.
func (p part) String() string { return p.label }

// Format is String for every verb.
func (p part) Format(f fmt.State, _ rune) { io.WriteString(f, p.label) }

// LogValue is String for log/slog.
func (p part) LogValue() slog.Value { return slog.StringValue(p.label) }

// MarshalText is String for encoders.
func (p part) MarshalText() ([]byte, error) { return []byte(p.label), nil }

// MarshalYAML is String for yaml.v3.
func (p part) MarshalYAML() (any, error) { return p.label, nil }

// yaml gives the tree as yaml.v3 has it.
func (n *node) yaml() *yaml.Node {
	y := &yaml.Node{Line: n.at.line, Column: n.at.col}
	switch n.kind {
	case scalar:
		y.Kind, y.Value = yaml.ScalarNode, n.text
		switch {
		case n.null:
			y.Tag = "!!null"
		case n.quoted:
			y.Tag, y.Style = "!!str", yaml.DoubleQuotedStyle
		case y.ShortTag() == "!!null": // an expanded value is text, even an empty one
			y.Tag = "!!str"
		}
	case list:
		y.Kind, y.Tag = yaml.SequenceNode, "!!seq"
		for _, item := range n.items {
			y.Content = append(y.Content, item.yaml())
		}
	case mapping:
		y.Kind, y.Tag = yaml.MappingNode, "!!map"
		for i, k := range n.keys {
			name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: k.text, Line: k.at.line, Column: k.at.col}
			y.Content = append(y.Content, name, n.items[i].yaml())
		}
	}
	return y
}
