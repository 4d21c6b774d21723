package config

import (
	"fmt"
	"reflect"
)

// merger lays later files over earlier ones: maps merge, lists of named entries
// merge by name, anything else replaces.
//
// A value in config.yaml itself replaces the default. A drop-in merges with it
// even if config.yaml does not speak of it: a drop-in then means the same beside
// an empty config.yaml and beside the shipped one, which spells the defaults out.
type merger struct {
	errs     *problems
	dropIn   bool
	named    map[string]bool  // keys whose lists merge by name
	defaults map[string]*node // of named lists and of maps with free keys
}

// pathSilence may be a duration as well as a map; see merge.
const pathSilence = "capture.silence"

func newMerger(errs *problems) *merger {
	m := &merger{errs: errs, named: map[string]bool{}, defaults: map[string]*node{}}
	eachField("", reflect.TypeFor[Config](), func(path string, f field) {
		if isNamedList(f.typ) {
			m.named[path] = true
		}
		if isNamedList(f.typ) || f.typ.Kind() == reflect.Map || path == pathSilence {
			m.defaults[path] = f.tree()
		}
	})
	return m
}

// merge gives base with over laid upon it. A null says nothing, so a key whose
// children are all commented out changes nothing.
func (m *merger) merge(path string, base, over *node) *node {
	if over == nil || over.null {
		return base
	}
	if path == pathSilence && over.kind == scalar && (m.dropIn || base != nil) {
		// `silence: 12h` in a drop-in sets the default and leaves the rest.
		over = &node{kind: mapping, at: over.at, keys: []key{{"default", over.at}}, items: []*node{over}}
	}
	if base == nil && m.dropIn {
		base = m.defaults[path]
	}
	if path == pathSilence && base != nil && base.kind == scalar {
		base = &node{kind: mapping, at: base.at, keys: []key{{"default", base.at}}, items: []*node{base}}
	}
	switch {
	case m.named[path] && over.kind == list:
		if base == nil || base.kind != list || over.replace {
			base = &node{kind: list, at: over.at}
		}
		return m.byName(path, base, over)
	case over.kind != mapping:
		return over
	case base == nil || base.kind != mapping || over.replace:
		// Merged all the same: named lists further down may delete entries.
		base = &node{kind: mapping, at: over.at}
	}
	out := &node{kind: mapping, at: over.at, keys: append([]key(nil), base.keys...), items: append([]*node(nil), base.items...)}
	index := make(map[string]int, len(out.keys))
	for i, k := range out.keys {
		index[k.text] = i
	}
	for i, k := range over.keys {
		if at, ok := index[k.text]; ok {
			if v := m.merge(join(path, k.text), out.items[at], over.items[i]); v != out.items[at] {
				out.keys[at], out.items[at] = k, v
			}
		} else if v := m.merge(join(path, k.text), nil, over.items[i]); v != nil {
			out.put(k, v)
		} else {
			out.put(k, over.items[i]) // null: kept, so that an unknown key is still seen
		}
	}
	return out
}

// byName merges a list of entries with names. An entry that only removes may be
// followed by one of the same name, which then starts afresh.
func (m *merger) byName(path string, base, over *node) *node {
	out := &node{kind: list, at: over.at, items: append([]*node(nil), base.items...)}
	index := make(map[string]int, len(out.items))
	for i, entry := range out.items {
		index[entry.get("name").text] = i
	}
	here := make(map[string]pos)
	for i, entry := range over.items {
		name := m.entryName(fmt.Sprintf("%s[%d]", path, i), entry)
		if name == "" {
			continue
		}
		key := join(path, name)
		if first, twice := here[name]; twice {
			m.errs.add(entry.at, key, "the name is used twice", "first at "+first.String())
			continue
		}
		at, known := index[name]
		known = known && out.items[at] != nil
		if m.removes(key, entry) {
			if known {
				out.items[at] = nil
			} else {
				m.errs.add(entry.at, key, "nothing of this name to remove", didYouMean(name, index, ""))
			}
			continue
		}
		here[name] = entry.at
		if known {
			out.items[at] = m.merge(key, out.items[at], entry)
			continue
		}
		index[name] = len(out.items)
		out.items = append(out.items, m.merge(key, nil, entry))
	}
	kept := out.items[:0]
	for _, entry := range out.items {
		if entry != nil {
			kept = append(kept, entry)
		}
	}
	out.items = kept
	return out
}

// entryName gives the name of an entry, or reports why it has none.
func (m *merger) entryName(path string, entry *node) string {
	if entry.kind != mapping {
		m.errs.add(entry.at, path, "want a map with a name, got "+entry.shown(), "")
		return ""
	}
	name := entry.get("name")
	switch {
	case name == nil || name.null || name.kind == scalar && name.text == "":
		m.errs.add(entry.at, path, "an entry needs a name", "add name: ...")
	case name.kind != scalar || !plainName(name.text):
		m.errs.add(name.at, join(path, "name"), name.shown()+" is not a name", "want 1 to 64 letters, digits, - and _")
	default:
		return name.text
	}
	return ""
}

// removes says whether an entry only deletes, and takes the key `remove` away.
func (m *merger) removes(path string, entry *node) bool {
	for i, k := range entry.keys {
		if k.text != "remove" {
			continue
		}
		flag := entry.items[i]
		if flag.kind != scalar || flag.text != "true" && flag.text != "false" {
			m.errs.add(flag.at, join(path, "remove"), flag.shown()+" is not true or false", "")
			return false
		}
		if flag.text == "true" {
			if len(entry.keys) > 2 {
				m.errs.add(k.at, join(path, "remove"), "an entry that removes has a name and nothing else", "")
			}
			return true
		}
		entry.keys = append(entry.keys[:i:i], entry.keys[i+1:]...)
		entry.items = append(entry.items[:i:i], entry.items[i+1:]...)
		return false
	}
	return false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// plainName holds for names that can be a file name, a metric label and one
// element of a dotted key.
func plainName(s string) bool {
	if len(s) == 0 || len(s) > 64 || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
