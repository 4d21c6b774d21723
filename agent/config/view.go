package config

import (
	"encoding"
	"net/netip"
	"reflect"
	"strconv"
	"time"
)

// view gives a configuration back as a tree: what `config show` prints and what
// two configurations are compared by. It holds secrets: only emit may print it.
type view struct {
	origin map[string]pos
	masked map[string]string
}

func (c *Config) tree() *node {
	w := view{c.origin, c.masked}
	return w.structure("", reflect.ValueOf(c).Elem())
}

func (w view) structure(path string, v reflect.Value) *node {
	n := &node{kind: mapping, at: w.origin[path]}
	for _, f := range fieldsOf(v.Type()) {
		at := join(path, f.key)
		n.put(key{text: f.key}, w.value(at, v.FieldByIndex(f.index)))
	}
	return n
}

func (w view) value(path string, v reflect.Value) *node {
	n := &node{at: w.origin[path], template: w.masked[path]}
	switch x := v.Interface().(type) {
	case Secret:
		n.text, n.quoted, n.secret = x.Reveal(), true, !x.IsZero()
		return n
	case Silence:
		return w.silence(path, x)
	case Interface:
		return w.iface(path, v)
	case Output:
		return w.entry(path, v, x.part)
	case Source:
		return w.entry(path, v, x.part)
	case Rule:
		return w.entry(path, v, x.part)
	case time.Duration:
		n.text = durationText(x)
		return n
	case netip.Prefix:
		n.text = x.String()
		if x.IsSingleIP() {
			n.text = x.Addr().String()
		}
		return n
	case encoding.TextMarshaler:
		text, _ := x.MarshalText() // ours, which never fail
		n.text = string(text)
		return n
	}
	switch v.Kind() {
	case reflect.Struct:
		return w.structure(path, v)
	case reflect.Pointer:
		if v.IsNil() {
			n.text = "auto"
			return n
		}
		return w.value(path, v.Elem())
	case reflect.Slice:
		n.kind = list
		for i := range v.Len() {
			n.items = append(n.items, w.value(w.element(path, i, v.Index(i)), v.Index(i)))
		}
	case reflect.Map:
		n.kind = mapping
		for _, name := range sortedMap(v) {
			n.put(key{text: name}, w.value(join(path, name), v.MapIndex(reflect.ValueOf(name))))
		}
	case reflect.Bool:
		n.text = strconv.FormatBool(v.Bool())
	case reflect.Float64:
		n.text = strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Int:
		n.text = strconv.FormatInt(v.Int(), 10)
	default:
		n.text, n.quoted = v.String(), true
	}
	return n
}

// element names an element as the decoder did.
func (w view) element(path string, i int, v reflect.Value) string {
	if isNamedList(reflect.SliceOf(v.Type())) {
		return join(path, v.FieldByName("Name").String())
	}
	return path + "[" + strconv.Itoa(i) + "]"
}

func (w view) silence(path string, s Silence) *node {
	text := func(path string, d time.Duration) *node {
		n := &node{at: w.origin[path], template: w.masked[path], text: "off"}
		if d > 0 {
			n.text = durationText(d)
		}
		return n
	}
	if len(s.By) == 0 {
		n := text(path, s.Default)
		if at, given := w.origin[path+".default"]; given {
			n.at, n.template = at, w.masked[path+".default"]
		}
		return n
	}
	n := &node{kind: mapping, at: w.origin[path]}
	n.put(key{text: "default"}, text(path+".default", s.Default))
	for _, name := range sortedKeys(s.By) {
		n.put(key{text: name}, text(join(path, name), s.By[name]))
	}
	return n
}

// iface leaves out what was left out: most entries are a name alone.
func (w view) iface(path string, v reflect.Value) *node {
	n := &node{kind: mapping, at: w.origin[path]}
	for _, f := range fieldsOf(v.Type()) {
		if field := v.FieldByIndex(f.index); !field.IsZero() {
			n.put(key{text: f.key}, w.value(join(path, f.key), field))
		}
	}
	if len(n.keys) == 1 && n.keys[0].text == "name" {
		return n.items[0]
	}
	return n
}

// entry shows the typed keys of an output, source or rule, then its own.
func (w view) entry(path string, v reflect.Value, p part) *node {
	n := w.structure(path, v)
	if p.rest != nil {
		for i, k := range p.rest.keys {
			n.put(k, p.rest.items[i])
		}
	}
	return n
}

func sortedMap(v reflect.Value) []string {
	names := make(map[string]bool, v.Len())
	for _, k := range v.MapKeys() {
		names[k.String()] = true
	}
	return sortedKeys(names)
}

// same says whether two trees hold the same values, wherever they stand. The
// order of keys does not matter, that of lists does.
func (n *node) same(o *node) bool {
	if n == nil || o == nil {
		return n == o
	}
	if n.kind != o.kind || n.text != o.text || n.null != o.null || len(n.items) != len(o.items) {
		return false
	}
	if n.kind == mapping {
		index := make(map[string]*node, len(o.keys))
		for i, k := range o.keys {
			index[k.text] = o.items[i]
		}
		for i, k := range n.keys {
			if other, ok := index[k.text]; !ok || !n.items[i].same(other) {
				return false
			}
		}
		return true
	}
	for i := range n.items {
		if !n.items[i].same(o.items[i]) {
			return false
		}
	}
	return true
}
