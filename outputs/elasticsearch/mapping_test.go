package elasticsearch

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/outputs/format"
)

// leaves lists the fields of a mapping with their types.
func leaves(list map[string]string, path string, properties map[string]any) map[string]string {
	for name, v := range properties {
		field := v.(map[string]any)
		if inner, ok := field["properties"].(map[string]any); ok {
			leaves(list, path+name+".", inner)
			continue
		}
		list[path+name] = field["type"].(string)
	}
	return list
}

// mapped lists the fields of a data stream as a node would put them together.
func mapped(t types) map[string]string {
	list := leaves(map[string]string{}, "", t.properties())
	template := indexTemplate("trailhound.event", features{types: t})["template"].(map[string]any)
	return leaves(list, "", template["mappings"].(map[string]any)["properties"].(map[string]any))
}

// emitted lists the fields of a document with one value of each.
func emitted(list map[string]any, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			emitted(list, strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case []any:
		for _, inner := range v {
			emitted(list, path, inner)
		}
	default:
		list[path] = v
	}
}

// Every field that an event can have is mapped, with a type that takes its
// value, and nothing is mapped that no event has.
func TestEveryFieldIsMapped(t *testing.T) {
	for _, types := range []types{allTypes(false), allTypes(true), {}} {
		fields, seen := mapped(types), map[string]bool{}
		for _, e := range maximalEvents() {
			var doc map[string]any
			if err := json.Unmarshal(format.AppendECS(nil, &e, identity()), &doc); err != nil {
				t.Fatal(err)
			}
			values := map[string]any{}
			emitted(values, "", doc)
			for path, v := range values {
				if openPath := inOpen(path); openPath != "" {
					seen[openPath] = true
					continue
				}
				seen[path] = true
				if typ, ok := fields[path]; !ok {
					t.Errorf("%s: field %s is not mapped", e.Code, path)
				} else if !takes(typ, v) {
					t.Errorf("%s: field %s is mapped as %s, its value is %#v", e.Code, path, typ, v)
				}
			}
		}
		for _, path := range slices.Sorted(maps.Keys(fields)) {
			if !seen[path] {
				t.Errorf("field %s is mapped, but no event has it", path)
			}
		}
	}
}

func inOpen(path string) string {
	for _, o := range open() {
		if strings.HasPrefix(path, o.path+".") {
			return o.path
		}
	}
	return ""
}

// takes says whether a field of this type indexes the value.
func takes(typ string, v any) bool {
	text, isText := v.(string)
	switch typ {
	case "keyword", "wildcard", "text", "match_only_text", "constant_keyword":
		return isText
	case "ip":
		_, err := netip.ParseAddr(text)
		return err == nil
	case "date":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "long":
		n, ok := v.(float64)
		return ok && n == float64(int64(n))
	case "float", "double":
		_, ok := v.(float64)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	}
	return false
}

// Whatever an event holds, no value can make a node refuse the document.
func TestHostileValuesFitTheirFields(t *testing.T) {
	fields := mapped(allTypes(false))
	e := hostileEvent(1)
	for _, text := range []string{"", "-", "80,443", "not an address", strings.Repeat("9", 400), "\x00", "1e999", "::ffff:1.2.3.4%eth0"} {
		e.Forwarded, e.Indicator, e.HTTP.Host, e.Observable = text, text, "a:"+text, text
		e.DNS.Answers, e.HTTP.ContentType, e.HTTP.Body = []string{text, "a.test", text}, text, text
		for kind := range 12 {
			e.Kind = maximalEvents()[min(kind+2, 11)].Kind
			e.Code = maximalEvents()[0].Code
			var doc map[string]any
			if err := json.Unmarshal(format.AppendECS(nil, &e, identity()), &doc); err != nil {
				t.Fatal(err)
			}
			values := map[string]any{}
			emitted(values, "", doc)
			for path, v := range values {
				if typ := fields[path]; inOpen(path) == "" && !takes(typ, v) {
					t.Errorf("field %s is mapped as %s, its value is %#v", path, typ, fmt.Sprint(v))
				}
			}
		}
	}
}
