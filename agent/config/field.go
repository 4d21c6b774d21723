package config

import (
	"encoding"
	"net/netip"
	"reflect"
	"strings"
	"time"
)

// field is one key of a struct: what its tags say.
type field struct {
	index    []int
	key      string
	typ      reflect.Type
	dflt     string // YAML text
	hasDflt  bool
	doc      string
	take     Take
	oneof    []string
	min, max string // in the field's own notation
	zero     string // a word for the value 0, which min does not forbid then
	check    string // a check of checkText; with "?" empty is fine
	required bool
	maltrail []string // directives of the reference that mean this key
}

// fieldsOf lists the keys of a struct in order. A field without a key tag is
// named by its yaml tag, embedded structs count as part of the outer one, and
// other fields are no keys.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name, tagged := sf.Tag.Lookup("key")
		if !tagged {
			name, _, _ = strings.Cut(sf.Tag.Get("yaml"), ",")
		}
		if sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Struct && sf.IsExported() {
			for _, f := range fieldsOf(sf.Type) {
				f.index = append([]int{i}, f.index...)
				fields = append(fields, f)
			}
			continue
		}
		if !sf.IsExported() || name == "" || name == "-" {
			continue
		}
		f := field{
			index: []int{i}, key: name, typ: sf.Type, doc: sf.Tag.Get("doc"),
			oneof: strings.Fields(sf.Tag.Get("oneof")), min: sf.Tag.Get("min"), max: sf.Tag.Get("max"),
			zero: sf.Tag.Get("zero"), check: sf.Tag.Get("check"), required: sf.Tag.Get("required") != "",
			maltrail: strings.Fields(sf.Tag.Get("maltrail")),
		}
		if sf.Tag.Get("take") == "restart" {
			f.take = Restart
		}
		f.dflt, f.hasDflt = sf.Tag.Lookup("default")
		fields = append(fields, f)
	}
	return fields
}

// tree is the default as a tree without position; nil when there is none.
func (f field) tree() *node {
	if !f.hasDflt {
		return nil
	}
	if f.dflt == "" {
		return &node{quoted: true}
	}
	var errs problems
	left := maxValues
	n := parse("", []byte(f.dflt), &left, &errs)
	if n == nil {
		panic("BUG: the default of " + f.key + " is not YAML: " + f.dflt)
	}
	n.relocate(pos{})
	return n
}

// eachField calls visit for every key of a struct and the structs inside it,
// parents first.
func eachField(path string, t reflect.Type, visit func(path string, f field)) {
	for _, f := range fieldsOf(t) {
		at := join(path, f.key)
		visit(at, f)
		if isSection(f.typ) {
			eachField(at, f.typ, visit)
		}
	}
}

// fromNode is a type that reads itself.
type fromNode interface {
	fromNode(d *decoder, path string, n *node, f field)
}

// wanter is a type that says what its text looks like.
type wanter interface{ want() string }

var (
	typeDuration = reflect.TypeFor[time.Duration]()
	typePrefix   = reflect.TypeFor[netip.Prefix]()
	typeFromNode = reflect.TypeFor[fromNode]()
	typeTextual  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isSection says whether a type is a struct whose keys are keys of their own.
func isSection(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() == reflect.Struct && !p.Implements(typeFromNode) && !p.Implements(typeTextual)
}

// isNamedList says whether a type is a list whose entries merge by name.
func isNamedList(t reflect.Type) bool {
	if t.Kind() != reflect.Slice {
		return false
	}
	switch t.Elem() {
	case reflect.TypeFor[Output](), reflect.TypeFor[Source](), reflect.TypeFor[Rule]():
		return true
	}
	return false
}

// valueOf gives what a pointer points to.
func valueOf(pointer any) reflect.Value { return reflect.ValueOf(pointer).Elem() }
