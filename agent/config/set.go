package config

import (
	"reflect"
	"strings"
)

// setFile stands where errors and origins name a file.
const setFile = "--set"

// setTree turns "a.b.c=value" into the tree that a drop-in with that one value
// would give. The value is YAML; nothing at all is empty text. In a list of
// named entries the name takes the next element (outputs.siem.address=...), in a
// map with free keys all that follows is the key (detection.thresholds.scan.port=20).
func setTree(arg string, left *int, errs *problems) *node {
	at := pos{file: setFile}
	path, text, ok := strings.Cut(arg, "=")
	path = strings.TrimSpace(path)
	if !ok || path == "" {
		errs.add(at, "", clip(arg)+" is not key=value", "")
		return nil
	}
	var own problems
	value := parse(setFile, []byte(text), left, &own)
	for _, e := range own.list {
		errs.add(at, path, e.Problem, "write key='\"text\"' for text that YAML reads otherwise")
	}
	if len(own.list) > 0 {
		return nil
	}
	if value == nil {
		value = &node{quoted: true}
	}
	value.relocate(at)
	value.replace = value.kind == list
	if len(path) > maxKeyLen || strings.Count(path, ".") > maxDepth || strings.Contains("."+path+".", "..") {
		errs.add(at, clip(path), "not a key", "")
		return nil
	}
	return wrap(path, reflect.TypeFor[Config](), value, at)
}

// wrap puts value under the rest of a path, which starts in type t; nil is a
// part whose schema is not known here.
func wrap(path string, t reflect.Type, value *node, at pos) *node {
	name, rest, more := strings.Cut(path, ".")
	var inner reflect.Type
	switch {
	case t == nil:
	case isNamedList(t):
		entry := &node{kind: mapping, at: at}
		if more {
			entry = wrap(rest, nil, value, at)
			if value, ok := entry.get("name"), rest == "name"; ok && value.text != name {
				return &node{kind: list, at: at, items: []*node{entry}} // a rename is an entry of its own
			}
		} else if value.kind == mapping {
			entry = value
		}
		if entry.get("name") == nil {
			entry.put(key{"name", at}, &node{at: at, text: name, quoted: true})
		}
		return &node{kind: list, at: at, items: []*node{entry}}
	case t.Kind() == reflect.Map || t == reflect.TypeFor[Silence]():
		more, name = false, path
	case t.Kind() == reflect.Struct:
		for _, f := range fieldsOf(t) {
			if f.key == name {
				inner = f.typ
			}
		}
	}
	if more {
		value = wrap(rest, inner, value, at)
	} else if inner != nil && inner.Kind() == reflect.Map {
		value.replace = value.kind == mapping
	}
	return &node{kind: mapping, at: at, keys: []key{{name, at}}, items: []*node{value}}
}

func (n *node) relocate(at pos) {
	n.at = at
	for i := range n.keys {
		n.keys[i].at = at
	}
	for _, item := range n.items {
		item.relocate(at)
	}
}
