package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
)

// decoder turns a tree into typed values. It goes on after a problem, so that
// one run reports them all.
type decoder struct {
	errs   *problems
	origin map[string]pos
	masked map[string]string
	expand *expander
}

// structure fills a struct from a mapping: unknown keys are problems, absent
// and null ones take their default.
func (d *decoder) structure(path string, n *node, v reflect.Value) {
	if n.kind != mapping {
		d.errs.add(n.at, path, "want a map of keys, got "+n.shown(), "")
		return
	}
	fields := fieldsOf(v.Type())
	given := make(map[string]*node, len(n.keys))
	known := make(map[string]int, len(fields))
	for i, f := range fields {
		known[f.key] = i
	}
	for i, k := range n.keys {
		if _, ok := known[k.text]; !ok {
			hint := ""
			if !d.errs.full() {
				hint = unknownHint(path, k.text, known)
			}
			d.errs.add(k.at, join(path, k.text), UnknownKey, hint)
			continue
		}
		given[k.text] = n.items[i]
	}
	for _, f := range fields {
		at, to := join(path, f.key), v.FieldByIndex(f.index)
		child := given[f.key]
		switch {
		case child != nil && !child.null:
			d.value(at, child, to, f)
		case f.required:
			d.errs.add(n.at, at, "missing", "this key has no default")
		case f.hasDflt && to.IsZero():
			d.value(at, f.tree(), to, f)
		case isSection(f.typ):
			d.structure(at, &node{kind: mapping}, to)
		}
	}
}

// value fills v from a node, whatever type it has.
func (d *decoder) value(path string, n *node, v reflect.Value, f field) {
	if n.bad {
		return
	}
	if n.at.file != "" {
		d.origin[path] = n.at
		if n.template != "" {
			d.masked[path] = n.template
		}
	}
	switch p := v.Addr().Interface().(type) {
	case fromNode:
		p.fromNode(d, path, n, f)
		return
	case *yaml.Node:
		*p = *n.yaml()
		return
	case encoding.TextUnmarshaler:
		d.scalar(path, n, v, f)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Pointer:
		d.pointer(path, n, v, f)
	case reflect.Slice:
		d.list(path, n, v, f)
	case reflect.Map:
		d.mapping(path, n, v, f)
	default:
		d.scalar(path, n, v, f)
	}
}

// pointer takes "auto" for nil where a default says so: a *bool has three states.
func (d *decoder) pointer(path string, n *node, v reflect.Value, f field) {
	if f.dflt == "auto" && n.kind == scalar && n.text == "auto" {
		v.SetZero()
		return
	}
	fresh := reflect.New(v.Type().Elem())
	if !v.IsNil() {
		fresh.Elem().Set(v.Elem())
	}
	d.value(path, n, fresh.Elem(), f)
	v.Set(fresh)
}

func (d *decoder) list(path string, n *node, v reflect.Value, f field) {
	if n.kind != list {
		hint := ""
		if n.kind == scalar && n.template == "" && len(n.text) < 40 {
			hint = "write [" + n.text + "]"
		}
		d.errs.add(n.at, path, "want a list, got "+n.shown(), hint)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.items), len(n.items)))
	for i, item := range n.items {
		d.value(element(path, i, item), item, v.Index(i), field{check: f.check, oneof: f.oneof})
	}
}

func (d *decoder) mapping(path string, n *node, v reflect.Value, f field) {
	if n.kind != mapping {
		d.errs.add(n.at, path, "want a map, got "+n.shown(), "")
		return
	}
	if v.Type().Key().Kind() != reflect.String {
		panic("BUG: a map of the configuration must have text keys: " + path)
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.keys)))
	for i, k := range n.keys {
		if n.items[i].null {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, k.text), n.items[i], item, field{check: f.check, oneof: f.oneof})
		v.SetMapIndex(reflect.ValueOf(k.text).Convert(v.Type().Key()), item)
	}
}

// element is the path of a list's element: by its name if it has one.
func element(path string, i int, item *node) string {
	if name := item.get("name"); name != nil && name.kind == scalar && name.template == "" && plainName(name.text) && path != "capture.interfaces" {
		return join(path, name.text)
	}
	return path + "[" + strconv.Itoa(i) + "]"
}

// scalar fills a value that is written as one word or text, and checks it.
func (d *decoder) scalar(path string, n *node, v reflect.Value, f field) {
	if n.kind != scalar || n.null {
		d.errs.add(n.at, path, "want "+wantOf(v, f)+", got "+n.shown(), "")
		return
	}
	if hint, err := parseScalar(n, v); err != nil {
		problem := n.shown() + " is not " + wantOf(v, f)
		if _, known := v.Addr().Interface().(wanter); !known && v.Addr().Type().Implements(typeTextual) && v.Type() != typePrefix {
			problem = n.shown() + " is not valid"
			if n.template == "" {
				problem += ": " + clip(err.Error()) // might quote the value
			}
		}
		if n.template != "" {
			hint = ""
		}
		d.errs.add(n.at, path, problem, hint)
		return
	}
	d.limits(path, n, v, f)
}

// limits checks what the tags say of a value.
func (d *decoder) limits(path string, n *node, v reflect.Value, f field) {
	if len(f.oneof) > 0 {
		for _, word := range f.oneof {
			if n.text == word {
				return
			}
		}
		words := make(map[string]int, len(f.oneof))
		for i, word := range f.oneof {
			words[word] = i
		}
		hint := ""
		if n.template == "" {
			hint = didYouMean(n.text, words, "")
		}
		d.errs.add(n.at, path, n.shown()+" is not "+wantOf(v, f), hint)
		return
	}
	value, ok := magnitude(v)
	if ok && !(value == 0 && f.zero != "") {
		for _, limit := range []struct {
			text, word string
			bad        func(limit float64) bool
		}{
			{f.min, "at least", func(l float64) bool { return value < l }},
			{f.max, "at most", func(l float64) bool { return value > l }},
		} {
			if limit.text == "" {
				continue
			}
			bound := reflect.New(v.Type()).Elem()
			if _, err := parseScalar(&node{text: limit.text}, bound); err != nil {
				panic("BUG: " + path + ": the limit " + limit.text + " is none: " + err.Error())
			}
			if l, _ := magnitude(bound); limit.bad(l) {
				or := ""
				if f.zero != "" {
					or = ", or 0 for " + f.zero
				}
				d.errs.add(n.at, path, fmt.Sprintf("%s is out of range: want %s %s%s", n.shown(), limit.word, limit.text, or), "")
				return
			}
		}
	}
	if f.check != "" && v.Kind() == reflect.String {
		if problem, hint := checkText(f.check, v.String()); problem != "" {
			d.errs.add(n.at, path, n.shown()+" "+problem, hint)
		}
	}
}

// magnitude is a value as a number for comparing; false: it has none, or is auto.
func magnitude(v reflect.Value) (float64, bool) {
	switch x := v.Interface().(type) {
	case AutoSize:
		return float64(x.Size), !x.Auto
	case Fsync:
		return 0, false
	case time.Duration:
		return float64(x), true
	}
	switch {
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}
