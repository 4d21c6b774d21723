package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

// trailsRun runs the program with no configuration but a state directory of
// its own.
func trailsRun(t *testing.T, state string, args ...string) (code int, out, errs string) {
	t.Helper()
	config := filepath.Join(state, "config.yaml")
	if _, err := os.Stat(config); err != nil {
		writeTest(t, config, "state: "+state+"\n")
	}
	var o, e bytes.Buffer
	code = execute(context.Background(), &streams{strings.NewReader(""), &o, &e}, append(args, "-c", config))
	return code, o.String(), e.String()
}

func writeTest(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const testTrails = `trail,info,reference
evil.example,ek test (malicious),(static)
dyn.example,dynamic domain (suspicious),(static)
cdn.white.example,family (malware),(static)
66.66.66.66:8443,family (malware),(static)
66.66.66.66,known attacker,feed.example
66.66.0.0/16,mass scanner,(static)
/gate.php,bad script (malicious),(static)
evil.example/gate.php,ek test (malicious),(static)
site.example/a/b,family (malware),(static)
site.example/,family (malware),(static)
0ba[0-9]{3}\.win,family (malware),(static)
ua:Evil Agent/[0-9]+,family (malware),(static)
0000000000000000000000000000000000000001,family c2 cert (suspicious),abuse.example
ja3:00000000000000000000000000000001,family (malware),(static)
1.2.3.4:99999,family (malware),(static)
a b c
`

// testTable compiles testTrails and gives its path and a whitelist's.
func testTable(t *testing.T) (dir, table, white string) {
	dir = t.TempDir()
	table = filepath.Join(dir, "t.thd")
	csv := writeTest(t, filepath.Join(dir, "test.csv"), testTrails)
	white = writeTest(t, filepath.Join(dir, "white.txt"), "white.example\n17.0.0.0/8\n")
	code, out, errs := trailsRun(t, dir, "trails", "build", "-o", table, "--seed", "1", "--time", "2026-01-02T03:04:05Z", "--verify", csv)
	if code != exitDone || out != "" {
		t.Fatalf("build: code %d, out %q, %s", code, out, errs)
	}
	golden(t, "build.txt", strings.ReplaceAll(errs, dir, "DIR"))
	return dir, table, white
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		writeTest(t, path, got)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update to make it)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestTrailsLookup(t *testing.T) {
	dir, table, white := testTable(t)
	values := []string{"www.evil.example", "dyn.example", "a.dyn.example", "x.cdn.white.example", "evil.example:443", "66.66.66.66:8443",
		"66.66.66.66", "66.66.1.1", "66.66.1.0/24", "http://Evil.Example/Gate.php?id=7", "site.example:8080/a/b/c?x=1", "/gate.php",
		"0ba123.win", "ua:x Evil Agent/77", "0000000000000000000000000000000000000001", "ja3:00000000000000000000000000000001",
		"nothing.example", "1.2.3.4.5"}
	args := append([]string{"trails", "lookup", "--trails", table, "--whitelist", white}, values...)
	code, out, errs := trailsRun(t, dir, args...)
	if code != exitDone || errs != "" {
		t.Errorf("code %d, %s", code, errs)
	}
	golden(t, "lookup.txt", out)

	code, out, _ = trailsRun(t, dir, append(args, "--json")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitDone || len(lines) != len(values) {
		t.Fatalf("code %d, %d lines", code, len(lines))
	}
	for i, line := range lines {
		var an answer
		if err := json.Unmarshal([]byte(line), &an); err != nil || an.Value != values[i] {
			t.Errorf("%s: %v", line, err)
		}
	}
	if code, out, errs := trailsRun(t, dir, "trails", "lookup", "--trails", table, "nothing.example"); code != exitFailed || out == "" || errs != "" {
		t.Errorf("nothing found: code %d, %q, %q", code, out, errs)
	}
	if code, _, _ := trailsRun(t, dir, "trails", "lookup"); code != exitUsage {
		t.Errorf("no value: code %d", code)
	}
}

func TestTrailsStats(t *testing.T) {
	dir, table, _ := testTable(t)
	code, out, errs := trailsRun(t, dir, "trails", "stats", "--trails", table, "--top", "3")
	if code != exitDone || errs != "" {
		t.Fatalf("code %d, %s", code, errs)
	}
	lines := strings.Split(strings.ReplaceAll(out, dir, "DIR"), "\n")
	for i, line := range lines {
		if before, _, ok := strings.Cut(line, "Z, "); ok {
			lines[i] = before + "Z, AGE" // the clock's
		}
	}
	golden(t, "stats.txt", strings.Join(lines, "\n"))
	code, out, _ = trailsRun(t, dir, "trails", "stats", "--trails", table, "--json")
	var s stats
	if err := json.Unmarshal([]byte(out), &s); code != exitDone || err != nil || s.Trails != 14 || s.Kinds["domain"] != 3 || s.Infos.Distinct != 7 {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
	// What is compiled for this run is named after its source.
	own := writeTest(t, filepath.Join(dir, "own.txt"), "evil.example\n")
	if code, out, errs := trailsRun(t, dir, "trails", "stats", "--trails", own); code != exitDone || !strings.Contains(out, "table       1 trails of "+own+"\n") {
		t.Errorf("a list: code %d, %s%s", code, out, errs)
	}
	code, out, _ = trailsRun(t, dir, "trails", "stats", "--trails", own, "--json")
	if code != exitDone || strings.Contains(out, `"file"`) {
		t.Errorf("a list: code %d, %s", code, out)
	}
}

func TestTrailsLint(t *testing.T) {
	dir, table, white := testTable(t)
	code, out, _ := trailsRun(t, dir, "trails", "lint", "--whitelist", white, table)
	if code != exitDone {
		t.Errorf("code %d", code)
	}
	golden(t, "lint.txt", out)
	if code, _, _ := trailsRun(t, dir, "trails", "lint", "--strict", "--whitelist", white, "--trails", table); code != exitFailed {
		t.Errorf("strict: code %d", code)
	}
	good := writeTest(t, filepath.Join(dir, "good.txt"), "evil.example\n")
	if code, out, errs := trailsRun(t, dir, "trails", "lint", "--strict", "--whitelist", "none", good); code != exitDone || !strings.Contains(out, "1 match, 0 can never match") {
		t.Errorf("clean list: code %d, %s%s", code, out, errs)
	}
	code, out, _ = trailsRun(t, dir, "trails", "lint", "--json", "--whitelist", white, table)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); code != exitDone || len(lines) != 2 || !strings.Contains(lines[0], `"reason":"whitelisted"`) {
		t.Errorf("code %d: %s", code, out)
	}
	if code, _, _ := trailsRun(t, dir, "trails", "lint", "--limit", "-1", table); code != exitUsage {
		t.Errorf("limit below 0: code %d", code)
	}
}
