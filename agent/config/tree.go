package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds on what one file may hold; a real configuration stays far below.
const (
	maxValues = 100_000 // after aliases are expanded, all files together
	maxDepth  = 16
	maxKeyLen = 128
)

type kind uint8

const (
	scalar kind = iota
	list
	mapping
)

// node is a value of the configuration and where it stands. Unlike yaml.Node it
// knows its file, holds no aliases, and remembers the text before expansion.
type node struct {
	kind     kind
	at       pos
	text     string // scalar
	quoted   bool   // scalar: is text whatever it looks like
	null     bool   // scalar: nothing was written, or null
	secret   bool   // scalar: never shown
	bad      bool   // scalar: could not be expanded, which was reported
	replace  bool   // list, or map with free keys, from --set: nothing is merged
	template string // scalar: the text as written, when it held ${...}
	keys     []key  // mapping, one per item
	items    []*node
}

type key struct {
	text string
	at   pos
}

// get finds a key of a mapping; nil when there is none.
func (n *node) get(name string) *node {
	if n == nil || n.kind != mapping {
		return nil
	}
	for i, k := range n.keys {
		if k.text == name {
			return n.items[i]
		}
	}
	return nil
}

// whole says whether every scalar below could be expanded.
func (n *node) whole() bool {
	return !n.bad && !slices.ContainsFunc(n.items, func(item *node) bool { return !item.whole() })
}

func (n *node) put(k key, v *node) {
	n.keys, n.items = append(n.keys, k), append(n.items, v)
}

// shown is the node as an error quotes it: never an expanded value.
func (n *node) shown() string {
	switch {
	case n.kind == list:
		return "a list"
	case n.kind == mapping:
		return "a map"
	case n.null:
		return "nothing"
	case n.template != "":
		return strconv.Quote(clip(n.template))
	}
	return strconv.Quote(clip(n.text))
}

// clip bounds text that an error quotes.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// grower turns yaml.v3 nodes into nodes.
type grower struct {
	file string
	left *int // values that may still be made
	errs *problems
	path []string
	dead bool // a bound was hit: said once, the rest is not read
}

func (g *grower) fail(y *yaml.Node, problem, hint string) {
	g.errs.add(pos{g.file, y.Line, y.Column}, strings.Join(g.path, "."), problem, hint)
}

func (g *grower) bound(y *yaml.Node, problem string) *node {
	g.dead = true
	g.fail(y, problem, "")
	return nil
}

// grow gives the node for y, nil after a bound was hit.
func (g *grower) grow(y *yaml.Node) *node {
	if g.dead {
		return nil
	}
	if *g.left--; *g.left < 0 {
		return g.bound(y, fmt.Sprintf("more than %d values, aliases counted each time", maxValues))
	}
	if len(g.path) > maxDepth {
		g.path = nil
		return g.bound(y, fmt.Sprintf("nested deeper than %d levels, or an alias inside its own anchor", maxDepth))
	}
	if y.Kind == yaml.AliasNode {
		if y.Alias == nil {
			return g.bound(y, "alias of nothing")
		}
		y = y.Alias
		if y.Kind == yaml.AliasNode {
			return g.bound(y, "alias of an alias")
		}
	}
	n := &node{at: pos{g.file, y.Line, y.Column}}
	switch y.Kind {
	case yaml.ScalarNode:
		n.text = y.Value
		n.quoted = y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
		if n.null = y.ShortTag() == "!!null"; n.null {
			n.text = "" // however it was spelled
		}
	case yaml.SequenceNode:
		n.kind = list
		for i, item := range y.Content {
			g.path = append(g.path, strconv.Itoa(i))
			child := g.grow(item)
			if g.dead {
				return nil
			}
			g.path = g.path[:len(g.path)-1]
			n.items = append(n.items, child)
		}
	case yaml.MappingNode:
		n.kind = mapping
		if !g.growMap(n, y) {
			return nil
		}
	default:
		return g.bound(y, "not a value")
	}
	if y.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(y.ShortTag(), "!!") {
		g.fail(y, "the tag "+strconv.Quote(clip(y.Tag))+" means nothing here", "")
	}
	return n
}

func (g *grower) growMap(n *node, y *yaml.Node) bool {
	seen := make(map[string]int, len(y.Content)/2)
	var merges []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Kind == yaml.AliasNode && k.Alias != nil {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode || k.Value == "" || len(k.Value) > maxKeyLen {
			g.fail(k, fmt.Sprintf("a key must be text of 1 to %d bytes", maxKeyLen), "")
			continue
		}
		g.path = append(g.path, k.Value)
		if line, twice := seen[k.Value]; twice {
			g.fail(k, "duplicate key", fmt.Sprintf("first on line %d", line))
		}
		child := g.grow(v)
		if g.dead {
			return false
		}
		g.path = g.path[:len(g.path)-1]
		if _, twice := seen[k.Value]; twice {
			continue
		}
		seen[k.Value] = k.Line
		if k.ShortTag() == "!!merge" {
			merges = append(merges, child)
			continue
		}
		n.put(key{k.Value, pos{g.file, k.Line, k.Column}}, child)
	}
	for _, m := range merges {
		g.mergeKey(n, m, seen)
	}
	return true
}

// mergeKey adds what `<<: *anchor` names; keys that stand in the map itself win.
func (g *grower) mergeKey(n, from *node, seen map[string]int) {
	sources := []*node{from}
	if from.kind == list {
		sources = from.items
	}
	for _, s := range sources {
		if s.kind != mapping {
			g.errs.add(s.at, strings.Join(append(g.path, "<<"), "."), "a merge key wants a map, got "+s.shown(), "")
			return
		}
		for i, k := range s.keys {
			if _, own := seen[k.text]; !own {
				seen[k.text] = k.at.line
				n.put(k, s.items[i])
			}
		}
	}
}
