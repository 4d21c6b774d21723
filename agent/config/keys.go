package config

import (
	"reflect"
	"strings"
)

// Take says what makes a changed key count.
type Take uint8

// Reload is SIGHUP; Restart is a new process.
const (
	Reload Take = iota
	Restart
)

// String gives "reload" or "restart".
func (t Take) String() string {
	if t == Restart {
		return "restart"
	}
	return "reload"
}

// Key is one key of the configuration. The keys of list entries have "[]" after
// the list's name: capture.interfaces[].alias.
type Key struct {
	Path     string
	Type     string // for people
	Default  string // YAML text; empty when there is none
	Required bool
	Doc      string // one line
	Take     Take
	Maltrail []string // directives of Maltrail that it stands for
}

// Keys lists every key in the order of the file.
func Keys() []Key { return KeysOf("", Config{}) }

// KeysOf lists the keys of a struct with the tags of this package, with prefix
// in front: how an output documents its own part.
func KeysOf(prefix string, v any) []Key {
	var keys []Key
	appendKeys(prefix, reflect.TypeOf(v), &keys)
	return keys
}

func appendKeys(prefix string, t reflect.Type, keys *[]Key) {
	eachField(prefix, t, func(path string, f field) {
		if isSection(f.typ) {
			return
		}
		k := Key{Path: path, Type: typeText(f), Default: f.dflt, Required: f.required, Doc: f.doc, Take: f.take, Maltrail: f.maltrail}
		if f.hasDflt && k.Default == "" {
			k.Default = `""`
		}
		*keys = append(*keys, k)
		if elem := f.typ; elem.Kind() == reflect.Slice && elem.Elem().Kind() == reflect.Struct && len(fieldsOf(elem.Elem())) > 0 {
			appendKeys(path+"[]", elem.Elem(), keys)
		}
	})
}

// typeText names a type for the reference page.
func typeText(f field) string {
	t := f.typ
	if len(f.oneof) > 0 {
		return strings.Join(f.oneof, " or ")
	}
	switch t {
	case reflect.TypeFor[Silence]():
		return "duration, off, or map of those by interface"
	case reflect.TypeFor[Secret]():
		return "text (secret)"
	case reflect.TypeFor[Size]():
		return "size" + rangeText(f)
	case reflect.TypeFor[AutoSize]():
		return "auto or size" + rangeText(f)
	case reflect.TypeFor[Workers]():
		return "auto or 1 to 64"
	case reflect.TypeFor[Fsync]():
		return "always, never or duration"
	case reflect.TypeFor[Interface]():
		return "names or maps"
	case typeDuration:
		return "duration" + rangeText(f)
	case typePrefix:
		return "networks"
	}
	switch t.Kind() {
	case reflect.Pointer:
		if isSection(t.Elem()) {
			var names []string
			for _, f := range fieldsOf(t.Elem()) {
				names = append(names, f.key)
			}
			return "map of " + strings.Join(names, ", ")
		}
		return "auto, " + typeText(field{typ: t.Elem()})
	case reflect.Slice:
		switch {
		case isNamedList(t):
			return "list of named entries"
		case t.Elem().Kind() == reflect.String:
			return "list of text"
		}
		return "list of " + typeText(field{typ: t.Elem()})
	case reflect.Map:
		if t.Elem().Kind() == reflect.Slice {
			return "map of names to " + typeText(field{typ: t.Elem()})
		}
		return "map of names to " + strings.TrimPrefix(typeText(field{typ: t.Elem()}), "a ")
	case reflect.Bool:
		return "true or false"
	case reflect.Float64, reflect.Float32:
		return "number" + rangeText(f)
	case reflect.String:
		return "text"
	}
	return "whole number" + rangeText(f)
}

func rangeText(f field) string {
	switch {
	case f.min != "" && f.max != "":
		return ", " + f.min + " to " + f.max
	case f.min != "" && f.zero != "":
		return ", 0 or at least " + f.min
	case f.min != "":
		return ", at least " + f.min
	case f.max != "":
		return ", at most " + f.max
	}
	return ""
}
