package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTrailsLintPopular(t *testing.T) {
	dir := t.TempDir()
	list := writeTest(t, filepath.Join(dir, "names.txt"), "www.bad.example # listed\n192.0.2.1\ngood.example.net\n")
	set := writeTest(t, filepath.Join(dir, "trails.csv"), "bad.example,x (malware),(static)\n192.0.2.1,known attacker,feed\n")
	for _, c := range []struct {
		args []string
		code int
		out  []string
		errs string
	}{
		{nil, 0, []string{"high     dns      www.bad.example: x (malware)  <- bad.example [trails.csv]\n", "high     sni ", "high     host ",
			"15 packets to 3 names: 3 events of medium severity or higher, about 1 name\n"}, "checked 2 trails"},
		{[]string{"--strict"}, exitFailed, []string{"3 events"}, ""},
		{[]string{"--limit", "1"}, 0, []string{"... and 2 more\n"}, ""},
		{[]string{"--json"}, 0, []string{`{"name":"www.bad.example","how":"sni","severity":"high","code":"trail.dns","trail":"(www).bad.example","info":"x (malware)","indicator":"bad.example","source":"trails.csv"}` + "\n"}, ""},
		{[]string{"--strict", "--set", "detection.disable=[trail.dns]"}, 0, []string{"15 packets to 3 names: 0 events"}, ""},
		{[]string{"--popular", filepath.Join(dir, "none")}, exitFailed, nil, "cannot open list of names"},
		{[]string{"--popular", set}, exitFailed, nil, "line 1: \"bad.example,x (malware),(static)\" is no name"},
	} {
		code, out, errs := trailsRun(t, dir, append([]string{"trails", "lint", "--popular", list, set}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.errs) {
			t.Errorf("%q: code %d\n%s%s", c.args, code, out, errs)
		}
		for _, want := range c.out {
			if !strings.Contains(out, want) {
				t.Errorf("%q: no %q in\n%s", c.args, want, out)
			}
		}
	}
}
