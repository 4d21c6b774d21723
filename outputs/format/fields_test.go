package format

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"trailhound/agent/event"
	"trailhound/trails"
)

var update = flag.Bool("update", false, "rewrite docs/fields.md and the golden files")

func TestFieldsPage(t *testing.T) {
	const page = "../../docs/fields.md"
	want := AppendFieldsPage(nil)
	if *update {
		if err := os.MkdirAll("../../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/fields.md is not what fields.go says: run go test ./outputs/format -update")
	}
}

// TestFieldsMatchStruct: every field of the structs is in the table, with its
// type, and nothing else is.
func TestFieldsMatchStruct(t *testing.T) {
	want := make(map[string]string)
	collect(want, "", reflect.TypeFor[event.Event]())
	collect(want, "Identity.", reflect.TypeFor[event.Identity]())
	for _, f := range Fields() {
		typ, ok := want[f.Name]
		if !ok {
			t.Errorf("%s is not in the struct", f.Name)
		}
		if typ != f.Type && strings.ReplaceAll(typ, "uint8", "byte") != f.Type {
			t.Errorf("%s is a %s, the table says %s", f.Name, typ, f.Type)
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("%s is not in the table", name)
	}
}

func collect(into map[string]string, prefix string, typ reflect.Type) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		if f.Type.Kind() == reflect.Struct && f.Type.PkgPath() == "trailhound/agent/event" {
			collect(into, prefix+f.Name+".", f.Type)
			continue
		}
		into[prefix+f.Name] = strings.TrimPrefix(f.Type.String(), "event.")
	}
}

// TestEveryFieldIsWritten: whatever changes in an event changes its ECS document.
// A field that is added to event.Event and forgotten by the format fails here.
func TestEveryFieldIsWritten(t *testing.T) {
	e := fullEvent()
	e.Health = healthEvent().Health
	e.Health.Measures = []event.Measure{event.Count("drops", 123)}
	before := string(AppendECS(nil, e, fullIdentity()))
	seen := 0
	eachField(reflect.ValueOf(e).Elem(), "", func(name string) {
		seen++
		if name == ".Sources[].LastSeen" { // of the trail set, not of the event
			return
		}
		if string(AppendECS(nil, e, fullIdentity())) == before {
			t.Errorf("%s is in no ECS document", name)
		}
	})
	if after := string(AppendECS(nil, e, fullIdentity())); after != before || seen < 70 {
		t.Errorf("%d fields only, or the test left one changed:\n%s", seen, after)
	}
}

// eachField changes one leaf after the other, calls f, and changes it back; of a
// list the first element.
func eachField(v reflect.Value, name string, f func(string)) {
	old := reflect.ValueOf(v.Interface())
	change := func(to any) {
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		f(name)
		v.Set(old)
	}
	switch x := v.Interface().(type) {
	case time.Time:
		change(x.Add(time.Hour))
		return
	case netip.Addr:
		change(addr("192.0.2.200"))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachField(v.Field(i), name+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice:
		v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v)) // lists may be shared
		eachField(v.Index(0), name+"[]", f)
	case reflect.Array:
		b := [16]byte{1}
		change(b)
	case reflect.String:
		change("x" + v.String())
	case reflect.Bool:
		change(!v.Bool())
	case reflect.Float64:
		change(v.Float() + 1)
	default:
		if n := v.Uint(); n > 0 {
			change(n - 1)
		} else {
			change(1)
		}
	}
}

// TestFieldsMatchECS: what the table names is written, and what is written is
// in the table.
func TestFieldsMatchECS(t *testing.T) {
	response := fullEvent()
	request := fullEvent()
	request.HTTP.Status, request.TLS = 0, event.TLSFacts{}
	address := icmpEvent()
	port := icmpEvent()
	port.Kind, port.Indicator = trails.AddressPort, "198.51.100.9:80"
	url := httpEvent()
	url.Code, url.Kind, url.Indicator = event.TrailURL, trails.URL, "shop.test:8080/item"
	tunnel := scanEvent()
	tunnel.Code = event.DNSExhaustion
	ja3 := certEvent()
	ja3.Kind, ja3.Indicator = trails.JA3, "ja3:0123456789abcdef0123456789abcdef"
	written := make(map[string]bool)
	for _, e := range []*event.Event{response, request, address, port, url, ja3, recoveredEvent(), tunnel} {
		var doc map[string]any
		if err := json.Unmarshal(AppendECS(nil, e, fullIdentity()), &doc); err != nil {
			t.Fatal(err)
		}
		paths(written, "", doc)
	}
	documented := make(map[string]bool)
	for _, f := range slices.Concat(Fields(), derived()) {
		for _, name := range strings.Fields(f.ECS) {
			documented[name] = true
			if !written[name] {
				t.Errorf("%s is in the table but not in the document", name)
			}
		}
	}
	for name := range written {
		if !covered(documented, name) {
			t.Errorf("%s is in the document but not in the table", name)
		}
	}
}

// covered says whether a path, one above or one below it is in the table.
func covered(documented map[string]bool, name string) bool {
	for d := range documented {
		if d == name || strings.HasPrefix(d, name+".") || (d == "labels" || d == "threat.enrichments.indicator" || d == "trailhound.health.measures") && strings.HasPrefix(name, d+".") {
			return true
		}
	}
	return false
}

func paths(into map[string]bool, prefix string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			into[prefix+name] = true
			paths(into, prefix+name+".", member)
		}
	case []any:
		for _, element := range v {
			if m, ok := element.(map[string]any); ok {
				paths(into, prefix, m)
			}
		}
	}
}

func TestFieldsMatchCEFAndCSV(t *testing.T) {
	request := fullEvent()
	request.HTTP.Status, request.TLS = 0, event.TLSFacts{}
	written, labels := make(map[string]bool), make(map[string]bool)
	for _, l := range cefLabels() {
		labels[l[0]] = true
	}
	id := fullIdentity()
	id.ID = "0198c3f2-a1b0-4c10-8000-000000000001"
	for _, e := range []*event.Event{fullEvent(), request, certEvent(), healthEvent(), dnsEvent()} {
		_, ext, err := parseCEF(string(AppendCEF(nil, e, id)))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range ext {
			written[k] = true
			i := slices.IndexFunc(cefLabels(), func(l [2]string) bool { return l[0] == k })
			if strings.HasSuffix(k, "Label") && (i < 0 || !strings.Contains(cefLabels()[i][1], v)) {
				t.Errorf("the label %s=%s is not in the table", k, v)
			}
			delete(labels, k)
		}
	}
	if len(labels) > 0 {
		t.Errorf("labels in the table that are not written: %v", labels)
	}
	columns := strings.Split(strings.TrimSpace(string(AppendAllCSVHeader(nil))), ",")
	documented := make(map[string]bool)
	for _, f := range Fields() {
		for _, key := range strings.Split(f.CEF, ", ") {
			documented[key] = true
			if key != "" && key != "header" && !written[key] {
				t.Errorf("CEF key %s is not written", key)
			}
		}
		if f.CSV != "" && !slices.Contains(columns, f.CSV) {
			t.Errorf("there is no CSV column %s", f.CSV)
		}
		documented["csv "+f.CSV] = true
	}
	for key := range written {
		if !documented[strings.TrimSuffix(key, "Label")] {
			t.Errorf("CEF key %s is not in the table", key)
		}
		if !slices.Contains(CEFKeys(), strings.TrimSuffix(key, "Label")) {
			t.Errorf("CEF key %s is not in the list of keys", key)
		}
	}
	for _, key := range CEFKeys() {
		if !written[key] && key != "act" && key != "cnt" {
			t.Errorf("CEF key %s is in the list and not written", key)
		}
	}
	for _, c := range columns {
		if !documented["csv "+c] && c != "technique" {
			t.Errorf("CSV column %s is not in the table", c)
		}
	}
}
