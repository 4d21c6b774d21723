package detect

import (
	"strings"
	"testing"

	"trailhound/agent/event"
	"trailhound/trails/table"
)

// TestUncountedNames: why a question counts for no heuristic is said.
func TestUncountedNames(t *testing.T) {
	long := strings.Repeat("x", 25)
	for _, c := range []struct {
		name string
		opt  Options
		want string
	}{
		{"www.site.com", Options{Heuristics: true}, ""},
		{"site.com", Options{Heuristics: true}, ""},
		{long + ".site.com", Options{Heuristics: true}, ""},
		{"printer.site.test", Options{Heuristics: true}, "networks make up names of this zone"},
		{"a.b.si+te.com", Options{Heuristics: true}, "of no form that a domain has"},
		{"1-2-3-4.dial.com", Options{Heuristics: true}, "address with dashes"},
		{long + "-.site.com", Options{Heuristics: true}, "the label has a hyphen"},
		{long + ".site.com", Options{}, "heuristics: false"},
		{long + ".site.com", Options{Heuristics: true, Disabled: map[event.Code]bool{event.DNSLong: true}}, "detection.disable"},
	} {
		tab, err := table.NewBuilder(table.Options{Seed: 1}).Memory()
		if err != nil {
			t.Fatal(err)
		}
		w := NewWorker(NewRules(tab, nil, c.opt))
		var trace Trace
		w.SetTrace(&trace)
		w.rules.trace.counted(w, []byte(c.name), w.rules.class([]byte(c.name), false), false)
		got := ""
		for _, s := range trace.Steps {
			got += s.Why
		}
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
