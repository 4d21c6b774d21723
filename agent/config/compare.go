package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
)

// Changed lists the keys whose values differ between two configurations, in the
// order of the file: what a reload takes, and what has to wait for a restart. A
// list of named entries is one key.
func Changed(before, after *Config) []Key {
	var keys []Key
	a, b := before.tree(), after.tree()
	for _, k := range Keys() {
		if from := a.find(k.Path); from != nil && !from.same(b.find(k.Path)) {
			keys = append(keys, k)
		}
	}
	return keys
}

// Equal says whether two entries mean the same output with the same values.
func (o *Output) Equal(other *Output) bool {
	a, b := *o, *other
	a.Node, a.part, b.Node, b.part = nil, part{}, nil, part{}
	return reflect.DeepEqual(a, b) && o.rest.same(other.rest)
}

// Hash names the values in effect: sensors configured alike have the same. It
// is made from what Show prints, so no secret enters it, and a secret that
// changes does not change it. 16 hex digits.
func (c *Config) Hash() string {
	h := sha256.New()
	if err := c.Show(h, false); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// find follows a dotted path of schema keys; nil inside lists.
func (n *node) find(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		n = n.get(name)
	}
	return n
}

// Warning is something to know about a configuration that is valid.
type Warning struct {
	File string // where the value stands; empty: nowhere, it is a default
	Line int
	Key  string
	Text string
}

// String gives "config.yaml:12: capture.filter has no effect in this version".
func (w Warning) String() string {
	if w.File == "" {
		return w.Text
	}
	return pos{w.File, w.Line, 0}.String() + ": " + w.Text
}

// Unbuilt warns of each key that has a value other than its default although
// built says that this version does nothing with it. Keys of list entries are
// asked for with "[]": capture.interfaces[].group.
func (c *Config) Unbuilt(built func(key string) bool) []Warning {
	var warnings []Warning
	tree, dflt := c.tree(), Default().tree()
	eachField("", reflect.TypeFor[Config](), func(path string, f field) {
		if isSection(f.typ) {
			return
		}
		n := tree.find(path)
		if !n.same(dflt.find(path)) && !built(path) {
			warnings = append(warnings, warn(c.where(path, n), path))
			return
		}
		if f.typ.Kind() != reflect.Slice || !built(path) {
			return
		}
		if elem := f.typ.Elem(); elem.Kind() == reflect.Struct {
			warnings = append(warnings, c.unbuiltEntries(path, elem, n, built)...)
		}
	})
	return warnings
}

// unbuiltEntries looks at the keys inside the entries of a list.
func (c *Config) unbuiltEntries(path string, elem reflect.Type, list *node, built func(string) bool) []Warning {
	var warnings []Warning
	eachField("", elem, func(key string, f field) {
		general := path + "[]." + key
		if isSection(f.typ) || f.required || built(general) {
			return
		}
		for i, entry := range list.items {
			n := entry.find(key)
			if n == nil || n.same(f.tree()) {
				continue
			}
			own := join(element(path, i, entry), key)
			warnings = append(warnings, warn(c.where(own, n), own))
		}
	})
	return warnings
}

// where finds the place of a key: its own, or that of the first value inside it.
func (c *Config) where(path string, n *node) pos {
	if at := c.origin[path]; at.file != "" {
		return at
	}
	return n.place()
}

func (n *node) place() pos {
	if n.at.file != "" {
		return n.at
	}
	for _, item := range n.items {
		if at := item.place(); at.file != "" {
			return at
		}
	}
	return pos{}
}

func warn(at pos, key string) Warning {
	return Warning{at.file, at.line, key, fmt.Sprintf("%s has no effect in this version", key)}
}
