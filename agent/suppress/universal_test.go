package suppress

import (
	"strings"
	"testing"
)

// A rule that would take out everything is refused in whatever words, but for
// those that say that it is meant.
func TestUniversal(t *testing.T) {
	for name, c := range map[string]struct {
		rule    func(*Rule)
		refused bool
	}{
		"nothing":            {func(*Rule) {}, true},
		"stars of codes":     {func(r *Rule) { r.Code = []string{"**"} }, true},
		"a star and a dot":   {func(r *Rule) { r.Code = []string{"*.*"} }, true},
		"some letter":        {func(r *Rule) { r.Code = []string{"?*"} }, true},
		"a trail":            {func(r *Rule) { r.Trail = []string{"*"} }, true},
		"one of two trails":  {func(r *Rule) { r.Trail = []string{"evil.example", "*"} }, true},
		"all addresses":      {func(r *Rule) { r.Source = []string{"0.0.0.0/0", "::/0"} }, true},
		"all of all":         {func(r *Rule) { r.Source, r.Info = []string{"0.0.0.0/0", "::/0"}, []string{"*"} }, true},
		"meant":              {func(r *Rule) { r.Code = []string{"*"} }, false},
		"all IPv4 addresses": {func(r *Rule) { r.Source = []string{"0.0.0.0/0"} }, false},
		"all but one":        {func(r *Rule) { r.Source = []string{"!10.0.0.1"} }, false},
		"all of one code":    {func(r *Rule) { r.Trail, r.Code = []string{"*"}, []string{"scan.*"} }, false},
		"with a port":        {func(r *Rule) { r.Port = []string{"1-65535"} }, false},
	} {
		r := Rule{ID: "r", Reason: "a test", Action: Drop}
		c.rule(&r)
		_, problems := Compile([]Rule{r}, Scope{}, nil)
		if refused := len(problems) == 1 && strings.Contains(problems[0].Error(), "holds for every event"); refused != c.refused || !c.refused && len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestTooManyRules(t *testing.T) {
	var list []Rule
	for range MaxRules + 1000 {
		list = append(list, Rule{ID: "r", Reason: "a test", Action: Drop, Port: []string{"1"}})
	}
	_, problems := Compile(list[MaxRules-1:], Scope{}, nil)
	if len(problems) != 1000 { // all but the first have its name
		t.Errorf("%d problems", len(problems))
	}
	_, problems = Compile(list, Scope{}, nil)
	if !strings.Contains(problems[0].Error(), "and the 999 behind it are left out") {
		t.Error(problems[0])
	}
}
